//! Builds on another host: one of the application's, or one that has no git and nothing else to do.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use test_support::{Behaviour, Machine, Running, Test, assert_golden, eventually};

use crate::fleet;

const BUILD: &str = "settings = { run = [[\"cp\", \"-R\", \"app\", \"dist\"]], artifact = \"dist\" }";

/// A fleet that builds on a machine of its own, without git, by a script of the repository.
fn with_forge(script: &str) -> Option<Test> {
    let mut test = fleet()?;
    test.add_host("forge", 14);
    build_on(&mut test, "forge", "settings = { run = [[\"sh\", \"build.sh\"]], artifact = \"dist\" }");
    test.repository.write("build.sh", script.as_bytes());
    let hidden = "for directory in $(echo $PATH | tr : ' '); do \
                  [ ! -e $directory/git ] || mount --bind /dev/null $directory/git; done; ! git --version";
    let ran = test.machine("forge").command("sh", Path::new("/")).args(["-c", hidden]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    Some(test)
}

fn build_on(test: &mut Test, host: &str, settings: &str) {
    test.configure(BUILD, &format!("builder = \"{host}\"\n{settings}"));
}

/// Names of what builds have left on a machine.
fn leftovers(machine: &Machine) -> Vec<String> {
    let entries = fs::read_dir(machine.outside("/root/.cache/cutover/builds")).unwrap();
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "mutex").collect()
}

fn assert_no_leftovers(test: &Test, builder: &str) {
    for machine in [&test.desk, test.machine(builder)] {
        assert_eq!(leftovers(machine), [""; 0], "{}", machine.name());
    }
}

/// The directory of the release that is live on a machine.
fn current(machine: &Machine) -> PathBuf {
    let directory = machine.outside("/srv/shop");
    directory.join(fs::read_link(directory.join("current")).unwrap())
}

/// Every path below a directory with kind and mode, files with their length.
fn listing(top: &Path) -> String {
    let (mut lines, mut ahead) = (Vec::new(), vec![top.to_owned()]);
    while let Some(directory) = ahead.pop() {
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            let (path, found) = (entry.path(), entry.metadata().unwrap());
            let name = path.strip_prefix(top).unwrap().as_os_str().as_bytes().escape_ascii().to_string();
            let mode = found.permissions().mode() & 0o7777;
            lines.push(if found.is_dir() {
                ahead.push(path);
                format!("{name}/ {mode:o}\n")
            } else if found.is_symlink() {
                format!("{name} -> {}\n", fs::read_link(path).unwrap().display())
            } else {
                format!("{name} {mode:o} {}\n", found.len())
            });
        }
    }
    lines.sort();
    lines.concat()
}

#[test]
fn an_application_host_builds() {
    let Some(mut test) = fleet() else { return };
    build_on(&mut test, "web1", BUILD);
    test.set_up();
    let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_golden("builder-is-app-host.txt", &test.normalise(&(deployed.stdout + &deployed.stderr)));
    assert_no_leftovers(&test, "web1");
    test.repository.write("app/public/new.css", b"body { color: teal }\n");
    test.repository.push("v2", Behaviour::Sound);
    let deployed = test.cutover(&["deploy", "--json"]).expect(0);
    // Where it was built all of it is there; the other host lacks what is new.
    let sent = |host: &str| -> u64 {
        let events = deployed.events();
        let totals = events.iter().filter(|event| event["step"] == "stage" && event["place"] == host);
        totals.filter_map(|event| event["transfer"]["total"].as_u64()).max().unwrap()
    };
    assert_eq!((sent("web1"), sent("web2")), (0, 34));
    assert_no_leftovers(&test, "web1");
    assert_eq!(listing(&current(test.machine("web1"))), listing(&current(test.machine("web2"))));
}

/// Names, modes and links that are hard to carry.
const ODD: &str = r#"set -eu
test "$(pwd)" = "${CUTOVER_OUTPUT%/output}/releases/checkout"
! git --version 2>/dev/null
test -d .git
cp -R app dist
mkdir -p dist/empty/within 'dist/two words' dist/sealed
printf 'one' > 'dist/two words/three four five'
printf 'two' > "dist/new
line"
printf 'three' > "$(printf 'dist/not \377 UTF-8')"
printf 'run me' > dist/tool
chmod 0751 dist/tool
chmod 0600 'dist/two words/three four five'
ln -s ../tool dist/empty/up
ln -s nowhere dist/dangling
printf 'four' > dist/sealed/file
chmod 0444 dist/sealed/file
chmod 0555 dist/sealed
"#;

#[test]
fn a_host_without_git_builds_what_is_hard_to_carry() {
    let Some(mut test) = with_forge(ODD) else { return };
    test.set_up();
    let deployed = test.deploy("v1", Behaviour::Sound).expect(0);
    assert_golden("builder-alone.txt", &test.normalise(&(deployed.stdout + &deployed.stderr)));
    let program = fs::metadata(test.directory().join("app/bin/shop")).unwrap().len();
    let expected = format!(
        "behaviour 644 13\nbin/ 755\nbin/shop 755 {program}\ndangling -> nowhere\nempty/ 755\nempty/up -> ../tool\n\
         empty/within/ 755\nnew\\nline 644 3\nnot \\xff UTF-8 644 5\npublic/ 755\npublic/style.css 644 22\n\
         sealed/ 555\nsealed/file 444 4\ntool 751 6\ntwo words/ 755\ntwo words/three four five 600 3\n"
    );
    for machine in ["web1", "web2"] {
        assert_eq!(listing(&current(test.machine(machine))), expected, "{machine}");
    }
    assert_no_leftovers(&test, "forge");
}

#[test]
fn a_build_that_fails_changes_nothing() {
    let Some(mut test) = with_forge("cp -R app dist\n") else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);
    test.repository.write("build.sh", b"echo compiling\necho 'main.c:3: no such file' >&2\nexit 3\n");
    let failed = test.deploy("v2", Behaviour::Sound).expect(11);
    assert_golden("builder-fails.txt", &test.normalise(&(failed.stdout + &failed.stderr)));
    assert_eq!(test.live(), "v1 blue");
    assert_no_leftovers(&test, "forge");
    let _ = test.cutover(&["status", "--check"]).expect(0);

    std::os::unix::fs::symlink("/etc", test.directory().join("app/configuration")).unwrap();
    let refused = test.deploy("v2", Behaviour::Sound).expect(11);
    let _ = refused
        .expect_text("`app/configuration`: the link is absolute")
        .expect_text("hint: build on this machine");
    fs::remove_file(test.directory().join("app/configuration")).unwrap();

    // A build may leave what its user can't remove: that fails nothing.
    test.repository.write("build.sh", b"mkdir busy; mount -t tmpfs tmpfs busy; cp -R app dist\n");
    let warned = test.deploy("v3", Behaviour::Sound).expect(0);
    let _ = warned
        .expect_text("may still be there")
        .expect_text("hint: the next build there removes what is left");
    assert_eq!((test.live().as_str(), leftovers(test.machine("forge")).len()), ("v3 green", 1));
    let unmount = "umount /root/.cache/cutover/builds/*/releases/checkout/busy";
    let ran = test.machine("forge").command("sh", Path::new("/")).args(["-c", unmount]).status().unwrap();
    assert!(ran.success());
    test.repository.write("build.sh", b"cp -R app dist\n");
    let _ = test.deploy("v4", Behaviour::Sound).expect(0);
    assert_no_leftovers(&test, "forge");
}

/// A deployment that has got as far as a build that does not end by itself.
fn in_the_build(test: &mut Test) -> Running {
    test.repository.write("build.sh", b"echo $$ > /root/build.pid; touch started; sleep 600\n");
    test.repository.push("v2", Behaviour::Sound);
    let running = test.start(&["deploy", "--json"]);
    let pid = test.machine("forge").outside("/root/build.pid");
    eventually("the build runs", Duration::from_secs(60), || pid.exists().then_some(()));
    assert_eq!((leftovers(test.machine("forge")).len(), leftovers(&test.desk).len()), (1, 1));
    running
}

/// The program of the build has been ended and its directory removed.
fn assert_all_gone(test: &Test) {
    let forge = test.machine("forge");
    eventually("the directory goes", Duration::from_secs(10), || leftovers(forge).is_empty().then_some(()));
    let script = "read pid < /root/build.pid && ! kill -0 $pid 2>/dev/null";
    eventually("the program ends", Duration::from_secs(10), || {
        let ended = forge.command("sh", Path::new("/")).args(["-c", script]).output().unwrap();
        ended.status.success().then_some(())
    });
    fs::remove_file(forge.outside("/root/build.pid")).unwrap();
}

#[test]
fn what_cuts_a_build_off_ends_it_on_its_host() {
    let Some(mut test) = with_forge("cp -R app dist\n") else { return };
    test.set_up();
    let _ = test.deploy("v1", Behaviour::Sound).expect(0);

    let running = in_the_build(&mut test);
    running.signal(Signal::INT);
    let ended = running.finish().expect(20);
    assert_eq!(ended.last_event()["outcome"], "nothing-changed");
    assert_no_leftovers(&test, "forge");
    assert_all_gone(&test);

    let running = in_the_build(&mut test);
    let _ = running.kill();
    assert_all_gone(&test);
    assert_eq!(leftovers(&test.desk).len(), 1, "what a kill leaves, the next build removes");

    let running = in_the_build(&mut test);
    let (forge, sshd) = &mut test.hosts[2];
    sshd.stop();
    let killed = forge.command("pkill", Path::new("/")).args(["-KILL", "sshd"]).status().unwrap();
    assert!(killed.success());
    let ended = running.finish().expect(11).expect_text("the connection to host `forge` broke");
    assert_eq!(ended.last_event()["outcome"], "nothing-changed");
    assert_all_gone(&test);

    assert_eq!(test.live(), "v1 blue");
    let unreachable = test.cutover(&["deploy"]).expect(11);
    assert!(unreachable.stderr.contains("forge"), "{}", unreachable.stderr);
    let (forge, sshd) = &mut test.hosts[2];
    sshd.restart(forge);
    test.repository.write("build.sh", b"cp -R app dist\n");
    let _ = test.deploy("v3", Behaviour::Sound).expect(0);
    assert_eq!(test.live(), "v3 green");
    assert_no_leftovers(&test, "forge");
}

#[test]
fn the_builder_is_named_beforehand_and_needed_for_builds_alone() {
    let Some(mut test) = with_forge("cp -R app dist\n") else { return };
    test.set_up();
    test.repository.push("v1", Behaviour::Sound);
    let said = |test: &Test, args: &[&str]| test.normalise(&test.cutover(args).expect(0).stdout);
    let setup = said(&test, &["setup"]);
    let (forge, _) = setup.split_once("\n# ── lb1").unwrap();
    assert_eq!(forge, SETUP);
    let checked = said(&test, &["check", "--hosts"]);
    assert!(checked.contains("\n  ok  builder  has sh, mv\n"), "{checked}");
    assert_golden("builder-plan.txt", &said(&test, &["plan"]));
    let _ = test.cutover(&["deploy"]).expect(0);
    let _ = test.deploy("v2", Behaviour::Sound).expect(0);

    test.hosts[2].1.stop();
    let unreachable = test.cutover(&["plan"]).expect(11);
    assert!(unreachable.stderr.contains("forge"), "{}", unreachable.stderr);
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy", "--artifact", "app"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    let _ = test.cutover(&["status", "--check"]).expect(0);
    // Known without any host.
    for command in ["deploy", "plan"] {
        let refused = test.cutover(&[command, "--artifact", "nosuch"]).expect(11);
        assert_eq!(refused.stdout + &refused.stderr, NO_ARTIFACT);
    }
}

const SETUP: &str = "\
# shop: once on each host, as root; doing it again does no harm

# ── forge (USER@forge) ──
# programs of the build, which runs below `~/.cache/cutover/builds`
command -v sh || echo '`sh` is not there: install it, or build elsewhere (build.builder)' >&2
";

const NO_ARTIFACT: &str = "\
error[build/artifact]: there is no artifact `nosuch`
  hint: `--artifact` takes a directory or file that was built before, on this machine
";

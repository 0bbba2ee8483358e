//! The link over SSH against a real sshd.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cutover_host::artifact::Artifact;
use cutover_host::operation::{Answer, Application, Call, Operation, Program, Staging};
use cutover_host::{Account, Host as LocalHost};
use futures_util::future::join_all;

use super::sshd::{Sshd, free_port, helpers, make_key};
use super::{
    Failure, HelperPrograms, Link, Links, PinnedKeys, PresentedKey, SshSettings, Stand, TransportSettings,
    stage,
};
use crate::model::{Host, HostName, Reach};

fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

fn host(sshd: &Sshd, called: &str) -> Host {
    Host {
        name: name(called),
        reach: Reach::Ssh {
            destination: sshd.destination(),
            identity_file: Some(sshd.path("client_key").try_into().expect("UTF-8")),
            helper_directory: sshd.path("helper").to_string_lossy().into_owned(),
        },
        address: "127.0.0.1".to_owned(),
    }
}

fn links(hosts: &[Host], ssh: SshSettings, helpers: HelperPrograms) -> Links {
    let account = Account::of_process(Some("/nonexistent".to_owned()), None);
    let local = Arc::new(LocalHost::new(vec!["/nonexistent".into()], account));
    Links::new(hosts, &TransportSettings { local, helpers, ssh })
}

pub(super) fn link(sshd: &Sshd) -> Arc<dyn Link> {
    let host = host(sshd, "web1");
    links(std::slice::from_ref(&host), sshd.settings(), helpers()).get(&host.name).expect("is there")
}

fn call(operation: Operation) -> Call {
    operation.call().within(Duration::from_secs(20))
}

fn shell(script: &str) -> Operation {
    let args = vec!["-c".to_owned(), script.to_owned()];
    Operation::Run {
        program: Program { program: "sh".to_owned(), args, output_limit: 4096, ..Program::default() },
    }
}

pub(super) async fn facts(link: &Arc<dyn Link>) -> Result<Answer, Failure> {
    link.perform(call(Operation::Facts { paths: Vec::new() })).await
}

pub(super) async fn unreachable(link: &Arc<dyn Link>) -> String {
    match facts(link).await {
        Err(Failure::Unreachable(message)) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_helper_is_brought_once_and_guarded() {
    let sshd = Sshd::start(None);
    assert!(matches!(facts(&link(&sshd)).await, Ok(Answer::Facts(facts)) if facts.now_ms > 0));
    let directory = sshd.path("helper");
    let files: Vec<_> =
        fs::read_dir(&directory).expect("is there").flatten().map(|entry| entry.path()).collect();
    let [helper] = files.as_slice() else { panic!("{files:?}") };
    let look = || fs::metadata(helper).map(|found| (found.ino(), found.mode() & 0o7777)).expect("is there");
    let (first, mode) = look();
    assert_eq!(mode, 0o700);
    assert_eq!(fs::metadata(&directory).expect("is there").mode() & 0o7777, 0o700);

    facts(&link(&sshd)).await.expect("again");
    assert_eq!(look().0, first, "what is there is used");

    // The running one can't be written to, only replaced.
    fs::remove_file(helper).expect("removed");
    fs::write(helper, "#!/bin/sh\necho owned\n").expect("written");
    fs::set_permissions(helper, fs::Permissions::from_mode(0o700)).expect("set");
    facts(&link(&sshd)).await.expect("brought again");
    assert!(fs::metadata(helper).expect("is there").len() > 1000, "a file of another digest is replaced");

    fs::set_permissions(helper, fs::Permissions::from_mode(0o722)).expect("set");
    facts(&link(&sshd)).await.expect("brought again");
    assert_eq!(look().1, 0o700, "a file that others could write to is replaced");

    fs::rename(&directory, sshd.path("elsewhere")).expect("moved");
    symlink(sshd.path("elsewhere"), &directory).expect("linked");
    let message = unreachable(&link(&sshd)).await;
    assert!(message.contains("is a link"), "{message}");
}

#[tokio::test]
async fn only_known_keys_are_spoken_to() {
    let sshd = Sshd::start(None);
    make_key(&sshd.path("other_key"));
    sshd.trust("other_key.pub");
    let Err(Failure::Untrusted(message)) = facts(&link(&sshd)).await else { panic!("was trusted") };
    assert!(message.contains("has changed"), "{message}");
    fs::write(sshd.path("known_hosts"), "").expect("written");
    let Err(Failure::Untrusted(message)) = facts(&link(&sshd)).await else { panic!("was trusted") };
    assert!(message.contains("is not known"), "{message}");
    assert_eq!(fs::read_to_string(sshd.path("known_hosts")).expect("is there"), "", "nothing was learnt");
}

#[tokio::test]
async fn what_the_project_pins_counts_alone() {
    let sshd = Sshd::start(None);
    let host = host(&sshd, "web1");
    let file = sshd.path("cutover.known_hosts");
    let links = || {
        let mut ssh = sshd.settings();
        ssh.pinned = Arc::new(PinnedKeys::read(&file).expect("read"));
        links(std::slice::from_ref(&host), ssh, helpers())
    };
    let link = || links().get(&host.name).expect("is there");
    let presented = async || links().presented_key(&host.name).await.expect("a key").expect("over SSH");

    // Nobody knows it yet: it is shown, and nothing is learnt by that.
    fs::write(sshd.path("known_hosts"), "").expect("written");
    let key = presented().await;
    let told = Command::new("ssh-keygen").arg("-lf").arg(sshd.path("host_key.pub")).output().expect("runs");
    assert!(String::from_utf8_lossy(&told.stdout).contains(&key.fingerprint()), "{told:?}");
    assert!(!key.is_pinned() && key.pinned_instead().is_empty());
    assert!(matches!(facts(&link()).await, Err(Failure::Untrusted(_))));
    assert_eq!(fs::read_to_string(sshd.path("known_hosts")).expect("is there"), "", "nothing was learnt");

    PresentedKey::pin([key], links().pinned()).expect("written");
    facts(&link()).await.expect("it is pinned");
    assert!(presented().await.is_pinned());

    // What the user knows does not count beside another key that is pinned.
    make_key(&sshd.path("other_key"));
    let other = fs::read_to_string(sshd.path("other_key.pub")).expect("is there");
    fs::write(&file, format!("[127.0.0.1]:{} {other}", sshd.port)).expect("written");
    sshd.trust("host_key.pub");
    let Err(Failure::Untrusted(message)) = facts(&link()).await else { panic!("was trusted") };
    assert!(message.contains("is not the one that the project pins"), "{message}");
    assert_eq!(presented().await.pinned_instead().len(), 1);
}

#[tokio::test]
async fn hosts_that_do_not_serve_say_why() {
    let sshd = Sshd::start(None);
    let reach = |destination: String, helper_directory: &str| Reach::Ssh {
        destination,
        identity_file: Some(sshd.path("client_key").try_into().expect("UTF-8")),
        helper_directory: helper_directory.to_owned(),
    };
    let directory = sshd.path("helper").to_string_lossy().into_owned();
    let nowhere = format!("127.0.0.1:{}", free_port());
    let cases = [
        (reach(nowhere, &directory), helpers(), "Connection refused"),
        (reach("-oProxyCommand=touch".to_owned(), &directory), helpers(), "is not a destination"),
        (reach(sshd.destination(), "/proc/nowhere"), helpers(), "can't be brought to `/proc/nowhere`"),
        (reach(sshd.destination(), "/it's"), helpers(), "`helper-directory`"),
        (reach(sshd.destination(), &directory), HelperPrograms { x86_64: b"", aarch64: b"" }, "architecture"),
        (
            reach(sshd.destination(), &directory),
            HelperPrograms { x86_64: b"#!/bin/sh\n", aarch64: b"#!/bin/sh\n" },
            "ended at once",
        ),
    ];
    for (reach, programs, expected) in cases {
        let host = Host { name: name("web1"), reach, address: String::new() };
        let links = links(std::slice::from_ref(&host), sshd.settings(), programs);
        let message = unreachable(&links.get(&host.name).expect("is there")).await;
        assert!(message.contains(expected), "{message}");
    }
    let forced = Sshd::start(Some("echo This account is not available."));
    let message = unreachable(&link(&forced)).await;
    assert!(message.contains("`This account is not available.`"), "{message}");
}

#[tokio::test]
async fn a_broken_connection_is_told_and_made_again() {
    let sshd = Sshd::start(None);
    let link = link(&sshd);
    facts(&link).await.expect("connects");
    let begun = Instant::now();
    // The parent of a program is the helper.
    let broken = link.perform(call(shell("kill -9 $PPID; sleep 20"))).await;
    assert!(matches!(broken, Err(Failure::Broken(_))), "{broken:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    facts(&link).await.expect("connects again");
}

#[tokio::test]
async fn programs_end_with_the_connection() {
    let sshd = Sshd::start(None);
    let link = link(&sshd);
    let mark = sshd.path("pid");
    let script = format!("echo $$ >{}; sleep 60", mark.display());
    let running = {
        let link = Arc::clone(&link);
        tokio::spawn(async move { link.perform(call(shell(&script))).await })
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    let pid = loop {
        match fs::read_to_string(&mark) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        assert!(Instant::now() < deadline, "it starts");
    };
    running.abort();
    let _ = running.await;
    drop(link);
    while fs::exists(format!("/proc/{pid}")).expect("can be asked") {
        assert!(Instant::now() < deadline, "it ends");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn many_hosts_are_connected_to_and_a_console_opens() {
    let sshd = Sshd::start(None);
    facts(&link(&sshd)).await.expect("brings the helper");
    let hosts: Vec<Host> = (0..12).map(|number| host(&sshd, &format!("web{number}"))).collect();
    let links = links(&hosts, sshd.settings(), helpers());
    let asked = hosts.iter().map(async |host| facts(&links.get(&host.name).expect("a link")).await);
    let answers = join_all(asked).await;
    assert!(answers.len() == 12 && answers.iter().all(Result::is_ok), "{answers:?}");

    let args = ["-c", "test -t 0 && echo a terminal: $ODD; exit 255"].map(str::to_owned).into();
    let env = vec![("ODD".to_owned(), "it's \"$HOME\" ✓".to_owned())];
    let program = Program { program: "sh".to_owned(), args, env, ..Program::default() };
    let mut console = links.console(&hosts[0].name, &program, None).await.expect("is connected");
    let output = console.command().output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("a terminal: it's \"$HOME\" ✓"), "{said} {output:?}");
    assert_eq!(console.ended(output.status).await, Ok(255), "the program's own");

    let args = ["-c", "kill -9 $(ps -o ppid= $PPID)"].map(str::to_owned).into();
    let program = Program { program: "sh".to_owned(), args, ..Program::default() };
    let mut console = links.console(&hosts[0].name, &program, None).await.expect("is connected");
    let output = console.command().output().expect("runs");
    let ended = console.ended(output.status).await;
    assert!(matches!(ended, Err(Failure::Broken(_))), "{ended:?} {output:?}");
}

#[tokio::test]
async fn a_release_is_staged() {
    let sshd = Sshd::start(None);
    let link = link(&sshd);
    let source = sshd.path("artifact");
    fs::create_dir_all(source.join("bin/empty")).expect("made");
    fs::write(source.join("bin/app"), "#!/bin/sh\necho hello\n").expect("written");
    fs::set_permissions(source.join("bin/app"), fs::Permissions::from_mode(0o755)).expect("set");
    fs::write(source.join("data"), vec![42; 3_000_000]).expect("written");
    symlink("bin/app", source.join("start")).expect("linked");
    let artifact = Arc::new(Artifact::read(&source).expect("reads"));
    let directory = sshd.path("shop").to_string_lossy().into_owned();

    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reports);
    let progress = Arc::new(move |transfer| heard.lock().expect("not poisoned").push(transfer));
    let stand = |token| Stand { directory: &directory, release: "r1", token, twin: None };
    let staged = stage(&*link, stand("t1"), &artifact, progress.clone()).await;
    let total_bytes = 3_000_000 + 21;
    let expected = Staging { complete: false, total_bytes, reused_bytes: 0, received_bytes: total_bytes };
    assert_eq!(staged, Ok(expected));
    let last = reports.lock().expect("not poisoned").last().copied().expect("was told");
    assert_eq!((last.done, last.total), (total_bytes, total_bytes));

    let finish = Operation::StageFinish {
        directory: directory.clone(),
        release: "r1".to_owned(),
        token: "t1".to_owned(),
        record: "{}".to_owned(),
        linked_dirs: Vec::new(),
        linked_files: Vec::new(),
    };
    assert_eq!(link.perform(call(finish)).await, Ok(Answer::Done));
    let again = stage(&*link, stand("t2"), &artifact, progress).await.expect("is there");
    assert!(again.complete);
    let inspected = link.perform(call(Operation::InspectApplication { directory })).await;
    let Ok(Answer::Application(Application { releases, .. })) = inspected else { panic!("{inspected:?}") };
    assert_eq!(releases[0].digest, artifact.digest());
}

//! `cutover setup`: what a host needs, as lines for a shell of root's.

use super::needs::{NeededBuild, NeededDirectory, NeededFile, Needs};
use crate::model::Deployment;
use crate::model::view::SetupPart;

/// What one host needs, ready to paste.
#[must_use]
pub fn host_setup(deployment: &Deployment, needs: &Needs) -> Vec<SetupPart> {
    let mut parts = Vec::new();
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let script = lines.iter().map(|line| format!("{line}\n")).collect();
            parts.push(SetupPart { title: title.to_owned(), script });
        }
    };
    part("user of the processes", needs.process_user.iter().map(|user| user_line(user)).collect());
    let directories = needs.directories.iter().map(directory_lines);
    let own = (!needs.directories.is_empty()).then(|| OWN.to_owned());
    part("directories", own.into_iter().chain(directories).collect());
    part(
        "files that every release links to: put yours there",
        needs.shared_files.iter().map(|path| format!("ls -l {}", word(path))).collect(),
    );
    if !needs.privileged.is_empty() {
        let path = format!("/etc/sudoers.d/{}", sudoers_name(deployment));
        part(
            "what the deploy user may do as root, exactly",
            vec![new_sudoers(&path, &sudoers(deployment, needs))],
        );
    }
    for file in &needs.files {
        part(&file.what, vec![file_lines(file)]);
    }
    if needs.linger {
        part(
            "processes of the deploy user outlive its session",
            vec![format!("loginctl enable-linger {}", word(&needs.login))],
        );
    }
    if let Some(NeededBuild { directory, programs }) = &needs.build {
        let title = match directory {
            Some(directory) => format!("programs of the build, which runs below `{directory}`"),
            None => "programs of the build".to_owned(),
        };
        let wanted = programs.iter().filter(|program| !EVERYWHERE.contains(&program.as_str()));
        part(&title, wanted.map(|program| program_line(program)).collect());
    }
    parts
}

/// Programs that no host is without.
const EVERYWHERE: [&str; 2] = ["mv", "rm"];

/// Says where a program is, or that it is not there.
fn program_line(program: &str) -> String {
    let missing = word(&format!("`{program}` is not there: install it, or build elsewhere (build.builder)"));
    format!("command -v {} || echo {missing} >&2", word(program))
}

/// Makes a system user, once.
pub(crate) fn user_line(user: &str) -> String {
    let user = word(user);
    format!(
        "id -u {user} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {user}"
    )
}

/// Gives a directory its owner and mode, as root, where users could put a link in its way. The shell stands in the directory before it
/// changes anything, and has seen by where it stands that no link led there; so it does not matter what is put in its place meanwhile.
pub(crate) const OWN: &str = "\
own() ( # BASE BELOW OWNER MODE: through no link below BASE
    cd -P \"$1\" && base=$(pwd -P) && cd -P \"$2\" && [ \"$(pwd -P)\" = \"${base%/}/$2\" ] &&
        chown \"$3\" . && chmod \"$4\" . || { echo \"$1/$2: not done; is a link in the way?\" >&2; false; }
)";

/// Makes a directory, or corrects its owner and mode; [`OWN`] goes before. What lies in a directory of a user's is made by that user:
/// root would follow their links.
pub(crate) fn directory_lines(directory: &NeededDirectory) -> String {
    let NeededDirectory { path, owner, group, mode, base, made_by } = directory;
    let made_by = made_by.as_ref().filter(|user| *user != "root");
    let runuser = made_by.map_or_else(String::new, |user| format!("runuser -u {} -- ", word(user)));
    let below = path.strip_prefix(base.trim_end_matches('/')).unwrap_or(path).trim_start_matches('/');
    // Without a group after it, the colon stands for the user's own.
    let owner = word(&format!("{owner}:{}", group.as_deref().unwrap_or_default()));
    format!("{runuser}mkdir -p {}\nown {} {} {owner} {mode:04o}", word(path), word(base), word(below))
}

/// Writes a file, and lets it take effect.
pub(crate) fn file_lines(file: &NeededFile) -> String {
    format!("cat > {} {}\n{}", word(&file.path), here_document(&file.content), file.then)
}

/// The same for a sudoers file: a broken one would lock everybody out, so it is tried beforehand, and never half written.
fn new_sudoers(path: &str, content: &str) -> String {
    format!(
        "new=$(mktemp) && cat > \"$new\" {}\
         \nvisudo -cf \"$new\" && install -o root -g root -m 0440 \"$new\" {}; rm -f \"$new\"",
        here_document(content),
        word(path)
    )
}

fn here_document(content: &str) -> String {
    let mut end = "CUTOVER".to_owned();
    while content.lines().any(|line| line == end) {
        end.push('_');
    }
    format!("<<'{end}'\n{content}{end}")
}

/// `cutover-shop+production`: sudo passes over files with a `.` in their names, and no name has a `+`.
fn sudoers_name(deployment: &Deployment) -> String {
    match &deployment.environment {
        Some(environment) => format!("cutover-{}+{environment}", deployment.app),
        None => format!("cutover-{}", deployment.app),
    }
}

/// The sudoers file: one line a command, no wildcard anywhere.
fn sudoers(deployment: &Deployment, needs: &Needs) -> String {
    let line = |command: &Vec<String>| {
        format!("{} ALL=(root) NOPASSWD: {}\n", sudoers_user(&needs.login), sudoers_command(command))
    };
    let lines: String = needs.privileged.iter().map(line).collect();
    format!("# Written by `cutover setup` for {}.\n{lines}", deployment.title())
}

fn sudoers_command(command: &[String]) -> String {
    match command {
        // Without this, a command without arguments would be allowed with any.
        [program] => format!("{} \"\"", sudoers_word(program)),
        words => words.iter().map(|word| sudoers_word(word)).collect::<Vec<_>>().join(" "),
    }
}

/// One word of a command without any special meaning: neither to sudo's reader (which takes a backslash before few characters only,
/// and calls it a fault before others) nor to fnmatch(3), which compares it.
fn sudoers_word(text: &str) -> String {
    let mut word = String::new();
    for (place, letter) in text.chars().enumerate() {
        match letter {
            '\\' => word.push_str("\\\\\\\\"),
            ':' | ',' | '=' | '#' | ' ' | '\t' | '*' | '?' | '[' | ']' | '!' => word.extend(['\\', letter]),
            // What begins with it and ends with `$` would be a regular expression.
            '^' if place == 0 => word.push_str("\\^"),
            _ => word.push(letter),
        }
    }
    word
}

/// A user's name: of the letters that one of ours has, only the sign of a domain means something else.
fn sudoers_user(name: &str) -> String {
    name.replace('@', "\\@")
}

/// One word for a POSIX shell.
fn word(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c);
    if !text.is_empty() && text.chars().all(harmless) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sample;
    use crate::model::grant::{ExecGrant, HostGroup};
    use crate::model::{Driver, Reach, SystemdScope};

    fn script(deployment: &Deployment, host: &str, user: &str, uid: u32) -> String {
        let host = sample::name(host);
        let needs = Needs::of(deployment, &host, &sample::facts(user, uid)).expect("needs");
        let part = |part: &SetupPart| format!("== {}\n{}", part.title, part.script);
        host_setup(deployment, &needs).iter().map(part).collect()
    }

    fn system() -> Deployment {
        sample::deployment(Driver::Systemd { scope: SystemdScope::System, unit: Vec::new() })
    }

    fn reload(args: &[&str]) -> ExecGrant {
        ExecGrant {
            hosts: HostGroup::Routers,
            program: "/usr/sbin/nginx".to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            directory: Vec::new(),
            input: false,
            as_root: true,
            read_only: false,
            interpreter: false,
        }
    }

    #[test]
    fn an_application_host_with_a_user_of_its_own_for_the_processes() {
        let mut deployment = system();
        deployment.application.user = Some("shop".to_owned());
        deployment.application.linked_dirs = vec!["uploads".to_owned()];
        deployment.application.linked_files = vec!["config/master.key".to_owned()];
        let want = "\
== user of the processes
id -u shop >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin shop
== directories
own() ( # BASE BELOW OWNER MODE: through no link below BASE
    cd -P \"$1\" && base=$(pwd -P) && cd -P \"$2\" && [ \"$(pwd -P)\" = \"${base%/}/$2\" ] &&
        chown \"$3\" . && chmod \"$4\" . || { echo \"$1/$2: not done; is a link in the way?\" >&2; false; }
)
mkdir -p /srv/shop
own /srv shop deploy: 0755
runuser -u deploy -- mkdir -p /srv/shop/run
own /srv shop/run deploy:shop 2750
runuser -u deploy -- mkdir -p /srv/shop/shared
own /srv shop/shared deploy: 0755
runuser -u deploy -- mkdir -p /srv/shop/shared/uploads
own /srv shop/shared/uploads shop:shop 0755
== files that every release links to: put yours there
ls -l /srv/shop/shared/config/master.key
== what the deploy user may do as root, exactly
new=$(mktemp) && cat > \"$new\" <<'CUTOVER'
# Written by `cutover setup` for shop/production.
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl start cutover-shop.production@blue.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop --no-block cutover-shop.production@blue.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl enable cutover-shop.production@blue.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl disable cutover-shop.production@blue.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl reset-failed cutover-shop.production@blue.service
deploy ALL=(root) NOPASSWD: /usr/bin/journalctl -u cutover-shop.production@blue.service -o json -n 1000 --no-pager
deploy ALL=(root) NOPASSWD: /usr/bin/journalctl -u cutover-shop.production@blue.service -o json -n 20 --no-pager -f
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl start cutover-shop.production@green.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl stop --no-block cutover-shop.production@green.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl enable cutover-shop.production@green.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl disable cutover-shop.production@green.service
deploy ALL=(root) NOPASSWD: /usr/bin/systemctl reset-failed cutover-shop.production@green.service
deploy ALL=(root) NOPASSWD: /usr/bin/journalctl -u cutover-shop.production@green.service -o json -n 1000 --no-pager
deploy ALL=(root) NOPASSWD: /usr/bin/journalctl -u cutover-shop.production@green.service -o json -n 20 --no-pager -f
CUTOVER
visudo -cf \"$new\" && install -o root -g root -m 0440 \"$new\" /etc/sudoers.d/cutover-shop+production; rm -f \"$new\"
== unit template
cat > /etc/systemd/system/cutover-shop.production@.service <<'CUTOVER'
# Written by `cutover setup` for shop/production; one instance a colour.
[Unit]
Description=shop/production (%i)
Wants=network-online.target
After=network-online.target
# A process that keeps failing is started again for as long as it is wanted.
StartLimitIntervalSec=0

[Service]
Type=exec
User=shop
# Opened as the application's user, not as root.
ExecStart=/bin/sh /srv/shop/run/%i.sh
Restart=on-failure
RestartSec=2
# SIGTERM to all processes of the unit, then SIGKILL to what is left.
KillMode=control-group
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
CUTOVER
systemctl daemon-reload
";
        assert_eq!(script(&deployment, "web1", "deploy", 1000), want);
    }

    /// What the part `directories` prints, run by a shell of root's. `nobody` stands for the deploy user, `daemon` for the processes'.
    fn paste(top: &str) -> String {
        let mut deployment = system();
        deployment.application.directory = top.to_owned();
        deployment.application.user = Some("daemon".to_owned());
        deployment.application.linked_dirs = vec!["uploads".to_owned()];
        let facts = sample::facts("nobody", 65534);
        let needs = Needs::of(&deployment, &sample::name("web1"), &facts).expect("needs");
        let parts = host_setup(&deployment, &needs);
        let directories = parts.iter().find(|part| part.title == "directories").expect("the part");
        let ran = std::process::Command::new("sh")
            .args(["-c", &directories.script])
            .env("LC_ALL", "C")
            .output()
            .expect("a shell");
        String::from_utf8_lossy(&ran.stderr).into_owned()
    }

    fn owner(path: &std::path::Path) -> String {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::symlink_metadata(path).expect("it is there");
        format!("{}:{} {:o}", found.uid(), found.gid(), found.mode() & 0o7777)
    }

    #[test]
    fn pasted_again_the_lines_of_root_follow_no_link_of_a_users() {
        use std::fs::Permissions;
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

        let scratch = tempfile::tempdir().expect("a directory");
        if scratch.path().metadata().expect("it is there").uid() != 0 {
            // Only root gives directories away.
            return;
        }
        std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).expect("a mode");
        let place = scratch.path().canonicalize().expect("a path");
        let (top, victim) = (place.join("shop"), place.join("victim"));
        for directory in ["uploads", "run"] {
            std::fs::create_dir_all(victim.join(directory)).expect("a directory");
        }
        let paste = || paste(top.to_str().expect("UTF-8"));
        let made = || ["", "run", "shared", "shared/uploads"].map(|below| owner(&top.join(below)));
        let right = ["65534:65534 755", "65534:1 2750", "65534:65534 755", "1:1 755"];
        let before = ["", "uploads", "run"].map(|below| owner(&victim.join(below)));
        let untouched = || assert_eq!(["", "uploads", "run"].map(|below| owner(&victim.join(below))), before);

        assert_eq!((paste().as_str(), made()), ("", right.map(str::to_owned)));
        // Again, after somebody has changed owner and mode.
        chown(top.join("run"), Some(0), Some(0)).expect("an owner");
        assert_eq!((paste().as_str(), made()), ("", right.map(str::to_owned)));

        let refused =
            |below: &str| format!("{}/shop/{below}: not done; is a link in the way?\n", place.display());
        // The deploy user puts a link in the place of a directory of theirs, then of one above.
        std::fs::remove_dir(top.join("run")).expect("it goes");
        symlink("../victim", top.join("run")).expect("a link");
        assert_eq!(paste(), refused("run"));
        untouched();
        std::fs::remove_dir_all(top.join("shared")).expect("it goes");
        symlink("../victim", top.join("shared")).expect("a link");
        assert_eq!(paste(), [refused("run"), refused("shared"), refused("shared/uploads")].concat());
        untouched();
        // A link in the place of the application's own directory, which is nobody's to make but root's, is no way either.
        std::fs::remove_dir_all(&top).expect("it goes");
        symlink("victim", &top).expect("a link");
        let told = paste();
        assert!(told.contains(&refused("run")) && told.contains("shop: not done"), "{told}");
        untouched();
    }

    #[test]
    fn root_needs_no_sudoers_and_a_router_host_no_unit() {
        let mut deployment = system();
        deployment.router.hook.grants.exec =
            Some(vec![reload(&["-t"]), reload(&[]), reload(&["-s", "re*load, now", "^a\\b$"])]);
        assert!(!script(&deployment, "web1", "root", 0).contains("sudoers"));
        let want = "\
== what the deploy user may do as root, exactly
new=$(mktemp) && cat > \"$new\" <<'CUTOVER'
# Written by `cutover setup` for shop/production.
deploy ALL=(root) NOPASSWD: /usr/sbin/nginx -t
deploy ALL=(root) NOPASSWD: /usr/sbin/nginx \"\"
deploy ALL=(root) NOPASSWD: /usr/sbin/nginx -s re\\*load\\,\\ now \\^a\\\\\\\\b$
CUTOVER
visudo -cf \"$new\" && install -o root -g root -m 0440 \"$new\" /etc/sudoers.d/cutover-shop+production; rm -f \"$new\"
";
        assert_eq!(script(&deployment, "lb1", "deploy", 1000), want);
    }

    #[test]
    fn a_host_that_builds_needs_the_programs_of_the_build() {
        let mut deployment = sample::deployment(Driver::Detached);
        deployment.build.builder = sample::name("lb1");
        let granted = |program: &str| ExecGrant {
            hosts: HostGroup::Builder,
            program: program.to_owned(),
            as_root: false,
            interpreter: true,
            ..reload(&[])
        };
        let programs = ["make", "mv", "{checkout}/gradlew", "/opt/my tools/pack", "make"];
        deployment.build.hook.grants.exec = Some(programs.map(granted).into());
        assert_eq!(script(&deployment, "web1", "deploy", 1000).matches("command -v").count(), 0);
        let want = |title: &str| {
            let missing = |program: &str| {
                format!("echo '`{program}` is not there: install it, or build elsewhere (build.builder)' >&2")
            };
            let (make, pack) = (missing("make"), missing("/opt/my tools/pack"));
            format!("== {title}\ncommand -v make || {make}\ncommand -v '/opt/my tools/pack' || {pack}\n")
        };
        assert_eq!(script(&deployment, "lb1", "deploy", 1000), want("programs of the build"));
        let host = deployment.hosts.get_mut(&sample::name("lb1")).expect("a host");
        host.reach = Reach::Ssh {
            destination: "lb1".to_owned(),
            identity_file: None,
            helper_directory: "~/.cache/cutover".to_owned(),
        };
        let title = "programs of the build, which runs below `~/.cache/cutover/builds`";
        assert_eq!(script(&deployment, "lb1", "deploy", 1000), want(title));
    }

    #[test]
    fn the_users_own_systemd_needs_to_linger() {
        let mut deployment =
            sample::deployment(Driver::Systemd { scope: SystemdScope::User, unit: Vec::new() });
        deployment.application.directory = "~/shop".to_owned();
        let want = "== processes of the deploy user outlive its session\nloginctl enable-linger deploy\n";
        assert_eq!(script(&deployment, "web1", "deploy", 1000), want);
        deployment.application.driver = Driver::Detached;
        assert_eq!(script(&deployment, "web1", "deploy", 1000), "");
    }

    #[test]
    fn nothing_ends_a_here_document_early_or_leaves_a_word() {
        assert_eq!(here_document("CUTOVER\nCUTOVER_\n"), "<<'CUTOVER__'\nCUTOVER\nCUTOVER_\nCUTOVER__");
        assert_eq!(word("a b'c"), "'a b'\\''c'");
        assert_eq!(word(""), "''");
    }
}

//! What an answer of a host means for a deployment: pure decisions.

use std::time::Duration;

use cutover_host::operation::{Facts, PortState, Room};

use super::super::needs::{NeededDirectory, NeededFile, Needs};
use crate::driver::InstanceState;
use crate::model::view::{Finding, Verdict};
use crate::model::{Color, Deployment, Observation, Size, Timestamp, Trouble};
use crate::run::ready::setup::{OWN, directory_lines, file_lines, host_setup, user_line};

/// Less room than this is told: several releases of an ordinary application.
const LITTLE_ROOM: u64 = 1 << 30;

/// Fewer inodes than this are told: one release may have 100,000 files.
const FEW_INODES: u64 = 100_000;

/// So many refused commands are named, the others counted.
const NAMED: usize = 3;

/// Clocks further apart than this make times in logs and histories hard to read.
const SKEW: Duration = Duration::from_secs(5);

pub(super) fn finding(what: &str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), verdict, text: text.into(), fix: None }
}

pub(super) fn missing(what: &str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), verdict: Verdict::Missing, text: text.into(), fix: Some(fix.into()) }
}

/// `deploy, x86_64, systemd, 12 GB free`.
pub(super) fn describe(facts: &Facts, room: Option<&Room>) -> String {
    let mut parts = vec![facts.user.clone(), facts.architecture.clone()];
    if facts.systemd {
        parts.push("systemd".to_owned());
    }
    parts.extend(room.map(|room| format!("{} free", Size::bytes(room.bytes))));
    // A host's own words: no line or escape sequence of theirs reaches a terminal.
    parts.join(", ").chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The host's clock was read at some moment between `before` and `after`.
pub(super) fn skew(before: Timestamp, after: Timestamp, host: Timestamp) -> Finding {
    let ahead = host.since(after);
    let behind = before.since(host);
    let (off, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if off <= SKEW {
        return finding("clock", Verdict::Ok, "agrees with this machine");
    }
    let text = format!("is {} s {word} this machine", off.as_secs());
    Finding { fix: Some("timedatectl set-ntp true".to_owned()), ..finding("clock", Verdict::Warning, text) }
}

pub(super) fn judge_room(room: &Room) -> Vec<Finding> {
    let path = &room.path;
    let directory = match (room.exists, room.writable) {
        (true, true) => finding("directory", Verdict::Ok, format!("`{path}` is writable")),
        (false, true) => finding("directory", Verdict::Ok, format!("`{path}` can be made")),
        (true, false) => missing("directory", format!("`{path}` is not writable"), "see `cutover setup`"),
        // What a host says of a path that is none above ours is not repeated.
        (false, false) => match room.obstacle.as_ref().filter(|above| path.starts_with(above.as_str())) {
            Some(obstacle) => missing(
                "directory",
                format!("`{path}` can't be made: `{obstacle}` is no directory"),
                "give the application another place: `app.directory`",
            ),
            None => missing("directory", format!("`{path}` is not there"), "see `cutover setup`"),
        },
    };
    let free = Size::bytes(room.bytes);
    let few = room.inodes.filter(|inodes| *inodes < FEW_INODES);
    let space = match few {
        _ if room.bytes == 0 => finding("room", Verdict::Missing, "the file system is full"),
        Some(0) => finding("room", Verdict::Missing, "the file system has no inodes left"),
        Some(inodes) => {
            finding("room", Verdict::Warning, format!("{free} and only {inodes} inodes are free"))
        }
        None if room.bytes < LITTLE_ROOM => {
            finding("room", Verdict::Warning, format!("only {free} are free"))
        }
        None => finding("room", Verdict::Ok, format!("{free} are free")),
    };
    vec![directory, space]
}

/// A directory that a hook writes to, which must be there beforehand.
pub(super) fn judge_written(login: &str, room: &Room) -> Finding {
    let path = &room.path;
    match (room.exists, room.writable) {
        (true, true) => finding("router files", Verdict::Ok, format!("`{path}` is writable")),
        (true, false) => {
            let text = format!("`{login}` can't write in `{path}`");
            missing("router files", text, "see the router's part of `cutover setup`")
        }
        (false, _) => {
            let text = format!("`{path}` is not there");
            missing("router files", text, "see the router's part of `cutover setup`")
        }
    }
}

/// A file that only the operator can provide.
pub(super) fn judge_presence(room: &Room) -> Finding {
    let path = &room.path;
    if room.exists {
        finding("file", Verdict::Ok, format!("`{path}` is there"))
    } else {
        missing("file", format!("`{path}` is not there"), "put yours there: no release has it")
    }
}

pub(super) fn judge_user(user: &str, exists: bool) -> Finding {
    if exists {
        finding("user", Verdict::Ok, format!("`{user}` is there"))
    } else {
        missing("user", format!("there is no user `{user}`"), user_line(user))
    }
}

pub(super) fn judge_directory(directory: &NeededDirectory, found: Option<&str>) -> Finding {
    let NeededDirectory { path, owner, group, mode, .. } = directory;
    let want = format!("{owner} {} {mode:o}", group.as_deref().unwrap_or(owner));
    let fix = format!("{OWN}\n{}", directory_lines(directory));
    match found {
        Some(found) if found == want => {
            finding("directory", Verdict::Ok, format!("`{path}` belongs to {want}"))
        }
        Some(found) => missing("directory", format!("`{path}` belongs to {found}, not to {want}"), fix),
        None => missing("directory", format!("`{path}` is not there"), fix),
    }
}

pub(super) fn judge_sudoers(deployment: &Deployment, needs: &Needs, refused: &[String]) -> Option<Finding> {
    let all = needs.privileged.len();
    if all == 0 {
        return None;
    }
    if refused.is_empty() {
        return Some(finding("sudoers", Verdict::Ok, format!("all {all} commands are allowed")));
    }
    let named: Vec<&str> = refused.iter().take(NAMED).map(String::as_str).collect();
    let more = refused.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let text = format!("{} of {all} commands are refused: `{}`{more}", refused.len(), named.join("`, `"));
    let parts = host_setup(deployment, needs);
    let script = parts.into_iter().find(|part| part.script.contains("visudo"));
    Some(missing("sudoers", text, script.map(|part| part.script).unwrap_or_default()))
}

pub(super) fn judge_file(file: &NeededFile, found: Option<&str>) -> Finding {
    let path = &file.path;
    match found {
        Some(found) if found == file.content => {
            finding(&file.what, Verdict::Ok, format!("`{path}` is up to date"))
        }
        Some(_) => missing(&file.what, format!("`{path}` is not what it should be"), file_lines(file)),
        None => missing(&file.what, format!("`{path}` is not there"), file_lines(file)),
    }
}

pub(super) fn judge_linger(login: &str, lingers: bool) -> Finding {
    if lingers {
        finding("linger", Verdict::Ok, format!("processes of `{login}` outlive its session"))
    } else {
        let fix = format!("loginctl enable-linger {login}");
        missing("linger", format!("processes of `{login}` end with its session"), fix)
    }
}

/// Whether a colour's port is free, or its own. `moved`: what runs there was started for another port.
pub(super) fn judge_port(
    color: Color,
    port: u16,
    state: &InstanceState,
    listened: &PortState,
    moved: bool,
) -> Finding {
    match (listened, state) {
        (PortState::Free, InstanceState::Running { .. }) if moved => {
            let text =
                format!("{port} is free for {color}, which listens elsewhere until it is started again");
            finding("ports", Verdict::Ok, text)
        }
        (PortState::Free, InstanceState::Running { .. }) => {
            finding("ports", Verdict::Warning, format!("{color} runs, and nothing listens on {port}"))
        }
        (PortState::Free, _) => finding("ports", Verdict::Ok, format!("{port} is free for {color}")),
        (PortState::Taken { .. }, InstanceState::Running { .. }) if !moved => {
            finding("ports", Verdict::Ok, format!("{color} listens on {port}"))
        }
        (PortState::Taken { by }, _) => {
            let by: String =
                by.as_deref().unwrap_or("something").chars().filter(|c| !c.is_control()).collect();
            let fix = format!(
                "stop it, or give {color} another port: `app.{color}.port`; it may be the application itself, \
                 from before `app.directory` or `app.driver` was changed"
            );
            missing("ports", format!("{port} is for {color}, and {by} listens there"), fix)
        }
    }
}

/// Whether the router knows the application, in its hook's words.
pub(crate) fn judge_router(seen: Result<Observation, Trouble>) -> Finding {
    match seen {
        Ok(Observation { routing: Some(routing), .. }) => {
            finding("router", Verdict::Ok, format!("answers: {routing}"))
        }
        Ok(Observation { routing: None, .. }) => {
            finding("router", Verdict::Warning, "answers, and does not know the application yet")
        }
        Err(trouble) => Finding { fix: trouble.hint, ..finding("router", Verdict::Missing, trouble.message) },
    }
}

/// Whether the host that builds has what the build runs.
pub(super) fn judge_programs(programs: &[String], absent: &[String]) -> Option<Finding> {
    if programs.is_empty() {
        None
    } else if absent.is_empty() {
        Some(finding("builder", Verdict::Ok, format!("has {}", programs.join(", "))))
    } else {
        let text = format!("has no `{}`", absent.join("`, no `"));
        Some(missing("builder", text, "install what is missing, or build elsewhere: `build.builder`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sample;
    use crate::model::{Driver, SystemdScope};

    fn text(finding: &Finding) -> String {
        let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!(" -> {fix}"));
        format!("{:?} {}: {}{fix}", finding.verdict, finding.what, finding.text)
    }

    #[test]
    fn clocks_room_and_files_are_judged() {
        let at = |ms: u64| Timestamp(1_000_000 + ms);
        assert_eq!(text(&skew(at(0), at(9), at(5))), "Ok clock: agrees with this machine");
        let ahead = "Warning clock: is 60 s ahead of this machine -> timedatectl set-ntp true";
        assert_eq!(text(&skew(at(0), at(9), at(60_009))), ahead);
        let behind = "Warning clock: is 60 s behind this machine -> timedatectl set-ntp true";
        assert_eq!(text(&skew(at(60_000), at(60_009), at(0))), behind);

        let room = |exists, writable, bytes, inodes| {
            let room = Room { path: "/srv/shop".into(), exists, writable, bytes, inodes, obstacle: None };
            judge_room(&room).iter().map(text).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            room(true, true, 12_000_000_000, None),
            "Ok directory: `/srv/shop` is writable; Ok room: 12 GB are free"
        );
        assert_eq!(
            room(false, false, 48_000_000, Some(1_000_000)),
            "Missing directory: `/srv/shop` is not there -> see `cutover setup`; Warning room: only 48 MB are free"
        );
        assert_eq!(
            room(false, true, 2_000_000_000, Some(7)),
            "Ok directory: `/srv/shop` can be made; Warning room: 2 GB and only 7 inodes are free"
        );
        assert!(room(true, true, 0, Some(7)).ends_with("Missing room: the file system is full"));
        assert!(room(true, true, 1, Some(0)).ends_with("Missing room: the file system has no inodes left"));

        let below_a_file = Room {
            path: "/srv/shop".into(),
            obstacle: Some("/srv".into()),
            bytes: 1 << 40,
            ..Room::default()
        };
        assert_eq!(
            text(&judge_room(&below_a_file)[0]),
            "Missing directory: `/srv/shop` can't be made: `/srv` is no directory \
             -> give the application another place: `app.directory`"
        );
        let flags = |exists, writable| {
            let room = Room { path: "/var/lib/flags".into(), exists, writable, ..Room::default() };
            text(&judge_written("deploy", &room))
        };
        let setup = "see the router's part of `cutover setup`";
        assert_eq!(flags(true, true), "Ok router files: `/var/lib/flags` is writable");
        assert_eq!(
            flags(true, false),
            format!("Missing router files: `deploy` can't write in `/var/lib/flags` -> {setup}")
        );
        assert_eq!(
            flags(false, true),
            format!("Missing router files: `/var/lib/flags` is not there -> {setup}")
        );

        let file = NeededFile {
            what: "unit template".into(),
            path: "/etc/x".into(),
            content: "a\n".into(),
            then: "reload".into(),
        };
        let fix = "cat > /etc/x <<'CUTOVER'\na\nCUTOVER\nreload";
        assert_eq!(text(&judge_file(&file, Some("a\n"))), "Ok unit template: `/etc/x` is up to date");
        let other = format!("Missing unit template: `/etc/x` is not what it should be -> {fix}");
        assert_eq!(text(&judge_file(&file, Some("b\n"))), other);
        let absent = format!("Missing unit template: `/etc/x` is not there -> {fix}");
        assert_eq!(text(&judge_file(&file, None)), absent);
    }

    #[test]
    fn a_port_is_ours_or_in_the_way() {
        let running = InstanceState::Running { release: None, since: None, pid: None };
        let taken = PortState::Taken { by: Some("apache2 (812)\u{1b}[2J".into()) };
        let judged = |state: &InstanceState, listened: &PortState| {
            text(&judge_port(Color::Blue, 4001, state, listened, false))
        };
        let moved = |listened: &PortState| text(&judge_port(Color::Blue, 4001, &running, listened, true));
        assert_eq!(
            moved(&PortState::Free),
            "Ok ports: 4001 is free for blue, which listens elsewhere until it is started again"
        );
        assert_eq!(moved(&taken), judged(&InstanceState::Stopped, &taken));
        assert_eq!(judged(&InstanceState::Stopped, &PortState::Free), "Ok ports: 4001 is free for blue");
        assert_eq!(judged(&running, &taken), "Ok ports: blue listens on 4001");
        assert_eq!(
            judged(&running, &PortState::Free),
            "Warning ports: blue runs, and nothing listens on 4001"
        );
        assert_eq!(
            judged(&InstanceState::Stopped, &taken),
            "Missing ports: 4001 is for blue, and apache2 (812)[2J listens there \
             -> stop it, or give blue another port: `app.blue.port`; it may be the application itself, \
             from before `app.directory` or `app.driver` was changed"
        );
    }

    #[test]
    fn a_builder_has_the_programs_of_the_build() {
        let judged = |absent: &[&str]| {
            let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            judge_programs(&texts(&["git", "make", "/opt/go/bin/go"]), &texts(absent))
                .map(|found| text(&found))
        };
        assert_eq!(judged(&[]).as_deref(), Some("Ok builder: has git, make, /opt/go/bin/go"));
        let missing = "Missing builder: has no `git`, no `make` -> install what is missing, or build elsewhere: `build.builder`";
        assert_eq!(judged(&["git", "make"]).as_deref(), Some(missing));
        assert_eq!(judge_programs(&[], &[]), None);
    }

    #[test]
    fn a_router_is_ready_when_it_answers() {
        let seen = |routing| Ok(Observation { routing, settled: true, labels: Vec::new() });
        let known = seen(Some(crate::model::Routing::all_to(Color::Blue)));
        assert_eq!(text(&judge_router(known)), "Ok router: answers: blue 100 %");
        let unknown = "Warning router: answers, and does not know the application yet";
        assert_eq!(text(&judge_router(seen(None))), unknown);
        let refused = Trouble::new("hook/failed", "nginx does not answer").hint("install it");
        assert_eq!(text(&judge_router(Err(refused))), "Missing router: nginx does not answer -> install it");
    }

    #[test]
    fn directories_and_commands_are_judged() {
        let directory = NeededDirectory {
            path: "/srv/shop/run".into(),
            owner: "deploy".into(),
            group: Some("shop".into()),
            mode: 0o2750,
            base: "/srv".into(),
            made_by: Some("deploy".into()),
        };
        let fix = format!("{OWN}\n{}", directory_lines(&directory));
        assert_eq!(
            text(&judge_directory(&directory, Some("deploy shop 2750"))),
            "Ok directory: `/srv/shop/run` belongs to deploy shop 2750"
        );
        assert_eq!(
            text(&judge_directory(&directory, Some("deploy deploy 700"))),
            format!(
                "Missing directory: `/srv/shop/run` belongs to deploy deploy 700, not to deploy shop 2750 -> {fix}"
            )
        );
        let deployment =
            sample::deployment(Driver::Systemd { scope: SystemdScope::System, unit: Vec::new() });
        let needs =
            Needs::of(&deployment, &sample::name("web1"), &sample::facts("deploy", 1000)).expect("needs");
        let judged =
            |refused: &[String]| judge_sudoers(&deployment, &needs, refused).map(|found| text(&found));
        assert_eq!(judged(&[]).as_deref(), Some("Ok sudoers: all 14 commands are allowed"));
        let told = judged(&["/usr/bin/systemctl start x".to_owned()]).expect("a finding");
        assert!(told.starts_with(
            "Missing sudoers: 1 of 14 commands are refused: `/usr/bin/systemctl start x` -> new="
        ));
        assert_eq!(judge_sudoers(&deployment, &Needs::default(), &[]), None);
    }
}

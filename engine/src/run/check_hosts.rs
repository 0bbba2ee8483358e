//! `cutover check --hosts`: whether each host has what `setup` prints, and room, ports and a clock to deploy with. Changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cutover_host::operation::{Answer, Call, Facts, FaultKind, Operation, PortState, Program, Room};
use tokio::task::JoinSet;

use super::readiness::{lingers, refused_commands};
use super::setup::{directory_lines, file_lines, host_setup, user_line};
use super::{Clock, NeededDirectory, NeededFile, Needs};
use crate::driver::{self, InstanceState, Slot};
use crate::model::view::{Finding, HostCheck, HostChecks, Verdict};
use crate::model::{Color, Deployment, HostName, Observation, Size, Timestamp, Trouble};
use crate::transport::{Failure, Link};

/// For one question.
const DEADLINE_MS: u64 = 20_000;

/// Less room than this is told: several releases of an ordinary application.
const LITTLE_ROOM: u64 = 1 << 30;

/// Fewer inodes than this are told: one release may have 100,000 files.
const FEW_INODES: u64 = 100_000;

/// Clocks further apart than this make times in logs and histories hard to read.
const SKEW: Duration = Duration::from_secs(5);

/// Asks every host of the deployment at once.
pub async fn check_hosts(
    deployment: &Arc<Deployment>,
    links: &BTreeMap<HostName, Arc<dyn Link>>,
    clock: &Arc<dyn Clock>,
) -> HostChecks {
    let mut questions = JoinSet::new();
    for (name, link) in links {
        let (deployment, name, link) = (Arc::clone(deployment), name.clone(), Arc::clone(link));
        let clock = Arc::clone(clock);
        questions.spawn(async move {
            let check = check_host(&deployment, &name, &link, clock.as_ref()).await;
            (name, check)
        });
    }
    let mut checks = BTreeMap::new();
    while let Some(done) = questions.join_next().await {
        if let Ok((name, check)) = done {
            checks.insert(name, check);
        }
    }
    // Whoever is not heard of is not ready.
    let check = |name| checks.remove(name).unwrap_or_else(|| broken_off(name));
    links.keys().map(check).collect()
}

/// A host whose questions ended without an answer, which is a fault of ours.
fn broken_off(host: &HostName) -> HostCheck {
    let text = "its check broke off".to_owned();
    let finding = Finding { what: "reach".to_owned(), verdict: Verdict::Missing, text, fix: None };
    HostCheck { host: host.to_string(), facts: None, findings: vec![finding] }
}

async fn check_host(
    deployment: &Deployment,
    host: &HostName,
    link: &Arc<dyn Link>,
    clock: &dyn Clock,
) -> HostCheck {
    match ask_host(deployment, host, link, clock).await {
        Ok((facts, findings)) => HostCheck { host: host.to_string(), facts: Some(facts), findings },
        Err(problem) => {
            let finding =
                Finding { what: "reach".to_owned(), verdict: Verdict::Missing, text: problem, fix: None };
            HostCheck { host: host.to_string(), facts: None, findings: vec![finding] }
        }
    }
}

async fn ask_host(
    deployment: &Deployment,
    host: &HostName,
    link: &Arc<dyn Link>,
    clock: &dyn Clock,
) -> Result<(String, Vec<Finding>), String> {
    let host_link = HostLink { link: link.as_ref() };
    let before = clock.now();
    let first = host_link.facts(Vec::new()).await?;
    let skew = skew(before, clock.now(), Timestamp(first.now_ms));
    let slots: Vec<Slot<'_>> = Color::ALL
        .into_iter()
        .filter(|color| deployment.color_hosts(*color).contains(host))
        .map(|color| Slot::new(deployment, host, color, &first).map_err(|failure| failure.to_string()))
        .collect::<Result<_, _>>()?;
    let needs = Needs::of(deployment, host, &first).map_err(|failure| failure.to_string())?;

    let top = slots.first().map(|slot| slot.directory().to_owned());
    let files = slots.first().map(Slot::own_env_files).unwrap_or_default();
    let wanted: Vec<String> = needs.shared_files.iter().cloned().chain(files).collect();
    let paths = top.iter().cloned().chain(wanted).collect();
    let facts = host_link.facts(paths).await?;
    let room = if top.is_some() { facts.room.first() } else { None };

    let mut findings = vec![skew];
    findings.extend(room.map(judge_room).into_iter().flatten());
    findings.extend(facts.room.iter().skip(usize::from(top.is_some())).map(judge_presence));
    if let Some(user) = &needs.process_user {
        let found = host_link.run("id", &["-u", user]).await?;
        findings.push(judge_user(user, found == 0));
    }
    for directory in needs.directories.iter().filter(|directory| directory.group.is_some()) {
        findings.push(judge_directory(directory, host_link.owner(&directory.path).await?.as_deref()));
    }
    let refused = refused_commands(link, &needs.privileged).await.map_err(|failure| failure.to_string())?;
    findings.extend(judge_sudoers(deployment, &needs, &refused));
    for file in &needs.files {
        findings.push(judge_file(file, host_link.read(&file.path).await?.as_deref()));
    }
    if needs.linger {
        let lingers = lingers(link.as_ref(), &needs.login).await.map_err(|failure| failure.to_string())?;
        findings.push(judge_linger(&needs.login, lingers));
    }
    for slot in &slots {
        let state = driver::state(link.as_ref(), slot).await.map_err(|failure| failure.to_string())?;
        let placeholders = slot.placeholders("");
        let port = deployment.application.color(slot.color()).port;
        let listened = host_link.port(placeholders.listen(), port).await?;
        findings.push(judge_port(slot.color(), port, &state, &listened));
    }
    if let Some(build) = &needs.build {
        // The checkout is made on this machine, wherever it is built.
        let git = build.directory.is_none().then_some("git").map(str::to_owned);
        let programs: Vec<String> = git.into_iter().chain(build.programs.iter().cloned()).collect();
        findings.extend(judge_programs(&programs, &host_link.absent(&programs).await?));
    }
    Ok((describe(&first, room), findings))
}

/// Questions to one host, with answers in words where there is none.
struct HostLink<'a> {
    link: &'a dyn Link,
}

impl HostLink<'_> {
    async fn ask(&self, operation: Operation) -> Result<Answer, Failure> {
        self.link.perform(Call { id: 0, guard: None, deadline_ms: Some(DEADLINE_MS), operation }).await
    }

    async fn facts(&self, paths: Vec<String>) -> Result<Facts, String> {
        match self.ask(Operation::Facts { paths }).await {
            Ok(Answer::Facts(facts)) => Ok(facts),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// A program's exit status; 127 when there is no such program.
    async fn run(&self, program: &str, args: &[&str]) -> Result<i32, String> {
        let exit = self.exit(program, args).await?;
        Ok(exit.map_or(127, |(status, _)| status))
    }

    async fn exit(&self, program: &str, args: &[&str]) -> Result<Option<(i32, String)>, String> {
        let program = Program {
            program: program.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: vec![("LC_ALL".to_owned(), "C".to_owned())],
            output_limit: 4096,
            ..Program::default()
        };
        match self.ask(Operation::Run { program }).await {
            Ok(Answer::Exited(exit)) => Ok(Some((exit.status, exit.out.to_text()))),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(Failure::Fault(fault)) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// `USER GROUP MODE` of a path that is there.
    async fn owner(&self, path: &str) -> Result<Option<String>, String> {
        let exit = self.exit("stat", &["-c", "%U %G %a", path]).await?;
        Ok(exit.filter(|(status, _)| *status == 0).map(|(_, out)| out.trim().to_owned()))
    }

    /// Content of a file that is there and that we may read.
    async fn read(&self, path: &str) -> Result<Option<String>, String> {
        match self.ask(Operation::Read { path: path.to_owned(), beneath: None, limit: 256 * 1024 }).await {
            Ok(Answer::Content(content)) => Ok(Some(content.to_text())),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(Failure::Fault(_)) => Ok(None),
            Err(failure) => Err(failure.to_string()),
        }
    }

    /// Which of these programs are not there.
    async fn absent(&self, programs: &[String]) -> Result<Vec<String>, String> {
        let places = |program: &str| -> Vec<String> {
            if program.starts_with('/') {
                vec![program.to_owned()]
            } else {
                cutover_host::PATH.split(':').map(|directory| format!("{directory}/{program}")).collect()
            }
        };
        let facts = self.facts(programs.iter().flat_map(|program| places(program)).collect()).await?;
        let there = |path: &String| facts.room.iter().any(|room| room.exists && room.path == *path);
        let absent = programs.iter().filter(|program| !places(program).iter().any(there));
        Ok(absent.cloned().collect())
    }

    async fn port(&self, address: &str, port: u16) -> Result<PortState, String> {
        match self.ask(Operation::Port { address: address.to_owned(), port }).await {
            Ok(Answer::Port(state)) => Ok(state),
            Ok(_) => Err("host answered what was not asked".to_owned()),
            Err(failure) => Err(failure.to_string()),
        }
    }
}

fn finding(what: &str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), verdict, text: text.into(), fix: None }
}

fn missing(what: &str, text: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), verdict: Verdict::Missing, text: text.into(), fix: Some(fix.into()) }
}

/// `deploy, x86_64, systemd, 12 GB free`.
fn describe(facts: &Facts, room: Option<&Room>) -> String {
    let mut parts = vec![facts.user.clone(), facts.architecture.clone()];
    if facts.systemd {
        parts.push("systemd".to_owned());
    }
    parts.extend(room.map(|room| format!("{} free", Size::bytes(room.bytes))));
    // A host's own words: no line or escape sequence of theirs reaches a terminal.
    parts.join(", ").chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The host's clock was read at some moment between `before` and `after`.
fn skew(before: Timestamp, after: Timestamp, host: Timestamp) -> Finding {
    let ahead = host.since(after);
    let behind = before.since(host);
    let (off, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if off <= SKEW {
        return finding("clock", Verdict::Ok, "agrees with this machine");
    }
    let text = format!("is {} s {word} this machine", off.as_secs());
    Finding { fix: Some("timedatectl set-ntp true".to_owned()), ..finding("clock", Verdict::Warning, text) }
}

fn judge_room(room: &Room) -> Vec<Finding> {
    let path = &room.path;
    let directory = match (room.exists, room.writable) {
        (true, true) => finding("directory", Verdict::Ok, format!("`{path}` is writable")),
        (false, true) => finding("directory", Verdict::Ok, format!("`{path}` can be made")),
        (true, false) => missing("directory", format!("`{path}` is not writable"), "see `cutover setup`"),
        (false, false) => missing("directory", format!("`{path}` is not there"), "see `cutover setup`"),
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

/// A file that only the operator can provide.
fn judge_presence(room: &Room) -> Finding {
    let path = &room.path;
    if room.exists {
        finding("file", Verdict::Ok, format!("`{path}` is there"))
    } else {
        missing("file", format!("`{path}` is not there"), "put yours there: no release has it")
    }
}

fn judge_user(user: &str, exists: bool) -> Finding {
    if exists {
        finding("user", Verdict::Ok, format!("`{user}` is there"))
    } else {
        missing("user", format!("there is no user `{user}`"), user_line(user))
    }
}

fn judge_directory(directory: &NeededDirectory, found: Option<&str>) -> Finding {
    let NeededDirectory { path, owner, group, mode } = directory;
    let want = format!("{owner} {} {mode:o}", group.as_deref().unwrap_or(owner));
    let fix = directory_lines(directory);
    match found {
        Some(found) if found == want => {
            finding("directory", Verdict::Ok, format!("`{path}` belongs to {want}"))
        }
        Some(found) => missing("directory", format!("`{path}` belongs to {found}, not to {want}"), fix),
        None => missing("directory", format!("`{path}` is not there"), fix),
    }
}

fn judge_sudoers(deployment: &Deployment, needs: &Needs, refused: &[String]) -> Option<Finding> {
    let all = needs.privileged.len();
    if all == 0 {
        return None;
    }
    if refused.is_empty() {
        return Some(finding("sudoers", Verdict::Ok, format!("all {all} commands are allowed")));
    }
    let text = format!("{} of {all} commands are refused: `{}`", refused.len(), refused.join("`, `"));
    let parts = host_setup(deployment, needs);
    let script = parts.into_iter().find(|part| part.script.contains("visudo"));
    Some(missing("sudoers", text, script.map(|part| part.script).unwrap_or_default()))
}

fn judge_file(file: &NeededFile, found: Option<&str>) -> Finding {
    let path = &file.path;
    match found {
        Some(found) if found == file.content => {
            finding(&file.what, Verdict::Ok, format!("`{path}` is up to date"))
        }
        Some(_) => missing(&file.what, format!("`{path}` is not what it should be"), file_lines(file)),
        None => missing(&file.what, format!("`{path}` is not there"), file_lines(file)),
    }
}

fn judge_linger(login: &str, lingers: bool) -> Finding {
    if lingers {
        finding("linger", Verdict::Ok, format!("processes of `{login}` outlive its session"))
    } else {
        let fix = format!("loginctl enable-linger {login}");
        missing("linger", format!("processes of `{login}` end with its session"), fix)
    }
}

fn judge_port(color: Color, port: u16, state: &InstanceState, listened: &PortState) -> Finding {
    match (listened, state) {
        (PortState::Free, InstanceState::Running { .. }) => {
            finding("ports", Verdict::Warning, format!("{color} runs, and nothing listens on {port}"))
        }
        (PortState::Free, _) => finding("ports", Verdict::Ok, format!("{port} is free for {color}")),
        (PortState::Taken { .. }, InstanceState::Running { .. }) => {
            finding("ports", Verdict::Ok, format!("{color} listens on {port}"))
        }
        (PortState::Taken { by }, _) => {
            let by: String =
                by.as_deref().unwrap_or("something").chars().filter(|c| !c.is_control()).collect();
            let fix = format!("stop it, or give {color} another port: `app.{color}.port`");
            missing("ports", format!("{port} is for {color}, and {by} listens there"), fix)
        }
    }
}

/// Whether the router knows the application, in its hook's words.
pub(super) fn judge_router(seen: Result<Observation, Trouble>) -> Finding {
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
fn judge_programs(programs: &[String], absent: &[String]) -> Option<Finding> {
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
    use cutover_host::{Account, Host};

    use super::super::SystemClock;
    use super::*;
    use crate::driver::sample;
    use crate::model::{Driver, SystemdScope};
    use crate::transport::{Flow, LinkFuture, local_link};

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
            let room = Room { path: "/srv/shop".into(), exists, writable, bytes, inodes };
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
            text(&judge_port(Color::Blue, 4001, state, listened))
        };
        assert_eq!(judged(&InstanceState::Stopped, &PortState::Free), "Ok ports: 4001 is free for blue");
        assert_eq!(judged(&running, &taken), "Ok ports: blue listens on 4001");
        assert_eq!(
            judged(&running, &PortState::Free),
            "Warning ports: blue runs, and nothing listens on 4001"
        );
        assert_eq!(
            judged(&InstanceState::Stopped, &taken),
            "Missing ports: 4001 is for blue, and apache2 (812)[2J listens there \
             -> stop it, or give blue another port: `app.blue.port`"
        );
    }

    /// A host whose answer is more than we can bear.
    #[derive(Debug)]
    struct Fatal(HostName);

    impl Link for Fatal {
        fn name(&self) -> &HostName {
            &self.0
        }

        fn perform(&self, _call: Call) -> LinkFuture<'_, Answer> {
            panic!("this host is fatal")
        }

        fn open(&self, _call: Call) -> LinkFuture<'_, Flow> {
            panic!("this host is fatal")
        }
    }

    #[tokio::test]
    async fn a_check_that_breaks_off_is_told() {
        let name = sample::name("web1");
        let link: Arc<dyn Link> = Arc::new(Fatal(name.clone()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let deployment = Arc::new(sample::deployment(Driver::Detached));
        let checks = check_hosts(&deployment, &BTreeMap::from([(name, link)]), &clock).await;
        let told: Vec<String> = checks.iter().flat_map(|check| &check.findings).map(text).collect();
        assert_eq!(told, ["Missing reach: its check broke off"]);
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
        };
        let fix = "install -d -o deploy -g shop -m 2750 /srv/shop/run";
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

    #[tokio::test]
    async fn this_machine_is_asked_and_one_out_of_reach_is_told() {
        let scratch = tempfile::tempdir().expect("a directory");
        let home = scratch.path().to_str().expect("UTF-8").to_owned();
        let mut deployment = sample::deployment(Driver::Detached);
        deployment.application.directory = "~/app".to_owned();
        deployment.application.blue.port = 1;
        deployment.application.green.port = 2;
        let account = Account { user: "me".to_owned(), uid: 1000, home: home.clone() };
        let host = sample::name("web1");
        let link = local_link(host.clone(), Arc::new(Host::new(vec!["/nonexistent".into()], account)));
        let links = [(host, link)].into_iter().collect();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let checks = check_hosts(&Arc::new(deployment), &links, &clock).await;
        let findings: Vec<String> =
            checks[0].findings.iter().map(text).filter(|text| !text.contains(" room: ")).collect();
        assert_eq!(
            findings,
            [
                "Ok clock: agrees with this machine".to_owned(),
                format!("Ok directory: `{home}/app` can be made"),
                format!(
                    "Missing file: `{home}/app/shared/.env` is not there -> put yours there: no release has it"
                ),
                "Ok ports: 1 is free for blue".to_owned(),
                "Ok ports: 2 is free for green".to_owned(),
                "Ok builder: has git".to_owned(),
            ]
        );
        assert!(checks[0].facts.as_ref().is_some_and(|facts| facts.starts_with("me, ")), "{checks:?}");
    }
}

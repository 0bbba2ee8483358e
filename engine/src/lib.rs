//! cutover: a blue/green deploy engine for your own hosts, extensible by sandboxed WebAssembly hooks.
//!
//! Each application host has a place for two *colours*, blue and green. One has the traffic, the other is idle. A deployment
//! fills the idle one, proves it, moves the traffic in front of it, watches, and only then lets go of the old one. This page says how
//! that is done, from `cutover.toml` to the last event; every module says the rest of itself.
//!
//! # One deployment
//! ```text
//!  cutover.toml ──config──▶ Deployment          what is wanted: valid, every default filled in
//!                               │ Session::open             hosts connected, hooks loaded
//!                               ▼
//!         preflight without the lock, build ──▶ Artifact    no host of the application is changed
//!                               │
//!         lock · fence · reap · read the world ─▶ Observed
//!                               │ Plan::new                 a pure function; refuses what can't end well
//!                               ▼
//!                             Plan ───────────▶ journal, record 0
//!                               │
//!        ┌─▶ Progress::next ────┴──▶ Run, Ask, Undo: a batch of actions at the same time
//!        │      │                       │ Started  appended: the intent
//!        │      │                       │ World::perform: operations on hosts, questions to hooks
//!        │      │                       │ Ended    appended: done, failed or unknown
//!        │      │                       ▼ event
//!        │      │                   joined, applied
//!        └──────┼───────────────────────┘
//!               ├──▶ Pivot              no way back from here on
//!               └──▶ Close(Outcome) ──▶ history, exit code, last event
//! ```
//! The steps that people see ([`model::Step`]) are groups of such actions, always in this order: preflight, build, stage, migrate, start,
//! health, smoke, switch, watch (where it is rolling: out, start, health, smoke and in, for each batch of hosts); then, after the *pivot*: drain, retire, finish. What fails before the pivot turns the deployment
//! back, and the undo actions of all that was begun are done in reverse. What fails after it is a warning.
//!
//! 1. **All work is data before any of it is done.** [`Plan::new`](model::Plan::new) takes the [`Deployment`](model::Deployment), the
//!    wish and the [`Observed`](model::Observed) world and makes stages of [`Task`](model::Task)s. A task is an
//!    [`Action`](model::Action), whether it may be done twice ([`Class`](model::Class)), and its undo: actions too, made from what was
//!    observed, each of which accepts that there is nothing to undo. `cutover plan` shows this very plan.
//! 2. **One function says what comes next.** [`Progress`](model::Progress) is a plan with the [`Record`](model::Record)s of its journal
//!    folded over it; [`Progress::next`](model::Progress::next) answers for every history. It also refuses records that can't follow,
//!    so that the runner can't write a journal that nobody can read.
//! 3. **Journal before effect, event after journal.** The runner (`run/execute/runner.rs`) appends the intent, performs, appends what is known,
//!    and only then tells. Nothing is shown that is not on disk. It alone writes the journal.
//! 4. **There are three outcomes.** A connection that breaks leaves an effect *unknown*, which is neither done nor failed.
//!    Repeatable actions are done again; a migration never is: the host is asked what became of it.
//! 5. **The old colour is not touched before the pivot**, and no colour is stopped that a router still points to: `RequireUnrouted`
//!    comes before each stop that follows a switch, and before the idle colour is cleared; `RequireHealthy` comes before traffic is moved
//!    back.
//!
//!    Where `pipeline.strategy` is a canary, switch and watch come once for each share of the requests, and then for all of them
//!    (`model/plan/switching.rs`). The first move of each router has the way back, which leads from any share straight to what was observed. Only
//!    the new colour is judged by such a watch; the old one is looked at and told of. What went through its watch is past: `resume --forward`
//!    begins with the share that was not, so on the way there nothing is ever taken from the new colour again.
//!    Where there are several routers, all are prepared before any is moved; then the first one is moved alone, and all others at the same time. Right
//!    before the first one all are looked at once more: what someone has made of any of them since turns the deployment back. How
//!    far apart they followed, and what the old release answered afterwards, is measured by the run that does it (`run/world/switching.rs`), kept
//!    in the journal once the watch is over ([`Switched`](model::Switched)), and told.
//!
//!    Where it is rolling, there are no colours, and this can't be kept: each host has one place, and the old release is stopped there before
//!    the new one is proven. What is kept instead, and how turns are made of the same tasks, is in `model/plan/rolling.rs`.
//! 6. **Who can't be reached speaks for neither colour.** A look that did not get to its host proves nothing: traffic is moved neither to
//!    nor away from a colour because of it. The watch goes on with what answers, front doors above all, tries the host again at each
//!    look, and at its end holds with a warning if all that can be seen is well (`run/execute/vigil.rs`). Where nothing can be seen it turns
//!    back; and since `RequireHealthy` wants every instance of the old colour seen, that leaves the traffic where it is until the
//!    host is back or a person decides.
//! 7. **An undo that fails is an end of its own.** It blocks what depends on it (a switch: the whole new colour; else: its host), the
//!    rest is undone, and the outcome is [`Stuck`](model::Outcome::Stuck), with what is left to do by hand.
//! 8. **All or nothing, but for a bound.** `pipeline.max-excluded` lets hosts be left out: those that can't be reached are no part of the
//!    plan, and one that fails before the switch is taken out of what is still to be done, by the fold itself (`progress/exclusion.rs`).
//!    [`Silence`](model::Action::Silence) then sees to it that nobody gets an answer from what is not the new release there. One that is
//!    open goes back without a host that is out of reach where that bound or a person (`abort --without`) says so, and tries nothing there; where hosts have turns, routers go on without
//!    it, since its turn may come up with it, until a person has a deployment begin with it (`--adopt`).
//!
//! # Maintenance
//! `cutover maintenance on` and `off` are plans over the same loop (`model/plan/maintenance.rs`): every router is moved to no colour, with the way back to
//! what was live, or to what is live, with the way back to none. Nothing is done on an application host. The record keeps that it is so
//! ([`LiveRecord`](model::LiveRecord)), so that routers without a colour are no drift then, and all others are. A deployment meanwhile goes through all
//! of its steps but moves no router ([`Plan::target`](model::Plan::target) is none), and makes sure before its pivot that nobody else did.
//! To send requests to nobody is safe whatever is sick, and nothing in it is a release that nobody knows, so `resume` goes forward there.
//!
//! # Recovery
//! A crash is nothing special, and there is no second executor. `resume` and `abort` take the lock, replay the journal, *look at the
//! world* and ask [`decide`](model::decide): back, forward, or a person. That decision is a record too
//! ([`Recovered`](model::Record::Recovered)); then the same loop goes on. What a journal says is never taken for how the world is, and
//! it gives no authority either: [`Plan::check_authority`](model::Plan::check_authority) refuses a plan that this configuration could not
//! have made. Actions name hosts, colours and releases alone; paths, programs and grants come from the local configuration.
//!
//! Who may change anything is settled by the lock at the *home* ([`store`]): each taking raises an *epoch*, every host is fenced with it,
//! and from then on refuses changes of an older one. So a holder that was thought dead can do no harm when it comes back. The lock
//! is renewed while a run lasts and lapses by itself.
//!
//! A renewal may fail for a while. Once none has worked for 45 s, nothing more is begun (`run/execute/standing.rs`): it waits for one that does, and
//! the next record that can't be kept ends the run.
//!
//! A router may be shared with other applications, which have locks of their own. So its host keeps one more, by the same protocol: the
//! *turn* (`run/world/turns.rs`), taken before the first `prepare`, given back after the last `apply`, and part of what hooks change the
//! router's host under. It lies with the deploy user there, so applications that are deployed as different users do not see each other's,
//! and a router that is no host has none.
//!
//! One host is the home, the first router of the configuration, and says so itself in the file that names its line of deployments. A
//! configuration that looks for the state elsewhere, a second home, a host of another line, a home that was lost: each is refused before
//! anything is touched ([`store::disagreements`]). `state move` brings the state to another host by one write on each, `state recover`
//! rebuilds it from what hosts and routers show where they do not contradict each other, under an epoch and a line that shut out
//! whatever turns up again. `doctor` only looks: what was seen is data, and a pure function makes findings of it (`run/home/diagnose.rs`).
//!
//! A signal turns a deployment back while it can (5 s are given to that), and leaves it for `resume` when it can't; a second one ends
//! the run at once, wherever it is. That is safe for the same reason as a crash is. What only looks ends at the first one.
//!
//! # The host side
//! All that is done *on* a host is in the crate [`cutover_host`]: [`Operation`](cutover_host::operation::Operation) is the whole vocabulary,
//! and no shell command is ever put together. The engine calls it in its own process for `local = true`; for other hosts it
//! carries it as a small static program, uploads that once, and talks to it over the input and output of one SSH session. Behind
//! [`transport::Link`] both are the same. A host is spoken to only when it has a key that is known: one that the project pins for it
//! ([`transport::PinnedKeys`], which `cutover trust` writes), else one of the user's own `known_hosts`. Nothing listens. What stays running is the application, with the driver `detached` below a
//! supervisor for each process; connections are kept for a minute.
//! Whatever a host answers is bounded, and checked like a stranger's words.
//!
//! # How a release starts is the release's
//! `deploy` writes beside the release's environment, on each host, by what words it starts ([`driver::Launch`]). What starts that
//! release again later reads them there: the way back to a colour that was warm, and `rollback`, which says before it begins where they
//! differ from `cutover.toml`. A deployment of a release that is there already writes its words beside, and
//! [`Renew`](model::Action::Renew) makes them the release's own right before the start; its undo puts the former ones back before
//! what was warm is started again ([`driver::Renewal`]). Each slot notes by what words it was started, and is stopped by them. What the words
//! are filled in with (ports, addresses, directories), kind of driver, users, health checks and routers are the site's, and those of today.
//! Only `deploy`, also `deploy --release N`, starts a release by today's words.
//! What was warm and was started again is called warm only once it answers.
//!
//! # The build
//! It comes before the lock and is no part of the journal, since it changes nothing that is in use (`run/deployment/build.rs`). The engine makes a
//! clean checkout of the one revision; when another host builds, it is brought there as a release is, the hook's programs run there, and
//! what they made is described, checked, fetched and verified the same way back. The directories of a build are *held*: a host removes
//! one when whoever holds it lets go or is gone, and the next build removes what a kill has left.
//!
//! # Hooks, and the sandbox as a process
//! How to build, whether an instance is healthy, what a smoke test is, how a router is moved: that is asked of hooks, WebAssembly components
//! behind the contract in `wit/`. A component runs in a child process of this program ([`hook`]) that is started with an empty
//! environment, nothing open but one socket to the engine, and limits of memory. wasmtime is the wall; the process is there for what
//! crashes, loops or floods behind it, and for whatever came through: before it reads a byte it gives up every file, port and process of
//! the system (Landlock), and once it has its code every system call but those by which it computes and answers (seccomp), where the kernel
//! has them. The guest asks over that socket for everything; the broker holds each request against the hook's
//! [`Grants`](model::grant::Grants) and performs it, or says which line would grant it. A guest that traps, loops, floods or takes its
//! sandbox down is a failure of that hook and of nothing else. The engine polls, counts and keeps deadlines; hooks answer one question
//! at a time, and whether a router was moved is what its `observe` says, not its `apply`.
//!
//! A hook that is a script (`script/` beside `src/`, a workspace of its own) is asked like any other: what runs is the interpreter, a component, and the
//! script is its standard input. What it imports and exports is asked of the interpreter before anything of it runs.
//!
//! What a component asks for stands in itself (its imports), what it may do in `cutover.toml` (its grants), and which one it is, to the byte,
//! in `cutover.lock` ([`model::LockFile`]), compared before every load (`run/world/components.rs`). Only `cutover hook` fetches components
//! or writes that file (`run/supply/`).
//!
//! What a change of a project widens is told before it can run: [`model::widened`] compares two [`Posture`](model::Posture)s, of the files as they
//! lie here and as they were at a revision of git ([`source::Past`]), field by field, without a hook, a host or a secret being touched.
//!
//! # Modules, by rank
//! Imports go down only, and folders of one rank do not know each other. A test (`structure.rs`) keeps it so.
//!
//! | rank | module | |
//! |---|---|---|
//! | 4 | [`cli`] | words in, words out; the only place that reads environment, user and directories |
//! | 3 | [`run`] | the only place that joins the parts: session, runner, performer, recovery, and what looks without changing |
//! | 2 | [`store`] | lock, journal, history, live record: files of the home, changed by operations; or objects of a bucket |
//! | 2 | [`hook`] | sandbox, broker, cache of compiled code |
//! | 2 | [`driver`] | processes of one colour on one host: systemd, commands, or the helper's supervisor |
//! | 2 | [`source`] | the revision that the remote has, and a clean checkout of it |
//! | 1 | [`transport`] | how a host is reached |
//! | 1 | [`config`] | `cutover.toml` to [`Deployment`](model::Deployment): all faults at once, each at its place |
//! | 1 | [`report`] | events and views to lines for people, or JSON |
//! | 1 | [`secret`] | where secrets come from, and how they are kept out of everything else |
//! | 1 | [`bundled`] | the hooks, the interpreter of scripts and the host program that this program carries inside itself |
//! | 1 | [`author`] | what authors of hooks begin with, and what builds it; nothing but [`cli`] knows it |
//! | 1 | [`proxy`] | the front door for those who have no router: `cutover proxy`, which nothing but [`cli`] knows |
//! | 0 | [`model`] | data and decisions: no I/O, no clock, no environment |
//!
//! `run` is layered in the same way, from below: `execute` (the loop, which knows the world as a trait), `world` (hosts, routers, hooks and
//! lock, and each action), `supply` (where components of hooks come from), `ready` (what hosts need), `deployment` (from the wish to the end, and
//! recovery), `home` (the state where it is kept), `look` (commands beside deployments), `conformance` (a router hook
//! held against its contract, at a real router), `authoring` (a hook asked by itself, of the world or of cases).
//!
//! Decisions are pure functions over data, tested as such; what acts is thin. The simulation (`run/simulation/`) drives the real
//! planner, runner, journal and recovery through every action failing in every way and a crash at every record.
//!
//! # Where to start reading
//! [`model::Action`] and [`model::Plan`] (what a deployment consists of), [`model::Progress`] (where it is), [`model::decide`] (what a crash
//! leads to). Then `run/deployment/deploy.rs` from the top, `run/execute/runner.rs`, and `run/world/perform/` for any one action. For a hook
//! author: `wit/` and the crate `cutover-hooks`. How runs end: [`model::Outcome`], [`model::view::ExitCode`], [`run::exit_code`].

#[macro_use]
mod planted;

pub mod author;
pub mod bundled;
pub mod cli;
pub mod config;
pub mod driver;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod hook;
pub mod model;
pub mod proxy;
pub mod report;
pub mod run;
pub mod secret;
pub mod source;
pub mod store;
#[cfg(test)]
mod structure;
pub mod transport;

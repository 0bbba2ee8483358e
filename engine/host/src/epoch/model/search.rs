//! Breadth first through everything that can happen.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::client::{HOSTS, LIVES, ShutOut};
use super::world::Answer;
use super::{At, Client, Message, Mutation, World};

/// What a search found.
struct Found {
    states: usize,
    /// Steps to the last of them.
    depth: usize,
    /// The shortest way to a broken promise, and which one it is.
    violation: Option<(Vec<String>, String)>,
}

/// A step: what it is called, and where it leads.
type Step = (&'static str, Result<World, String>);

struct Search {
    bug: Option<Mutation>,
    /// Engines that take part.
    clients: usize,
    /// How often each is started.
    lives: u8,
    /// Epochs that are used.
    epochs: u8,
}

impl Search {
    fn run(&self) -> Found {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let mut seen: HashSet<u64> = HashSet::new();
        let mut states: Vec<(World, u32, &'static str)> = vec![(World::NEW, 0, "")];
        let mut queue: VecDeque<(u32, usize)> = VecDeque::from([(0, 0)]);
        seen.insert(hasher.hash_one(World::NEW));
        let mut depth = 0;
        while let Some((index, far)) = queue.pop_front() {
            depth = far;
            let world = states[index as usize].0;
            let mut steps: Vec<Step> = Vec::new();
            self.steps(world, &mut steps);
            for (name, next) in steps {
                match next.and_then(|next| next.judge().map(|()| next)) {
                    Ok(next) => {
                        if seen.insert(hasher.hash_one(next)) {
                            let number = u32::try_from(states.len()).expect("the search is bounded");
                            states.push((next, index, name));
                            queue.push_back((number, far + 1));
                        }
                    }
                    Err(promise) => {
                        let mut way = vec![name.to_owned()];
                        let mut at = index;
                        while at != 0 {
                            let (_, before, name) = states[at as usize];
                            way.push(name.to_owned());
                            at = before;
                        }
                        way.reverse();
                        return Found { states: states.len(), depth, violation: Some((way, promise)) };
                    }
                }
            }
        }
        Found { states: states.len(), depth, violation: None }
    }

    /// Everything that can happen next.
    fn steps(&self, world: World, steps: &mut Vec<Step>) {
        for client in 0..self.clients {
            let now = world.clients[client];
            if now.at == At::Over {
                continue;
            }
            if now.at != At::Wants {
                steps.push(("dies", Ok(with(world, client, now.ended(self.lives)))));
            }
            self.client_steps(world, client, now, steps);
        }
        for host in 0..HOSTS {
            if world.running[host] != 0 {
                let mut next = world;
                next.running[host] = 0;
                steps.push(("an operation ends", Ok(next)));
            }
            if world.staying[host] != 0 {
                let mut next = world;
                next.staying[host] = 0;
                steps.push(("a run ends", Ok(next)));
            }
            let to_it = world.late.filter(|late| usize::from(late.host()) == host);
            if to_it.is_some() {
                let mut next = world;
                (next.late, next.running[host], next.staying[host]) = (None, 0, 0);
                steps.push(("a host goes down", Ok(next)));
            }
        }
        if let Some(late) = world.late {
            let mut next = World { late: None, ..world };
            if self.is_within(&next, late) {
                steps.push(("a late message arrives", next.deliver(late, self.bug, false).map(|_| next)));
            }
        }
    }

    fn client_steps(&self, world: World, client: usize, now: Client, steps: &mut Vec<Step>) {
        let (epoch, holder) = (now.epoch, world.holder(client));
        let last = HOSTS as u8 - 1;
        match now.at {
            At::Wants => {
                if self.bug == Some(Mutation::EpochOutsideAcquire) {
                    if world.lock.1 == 0 {
                        let next = with(world, client, now.goes(At::ReadEpoch(world.lock.0 + 1)));
                        steps.push(("reads the lock", Ok(next)));
                    }
                } else {
                    self.send(world, client, Message::Take { holder, steal: 0 }, steps);
                }
                if world.lock.1 != 0 {
                    let next = with(world, client, now.goes(At::Looked(world.lock.0)));
                    steps.push(("looks at the lock", Ok(next)));
                }
            }
            At::ReadEpoch(epoch) => {
                if epoch <= self.epochs {
                    let mut next =
                        with(world, client, Client { epoch, ..now.goes(At::ShutsOut(ShutOut::default())) });
                    next.lock = (epoch, holder);
                    next.fences[0] = next.fences[0].max(epoch);
                    steps.push(("writes the lock", Ok(next)));
                }
            }
            At::Looked(seen) => {
                self.send(world, client, Message::Take { holder, steal: seen }, steps);
                self.send(world, client, Message::Free { epoch: seen }, steps);
            }
            At::Asked(steal) => self.send(world, client, Message::Take { holder, steal }, steps),
            At::ShutsOut(far) => {
                for host in 0..=last {
                    let index = usize::from(host);
                    if !far.fenced[index] {
                        self.send(world, client, Message::Fence { host, epoch }, steps);
                    } else if !far.reaped[index] {
                        self.send(world, client, Message::Reap { host, epoch }, steps);
                    }
                }
            }
            At::Reads(host) => {
                let at = match host {
                    host if host < last => At::Reads(host + 1),
                    _ if self.bug == Some(Mutation::PlanBeforeFence) => {
                        At::ShutsOut(ShutOut { planned: true, ..ShutOut::default() })
                    }
                    _ if self.bug == Some(Mutation::FenceOutsideAcquire) => {
                        At::ShutsOut(ShutOut { planned: true, ..ShutOut::but(1) })
                    }
                    _ => At::Changes(0),
                };
                steps.push(("reads a host", Ok(with(world, client, now.goes(at)))));
            }
            At::Changes(host) => self.send(world, client, Message::Change { host, epoch }, steps),
            At::Begins => {
                self.send(world, client, Message::Begin { host: last, epoch }, steps);
                self.send(world, client, Message::Run { host: last, epoch }, steps);
            }
            At::Frees => self.send(world, client, Message::Free { epoch }, steps),
            At::Over => {}
        }
    }

    /// A message is answered, or lost on its way there or back, or late; or the host goes down in the middle of it.
    fn send(&self, world: World, client: usize, message: Message, steps: &mut Vec<Step>) {
        if !self.is_within(&world, message) {
            return;
        }
        let now = world.clients[client];
        let mut after = world;
        let answer = after.deliver(message, self.bug, false);
        let answered = answer.map(|answer| {
            let mut next = with(after, client, self.heard(&world, client, message, answer));
            if matches!(message, Message::Run { .. }) {
                // It is answered when it has ended.
                next.staying[usize::from(message.host())] = world.staying[usize::from(message.host())];
            }
            next
        });
        steps.push((word(message), answered));
        let unheard = now.goes(match (now.at, message) {
            (_, Message::Take { steal, .. }) => At::Asked(steal),
            // Unlocking is tried again; whoever gives up has died.
            (at, _) => at,
        });
        let mut lost = after;
        lost = with(lost, client, unheard);
        steps.push(("its answer is lost", Ok(lost)));
        if unheard != now {
            steps.push(("it is lost", Ok(with(world, client, unheard))));
        }
        if world.late.is_none() {
            let late = World { late: Some(message), ..with(world, client, unheard) };
            steps.push(("it is late", Ok(late)));
        }
        if matches!(message, Message::Take { .. } | Message::Free { .. }) {
            let mut torn = world;
            let delivered = torn.deliver(message, self.bug, true);
            (torn.running[0], torn.staying[0]) = (0, 0);
            steps.push(("the home goes down in the middle", delivered.map(|_| with(torn, client, unheard))));
        }
    }

    /// What an engine does with an answer.
    fn heard(&self, world: &World, client: usize, message: Message, answer: Answer) -> Client {
        let now = world.clients[client];
        let last = HOSTS as u8 - 1;
        let first = |epoch| {
            let at = match self.bug {
                Some(Mutation::PlanBeforeFence) => At::Reads(0),
                Some(Mutation::FenceOutsideAcquire) => At::ShutsOut(ShutOut::but(0)),
                _ => At::ShutsOut(ShutOut::default()),
            };
            Client { epoch, ..now.goes(at) }
        };
        match (message, answer) {
            (Message::Take { .. }, Answer::Taken(epoch)) => first(epoch),
            (Message::Take { .. }, Answer::Held) => {
                let mine =
                    world.lock.1 == world.holder(client) || self.bug == Some(Mutation::LostAnswerIsMine);
                if matches!(now.at, At::Asked(_)) && mine { first(world.lock.0) } else { now.goes(At::Wants) }
            }
            // It asks again.
            (_, Answer::Waits) => now,
            (Message::Free { .. }, _) if matches!(now.at, At::Looked(_)) => now.goes(At::Wants),
            (_, Answer::Refused) | (Message::Free { .. }, _) => now.ended(self.lives),
            (Message::Fence { host, .. } | Message::Reap { host, .. }, _) => {
                let At::ShutsOut(mut far) = now.at else { return now };
                let index = usize::from(host);
                far.reaped[index] = far.fenced[index];
                far.fenced[index] = true;
                now.goes(match far.is_whole() {
                    true if far.planned => At::Changes(0),
                    true => At::Reads(0),
                    false => At::ShutsOut(far),
                })
            }
            (Message::Change { host, .. }, _) if host < last => now.goes(At::Changes(host + 1)),
            (Message::Change { .. }, _) => now.goes(At::Begins),
            (Message::Begin { .. } | Message::Run { .. }, _) => now.goes(At::Frees),
            (Message::Take { .. }, Answer::Done) => now,
        }
    }

    /// Whether the epochs that the search may use are enough for it.
    fn is_within(&self, world: &World, message: Message) -> bool {
        let raises = matches!(message, Message::Take { .. } | Message::Free { .. });
        !raises || world.lock.0.max(world.fences[0]) < self.epochs
    }
}

fn with(world: World, client: usize, now: Client) -> World {
    let mut next = world;
    next.clients[client] = now;
    next
}

const fn word(message: Message) -> &'static str {
    match message {
        Message::Take { steal: 0, .. } => "takes the lock",
        Message::Take { .. } => "takes the lock over",
        Message::Free { .. } => "frees the lock",
        Message::Fence { .. } => "fences a host",
        Message::Reap { .. } => "reaps on a host",
        Message::Change { .. } => "changes a host",
        Message::Begin { .. } => "begins an operation",
        Message::Run { .. } => "runs a program",
    }
}

#[test]
fn no_two_can_act() {
    let found = Search { bug: None, clients: 2, lives: LIVES, epochs: 4 }.run();
    assert_eq!(found.violation, None);
    assert!(found.states > 10_000 && found.depth > 20, "{} states, {} steps", found.states, found.depth);
}

#[test]
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` reads it")]
fn a_protocol_without_one_of_its_rules_is_refuted() {
    let mut missed = Vec::new();
    for bug in Mutation::ALL {
        // With every epoch one more way opens; most bugs need few.
        let found = (3..=5).map(|epochs| Search { bug: Some(bug), clients: 2, lives: LIVES, epochs }.run());
        match found.filter_map(|found| found.violation).next() {
            Some((way, promise)) => {
                println!(
                    "planted: {}",
                    serde_json::json!({"bug": format!("{bug:?}"), "caught_by": promise, "steps": way})
                );
            }
            None => missed.push(bug),
        }
    }
    assert_eq!(missed, Vec::<Mutation>::new());
}

#[cfg(feature = "proof")]
#[test]
fn no_two_of_three_can_act() {
    prove(&Search { bug: None, clients: 3, lives: 1, epochs: 3 });
}

#[cfg(feature = "proof")]
#[test]
fn nightly_no_two_of_three_can_act_when_each_is_started_again() {
    prove(&Search { bug: None, clients: 3, lives: LIVES, epochs: 3 });
}

#[cfg(feature = "proof")]
#[expect(clippy::print_stdout, reason = "`cargo xtask prove` reads it")]
fn prove(search: &Search) {
    let began = std::time::Instant::now();
    let Found { states, depth, violation } = search.run();
    let seconds = began.elapsed().as_secs_f64();
    let report = serde_json::json!({"lock_states": states, "lock_depth": depth, "lock_seconds": seconds});
    println!("proof: {report}");
    assert_eq!(violation, None);
    assert!(states >= 1_000_000, "only {states} states");
}

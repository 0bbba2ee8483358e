//! An Apache with the generated configuration, scripted on the fake host.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{HookError, Observation, Router, Routing};

use super::{DIRECTORY, MANAGER, URLS, call};
use crate::Apache;

/// A member, as Apache keeps it.
pub(super) struct Member {
    pub(super) off: BTreeSet<char>,
    pub(super) in_error: bool,
    pub(super) factor: String,
    pub(super) busy: u32,
}

/// An Apache with the generated configuration.
pub(super) struct Running {
    pub(super) members: Vec<Member>,
    /// Starts of it: each makes another nonce.
    starts: u32,
    /// Changes that it overlooks from now on.
    pub(super) deaf: u32,
    /// Looks after which a member in error is well again.
    pub(super) recovers_after: u32,
    /// Members of another configuration.
    pub(super) urls: Vec<String>,
    /// Changes of which members, in order.
    pub(super) changes: Vec<String>,
    /// After so many changes, it is restarted.
    pub(super) restarts_after: Option<usize>,
    /// Requests that find nobody, after a restart.
    away: u32,
}

/// The machine with it.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) world: World,
    pub(super) running: Rc<RefCell<Running>>,
}

/// It runs on `lb1`, and begins without a colour.
pub(super) fn apache() -> Fake {
    let world = World::install(["lb1"]);
    world.directory("lb1", DIRECTORY);
    let running = Running {
        members: Vec::new(),
        starts: 0,
        deaf: 0,
        recovers_after: 0,
        urls: URLS.map(str::to_owned).into(),
        changes: Vec::new(),
        restarts_after: None,
        away: 0,
    };
    let fake = Fake { world, running: Rc::new(RefCell::new(running)) };
    fake.restart();
    let answering = fake.clone();
    fake.world.http(move |request| answering.answer(request));
    fake
}

impl Fake {
    pub(super) fn restart(&self) {
        let there = |name: &str| self.world.text("lb1", &format!("{DIRECTORY}/{name}")).is_some();
        let color = match (there("green"), there("blue")) {
            (true, _) => "4002",
            (false, true) => "4001",
            (false, false) => "none",
        };
        let mut running = self.running.borrow_mut();
        running.starts += 1;
        running.members = URLS
            .map(|url| Member {
                off: if url.ends_with(color) { BTreeSet::new() } else { BTreeSet::from(['D']) },
                in_error: false,
                factor: "1.00".to_owned(),
                busy: 0,
            })
            .into();
    }

    fn answer(&self, request: &Request) -> Result<Response, HttpError> {
        assert_eq!(request.via.as_deref(), Some("lb1"));
        assert!(request.headers.contains(&("referer".to_owned(), MANAGER.to_owned())));
        if self.running.borrow().away > 0 {
            self.running.borrow_mut().away -= 1;
            return Err(HttpError::Connect("127.0.0.1:8098: connection refused".to_owned()));
        }
        if request.method == "POST" {
            assert_eq!(request.url, MANAGER);
            self.change(&String::from_utf8(request.body.clone().expect("a form")).expect("text"));
            return fake::response(200, &[], "<html>");
        }
        assert_eq!(request.url, format!("{MANAGER}?xml=1"));
        fake::response(200, &[], &self.xml())
    }

    fn change(&self, form: &str) {
        let mut running = self.running.borrow_mut();
        let nonce = format!("b=cutover-shop&w=http%3A%2F%2F10.0.0.{{}}&nonce=n-{}", running.starts);
        let (head, nonce) = nonce.split_once("{}").expect("both");
        let Some((place, changes)) = form.strip_prefix(head).and_then(|rest| rest.split_once(nonce)) else {
            return;
        };
        let url = format!("http://10.0.0.{}", place.replace("%3A", ":"));
        running.changes.push(format!("{url}{changes}"));
        if running.deaf > 0 {
            running.deaf -= 1;
            return;
        }
        let index = URLS.iter().position(|known| *known == url).expect("a member");
        for (key, value) in changes.split('&').filter_map(|change| change.split_once('=')) {
            match (key.strip_prefix("w_status_"), value) {
                (Some(flag), "1") => running.members[index].off.extend(flag.chars()),
                (Some(flag), _) => running.members[index].off.retain(|set| !flag.contains(*set)),
                (None, factor) => running.members[index].factor = factor.to_owned(),
            }
        }
        if running.restarts_after == Some(running.changes.len()) {
            running.away = 3;
            drop(running);
            self.restart();
        }
    }

    fn xml(&self) -> String {
        let mut running = self.running.borrow_mut();
        if running.recovers_after > 0 {
            running.recovers_after -= 1;
            if running.recovers_after == 0 {
                running.members.iter_mut().for_each(|member| member.in_error = false);
            }
        }
        let mut text = format!(
            "<?xml version='1.0' encoding='UTF-8' ?>\n<httpd:manager xmlns:httpd='http://httpd.apache.org'>\n<httpd:balancers>\n\
             <httpd:balancer><httpd:name>balancer://cutover-shop</httpd:name><httpd:nonce>n-{}</httpd:nonce><httpd:workers>\n",
            running.starts
        );
        for (url, member) in running.urls.iter().zip(&running.members) {
            let mut words = vec!["Init"];
            words.extend(
                crate::page::OFF.iter().filter(|(_, flag)| member.off.contains(flag)).map(|(word, _)| *word),
            );
            words.extend(member.in_error.then_some("Err"));
            words.extend((words.len() == 1).then_some("Ok"));
            text.push_str(&format!(
                "<httpd:worker><httpd:name>{url}</httpd:name><httpd:loadfactor>{}</httpd:loadfactor>\
                 <httpd:status>{} </httpd:status><httpd:busy>{}</httpd:busy></httpd:worker>\n",
                member.factor,
                words.join(" "),
                member.busy
            ));
        }
        text + "</httpd:workers></httpd:balancer></httpd:balancers></httpd:manager><hr />"
    }

    pub(super) fn observe(&self) -> Result<Observation, HookError> {
        let (settings, call) = call();
        self.world.reading(|| Apache::observe(&settings, &call, "lb1"))
    }

    /// What it does, when it has settled.
    pub(super) fn shows(&self) -> Routing {
        let seen = self.observe().expect("an observation");
        assert!(seen.settled, "{seen:?}");
        seen.routing.expect("it knows the application")
    }

    pub(super) fn hand(&self, index: usize, change: impl FnOnce(&mut Member)) {
        change(&mut self.running.borrow_mut().members[index]);
    }
}

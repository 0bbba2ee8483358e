//! An Application Load Balancer: its API is moto behind a gate of botocore's (`alb.py`), its way in looks the weights up there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::front_door::{Backend, FrontDoor};
use crate::http::post;
use crate::python::python_with;
use crate::{Port, Process, Scratch, eventually, get};

const REGION: &str = "eu-west-1";
const KEY: &str = "AKIADEPLOYER";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEA//of+no=worth";

/// Between two looks at the weights. The API answers a change later than that.
const PAUSE: Duration = Duration::from_millis(20);

/// A load balancer with one rule, which names the target groups of both colours and no colour has a weight yet. Ends with the value.
#[derive(Debug)]
pub struct Alb {
    // First: it looks at the server.
    door: FrontDoor,
    server: Process,
    port: u16,
    arns: Value,
    _port: Port,
}

impl Alb {
    /// Starts one for these instances, `address:port` each. None, with a word why, where moto is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(scratch: &Scratch, blue: &[String], green: &[String]) -> Option<Self> {
        let port = Port::take();
        let settings = json!({
            "region": REGION, "key": KEY, "secret": SECRET, "token": TOKEN, "blue": blue, "green": green,
        });
        let mut server = python_with("moto")?;
        server.args(["-c", include_str!("alb.py"), &port.to_string(), &settings.to_string()]);
        let mut server = Process::start(server, &scratch.path().join("alb.log"));
        let number = port.number();
        let arns = eventually("the load balancer is there", Duration::from_secs(60), || {
            assert!(server.ended().is_none(), "{}", server.log());
            let arns: Value = asked(number, "arns")?;
            arns["rule"].is_string().then_some(arns)
        });
        let groups = [("blue", blue.to_vec()), ("green", green.to_vec())]
            .map(|(color, targets)| (arns[color].clone(), targets));
        let look = move || {
            let actions = asked(number, "rule")?;
            let shares = actions[0]["ForwardConfig"]["TargetGroups"].as_array()?;
            let backend = |share: &Value| {
                let (_, targets) = groups.iter().find(|(arn, _)| *arn == share["TargetGroupArn"])?;
                let weight = share["Weight"].as_u64()?.try_into().ok()?;
                Some(Backend { weight, targets: targets.clone() })
            };
            Some(shares.iter().filter_map(backend).collect())
        };
        let backends = Arc::new(Mutex::new(Vec::new()));
        let looked = Arc::downgrade(&backends);
        std::thread::spawn(move || {
            while let Some(backends) = looked.upgrade() {
                // Where the API does not answer, requests go where they went.
                if let Some(found) = look() {
                    *backends.lock().unwrap() = found;
                }
                std::thread::sleep(PAUSE);
            }
        });
        let door = FrontDoor::open(move || backends.lock().unwrap().clone());
        Some(Self { door, server, port: number, arns, _port: port })
    }

    /// The port of its way in.
    #[must_use]
    pub const fn door(&self) -> u16 {
        self.door.port()
    }

    /// The port of its API.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Settings of `builtin:aws-alb`, as an inline table.
    #[must_use]
    pub fn settings(&self) -> String {
        let arn = |name: &str| self.arn(name);
        format!(
            "{{ region = \"{REGION}\", rule = \"{}\", blue = \"{}\", green = \"{}\", \
             endpoint = \"http://127.0.0.1:{}\", session-token = \"aws-session-token\" }}",
            arn("rule"),
            arn("blue"),
            arn("green"),
            self.port
        )
    }

    /// ARN of its `rule`, `listener`, or the target group of `blue` or `green`.
    ///
    /// # Panics
    /// When it has none of that name.
    #[must_use]
    pub fn arn(&self, name: &str) -> &str {
        self.arns[name].as_str().unwrap()
    }

    /// What the environment has for `[secrets]`: variables of these names.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let known =
            [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", TOKEN)];
        known.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Has its API stand still, or go on: connections are taken meanwhile, and nobody answers.
    pub fn freeze(&self, still: bool) {
        self.server.freeze(still);
    }

    /// What goes wrong from now on, instead of what did: `throttle` (so many times), `away`, `page`, `clock` (seconds that AWS is ahead),
    /// `deny` (an action), `forget` (changes, which are answered for), `sick` (all targets).
    ///
    /// # Panics
    /// When it does not listen.
    pub fn fail(&self, faults: &Value) {
        let page = post("127.0.0.1", self.port, "/-/faults", &faults.to_string()).unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
    }

    /// The actions of its rule.
    ///
    /// # Panics
    /// When it does not tell.
    #[must_use]
    pub fn actions(&self) -> Value {
        asked(self.port, "rule").unwrap()
    }

    /// Gives the rule other actions, as a person does.
    ///
    /// # Panics
    /// When they are not taken.
    pub fn by_hand(&self, actions: &Value) {
        let wish = json!({"call": "modify_rule", "RuleArn": self.arn("rule"), "Actions": actions});
        let page = post("127.0.0.1", self.port, "/-/by-hand", &wish.to_string()).unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
    }

    /// Changes the weights by hand, and nothing else.
    pub fn weigh(&self, blue: u32, green: u32) {
        let mut actions = self.actions();
        for (index, weight) in [blue, green].into_iter().enumerate() {
            actions[0]["ForwardConfig"]["TargetGroups"][index]["Weight"] = weight.into();
        }
        self.by_hand(&actions);
    }
}

fn asked(port: u16, what: &str) -> Option<Value> {
    let page = get("127.0.0.1", port, &format!("/-/{what}")).ok()?;
    serde_json::from_str(&page.body).ok().filter(|_| page.status == 200)
}

//! A balancer that tells and takes its live colour at one URL, as the templates of `cutover hook new --kind router` have it.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::api_server::ApiServer;
use crate::front_door::{Backend, FrontDoor};

/// One of two instances, with a way in. It ends with the value.
#[derive(Debug)]
pub struct Balancer {
    // First: it looks at what is live.
    door: FrontDoor,
    api: ApiServer,
}

impl Balancer {
    /// Starts one whose colours are at these addresses, `address:port`, and none of which is live.
    ///
    /// # Panics
    /// When no socket is to be had.
    #[must_use]
    pub fn start(blue: String, green: String) -> Self {
        let live = Arc::new(Mutex::new("none".to_owned()));
        let looked = Arc::clone(&live);
        let door = FrontDoor::open(move || {
            let live = looked.lock().unwrap().clone();
            let backend = |color: &str, target: &String| Backend {
                weight: u32::from(live == color),
                targets: vec![target.clone()],
            };
            vec![backend("blue", &blue), backend("green", &green)]
        });
        let api = ApiServer::start(move |head, body| {
            let mut live = live.lock().unwrap();
            if head.starts_with("PUT ") {
                *live = String::from_utf8_lossy(body).into_owned();
            }
            (200, Value::String(live.clone()))
        });
        Self { door, api }
    }

    /// The port of its way in.
    #[must_use]
    pub const fn door(&self) -> u16 {
        self.door.port()
    }

    /// Where it tells and takes what is live.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/live", self.origin())
    }

    /// The same without its path.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.api.port())
    }
}

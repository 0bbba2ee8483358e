//! What hooks say, as events of the run.

use crate::hook::Observer;
use crate::model::grant::Denied;
use crate::model::{EventKind, Level};
use crate::run::execute::reporter::Reporter;

/// Tells what hooks say.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) reporter: Reporter,
}

impl Observer for Teller {
    fn log(&self, hook: &str, level: Level, message: &str) {
        let (source, message) = (format!("hook {hook}"), message.to_owned());
        self.reporter.tell(EventKind::Log { source, level, message });
    }

    fn progress(&self, hook: &str, done: u32, total: u32, what: &str) {
        let of = if total == 0 { String::new() } else { format!(" of {total}") };
        self.log(hook, Level::Info, &format!("{done}{of} {what}"));
    }

    fn allowed(&self, hook: &str, request: &str) {
        // No hook can say this of itself: its own lines have another source.
        let (source, message) = (format!("hook {hook} asks"), request.to_owned());
        self.reporter.tell(EventKind::Log { source, level: Level::Debug, message });
    }

    fn denied(&self, hook: &str, denied: &Denied) {
        self.reporter.tell(EventKind::Denied {
            hook: hook.to_owned(),
            request: denied.request.to_string(),
            grant: denied.grant.clone(),
        });
    }

    fn compiling(&self, hook: &str) {
        // Where compiled code is not kept, a warning has said so.
        self.log(hook, Level::Warn, "is compiled, which takes a while once: the next run finds it compiled");
    }
}

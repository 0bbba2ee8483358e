//! `app.driver`.

use super::format;
use super::node::quoted;
use super::reader::Reader;
use super::resolve::Resolver;
use super::shape::{Key, Keys, Shape};
use crate::model::{Driver, SystemdScope};

const COMMAND: Shape = Shape::NonEmpty(&Shape::Text(&format::COMMAND_WORD));
const DRIVERS: &str = "the drivers are \"systemd\", \"detached\", { systemd = { … } } and { command = { start = […], stop = […], status = […] } }";

/// A driver with settings.
pub(super) static KEYS: Keys = Keys {
    doc: "What starts and stops processes, with its settings.",
    keys: &[
        Key::optional("systemd", Shape::Table(&SYSTEMD), SYSTEMD.doc),
        Key::optional("command", Shape::Table(&COMMANDS), COMMANDS.doc),
    ],
    advice: &[("container", DRIVERS), ("detached", "it has no settings: driver = \"detached\"")],
};

static SYSTEMD: Keys = Keys::new(
    "Units of systemd.",
    &[
        Key::text(
            "scope",
            Shape::Choice(&["system", "user"]),
            "system",
            "Whose systemd: the system's (through sudo where the user is not root) or the user's own.",
        ),
        Key::optional(
            "unit",
            Shape::List(&Shape::Text(&format::UNIT_LINE)),
            "Lines added to the [Service] section of the unit.",
        ),
    ],
);

static COMMANDS: Keys = Keys::new(
    "Programs of your own. Placeholders as in `start`.",
    &[
        Key::required("start", COMMAND, "Starts one colour.", "start = [\"…\", \"{color}\"]"),
        Key::required("stop", COMMAND, "Stops one colour.", "stop = [\"…\", \"{color}\"]"),
        Key::required(
            "status",
            COMMAND,
            "Tells whether one colour runs: exit status 0 for yes, 3 for no.",
            "status = [\"…\", \"{color}\"]",
        ),
    ],
);

impl Resolver<'_> {
    /// Reads the key. Without it: systemd, or the helper's own supervisor where every host is this machine. The rule looks at the file
    /// alone, so that the answer is the same wherever it is asked.
    pub(super) fn driver(&mut self, app: &Reader<'_>) -> Driver {
        let table = app.table("driver", &KEYS);
        let (systemd, command) = (table.table("systemd", &SYSTEMD), table.table("command", &COMMANDS));
        if table.has("command") {
            return Driver::Command {
                start: self.command(&command, "start"),
                stop: self.command(&command, "stop"),
                status: self.command(&command, "status"),
            };
        }
        let word = match app.text("driver") {
            Some(word) => word,
            None if app.has("driver") => "systemd",
            None => {
                let word = if self.all_local() { "detached" } else { "systemd" };
                self.computed("app.driver", quoted(word));
                word
            }
        };
        if word == "detached" {
            return Driver::Detached;
        }
        let scope =
            if systemd.text("scope") == Some("user") { SystemdScope::User } else { SystemdScope::System };
        Driver::Systemd { scope, unit: systemd.strings("unit") }
    }
}

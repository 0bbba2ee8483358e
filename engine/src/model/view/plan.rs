//! What `cutover plan` shows: everything that would be done, with its way back, before anything is.

use serde::Serialize;

use crate::model::event::is_false;
use crate::model::{Color, LiveRelease, Note, Step, Trouble};

/// A whole plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// What it is about.
    pub header: PlanHeader,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// Every host that is spoken to.
    pub hosts: Vec<PlannedHost>,
    /// Every hook that is called.
    pub hooks: Vec<PlannedHook>,
    /// What can't be taken back once it was done, one sentence each.
    pub irreversible: Vec<String>,
    /// Secrets that are read.
    pub secrets: Vec<PlannedSecret>,
    /// What keeps it from being begun now, as far as the plan could be made all the same.
    pub obstacles: Vec<Trouble>,
}

/// First lines of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanHeader {
    /// `shop/production`.
    pub title: String,
    /// `deploy`, `rollback`, `maintenance on` or `maintenance off`.
    pub command: String,
    /// Number that the release would get, or has.
    pub release: u64,
    /// Revision of the source, when known.
    pub revision: Option<String>,
    /// First line of its message.
    pub subject: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// Commits since the live release, when known.
    pub commits: Option<u64>,
    /// What is live now.
    pub live: Option<LiveRelease>,
    /// Colour that would be filled; the idle one where maintenance would begin, the live one where it would end.
    pub color: Color,
    /// Whether what is live gets no requests now, since a person wanted it so.
    #[serde(skip_serializing_if = "is_false")]
    pub maintenance: bool,
    /// Whether hosts have one place each, which is called nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub rolling: bool,
    /// What the operator should know beforehand.
    pub notes: Vec<Note>,
}

/// A step that would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Which.
    pub step: Step,
    /// Hosts, routers or tests.
    pub places: Vec<String>,
    /// What is done: `green on :4002`.
    pub what: String,
    /// The way back: `stop green`; none where nothing needs to be undone.
    pub undo: Option<String>,
    /// What happens when it fails: `rolled back; blue goes on`.
    pub on_failure: String,
}

/// A host of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedHost {
    /// Its name.
    pub name: String,
    /// `deploy@web1.example.com` or `this machine`.
    pub reach: String,
    /// `app`, `router`, `builder`, `home`.
    pub roles: Vec<String>,
}

/// A hook of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedHook {
    /// `build`, `router`, a smoke test's name.
    pub title: String,
    /// `build`, `health-check`, `smoke-test`, `router`.
    pub kind: String,
    /// `builtin:nginx`, or the file or URL that the configuration names.
    pub source: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// Whether the grants are those that the program lists beside a bundled hook.
    pub bundled_grants: bool,
    /// What it may do, one sentence each: `run /usr/sbin/nginx -t on lb1, as root`.
    pub grants: Vec<String>,
    /// Those of `grants` that make the hook as good as root on a host, with the reason.
    pub dangers: Vec<String>,
    /// Its limits that are not the default, as they are written: `memory = 512 MiB`.
    pub limits: Vec<String>,
}

/// A secret of a plan; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedSecret {
    /// Its name.
    pub name: String,
    /// `environment SHOP_DATABASE_URL`, `file secrets/db`, `command pass show shop/db`.
    pub source: String,
    /// Who gets it: `app environment DATABASE_URL`, `hook router`.
    pub used_by: Vec<String>,
}

//! The file as a whole: its tables, and those of an environment's overlay.

use super::shape::{Key, Keys, Shape};
use super::{app, build, format, health_check, hosts, pipeline, router, secrets, smoke_test};

static HOST: Shape = Shape::Table(&hosts::KEYS);
static SECRET: Shape = Shape::OneOf(&secrets::KEYS);

const HOSTS: Key = Key::optional(
    "hosts",
    Shape::Map(&format::NAME, &HOST),
    "Every machine, once. Without this table: this machine, as `local`.",
);
const BUILD: Key = Key::optional("build", Shape::Table(&build::KEYS), build::KEYS.doc);
const APP_DOC: &str = "What runs, where, and how it is started.";
const APP_HINT: &str = "a table [app] with `start`, `blue = { port = … }` and `green = { port = … }`";
const HEALTH_CHECK: Key =
    Key::optional("health-check", Shape::Table(&health_check::KEYS), health_check::KEYS.doc);
const SMOKE_TEST: Key = Key::optional("smoke-test", Shape::Named(&smoke_test::KEYS), smoke_test::KEYS.doc);
const ROUTER_DOC: &str = "What moves the traffic.";
const ROUTER_HINT: &str = "a table [router] with `front-door = [\"https://…\"]`: where users come in";
const STATE: Key = Key::optional(
    "state",
    Shape::Text(&format::BUCKET),
    "Object store that keeps lock, journal and history, for hosts that come and go: s3://BUCKET/PREFIX, gs://… or az://… . \
     Variables of the environment (AWS_…, GOOGLE_…, AZURE_…) tell endpoint, region and credentials: see `cutover state --help`. \
     Default: the first router host, else the first host of the application.",
);
const PIPELINE: Key = Key::optional("pipeline", Shape::Table(&pipeline::KEYS), pipeline::KEYS.doc);
const SECRETS: Key =
    Key::optional("secrets", Shape::Map(&format::NAME, &SECRET), "Where secrets come from, by name.");

/// The file.
pub(super) static KEYS: Keys = Keys {
    doc: "What cutover deploys, where and how.",
    keys: &[
        Key::required(
            "name",
            Shape::Text(&format::NAME),
            "Name of the application; on its hosts, no other has it in the same environment.",
            "name = \"shop\"",
        ),
        STATE,
        HOSTS,
        BUILD,
        Key::required("app", Shape::Table(&app::KEYS), APP_DOC, APP_HINT),
        HEALTH_CHECK,
        SMOKE_TEST,
        Key::required("router", Shape::Table(&router::KEYS), ROUTER_DOC, ROUTER_HINT),
        PIPELINE,
        SECRETS,
        Key::optional(
            "environments",
            Shape::Map(&format::NAME, &Shape::Table(&OVERLAY)),
            "What differs in each environment: tables merge, arrays replace, smoke tests merge by name. Chosen by -e NAME.",
        ),
    ],
    advice: &[],
};

/// `[environments.NAME]`: any table of the file, and two keys of its own. Nothing is required: the base has it.
pub(super) static OVERLAY: Keys = Keys {
    doc: "What differs in this environment.",
    keys: &[
        Key::flag("default", "Whether it is meant when no -e is given; one environment at most."),
        Key::flag("confirm", "Whether its name must be typed (or --yes given) before anything changes."),
        STATE,
        HOSTS,
        BUILD,
        Key::optional("app", Shape::Table(&app::KEYS), APP_DOC),
        HEALTH_CHECK,
        SMOKE_TEST,
        Key::optional("router", Shape::Table(&router::KEYS), ROUTER_DOC),
        PIPELINE,
        SECRETS,
    ],
    advice: &[(
        "name",
        "the name is the same in every environment; state, units and default directories carry the environment's",
    )],
};

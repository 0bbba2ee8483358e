//! `cutover hook conformance`: a router hook, held against its contract at a real router.
//!
//! The hook is asked all that a deployment asks, in both directions, under the lock of the application and in its turn at the router.
//! Then it is asked again, once for each call of an import that it made and each way in which that call can go wrong ([`Mishap`]):
//! refused, without an answer, done but the answer lost, the hook killed right after, the answer of an earlier time, somebody else who moves
//! traffic back right after. After each, the router is looked at with nothing in the way, and brought forward or back.
//!
//! The router itself is real, and so is what a hook has half done there: a fake router knows no more than whoever wrote it, who may be mistaken
//! about the real one just where the hook is. Somebody else is the hook itself, asked once more: it alone knows how this router is moved.
//!
//! [`Mishap`]: crate::model::Mishap

mod heard;
mod rehearsal;
mod sheet;
mod stage;

use std::time::Duration;

use crate::model::view::ConformanceView;
use crate::model::{HostName, LiveRecord, Record, Trouble};
use crate::run::deployment::refusal::unfinished;
use crate::run::execute::interrupts;
use crate::run::execute::moment::identifier;
use crate::run::world::claim::{free, take_lock};
use crate::run::world::hooks::Refused;
use crate::run::world::performer::store_fault;
use crate::run::world::session::{Session, Setting};
use crate::store::StoreFault;
use rehearsal::Rehearsal;
use stage::Stage;

/// Holds the router hook of the configuration against its contract, at the named router, else at the first one.
///
/// # Errors
/// With every host and hook that failed, and when another run holds the lock or has left a deployment without an end: nothing was
/// changed then. When the router could not be put back to what it showed at first, with what it shows.
pub async fn conformance(setting: Setting, router: Option<&HostName>) -> Result<ConformanceView, Refused> {
    let names = &setting.deployment.router.names;
    let router = match router {
        None => names.first().cloned(),
        Some(wanted) => names.iter().find(|name| *name == wanted).cloned(),
    };
    let Some(router) = router else {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let trouble = Trouble::new("usage/router", "there is no such router");
        return Err(Refused::of(trouble.hint(format!("the routers are {}", known.join(", ")))));
    };
    let session = Session::open(setting, false, false).await?;
    let fault = |fault: StoreFault| Refused::of(store_fault(&fault).trouble);
    let run = identifier(session.reporter.now()).to_string();
    let lease = take_lock(&session, "hook conformance", &run, Duration::ZERO).await.map_err(fault)?;
    let held = async {
        let state = session.home.read_all::<Record>().await.map_err(|fault| store_fault(&fault).trouble)?;
        if let Some(trouble) = unfinished(&state) {
            return Err(trouble);
        }
        session.hooks.allow_changes(lease.lock().epoch());
        let live: Option<&LiveRecord> = state.live.as_ref();
        let stage = Stage::new(&session, router, live, &run, lease.standing())?;
        Rehearsal::new(stage).held().await
    };
    let held = tokio::select! {
        held = held => held,
        trouble = interrupts::second(session.interrupts.clone()) => {
            Err(trouble.hint("give the command again: it puts the router back at its end"))
        }
    };
    free(&session, lease).await;
    held.map_err(Refused::of)
}

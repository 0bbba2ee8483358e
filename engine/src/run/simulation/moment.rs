//! The promises that hold at every moment: what an action may not be done to.

use super::scene::SHARES;
use super::state::{State, index};
use crate::model::{Action, Color, HostName, Plan, Routing};
use crate::run::execute::runner::Way;

/// The promises that an action breaks in this world.
pub(super) fn broken_by(state: &State, plan: &Plan, action: &Action, way: Way) -> Vec<String> {
    let mut broken = Vec::new();
    let old = plan.color.other();
    let touched = match action {
        Action::Clear { color, .. }
        | Action::Stop { color, .. }
        | Action::Disable { color, .. }
        | Action::Point { color, .. }
        | Action::Start { color, .. } => Some(*color),
        _ => None,
    };
    if way != Way::Retire && touched == Some(old) && plan.live.is_some() {
        broken.push(format!("P1, old colour before the pivot: {action}"));
    }
    match action {
        Action::Clear { host, color } | Action::Stop { host, color } => {
            let runs = state.hosts[index(host)].running[*color as usize] != 0;
            if runs && state.is_routed(*color) {
                broken.push(format!("P1, stops what is routed to: {action} on {host}"));
            }
        }
        Action::Switch { router, want } => {
            broken.extend(broken_by_share(state, plan, router, want, way));
            let shown = state.routers[index(router)];
            for color in Color::ALL.into_iter().filter(|color| want.share(*color) > 0) {
                let gains = want.only() == Some(color) || want.share(color) > shown.share(color);
                broken.extend(broken_by_route(state, plan, action, color, gains));
            }
        }
        Action::Disable { host, color } | Action::Point { host, color, .. } => {
            let runs = state.hosts[index(host)].running[*color as usize] != 0;
            if runs && state.is_routed(*color) {
                broken.push(format!("P4, a reboot would not bring up what is routed to: {action}"));
            }
        }
        Action::RecordLive { color, .. } if way != Way::Retire || state.only_color() != Some(*color) => {
            broken.push(format!("P2, records what no router shows: {action}"));
        }
        _ => {}
    }
    broken
}

/// The new colour gets what the plan says, in its order, and each only after it has stood the watch before; on the way there nothing is taken
/// from it again, and on the way back it keeps nothing.
fn broken_by_share(
    state: &State,
    plan: &Plan,
    router: &HostName,
    want: &Routing,
    way: Way,
) -> Option<String> {
    let (share, has) = (want.share(plan.color), state.routers[index(router)].share(plan.color));
    if way == Way::Back {
        return (share > 0).then(|| format!("P1, goes back to {want} on {router}"));
    }
    let before = SHARES.iter().copied().filter(|weight| *weight < share).max();
    let shares = plan.shares().next().is_some();
    if shares && before.is_some_and(|weight| u32::from(state.watched) < weight) {
        return Some(format!("P1, {want} on {router} before it was watched with less"));
    }
    (share < has).then(|| format!("P1, {want} on {router} takes from the new colour on its way"))
}

fn broken_by_route(state: &State, plan: &Plan, action: &Action, color: Color, gains: bool) -> Vec<String> {
    let found = state.serving(color, plan.color).all(|host| host.passed[color as usize]);
    let left_out = color == plan.color && state.excluded().any(|host| host.running[color as usize] != 0);
    let enabled = state.counted().all(|host| host.enabled[color as usize]);
    let broken = [
        (gains && !state.is_healthy(color, plan.color), "P1, routes to what is not healthy"),
        (gains && !found, "P1, routes to what was not found healthy"),
        (left_out, "P1, routes to what runs on a host that is left out"),
        (!enabled, "P4, a reboot does not bring up what is routed to"),
    ];
    broken
        .into_iter()
        .filter(|(is_broken, _)| *is_broken)
        .map(|(_, says)| format!("{says}: {action}"))
        .collect()
}

//! The promises that hold at every moment: what an action may not be done to.

use super::scene::SHARES;
use super::state::{State, bits, index, number};
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
            if runs && state.is_routed_to(*color, index(host)) {
                broken.push(format!("P1, stops what is routed to: {action} on {host}"));
            }
        }
        Action::Switch { router, want } if plan.is_rolling() => {
            broken.extend(broken_by_turn(state, plan, router, want));
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
            let running = state.hosts[index(host)].running[*color as usize];
            // To point to what runs changes nothing.
            let stays =
                matches!(action, Action::Point { release: Some(release), .. } if number(release) == running);
            if running != 0 && !stays && state.is_routed_to(*color, index(host)) {
                broken.push(format!("P4, a reboot would not bring up what is routed to: {action}"));
            }
        }
        Action::RecordLive { .. } | Action::RecordMaintenance
            if way != Way::Retire || !state.is_all_to(plan.target()) || !state.is_whole() =>
        {
            broken.push(format!("P2, records what no router shows: {action}"));
        }
        _ => {}
    }
    broken
}

/// Of the hosts that have their turn, a batch at most is out, beside who is given up; who stays in answers, if anyone does; and who comes in
/// was found to.
fn broken_by_turn(state: &State, plan: &Plan, router: &HostName, want: &Routing) -> Vec<String> {
    let (color, out) = (plan.color, bits(&want.out));
    let hosts = 0..state.host_count;
    let given_up = hosts.clone().filter(|host| state.left_out[*host]).fold(0, |bits, host| bits | 1 << host);
    let is_out = |bits: u8, host: usize| bits & (1 << host) != 0;
    let was = state.out[index(router)];
    let others = (0..state.router_count).filter(|other| *other != index(router));
    let all_out = others.fold(out, |all, other| all | state.out[other]);
    let batch = plan.batches().iter().map(|batch| batch.hosts.len()).max().unwrap_or_default();
    let goes = || hosts.clone().filter(|host| is_out(out, *host) && !is_out(was, *host));
    let answers = |host: usize| state.answers(host, color);
    let stays = hosts.clone().filter(|host| !is_out(out, *host)).any(answers);
    // A router has to send to someone: where nobody else answers either, who is dead is no worse.
    let is_nobody = |host: usize| state.burnt() == Some(host) && !stays;
    let comes =
        || hosts.clone().filter(|host| !is_out(out, *host) && is_out(was, *host) && !is_nobody(*host));
    let found = |host: usize| state.hosts[host].passed[color as usize];
    let broken = [
        (hosts.clone().all(|host| is_out(out, host)), "P1, takes all hosts out"),
        ((all_out & !given_up).count_ones() as usize > batch, "P1, takes more than a batch out"),
        (!stays && goes().any(answers), "P1, takes out all that answer"),
        (comes().any(|host| !answers(host)), "P1, lets in what is not healthy"),
        (comes().any(|host| !found(host)), "P1, lets in what was not found healthy"),
    ];
    let words = |(is_broken, says): (bool, &str)| is_broken.then(|| format!("{says}: {want} on {router}"));
    broken.into_iter().filter_map(words).collect()
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

//! What happens to the world while no engine looks on.

use super::scene::Scene;
use super::state::{ROUTERS, Shown, State};
use crate::model::Color;

/// What happens between a crash and the recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Happening {
    Nothing,
    /// Twenty minutes pass.
    Late,
    OldSick,
    NewSick,
    BothSick,
    /// The first host reboots: what is enabled comes up, with what its link says; the rest does not.
    Reboot,
    /// The first router comes up with the configuration that it had before the deployment.
    RouterReset,
    /// Someone moves every router to the new colour; where there are none, lets all hosts in.
    MovedToNew,
    /// Someone moves every router to the old colour, or to none where none had the traffic; where there are none, takes the last host out.
    MovedToOld,
}

impl Happening {
    /// Every one.
    pub(super) const ALL: [Self; 9] = [
        Self::Nothing,
        Self::Late,
        Self::OldSick,
        Self::NewSick,
        Self::BothSick,
        Self::Reboot,
        Self::RouterReset,
        Self::MovedToNew,
        Self::MovedToOld,
    ];

    /// Whether the world is another one afterwards.
    pub(super) const fn changes(self) -> bool {
        !matches!(self, Self::Nothing | Self::Late)
    }

    /// Whether a person did what is the engine's to do.
    pub(super) const fn moves(self) -> bool {
        matches!(self, Self::RouterReset | Self::MovedToNew | Self::MovedToOld)
    }

    pub(super) fn apply(self, state: &mut State, scene: &Scene, new: Color) {
        let old = new.other();
        match self {
            Self::Nothing | Self::Late => {}
            Self::OldSick => state.sick[old as usize] = true,
            Self::NewSick => state.sick[new as usize] = true,
            Self::BothSick => state.sick = [true; 2],
            Self::Reboot => {
                let host = &mut state.hosts[0];
                for color in Color::ALL.map(|color| color as usize) {
                    // By the words that it was started by last.
                    let stays = host.enabled[color] && host.running[color] == host.link[color];
                    host.started_anew[color] &= stays;
                    host.hung[color] = false;
                    host.running[color] = if host.enabled[color] { host.link[color] } else { 0 };
                }
            }
            Self::RouterReset => {
                (state.routers[0], state.out[0]) = (scene.state.routers[0], scene.state.out[0]);
            }
            Self::MovedToNew => {
                state.routers_mut().fill(Shown::Only(new));
                state.out = [0; ROUTERS];
            }
            Self::MovedToOld if scene.batch.is_some() => {
                let last = 1 << (state.host_count - 1);
                state.out[..state.router_count].fill(last);
            }
            Self::MovedToOld => {
                let shown = Some(scene.state.routers[0]).filter(|shown| *shown != Shown::Unknown);
                state.routers_mut().fill(shown.unwrap_or(Shown::Nothing));
            }
        }
    }
}

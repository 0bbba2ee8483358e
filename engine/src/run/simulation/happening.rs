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
    /// The last host is dead for good: nothing runs there, and nobody gets there.
    LastBurns,
    /// The same of the first one.
    FirstBurns,
    /// The host that was taken for dead is back, with what comes up there by itself.
    ComesBack,
}

impl Happening {
    /// Every one.
    pub(super) const ALL: [Self; 12] = [
        Self::Nothing,
        Self::Late,
        Self::OldSick,
        Self::NewSick,
        Self::BothSick,
        Self::Reboot,
        Self::RouterReset,
        Self::MovedToNew,
        Self::MovedToOld,
        Self::LastBurns,
        Self::FirstBurns,
        Self::ComesBack,
    ];

    /// Whether the world is another one afterwards.
    pub(super) const fn changes(self) -> bool {
        !matches!(self, Self::Nothing | Self::Late)
    }

    /// Whether a host is gone, or is back.
    pub(super) const fn burns(self) -> bool {
        matches!(self, Self::LastBurns | Self::FirstBurns | Self::ComesBack)
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
                if state.burnt() != Some(0) {
                    state.hosts[0].boot();
                }
            }
            Self::LastBurns | Self::FirstBurns if state.lost.is_some() || state.host_count == 1 => {}
            Self::LastBurns => state.burn(state.host_count - 1),
            // Where all hosts are filled at the same time, it is all the same which one it is.
            Self::FirstBurns if scene.batch.is_none() => {}
            Self::FirstBurns => state.burn(0),
            Self::ComesBack => state.come_back(),
            Self::RouterReset => {
                (state.routers[0], state.out[0]) = (scene.state.routers[0], scene.state.out[0]);
                state.forget_watches(new);
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
                state.forget_watches(new);
            }
        }
    }
}

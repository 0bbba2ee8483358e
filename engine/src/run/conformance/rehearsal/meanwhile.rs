//! Somebody else, who moves the traffic in between: the hook itself, asked once more.

use futures_util::future::join;

use super::super::stage::Said;
use super::Rehearsal;
use crate::hook::Meddler;
use crate::model::{RouterRule, Routing, Trouble};

impl Rehearsal<'_> {
    /// `apply`; where the meddler has it overtaken, somebody else moves traffic back in the middle of it.
    pub(super) async fn overtaken(&self, from: &Routing, to: &Routing, meddler: &Meddler) -> Said<()> {
        let asked = async {
            let said = self.stage.apply(to, meddler).await;
            meddler.resume();
            said
        };
        let by_hand = async {
            if meddler.pauses().await {
                let _ = self.stage.prepare(from, &Meddler::listening()).await;
                let _ = self.stage.apply(from, &Meddler::listening()).await;
                meddler.resume();
            }
        };
        join(asked, by_hand).await.0
    }

    /// Somebody else moves it once it is prepared: there, or there and back.
    pub(super) async fn meanwhile(&mut self, here: &Routing, there: &Routing) -> Result<(), Trouble> {
        for (moves, when) in [(&[there][..], "moved by hand"), (&[there, here], "moved by hand, and back")] {
            self.stage.go_on().await?;
            let mut broken = self.stage.prepare(there, &Meddler::listening()).await.err();
            for want in moves {
                let said = self.switched(want, &Meddler::listening()).await;
                let shown = self.settled().await;
                let unseen = || (!shown.is(want)).then(|| format!("{when}, it shows {shown}, not {want}"));
                broken = broken.or(said.err()).or_else(unseen);
            }
            let said = self.stage.apply(there, &Meddler::listening()).await;
            let shown = self.settled().await;
            let other = || (!shown.is(there)).then(|| format!("it shows {shown}, not {there}"));
            let failed =
                said.err().or_else(other).map(|how| format!("{when}, then `apply` of {there}: {how}"));
            self.sheet.note(RouterRule::Meanwhile, broken.or(failed));
            let _ = self.switched(here, &Meddler::listening()).await;
        }
        Ok(())
    }
}

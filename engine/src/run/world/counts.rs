//! Connections that routers count while a colour is drained. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::HostName;
use crate::run::world::hooks::HookTrouble;

/// What a router says of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// So many.
    Count(u32),
    /// It can't tell.
    Nothing,
    /// It failed to say, and never did.
    Failed,
}

/// What routers said last of the connections to a colour.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    said: BTreeMap<HostName, Said>,
    failed: BTreeSet<HostName>,
}

impl Counts {
    /// Takes an answer. One that failed changes nothing of what was known, and the first time it answers why.
    pub(crate) fn take(
        &mut self,
        router: &HostName,
        answer: Result<Option<u32>, HookTrouble>,
    ) -> Option<String> {
        let before = self.said.get(router).copied();
        let said = match &answer {
            Ok(count) => count.map_or(Said::Nothing, Said::Count),
            Err(_) => before.filter(|said| matches!(said, Said::Count(_))).unwrap_or(Said::Failed),
        };
        self.said.insert(router.clone(), said);
        let why = answer.err().map(|failure| failure.trouble.message);
        why.filter(|_| self.failed.insert(router.clone()))
    }

    /// All that is known to be open.
    pub(crate) fn open(&self) -> u32 {
        let counts = self.said.values().map(|said| if let Said::Count(count) = said { *count } else { 0 });
        counts.fold(0, u32::saturating_add)
    }

    /// Whether that is all there is.
    pub(crate) fn is_whole(&self) -> bool {
        self.said.values().all(|said| matches!(said, Said::Count(_)))
    }

    /// Whether another question may tell more.
    pub(crate) fn may_tell_more(&self) -> bool {
        self.said.values().any(|said| *said != Said::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, Trouble};

    #[test]
    fn who_fails_is_taken_at_its_last_word() {
        let (lb1, lb2): (HostName, HostName) =
            (Name::new("lb1").expect("a name"), Name::new("lb2").expect("a name"));
        let fails = || Err(HookTrouble { trouble: Trouble::new("hook/failed", "502"), temporary: false });
        let told = |counts: &Counts| (counts.open(), counts.is_whole());
        let mut counts = Counts::default();
        assert_eq!(counts.take(&lb1, fails()), Some("502".to_owned()));
        assert_eq!(counts.take(&lb1, fails()), None, "it was told");
        assert!(counts.may_tell_more());
        assert_eq!(counts.take(&lb2, Ok(Some(40))), None);
        assert_eq!(told(&counts), (40, false));
        assert_eq!(counts.take(&lb1, Ok(Some(0))), None);
        assert_eq!(told(&counts), (40, true));
        assert_eq!(counts.take(&lb2, fails()), Some("502".to_owned()));
        assert_eq!(told(&counts), (40, true), "they are not gone");
        assert_eq!(counts.take(&lb2, Ok(None)), None);
        assert_eq!(told(&counts), (0, false), "it can't tell any more");
        assert_eq!(counts.take(&lb1, Ok(None)), None);
        assert!(!counts.may_tell_more(), "nobody can");
        assert_eq!(counts.take(&lb2, Ok(Some(u32::MAX))), None);
        assert_eq!(counts.take(&lb1, Ok(Some(2))), None);
        assert_eq!(told(&counts), (u32::MAX, true));
    }
}

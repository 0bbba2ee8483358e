//! `cutover unlock`: looks who holds the lock, says when that one seems to be at work, and frees it.

use std::time::Duration;

use cutover_host::operation::Lock;

use crate::model::{Timestamp, Trouble};
use crate::run::execute::moment::is_alive;
use crate::run::world::asked::Asked;
use crate::run::world::lease::{LAPSED, is_dead, process_here, silent};
use crate::run::world::performer::store_fault;
use crate::run::world::session::Setting;
use crate::store::Home;

/// A lock that is to be taken from its holder.
#[derive(Debug)]
pub struct Unlocking {
    home: Home,
    epoch: u64,
    lock: Lock,
    sign_of_life: Option<String>,
}

impl Unlocking {
    /// Looks who holds the lock. Touches nothing.
    ///
    /// # Errors
    /// When the home does not answer.
    pub async fn look(setting: &Setting, epoch: u64) -> Result<Self, Trouble> {
        let asked = Asked::home_only(setting).await;
        let home = asked.home(&setting.deployment)?;
        let lock = home.read_lock().await.map_err(|fault| store_fault(&fault).trouble)?;
        let now = home.now().await.ok();
        // Whoever holds it under another epoch keeps it in any case.
        let sign_of_life = (lock.epoch == epoch)
            .then(|| sign_of_life(&lock, setting.operator.place.as_deref(), is_alive, now))
            .flatten();
        Ok(Self { home, epoch, lock, sign_of_life })
    }

    /// Why freeing it would cut off a deployment that goes on, when it seems to: what the refusal says.
    #[must_use]
    pub fn refusal(&self) -> Option<Trouble> {
        let sign = self.sign_of_life.as_ref()?;
        let text = format!("the lock is held by {}, which seems to be at work: {sign}", self.holder());
        let hint = "wait for it, or stop it with Ctrl-C where it runs; `cutover unlock --epoch EPOCH --yes` cuts it off half-way, \
                    to be ended by `cutover resume` or `cutover abort`";
        Some(Trouble::new("unlock/at-work", text).hint(hint.replace("EPOCH", &self.epoch.to_string())))
    }

    /// Who holds it, in words.
    #[must_use]
    pub fn holder(&self) -> String {
        let words = |holder: &cutover_host::operation::LockHolder| {
            format!("{} ({} of deployment {})", holder.who, holder.command, holder.deployment)
        };
        self.lock.holder.as_ref().map_or_else(|| "no one".to_owned(), words)
    }

    /// Frees it, unless another one has taken it since.
    ///
    /// # Errors
    /// When it is not held under that epoch.
    pub async fn carry_out(self) -> Result<(), Trouble> {
        self.home.unlock(self.epoch).await.map_err(|fault| store_fault(&fault).trouble)
    }
}

/// What speaks for a holder being at work, in words that fit after a colon; `now` is by the home's clock, none when it can't be read.
///
/// A process of this machine that has ended is gone for certain. Any other holder that may have renewed its lock within the
/// time in which a lock lapses is not.
fn sign_of_life(
    lock: &Lock,
    place: Option<&str>,
    is_alive: fn(u32) -> bool,
    now: Option<Timestamp>,
) -> Option<String> {
    let holder = lock.holder.as_ref()?;
    if is_dead(holder, place, is_alive) {
        return None;
    }
    if let Some(pid) = process_here(holder, place) {
        return Some(format!("process {pid} runs on this machine"));
    }
    let Some(now) = now else {
        return Some("when it was last heard of can't be told".to_owned());
    };
    let silent = Duration::from_secs(silent(lock, now).as_secs());
    (silent <= LAPSED).then(|| format!("it was last heard of {} s ago", silent.as_secs()))
}

#[cfg(test)]
mod tests {
    use cutover_host::operation::LockHolder;

    use super::*;

    #[test]
    fn only_a_holder_that_is_gone_gives_no_sign() {
        let sign = |who: &str, now: Option<u64>| {
            let process = who.split_once('@').map(|(_, process)| process.replace(" pid", ""));
            let holder =
                LockHolder { who: who.into(), deployment: "d".into(), command: "deploy".into(), process };
            let lock = Lock { epoch: 7, holder: Some(holder), renewed_ms: 100_000, ..Lock::default() };
            sign_of_life(&lock, Some("here"), |pid| pid == 1, now.map(Timestamp))
        };
        let lives = |words: &str| Some(words.to_owned());
        assert_eq!(sign("ann@here pid 1", Some(900_000)), lives("process 1 runs on this machine"));
        assert_eq!(sign("ann@here pid 2", Some(100_000)), None, "its process has ended");
        assert_eq!(sign("ann@there pid 2", Some(103_500)), lives("it was last heard of 3 s ago"));
        assert_eq!(sign("ann@there pid 2", Some(160_000)), lives("it was last heard of 60 s ago"));
        assert_eq!(sign("ann@there pid 2", Some(161_000)), None, "it lapsed");
        assert_eq!(sign("ann@there pid 2", None), lives("when it was last heard of can't be told"));
        let free = Lock { epoch: 7, ..Lock::default() };
        assert_eq!(sign_of_life(&free, Some("here"), |_| true, Some(Timestamp(0))), None);
    }
}

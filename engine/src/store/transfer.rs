//! Bringing the state from one home to another. What each write leaves, if nothing follows it, is told where it is used.

use super::history::HISTORY;
use super::home::LIVE;
use super::journal::{JOURNALS, OPEN};
use super::log::FILE_LIMIT;
use super::{HeldLock, Home, Membership, Misplaced, StoreFault};
use crate::model::HostName;

impl Home {
    /// Copies all files that a home keeps to the state directory of another host, which is fenced with our epoch, and reads each
    /// back. Answers how many there were, and their bytes.
    ///
    /// # Errors
    /// What reading and writing may meet.
    pub async fn copy_to(&self, to: &Self, lock: &HeldLock) -> Result<(usize, u64), StoreFault> {
        let (from, directory) = (self.directory(), to.directory());
        let guard = directory.guard(lock.epoch());
        directory.make_directory(&guard, JOURNALS).await?;
        let journals = from.list(JOURNALS).await?;
        let names = journals.iter().map(|name| format!("{JOURNALS}/{name}"));
        let names: Vec<String> = names.chain([HISTORY, LIVE, OPEN].map(str::to_owned)).collect();
        // A home that the state was once moved away from must not say so any more when it comes back.
        if let Some(own) = from.read_membership().await? {
            directory.write_membership(&guard, &Membership::host(own.lineage)).await?;
        }
        let (mut files, mut bytes) = (0, 0);
        for name in &names {
            match from.read_bytes(name, FILE_LIMIT).await? {
                Some(content) => {
                    directory.write_bytes(&guard, name, content.clone()).await?;
                    if directory.read_bytes(name, FILE_LIMIT).await?.as_ref() != Some(&content) {
                        return Err(directory.malformed(name, "it is not what was written".to_owned()));
                    }
                    files += 1;
                    bytes += content.len() as u64;
                }
                // Left by a move that was cut off.
                None => directory.remove(&guard, name).await?,
            }
        }
        Ok((files, bytes))
    }

    /// Notes here that the state is on another host now: from then on nobody can take the lock here.
    ///
    /// # Errors
    /// What reading and writing may meet.
    pub async fn give_to(&self, lock: &HeldLock, to: &HostName) -> Result<(), StoreFault> {
        let directory = self.directory();
        let Some(own) = directory.read_membership().await?.filter(|own| own.home) else {
            return Err(Misplaced::Moved { host: directory.host().clone(), to: to.clone() }.into());
        };
        let moved = Membership { home: false, moved_to: Some(to.clone()), ..own };
        directory.write_membership(lock.guard(), &moved).await
    }

    /// Makes this host the home that `from` gave its state to. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreFault::Fenced`] when someone took the lock here since, so that it was done already.
    pub async fn arrive(&self, from: &Self) -> Result<(), StoreFault> {
        let directory = self.directory();
        // Read first: whoever takes the lock here from now on, which needs a home, makes the write below be refused.
        let epoch = directory.read_fence().await?;
        let own = directory.read_membership().await?;
        if own.as_ref().is_some_and(|own| own.home) {
            return Ok(());
        }
        if let Some(to) = own.and_then(|own| own.moved_to) {
            return Err(Misplaced::Moved { host: directory.host().clone(), to }.into());
        }
        let given = from.directory().read_membership().await?;
        let Some(given) = given.filter(|given| given.moved_to.as_ref() == Some(directory.host())) else {
            let (home, kept_on) = (directory.host().clone(), from.directory().host().clone());
            return Err(Misplaced::Elsewhere { home, kept_on }.into());
        };
        let own = Membership { home: true, moved_to: None, ..given };
        directory.write_membership(&directory.guard(epoch), &own).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake_host::{FakeHost, MISHAPS, Mishap};
    use super::super::tests::{DEPLOYMENT, STATE, entry, first_live, holder, home_of};
    use super::super::{Journal, Lineage, disagreements};
    use super::*;
    use crate::model::Timestamp;

    /// An old home with a history, and a host that is to be the new one.
    async fn hosts() -> (FakeHost, FakeHost) {
        let (old, new) = (FakeHost::new("lb1", true), FakeHost::new("lb2", true));
        let home = home_of(&old, None).await.expect("found");
        let member = home_of(&new, None).await.expect("found");
        let lock = home.take(holder("ann"), None).await.expect("free");
        member.directory().fence(lock.epoch()).await.expect("fences");
        let directories = [home.directory().clone(), member.directory().clone()];
        home.settle_lineage(&lock, &directories, Lineage::new(ulid::Ulid(7))).await.expect("settles");
        let at = Timestamp(1);
        let mut journal =
            Journal::create(&home, &lock, DEPLOYMENT, at, &"plan".to_owned()).await.expect("creates");
        journal.append(at, &"ended".to_owned()).await.expect("appends");
        home.set_live(&lock, first_live()).await.expect("first");
        home.remember(&lock, at, &entry(DEPLOYMENT, 1)).await.expect("remembers");
        home.close(&lock, DEPLOYMENT).await.expect("closes");
        home.free(lock).await.expect("frees");
        (old, new)
    }

    /// What `state move` does with hosts that it has looked at; calls on each host.
    async fn bring(
        old: &FakeHost,
        new: &FakeHost,
        mishaps: [Option<(usize, Mishap)>; 2],
    ) -> (Result<(), StoreFault>, [usize; 2]) {
        let links = [old.link(mishaps[0]), new.link(mishaps[1])];
        let at = |link: std::sync::Arc<super::super::fake_host::FakeLink>| {
            Home::new(super::super::StateDirectory::at(link, STATE.to_owned()))
        };
        let [from, to] = [at(links[0].clone()), at(links[1].clone())];
        let result = async {
            let moved = from.directory().read_membership().await?.is_some_and(|own| own.moved_to.is_some());
            if !moved {
                let now = from.read_lock().await?;
                let lock = from.take(holder("mover"), now.holder.is_some().then_some(now.epoch)).await?;
                to.directory().fence(lock.epoch()).await?;
                from.copy_to(&to, &lock).await?;
                from.give_to(&lock, to.directory().host()).await?;
            }
            to.arrive(&from).await
        };
        let result = result.await;
        (result, links.map(|link| link.calls()))
    }

    fn homes(hosts: [&FakeHost; 2]) -> usize {
        let path = format!("{STATE}/lineage");
        let says =
            |host: &&FakeHost| String::from_utf8_lossy(&host.disk().files[&path]).contains("\"home\":true");
        hosts.iter().filter(|host| says(host)).count()
    }

    /// All is at `to`, nobody can take a lock at `from`, and the next holder shuts everyone out on both.
    async fn check_moved(from: &FakeHost, to: &FakeHost, case: &str) {
        let (old, new) = (home_of(from, None).await.expect(case), home_of(to, None).await.expect(case));
        let memberships = (
            old.directory().read_membership().await.expect(case),
            new.directory().read_membership().await.expect(case),
        );
        let said = |home: &Home| home.directory().clone();
        let (of_old, of_new) = (said(&old), said(&new));
        let faults =
            disagreements(of_new.said(memberships.1.as_ref()), [of_old.said(memberships.0.as_ref())]);
        assert_eq!(faults, [], "{case}");
        let held = from.disk().locks[STATE].epoch;
        let refused = old.take(holder("late"), Some(held)).await.expect_err(case);
        assert_eq!(refused.code(), "state/moved", "{case}");
        let state = new.read_all::<String>().await.expect(case);
        assert_eq!((state.history, state.open), (vec![entry(DEPLOYMENT, 1)], None), "{case}");
        assert_eq!(state.live.map(|record| record.generation), Some(1), "{case}");
        let journal = new.read_journal::<String>(DEPLOYMENT).await.expect(case);
        assert_eq!(journal.records.len(), 2, "{case}");
        let now = new.read_lock().await.expect(case);
        let lock = new.take(holder("bob"), now.holder.is_some().then_some(now.epoch)).await.expect(case);
        old.directory().fence(lock.epoch()).await.expect(case);
        new.free(lock).await.expect(case);
    }

    /// Everything goes wrong at every call on either host; there are never two homes, and the same again comes to the end.
    #[tokio::test]
    async fn the_state_arrives_once_whatever_goes_wrong() {
        let (old, new) = hosts().await;
        let (from, to) = (old.fork(), new.fork());
        let (result, calls) = bring(&from, &to, [None, None]).await;
        assert_eq!(result, Ok(()));
        check_moved(&from, &to, "nothing went wrong").await;
        for (side, count) in calls.into_iter().enumerate() {
            for at in 0..count {
                for mishap in MISHAPS {
                    let case = format!("{mishap:?} at call {at} of host {side}");
                    let (from, to) = (old.fork(), new.fork());
                    let mut mishaps = [None, None];
                    mishaps[side] = Some((at, mishap));
                    let (_, _) = bring(&from, &to, mishaps).await;
                    assert!(homes([&from, &to]) <= 1, "{case}");
                    let (result, _) = bring(&from, &to, [None, None]).await;
                    assert_eq!(result, Ok(()), "{case}");
                    assert_eq!(homes([&from, &to]), 1, "{case}");
                    check_moved(&from, &to, &case).await;
                }
            }
        }
    }

    #[tokio::test]
    async fn the_state_comes_back_too() {
        let (old, new) = hosts().await;
        for (from, to) in [(&old, &new), (&new, &old), (&old, &new)] {
            let (result, _) = bring(from, to, [None, None]).await;
            assert_eq!(result, Ok(()));
            check_moved(from, to, "there and back").await;
        }
    }

    #[tokio::test]
    async fn who_comes_late_with_the_last_write_changes_nothing() {
        let (old, new) = hosts().await;
        assert_eq!(bring(&old, &new, [None, None]).await.0, Ok(()));
        let third = FakeHost::new("lb3", true);
        let lock = home_of(&new, None).await.expect("found").take(holder("ann"), None).await.expect("free");
        home_of(&third, None).await.expect("found").directory().fence(lock.epoch()).await.expect("fences");
        home_of(&new, None).await.expect("found").free(lock).await.expect("frees");
        assert_eq!(bring(&new, &third, [None, None]).await.0, Ok(()));
        let late = home_of(&new, None).await.expect("found");
        let fault = late.arrive(&home_of(&old, None).await.expect("found")).await.expect_err("it went on");
        assert_eq!(fault.to_string(), "the state was moved from `lb2` to `lb3`");
    }
}

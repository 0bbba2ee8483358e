//! What of a moment goes into names: its time, and chance.

use ulid::Ulid;

use crate::model::Timestamp;

/// `YYYYMMDDTHHMMSSZ`.
pub(crate) fn compact_utc(at: Timestamp) -> String {
    let moment = i64::try_from(at.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default();
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Chance, of the system.
pub(crate) fn random() -> u128 {
    let mut bytes = [0; 16];
    // The call fails only before the machine has gathered any chance; then time and process tell names apart.
    if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).is_err() {
        bytes[..4].copy_from_slice(&std::process::id().to_le_bytes());
    }
    u128::from_le_bytes(bytes)
}

/// An identifier that nothing else has, and that sorts by its time.
pub(crate) fn identifier(at: Timestamp) -> Ulid {
    Ulid::from_parts(at.0, random())
}

/// Four letters and digits.
pub(crate) fn four_letters(mut chance: u128) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    std::iter::repeat_with(|| {
        let letter = LETTERS[(chance % 32) as usize];
        chance /= 32;
        char::from(letter)
    })
    .take(4)
    .collect()
}

/// Whether a process of this machine is alive. One that has ended and that its parent has not yet waited for is not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let process = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let is_known = |process| rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH);
    process.is_some_and(is_known)
        && !std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| is_over(&stat))
}

/// Whether `/proc/PID/stat` is that of a process that has ended (proc(5): the state comes after the name in parentheses, which may hold
/// any character).
fn is_over(stat: &str) -> bool {
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X', 'x']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_moment() {
        assert_eq!(compact_utc(Timestamp(0)), "19700101T000000Z");
        assert_eq!(compact_utc(Timestamp(1_795_255_293_000)), "20261121T100133Z");
        assert_eq!(four_letters(0), "aaaa");
        assert_ne!(four_letters(random()), four_letters(random() >> 64 | random() << 64));
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(0x7fff_fff0));
    }

    #[test]
    fn a_process_that_nobody_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().expect("it starts");
        let pid = child.id();
        let ended = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !is_alive(pid)
        });
        child.wait().expect("it has ended");
        assert!(ended, "{pid} is still alive");
        assert!(is_over("7 (a) Z (b) Z 1 7"));
        assert!(!is_over("7 (a) Z (b) S 1 7"));
    }
}

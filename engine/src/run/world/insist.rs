//! Asking a hook again while its answer is `temporary`, as the contract promises it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::hooks::HookTrouble;

/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// Asks until the answer is final, or `patience` is over: then the last answer stands. `ask` is told which attempt it is, from 1.
///
/// # Errors
/// With the last answer.
pub(crate) async fn insist<T, Asked>(patience: Duration, ask: impl Fn(u32) -> Asked) -> Result<T, HookTrouble>
where
    Asked: Future<Output = Result<T, HookTrouble>>,
{
    let deadline = Instant::now() + patience;
    let mut attempt = 1;
    loop {
        match ask(attempt).await {
            Err(failure) if failure.temporary && Instant::now() < deadline => sleep(TRY_AGAIN).await,
            answer => return answer,
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Trouble;

    fn says(message: &str, temporary: bool) -> HookTrouble {
        HookTrouble { trouble: Trouble::new("hook/failed", message), temporary }
    }

    /// What comes of a hook that fails until the third attempt.
    async fn asked(patience: Duration, temporary: bool) -> Result<u32, String> {
        let ask = |attempt| async move {
            if attempt < 3 { Err(says(&format!("502, attempt {attempt}"), temporary)) } else { Ok(attempt) }
        };
        insist(patience, ask).await.map_err(|failure| failure.trouble.message)
    }

    #[tokio::test]
    async fn a_passing_failure_is_none_until_the_time_is_over() {
        let long = Duration::from_secs(60);
        assert_eq!(asked(long, true).await, Ok(3));
        assert_eq!(asked(Duration::ZERO, true).await, Err("502, attempt 1".to_owned()));
        assert_eq!(asked(long, false).await, Err("502, attempt 1".to_owned()));
    }
}

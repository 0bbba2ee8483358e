//! What a hook is answered goes into one message, and has to fit into it.

use super::contract::cutover::hook::hosts::HostError;
use super::limits;
use super::wire::Answer;

/// The answer, or that it does not fit: escaped, what was within the limit of a call may be six times as long.
pub(super) fn fitting(answer: Answer) -> Answer {
    let fits = |answer: &Answer| {
        serde_json::to_vec(answer).is_ok_and(|text| text.len() <= limits::MESSAGE - limits::ENVELOPE)
    };
    let too_long = || HostError::Failed("the answer is longer than a hook can be told".to_owned());
    match answer {
        Answer::Output(Ok(_)) if !fits(&answer) => Answer::Output(Err(too_long())),
        Answer::Text(Ok(_)) if !fits(&answer) => Answer::Text(Err(too_long())),
        Answer::Names(Ok(_)) if !fits(&answer) => Answer::Names(Err(too_long())),
        Answer::Output(_)
        | Answer::Text(_)
        | Answer::Names(_)
        | Answer::Content(_)
        | Answer::Done(_)
        | Answer::Response(_)
        | Answer::Signature(_)
        | Answer::Revealed(_) => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limit, Limits};

    #[test]
    fn what_does_not_fit_into_a_message_is_a_failure() {
        let text = |length| Answer::Text(Ok("\0".repeat(length)));
        let six_bytes_each = limits::MESSAGE / 6;
        assert!(matches!(fitting(text(six_bytes_each - 100)), Answer::Text(Ok(_))));
        assert!(matches!(fitting(text(six_bytes_each + 100)), Answer::Text(Err(HostError::Failed(_)))));
        assert!(six_bytes_each + 100 < Limits::default().size(Limit::CallBytes));
    }
}

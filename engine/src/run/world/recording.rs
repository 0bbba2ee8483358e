//! What a hook was asked, heard and answered, as a case for `cutover hook test`.

use crate::hook::{Answered, Heard, masked};
use crate::model::case::{HookCase, Put, Said};
use crate::secret::Redactor;

/// What was asked, heard and answered as a case, secrets masked.
///
/// # Errors
/// When a secret is part of a name, so that nothing of it could be replayed.
pub(crate) fn case_of(
    put: &Put<'_>,
    heard: Heard,
    said: Said,
    redactor: &Redactor,
) -> Result<HookCase, String> {
    let calls = heard.calls.into_iter().map(|(call, _)| call).collect();
    let case = HookCase::kept(put, calls, heard.secrets, said);
    masked(redactor, &case).ok_or_else(|| "a secret is part of a name in it".to_owned())
}

/// What was answered, as a case has it.
pub(crate) fn said<T: Clone>(answered: &Answered<T>) -> Said
where
    Said: From<T>,
{
    match &answered.result {
        Ok(value) => Said::from(value.clone()),
        Err(failure) => failure.said(),
    }
}

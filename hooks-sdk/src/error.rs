//! Errors of the imports as answers of a hook.

use std::fmt::Display;

use crate::HookError;
use crate::hosts::HostError;
use crate::http::HttpError;
use crate::secrets::SecretError;

impl HookError {
    /// Asking again will not help. First line: the reason, lower-case, no full stop.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }

    /// Asking again may help: the engine does, while its deadline lasts.
    pub fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary(reason.into())
    }

    /// Adds a line that tells a person what to do.
    #[must_use]
    pub fn hint(self, hint: impl Display) -> Self {
        self.map(|text| format!("{text}\nhint: {hint}"))
    }

    /// The text, whatever the kind.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Denied(text) | Self::Temporary(text) | Self::Failed(text) | Self::Other((_, text)) => text,
        }
    }

    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Denied(text) => Self::Denied(change(text)),
            Self::Temporary(text) => Self::Temporary(change(text)),
            Self::Failed(text) => Self::Failed(change(text)),
            Self::Other((code, text)) => Self::Other((code, change(text))),
        }
    }
}

/// Says what was being done when it went wrong.
pub trait Context<T> {
    /// Puts `failed to …: ` in front of the error's text; its kind stays.
    ///
    /// # Errors
    /// Those of `self`.
    fn context(self, doing: impl Display) -> Result<T, HookError>;
}

impl<T, E: Into<HookError>> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T, HookError> {
        self.map_err(|error| error.into().map(|text| format!("failed to {doing}: {text}")))
    }
}

impl From<HostError> for HookError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Denied(text) => Self::Denied(text),
            HostError::Unreachable(text) | HostError::Broken(text) | HostError::TimedOut(text) => {
                Self::Temporary(text)
            }
            HostError::NotFound(text) | HostError::Failed(text) => Self::Failed(text),
            HostError::Other(other) => Self::Other(other),
        }
    }
}

impl From<HttpError> for HookError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(text) => Self::Denied(text),
            HttpError::TimedOut(text) | HttpError::Connect(text) | HttpError::Broken(text) => {
                Self::Temporary(text)
            }
            HttpError::Tls(text) => Self::Failed(text),
            HttpError::Other(other) => Self::Other(other),
        }
    }
}

impl From<SecretError> for HookError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Denied(text) => Self::Denied(text),
            SecretError::Other(other) => Self::Other(other),
        }
    }
}

impl From<serde_json::Error> for HookError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("no such JSON as expected: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stays_one_and_a_broken_line_is_worth_another_try() {
        let error = |error: HostError| Err::<(), _>(error).context("reload nginx").expect_err("an error");
        assert_eq!(
            error(HostError::Denied("grants.exec is missing".to_owned())),
            HookError::Denied("failed to reload nginx: grants.exec is missing".to_owned())
        );
        assert_eq!(
            error(HostError::Broken("connection lost".to_owned())).hint("wait"),
            HookError::Temporary("failed to reload nginx: connection lost\nhint: wait".to_owned())
        );
        assert_eq!(
            HookError::from(HttpError::Tls("expired".to_owned())),
            HookError::Failed("expired".to_owned())
        );
    }
}

//! Why there is no HTTP answer.

use crate::model::Breach;

/// Why there is no HTTP answer. What is known of the request's effect differs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// The name leads to an address that is not allowed; nothing was sent.
    #[error("{0}")]
    Denied(String),
    /// Nothing can be sent like this; nothing was.
    #[error("{0}")]
    Invalid(String),
    /// Nothing was sent: the name leads nowhere.
    #[error("{0}")]
    Unresolved(String),
    /// Nothing was sent: refused, no route.
    #[error("{0}")]
    Connect(String),
    /// Nothing was sent: no TLS connection, or not with the machine that was meant.
    #[error("{0}")]
    Tls(String),
    /// The message or its answer is beyond a limit; whether the request took effect is not known.
    #[error("{0}")]
    Exceeded(Breach),
    /// No answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// The connection broke, or the answer was not HTTP: it is not known whether the request took effect.
    #[error("{0}")]
    Broken(String),
    /// The way to the host that the connection starts from broke: what became of the request is not known.
    #[error("{0}")]
    WayBroken(String),
}

//! Secrets: where they come from, what they may be put into, and how they are kept out of everything else.
//!
//! A secret is looked up when it is first needed, by its name in `[secrets]`. From then on the [`Redactor`] masks it, in
//! every form in which programs tend to print it. Its value goes into the environment file of a release (0600, on the
//! host), and where an entry of a hook's `grants.secrets` binds it: into a header or body, into the environment or input of a program,
//! into a signature, or to the hook itself. It goes nowhere else: not into arguments, journal, plan or output.

mod environment;
mod fault;
mod redactor;
mod secrets;
mod signing;
mod value;

pub use environment::{EnvironmentFault, environment};
pub use fault::SecretFault;
pub(crate) use redactor::form_encoded;
pub use redactor::{RedactedStream, Redactor};
pub use secrets::Secrets;
pub use value::Secret;

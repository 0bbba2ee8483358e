//! The imports, answered by the world of the thread. Same functions as in the bindings.

/// Answers `engine`.
pub(crate) mod engine {
    use crate::engine::Level;
    use crate::fake::World;

    /// Milliseconds that the engine gives a call.
    const DEADLINE: u32 = 30_000;

    pub(crate) fn log(level: Level, message: &str) {
        World::installed().note(format!("log {level:?} {message}"));
    }

    pub(crate) fn progress(done: u32, total: u32, what: &str) {
        World::installed().note(format!("progress {done}/{total} {what}"));
    }

    pub(crate) fn elapsed_ms() -> u32 {
        World::installed().elapsed_ms()
    }

    pub(crate) fn remaining_ms() -> u32 {
        DEADLINE.saturating_sub(elapsed_ms())
    }

    pub(crate) fn sleep_ms(ms: u32) {
        World::installed().pass(ms);
    }
}

/// Answers `hosts`.
pub(crate) mod hosts {
    use crate::fake::World;
    use crate::hosts::{Command, HostError, Output};

    pub(crate) fn exec(host: &str, command: &Command) -> Result<Output, HostError> {
        World::installed().exec(host, command)
    }

    pub(crate) fn read_bytes(host: &str, path: &str) -> Result<Vec<u8>, HostError> {
        World::installed().read(host, path)
    }

    pub(crate) fn read_text(host: &str, path: &str) -> Result<String, HostError> {
        String::from_utf8(World::installed().read(host, path)?)
            .map_err(|_| HostError::Failed(format!("`{path}` is not UTF-8")))
    }

    pub(crate) fn write_bytes(
        host: &str,
        path: &str,
        content: &[u8],
        _mode: Option<u32>,
    ) -> Result<(), HostError> {
        World::installed().write(host, path, content)
    }

    pub(crate) fn write_text(
        host: &str,
        path: &str,
        content: &str,
        _mode: Option<u32>,
    ) -> Result<(), HostError> {
        World::installed().write(host, path, content.as_bytes())
    }

    pub(crate) fn write_link(host: &str, path: &str, target: &str) -> Result<(), HostError> {
        World::installed().write_link(host, path, target)
    }

    pub(crate) fn read_link(host: &str, path: &str) -> Result<String, HostError> {
        World::installed().read_link(host, path)
    }

    pub(crate) fn list_names(host: &str, path: &str) -> Result<Vec<String>, HostError> {
        World::installed().list(host, path)
    }

    pub(crate) fn remove(host: &str, path: &str) -> Result<(), HostError> {
        World::installed().remove(host, path)
    }

    pub(crate) fn exchange(
        host: &str,
        socket: &str,
        content: &str,
        _timeout_ms: Option<u32>,
    ) -> Result<String, HostError> {
        World::installed().exchange(host, socket, content)
    }
}

/// Answers `http-client`.
pub(crate) mod http_client {
    use crate::fake::World;
    use crate::http::{HttpError, Request, Response};

    pub(crate) fn send(request: &Request) -> Result<Response, HttpError> {
        World::installed().send(request)
    }
}

/// Answers `secrets`. No real HMAC: enough to see what was asked for.
pub(crate) mod secrets {
    use crate::fake::World;
    use crate::secrets::SecretError;

    pub(crate) fn hmac_sha256(
        name: &str,
        prefix: &str,
        chain: &[String],
        data: &[u8],
    ) -> Result<Vec<u8>, SecretError> {
        let secret = super::secret_text::reveal(name)?;
        World::installed().note(format!("hmac {name} {prefix} {}", chain.join(" ")));
        Ok([secret.as_bytes(), data].concat())
    }
}

/// Answers `secret-text`.
pub(crate) mod secret_text {
    use crate::fake::World;
    use crate::secrets::SecretError;

    pub(crate) fn reveal(name: &str) -> Result<String, SecretError> {
        World::installed()
            .reveal(name)
            .ok_or_else(|| SecretError::Denied(format!("secret `{name}` is not granted")))
    }
}

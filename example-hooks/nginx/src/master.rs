//! nginx itself: its configuration is checked, then read anew, and that is so once no worker of before accepts.

use std::net::SocketAddr;
use std::time::Duration;

use cutover_hooks::hosts::{self, Command};
use cutover_hooks::{Call, Context, HookError, engine};

use crate::sockets;
use crate::workers::{Processes, Worker};

/// Between two looks at the workers.
const PAUSE: Duration = Duration::from_millis(50);

/// Kept back of the call's time for an answer.
const RESERVE: Duration = Duration::from_secs(2);

/// How it is asked.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) test: Vec<String>,
    pub(crate) reload: Vec<String>,
    pub(crate) as_root: bool,
    pub(crate) pid_file: String,
    pub(crate) ps: String,
    pub(crate) ss: String,
}

impl Master {
    /// Checks the configuration before anything is changed: what is wrong already would look like our doing later.
    pub(crate) fn check_as_it_is(&self, router: &str) -> Result<(), HookError> {
        hosts::run(router, &self.command(&self.test)).context("check nginx's configuration as it is")?;
        Ok(())
    }

    /// The same where a switch is still to be begun. Last of what is asked, since where no nginx runs, its check leaves a file of its pid behind
    /// that says nothing.
    pub(crate) fn check_before_switch(&self, call: &Call, router: &str) -> Result<(), HookError> {
        if call.fact("switch-ahead").is_none() {
            return Ok(());
        }
        self.check_as_it_is(router).map_err(|error| match error {
            HookError::Failed(_) => error.hint(
                "nginx goes on with what it has read, and a switch has it read everything anew: mend that first",
            ),
            HookError::Denied(_) | HookError::Temporary(_) | HookError::Other(_) => error,
        })
    }

    /// Checks the changed configuration, and has it read. After an error nginx still runs what it ran.
    pub(crate) fn read_anew(&self, router: &str) -> Result<(), HookError> {
        hosts::run(router, &self.command(&self.test)).context("check nginx's new configuration")?;
        hosts::run(router, &self.command(&self.reload)).context("reload nginx")?;
        Ok(())
    }

    /// The workers that accept connections.
    pub(crate) fn workers(&self, router: &str) -> Result<Vec<Worker>, HookError> {
        self.processes().accepting(router)
    }

    fn processes(&self) -> Processes<'_> {
        Processes { pid_file: &self.pid_file, ps: &self.ps }
    }

    /// Connections that are left to servers which get no requests any more. Where nothing shows that nginx reaches them at these very addresses,
    /// none of them are left only once no worker of before is.
    pub(crate) fn connections(
        &self,
        router: &str,
        servers: &[String],
        are_its_own: bool,
    ) -> Result<Option<u32>, HookError> {
        let open = sockets::open(&self.ss, router, servers)?;
        // A name may stand for more addresses than are asked about.
        let are_addresses = servers.iter().all(|server| server.parse::<SocketAddr>().is_ok());
        if open > 0 || (are_its_own && are_addresses) {
            return Ok(Some(open));
        }
        Ok(self.processes().are_of_now(router)?.then_some(0))
    }

    /// The reload command returns before it is true: waits until no worker of before accepts any more.
    pub(crate) fn wait(&self, router: &str, before: &[Worker]) -> Result<(), HookError> {
        loop {
            let now = self.workers(router)?;
            let old = now.iter().any(|worker| before.iter().any(|old| old.pid == worker.pid));
            if !old && !now.is_empty() {
                return Ok(());
            }
            if engine::remaining() < RESERVE {
                let text = format!("workers of the old configuration still accept on `{router}`");
                return Err(HookError::temporary(text).hint("nginx's error log tells why it does not reload"));
            }
            engine::sleep(PAUSE);
        }
    }

    fn command(&self, words: &[String]) -> Command {
        let (program, args) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
        Command::new(program).args(args).as_root(self.as_root)
    }
}

//! Whether Traefik takes up what is written, before anything depends on it: it takes up nothing at all while any file of its directory is
//! invalid, or where it watches another one.

use std::time::Duration;

use cutover_hooks::{HookError, engine, hosts, setup};

use crate::settings::Site;

const TEMPLATE: &str = include_str!("template/probe.yml");

/// Traefik waits 2 s between two changes where its `providersThrottleDuration` says nothing else.
const PATIENCE: Duration = Duration::from_secs(12);

const PAUSE: Duration = Duration::from_millis(50);

impl Site {
    fn probe_file(&self) -> String {
        format!("{}/{}.probe.yml", self.directory, self.service)
    }

    /// Has Traefik learn of a service that nobody uses, or forget it where it was left behind.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn check_follows(&self, router: &str) -> Result<(), HookError> {
        let (file, service) = (self.probe_file(), format!("{}.probe", self.service));
        let known = self.knows(router, &service)?;
        if known {
            hosts::remove(router, &file)?;
        } else {
            self.put(router, &file, &setup::fill(TEMPLATE, &[("service", &self.service)]))?;
        }
        let followed = self.becomes(router, &service, !known);
        hosts::remove(router, &file)?;
        if followed? {
            return Ok(());
        }
        let text = format!("Traefik on `{router}` does not take up what is written in `{}`", self.directory);
        Err(HookError::failed(text).hint(
            "its `providers.file.directory` has to be that one, its user able to read it, and each file there valid: its log names one that is not",
        ))
    }

    fn becomes(&self, router: &str, service: &str, known: bool) -> Result<bool, HookError> {
        let begun = engine::elapsed();
        while engine::elapsed() - begun < PATIENCE {
            if self.knows(router, service)? == known {
                return Ok(true);
            }
            engine::sleep(PAUSE);
        }
        Ok(false)
    }

    /// Removes what a check has left.
    pub(crate) fn discard(&self, router: &str) -> Result<(), HookError> {
        Ok(hosts::remove(router, &self.probe_file())?)
    }
}

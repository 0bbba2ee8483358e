//! What a hook does with secrets: the engine puts them where an entry of `grants.secrets` binds them, and the guest never has them.

use std::collections::BTreeMap;

use super::broker::Broker;
use super::contract::cutover::hook::secrets::SecretError;
use super::template::{Encoding, Template};
use crate::model::grant::{Request, SecretGrant, SecretPlace, SecretRequest, SecretTarget};
use crate::model::{Level, Name};
use crate::secret::{Redactor, Secret, SecretFault};

/// A template, and where what it says would go.
pub(super) struct Wanted<'a> {
    template: Template,
    place: SecretPlace<'a>,
}

impl<'a> Wanted<'a> {
    /// # Errors
    /// As [`Template::parse`].
    pub(super) fn new(text: &str, place: SecretPlace<'a>) -> Result<Self, String> {
        Ok(Self { template: Template::parse(text)?, place })
    }
}

/// The secrets that a request carries.
#[derive(Debug, Default)]
pub(super) struct Carried {
    values: BTreeMap<Name, Secret>,
    redactor: Redactor,
}

impl Carried {
    /// The text of a template.
    pub(super) fn fill(&self, wanted: &Wanted<'_>, encoding: Encoding) -> String {
        wanted.template.fill(&self.values, encoding)
    }

    /// What came back, without what was sent: whoever gets a secret may repeat it, and the guest is not to see it. Only the same
    /// request's answer is read so, since a guest may write what it reads: what the other side keeps is its own affair.
    pub(super) fn mask(&self, text: &str) -> String {
        if self.values.is_empty() { text.to_owned() } else { self.redactor.mask(text) }
    }

    /// The same for bytes, of which more may have come: then what may be the beginning of a secret goes with the rest.
    pub(super) fn mask_bytes(&self, bytes: Vec<u8>, truncated: bool) -> Vec<u8> {
        if self.values.is_empty() {
            return bytes;
        }
        let mut stream = self.redactor.stream();
        let mut masked = stream.feed(&bytes);
        if !truncated {
            masked.extend(stream.finish());
        }
        masked
    }

    /// The same for what a program wrote. Where it was `cut`, the middle is missing, and a secret may have begun or ended there.
    pub(super) fn mask_output(&self, said: &[u8], cut: bool) -> String {
        if self.values.is_empty() || !cut {
            return self.mask(&String::from_utf8_lossy(said));
        }
        let (head, tail) = said.split_at(said.len() / 2);
        let mut masked = self.mask_bytes(head.to_vec(), true);
        masked.extend(self.redactor.mask_after_gap(tail));
        String::from_utf8_lossy(&masked).into_owned()
    }
}

impl Broker<'_> {
    /// Whether every secret may go where its template is; all are asked for, so that all denials are shown.
    ///
    /// # Errors
    /// The first denial.
    pub(super) fn check_secrets(&mut self, wanted: &[Wanted<'_>]) -> Result<(), String> {
        let mut first = Ok(());
        for Wanted { template, place } in wanted {
            for name in template.names() {
                let request = Request::Secret(SecretRequest { name: name.as_str(), place: place.clone() });
                first = first.and(self.check(&request).map(|_| ()));
            }
        }
        first
    }

    /// A secret that was revealed to the hook, and that it would put into the arguments of a program, for everybody on that host to read.
    pub(super) async fn told_by(&self, args: &[String]) -> Option<Name> {
        let revealed = |grant: &&SecretGrant| grant.to == SecretTarget::Reveal;
        for SecretGrant { name, .. } in self.hook.grants.secrets.iter().flatten().filter(revealed) {
            let Ok(secret) = self.access.secrets.at_hand(name).await else { continue };
            let redactor = Redactor::default();
            redactor.add(&secret);
            if args.iter().any(|arg| redactor.mask(arg) != *arg) {
                return Some(name.clone());
            }
        }
        None
    }

    /// Looks up what templates name, once it is known that it may go there.
    ///
    /// # Errors
    /// When one has no value. A program that gives one was run before the hook was asked anything, or is not run at all.
    pub(super) async fn carry(&mut self, wanted: &[Wanted<'_>]) -> Result<Carried, (String, String)> {
        let mut carried = Carried::default();
        for Wanted { template, .. } in wanted {
            for name in template.names() {
                let secret = self.look_up(name).await?;
                carried.redactor.add(&secret);
                carried.values.insert(name.clone(), secret);
            }
        }
        Ok(carried)
    }

    /// Answers `secrets.hmac-sha256`.
    pub(super) async fn sign(
        &mut self,
        name: &str,
        prefix: &str,
        chain: &[String],
        data: &[u8],
    ) -> Result<Vec<u8>, SecretError> {
        self.may_sign(name, prefix, chain)?;
        Ok(self.named_secret(name).await?.hmac_sha256(prefix, chain, data))
    }

    /// Whether it may sign so.
    ///
    /// # Errors
    /// The denial.
    pub(super) fn may_sign(&mut self, name: &str, prefix: &str, chain: &[String]) -> Result<(), SecretError> {
        self.may_use(name, SecretPlace::Hmac { prefix, chain, dates: &dates() })
    }

    /// Answers `secret-text.reveal`.
    pub(super) async fn reveal(&mut self, name: &str) -> Result<String, SecretError> {
        self.may_reveal(name)?;
        Ok(self.named_secret(name).await?.expose().to_owned())
    }

    /// Whether it may know it.
    ///
    /// # Errors
    /// The denial.
    pub(super) fn may_reveal(&mut self, name: &str) -> Result<(), SecretError> {
        self.may_use(name, SecretPlace::Hook)
    }

    fn may_use(&mut self, name: &str, place: SecretPlace<'_>) -> Result<(), SecretError> {
        self.check(&Request::Secret(SecretRequest { name, place })).map(drop).map_err(SecretError::Denied)
    }

    async fn named_secret(&mut self, name: &str) -> Result<Secret, SecretError> {
        // What an entry binds has a name.
        let name = Name::new(name).map_err(|fault| SecretError::Denied(fault.to_string()))?;
        self.look_up(&name).await.map_err(SecretError::Other)
    }

    /// A secret's value; else the code and reason that the hook hears, and the operator too.
    async fn look_up(&mut self, name: &Name) -> Result<Secret, (String, String)> {
        let found = self.access.secrets.at_hand(name).await;
        found.map_err(|fault: SecretFault| {
            let reason = fault.to_string();
            self.tell(Level::Warn, &reason);
            (fault.code().to_owned(), reason)
        })
    }
}

/// The dates within a day of now, as Signature Version 4 writes them: clocks differ, and midnight passes.
fn dates() -> Vec<String> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let near = [today.yesterday(), Ok(today), today.tomorrow()];
    near.into_iter().flatten().map(|date| date.strftime("%Y%m%d").to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_of_a_secret_is_left_where_an_output_lost_its_middle() {
        let value = "s3cr3t-value-of-31-bytes-in-all";
        let secret = Secret::new(value.to_owned()).expect("long enough");
        let name = Name::new("token").expect("a name");
        let carried = Carried { values: [(name, secret.clone())].into(), redactor: Redactor::default() };
        carried.redactor.add(&secret);
        let half = 40;
        for at in 0..=value.len() {
            // The head ends within one secret, the tail begins within another.
            let head = format!("{:>half$}", &value[..at]);
            let tail = format!("{:<half$}", &value[value.len() - at..]);
            let masked = carried.mask_output(format!("{head}{tail}").as_bytes(), true);
            let pieces: Vec<&str> =
                value.as_bytes().windows(2).filter_map(|piece| std::str::from_utf8(piece).ok()).collect();
            assert!(!pieces.iter().any(|piece| masked.contains(piece)), "{at}: {masked}");
        }
        assert_eq!(carried.mask_output(format!("a {value} b").as_bytes(), false), "a *** b");
    }
}

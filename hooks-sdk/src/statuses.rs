//! Statuses that an operator accepts.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// A setting that says which HTTP statuses are fine: `200`, or `[200, 204]`. Its default is 200 to 299.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statuses(Vec<u16>);

impl Statuses {
    /// Whether `status` is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        if self.0.is_empty() { (200..300).contains(&status) } else { self.0.contains(&status) }
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("200 to 299");
        }
        let words: Vec<String> = self.0.iter().map(u16::to_string).collect();
        f.write_str(&words.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status from 100 to 599, or a list of them")
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Statuses, E> {
        match u16::try_from(status) {
            Ok(status @ 100..=599) => Ok(Statuses(vec![status])),
            _ => Err(E::invalid_value(serde::de::Unexpected::Unsigned(status), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
        let mut all = Vec::new();
        while let Some(status) = list.next_element::<u64>()? {
            all.extend(OneOrMany.visit_u64::<A::Error>(status)?.0);
        }
        if all.is_empty() {
            return Err(A::Error::invalid_length(0, &self));
        }
        Ok(Statuses(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Statuses, String> {
        serde_json::from_str(text).map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn one_many_or_the_usual() {
        assert!(Statuses::default().contains(204) && !Statuses::default().contains(302));
        assert!(read("302").expect("one").contains(302));
        assert_eq!(read("[200, 302]").expect("many").to_string(), "200 or 302");
        for bad in ["[]", "99", "600", "\"200\"", "[200, 70000]", "-1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

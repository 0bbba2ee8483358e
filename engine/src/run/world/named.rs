//! Releases by their numbers, in texts that name them by their identifiers: people know the numbers.

use crate::model::{LiveRecord, Release};

/// `text` with `release 43` for the identifier of any release that is known.
pub(crate) fn by_number<'a>(mut text: String, known: impl IntoIterator<Item = &'a Release>) -> String {
    for release in known {
        let (id, number) = (release.id.as_str(), format!("release {}", release.number));
        text = text.replace(&format!("release {id}"), &number).replace(id, &number);
    }
    text
}

/// The releases that a record names.
pub(crate) fn recorded(record: Option<&LiveRecord>) -> impl Iterator<Item = &Release> {
    let live = record.into_iter().flat_map(|record| std::iter::once(&record.live).chain(&record.previous));
    live.map(|live| &live.release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_gives_way_to_a_number() {
        let (old, new) = (Release::for_tests("20260101T000000Z-a-b", 2), Release::for_tests("r3", 3));
        let text = "bring release r3, point green to r3, start blue from 20260101T000000Z-a-b, r4".to_owned();
        let named = by_number(text, [&old, &new]);
        assert_eq!(named, "bring release 3, point green to release 3, start blue from release 2, r4");
    }
}

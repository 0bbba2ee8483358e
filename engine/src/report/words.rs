//! How releases, colours, ends and places are called, wherever they are.

use unicode_width::UnicodeWidthStr;

use super::escape::visible;
use super::line::{Line, Tone};
use crate::model::{Color, Outcome, Release};

/// Places take a quarter of a line, but no more than this, and may always take so much.
const PLACES_LIMIT: usize = 28;
const PLACES_AT_LEAST: usize = 10;

/// How a run ended, in words.
pub(super) const fn ended_words(outcome: Outcome, well: bool) -> &'static str {
    match outcome {
        Outcome::Deployed if well => "done",
        Outcome::Deployed => "live, but not finished",
        Outcome::RolledBack if well => "everything was put back",
        Outcome::RolledBack => "rolled back",
        Outcome::NothingChanged => "nothing was changed",
        Outcome::Stuck => "a person is needed",
        Outcome::Unfinished => "unfinished",
    }
}

/// `release 43 = main 9f3c2a1 "Fix checkout"`.
pub(super) fn release_words(release: &Release) -> Line {
    let line = Line::of(Tone::Strong, &format!("release {}", release.number));
    let source =
        source_words(release.branch.as_deref(), release.revision.as_deref(), release.subject.as_deref());
    match (source.is_empty(), &release.version) {
        (false, _) => line.text(" = ").text(&source),
        (true, Some(version)) => line.text(&format!(" = version {version}")),
        (true, None) => line,
    }
}

/// `main 9f3c2a1 "Fix checkout"`: what is known of it.
pub(super) fn source_words(branch: Option<&str>, revision: Option<&str>, subject: Option<&str>) -> String {
    let branch = branch.map(str::to_owned);
    let revision = revision.map(short_revision);
    let subject = subject.map(|subject| {
        let short: String = subject.chars().take(60).collect();
        if short.len() < subject.len() { format!("\"{short}…\"") } else { format!("\"{short}\"") }
    });
    [branch, revision, subject].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The first seven characters.
pub(super) fn short_revision(revision: &str) -> String {
    revision.chars().take(7).collect()
}

/// A colour's tone.
pub(super) const fn color_tone(color: Color) -> Tone {
    match color {
        Color::Blue => Tone::Blue,
        Color::Green => Tone::Green,
    }
}

/// Places side by side, as many as fit: `web1 web2 +6`. A name that is too long by itself is cut.
pub(super) fn fit_places(places: &[String], width: Option<usize>) -> String {
    let limit = width.map_or(PLACES_LIMIT, |width| (width / 4).clamp(PLACES_AT_LEAST, PLACES_LIMIT));
    let mut text = String::new();
    for (index, place) in places.iter().enumerate() {
        let more = places.len() - index;
        let next = if index == 0 { place.clone() } else { format!("{text} {place}") };
        let reserve = if more > 1 { 4 } else { 0 };
        if index > 0 && visible(&next).width() + reserve > limit {
            return format!("{text} +{more}");
        }
        text = if index == 0 { Line::plain(&next).shorten(limit - reserve).to_text(false) } else { next };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_take_a_quarter_of_a_line() {
        let fit = |places: &str, width| {
            let places: Vec<String> = places.split(' ').map(str::to_owned).collect();
            fit_places(&places, width)
        };
        assert_eq!(fit("web1 web2 lb1", Some(60)), "web1 web2 lb1");
        assert_eq!(fit("web1 web2 web3 web4 web5 web6", None), "web1 web2 web3 web4 web5 +1");
        assert_eq!(fit("web1 web2 web3 web4 web5 web6", Some(60)), "web1 web2 +4");
        assert_eq!(fit("frankfurt-app-01 frankfurt-app-02", Some(80)), "frankfurt-app-01 +1");
        assert_eq!(fit("frankfurt-application-01 web2", Some(60)), "frankfurt-… +1");
        assert_eq!(fit("checkout-with-every-payment-provider", Some(80)), "checkout-with-every…");
        assert_eq!(fit("web1 web2 web3", Some(20)), "web1 +2");
    }
}

//! What an answer at the front door proves.

use crate::model::{Color, Release, ReleaseMarker};

/// An answer, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What a right answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// That the wanted colour or release gave it.
    Proven,
    /// That someone answers: there is nothing to tell who.
    Answered,
}

/// Whether an answer is that of the wanted release.
///
/// # Errors
/// With what is wrong with it.
pub(crate) fn judge(
    answer: &Answer,
    body: Option<&str>,
    marker: Option<&ReleaseMarker>,
    color: Color,
    release: &Release,
) -> Result<Proof, String> {
    if answer.status >= 500 || answer.status == 404 {
        return Err(format!("answers {}", answer.status));
    }
    let mut proof = Proof::Answered;
    if let Some(expected) = body {
        let expected = expected.replace("{color}", color.as_str()).replace("{release}", release.id.as_str());
        if answer.body.trim() != expected.trim() {
            let said: String = answer.body.trim().chars().take(60).collect();
            return Err(format!("says `{said}` instead of `{expected}`"));
        }
        proof = Proof::Proven;
    }
    match marked(answer, marker) {
        Some(says) if says == release.id.as_str() => proof = Proof::Proven,
        Some(says) => {
            let says: String = says.chars().take(60).collect();
            return Err(format!("says release `{says}` instead of `{}`", release.id));
        }
        None if marker.is_some() && proof == Proof::Answered => return Err("names no release".into()),
        None => {}
    }
    Ok(proof)
}

/// The release that an answer names.
pub(crate) fn marked(answer: &Answer, marker: Option<&ReleaseMarker>) -> Option<String> {
    match marker? {
        ReleaseMarker::Header(name) => {
            answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
        }
        ReleaseMarker::Json(pointer) => {
            let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
            body.pointer(pointer)?.as_str().map(str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_proves_what_it_says() {
        let release = Release::for_tests("r2", 2);
        let header = ReleaseMarker::Header("x-release".into());
        let json = ReleaseMarker::Json("/release".into());
        let says = |status, release: &str, body: &str| Answer {
            status,
            headers: vec![("x-release".into(), release.into())],
            body: body.into(),
        };
        let judged = |answer: &Answer, body, marker| judge(answer, body, marker, Color::Green, &release);
        assert_eq!(judged(&says(200, "r2", ""), None, Some(&header)), Ok(Proof::Proven));
        assert_eq!(
            judged(&says(200, "r1", ""), None, Some(&header)),
            Err("says release `r1` instead of `r2`".into())
        );
        assert_eq!(judged(&says(502, "r2", ""), None, Some(&header)), Err("answers 502".into()));
        assert_eq!(judged(&says(302, "r2", ""), None, None), Ok(Proof::Answered));
        assert_eq!(judged(&says(200, "", r#"{"release":"r2"}"#), None, Some(&json)), Ok(Proof::Proven));
        assert_eq!(judged(&says(200, "", "{}"), None, Some(&json)), Err("names no release".into()));
        assert_eq!(judged(&says(200, "", "green\n"), Some("{color}"), None), Ok(Proof::Proven));
        assert_eq!(
            judged(&says(200, "", "blue"), Some("{color}"), None),
            Err("says `blue` instead of `green`".into())
        );
    }
}

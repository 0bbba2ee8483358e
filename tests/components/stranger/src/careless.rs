//! A router that is a file with the name of a colour, and a hook for it that keeps all rules of the contract but one.

use cutover_hooks::hosts::{self, IfFound};
use cutover_hooks::{Color, HookError, Observation, Routing};

/// The rule that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sin {
    /// `apply` says yes, whatever came of it.
    SaysYes,
    /// `apply` takes the old colour away before it has the new one.
    TwoSteps,
    /// `apply` counts on the file being there.
    OnlyOnce,
    /// `observe` that could not read says blue.
    Guesses,
    /// `observe` mends the file.
    Mends,
    /// `prepare` does what `apply` is for.
    TooEarly,
    /// `prepare` talks where nothing would change.
    Talks,
    /// `apply` is a note of what is wanted, which nobody heeds.
    NeverSettles,
    /// `apply` does what was prepared, and nothing else.
    AsPrepared,
}

/// Between what is so and what is wanted.
const WANTED: &str = ", wanted: ";

/// Behind what is so, where something is prepared.
const PREPARED: &str = ", prepared";

pub(crate) fn observe(router: &str, path: &str, sin: Option<Sin>) -> Result<Observation, HookError> {
    let text = hosts::read_text(router, path).if_found();
    if sin == Some(Sin::Mends) {
        let _ = hosts::write_text(router, path, "blue", None);
    }
    let text = match text {
        Err(_) if sin == Some(Sin::Guesses) => Some("blue".to_owned()),
        text => text?,
    };
    let text = text.unwrap_or_default();
    let (now, wanted) = text.split_once(WANTED).unwrap_or((text.trim_end_matches(PREPARED), ""));
    let color = match now {
        "blue" => Some(Color::Blue),
        "green" => Some(Color::Green),
        _ => None,
    };
    Ok(Observation { routing: Some(Routing::to(color)), settled: wanted.is_empty(), labels: Vec::new() })
}

pub(crate) fn prepare(
    router: &str,
    path: &str,
    want: &Routing,
    sin: Option<Sin>,
) -> Result<String, HookError> {
    let now = observe(router, path, None)?.routing.unwrap_or_else(|| Routing::to(None));
    if sin == Some(Sin::TooEarly) {
        apply(router, path, want, None)?;
    }
    let same = now.blue == want.blue && now.green == want.green;
    if sin == Some(Sin::AsPrepared) && !same {
        hosts::write_text(router, path, &format!("{}{PREPARED}", word(&now)), None)?;
    }
    Ok(if same && sin != Some(Sin::Talks) { String::new() } else { word(want).to_owned() })
}

pub(crate) fn apply(router: &str, path: &str, want: &Routing, sin: Option<Sin>) -> Result<(), HookError> {
    if sin == Some(Sin::OnlyOnce) && hosts::read_text(router, path)? == word(want) {
        return Err(HookError::failed("it is so already"));
    }
    if sin == Some(Sin::TwoSteps) {
        hosts::remove(router, path)?;
    }
    if sin == Some(Sin::NeverSettles) {
        let now = observe(router, path, None)?.routing.unwrap_or_else(|| Routing::to(None));
        let note = if word(&now) == word(want) { String::new() } else { format!("{WANTED}{}", word(want)) };
        return Ok(hosts::write_text(router, path, &format!("{}{note}", word(&now)), None)?);
    }
    if sin == Some(Sin::AsPrepared) {
        let text = hosts::read_text(router, path)?;
        if text == word(want) {
            return Ok(());
        }
        if !text.ends_with(PREPARED) {
            return Err(HookError::failed("nothing was prepared"));
        }
    }
    let written = hosts::write_text(router, path, word(want), None);
    if sin == Some(Sin::SaysYes) {
        return Ok(());
    }
    Ok(written?)
}

fn word(want: &Routing) -> &'static str {
    want.only().map_or("none", Color::as_str)
}

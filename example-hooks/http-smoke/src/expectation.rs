//! What an answer must be like.

use std::collections::BTreeMap;

use cutover_hooks::Statuses;
use cutover_hooks::http::Response;
use serde::Deserialize;
use serde_json::Value;

/// All that is given must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectation {
    /// 200 to 299.
    pub status: Statuses,
    /// Exact values of headers.
    pub headers: BTreeMap<String, String>,
    /// Text that the body must contain.
    pub body_contains: Option<String>,
    /// Values in a JSON body, by JSON pointer.
    pub json: BTreeMap<String, Value>,
    /// Slowest answer, in milliseconds.
    pub max_ms: Option<u32>,
}

impl Expectation {
    /// The first thing that does not hold: `want 302, got 500`.
    #[must_use]
    pub fn fault(&self, response: &Response, took_ms: u32) -> Option<String> {
        self.status_fault(response)
            .or_else(|| self.header_fault(response))
            .or_else(|| self.body_fault(response))
            .or_else(|| self.json_fault(response))
            .or_else(|| {
                let most = self.max_ms.filter(|most| took_ms > *most)?;
                Some(format!("want an answer within {most} ms"))
            })
    }

    fn status_fault(&self, response: &Response) -> Option<String> {
        (!self.status.contains(response.status))
            .then(|| format!("want {}, got {}", self.status, response.summary()))
    }

    fn header_fault(&self, response: &Response) -> Option<String> {
        self.headers.iter().find_map(|(name, want)| {
            let lower = name.to_ascii_lowercase();
            let mut values = response.headers.iter().filter(|(key, _)| *key == lower).map(|(_, value)| value);
            let Some(first) = values.next() else {
                return Some(format!("want header `{lower}: {want}`, got none"));
            };
            let found = first == want || values.any(|value| value == want);
            (!found).then(|| format!("want header `{lower}: {want}`, got `{first}`"))
        })
    }

    fn body_fault(&self, response: &Response) -> Option<String> {
        let text = self.body_contains.as_ref().filter(|text| !response.text.contains(*text))?;
        Some(format!("want a body with `{text}`, got {}", response.summary()))
    }

    fn json_fault(&self, response: &Response) -> Option<String> {
        if self.json.is_empty() {
            return None;
        }
        let Ok(body) = response.json() else {
            return Some(format!("want JSON, got {}", response.summary()));
        };
        self.json.iter().find_map(|(pointer, want)| match body.pointer(pointer) {
            Some(got) if got == want => None,
            Some(got) => Some(format!("want {want} at `{pointer}`, got {got}")),
            None => Some(format!("want {want} at `{pointer}`, got nothing")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(expectation: &str, body: &str) -> Option<String> {
        let expectation: Expectation = serde_json::from_str(expectation).expect("an expectation");
        let headers = [("set-cookie", "a=1"), ("set-cookie", "b=2")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let response =
            Response { status: 200, headers, text: body.to_owned(), bytes: Vec::new(), truncated: false };
        expectation.fault(&response, 212)
    }

    #[test]
    fn the_first_thing_that_does_not_hold_is_told() {
        let cases = [
            (r#"{"headers": {"Set-Cookie": "b=2"}}"#, "", None),
            (r#"{"headers": {"set-cookie": "c=3"}}"#, "", Some("want header `set-cookie: c=3`, got `a=1`")),
            (r#"{"headers": {"location": "/"}}"#, "", Some("want header `location: /`, got none")),
            (r#"{"body-contains": "shop"}"#, "oops", Some("want a body with `shop`, got 200: oops")),
            (r#"{"json": {"/ok": true}}"#, r#"{"ok": true}"#, None),
            (r#"{"json": {"/ok": true}}"#, r#"{"ok": "true"}"#, Some(r#"want true at `/ok`, got "true""#)),
            (r#"{"json": {"/ok": true}}"#, "{}", Some("want true at `/ok`, got nothing")),
            (r#"{"json": {"/ok": true}}"#, "<html>", Some("want JSON, got 200: <html>")),
            (r#"{"max-ms": 100}"#, "", Some("want an answer within 100 ms")),
            (r#"{"max-ms": 212}"#, "", None),
        ];
        for (expectation, body, want) in cases {
            assert_eq!(fault(expectation, body).as_deref(), want, "{expectation} {body}");
        }
    }
}

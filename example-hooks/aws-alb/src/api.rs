//! The API of Elastic Load Balancing, version 2: signed requests, and answers in XML.

use std::time::SystemTime;

use cutover_hooks::http::{HttpError, Request, Response};
use cutover_hooks::{HookError, secrets};

use crate::settings::Settings;
use crate::signature::{SERVICE, Scope, Unsigned, encoded, stamp};
use crate::xml::{self, Element};

const VERSION: &str = "2015-12-01";

/// Where the API does not answer as it should, for now.
const AILING: &str =
    "https://health.aws.amazon.com tells whether AWS is well; run the command again once it is";

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Parameters beside the action's name and the version.
pub(crate) type Parameters = Vec<(String, String)>;

/// The API as the settings name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api<'a> {
    settings: &'a Settings,
}

impl<'a> Api<'a> {
    pub(crate) const fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// Asks for something, and changes nothing.
    ///
    /// # Errors
    /// When there is no answer, or another than what was asked for.
    pub(crate) fn ask(&self, action: &str, parameters: &Parameters) -> Result<Element, HookError> {
        self.send("GET", action, parameters)
    }

    /// Asks to change something.
    ///
    /// # Errors
    /// As [`Api::ask`]; whether it was changed is not known then, unless the API says no.
    pub(crate) fn tell(&self, action: &str, parameters: &Parameters) -> Result<Element, HookError> {
        self.send("POST", action, parameters)
    }

    fn send(&self, method: &str, action: &str, parameters: &Parameters) -> Result<Element, HookError> {
        let own = [("Action", action), ("Version", VERSION)].map(|(key, value)| format!("{key}={value}"));
        let rest = parameters.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
        let pairs = own.into_iter().chain(rest).collect::<Vec<_>>().join("&");
        let (query, body) = if method == "GET" { (pairs.as_str(), "") } else { ("", pairs.as_str()) };
        let time = stamp(SystemTime::now());
        let request = self.signed(method, query, body, &time)?;
        let response = match request.send() {
            Ok(response) => response,
            Err(HttpError::Connect(reason)) => {
                let text = format!("`{}` can't be reached: {reason}", self.endpoint());
                return Err(HookError::temporary(text).hint(
                    "the way out has to be open where cutover runs; `endpoint` of the settings names another",
                ));
            }
            Err(HttpError::TimedOut(reason) | HttpError::Broken(reason)) => {
                let text = format!("`{}` did not answer to its end: {reason}", self.endpoint());
                return Err(HookError::temporary(text).hint(AILING));
            }
            Err(error) => return Err(error.into()),
        };
        self.read(action, &response, &time)
    }

    fn signed(&self, method: &str, query: &str, body: &str, time: &str) -> Result<Request, HookError> {
        let Settings { region, access_key_id, secret_access_key, session_token, .. } = self.settings;
        let endpoint = self.endpoint();
        let mut headers = Vec::new();
        if method != "GET" {
            headers.push(("content-type".to_owned(), FORM.to_owned()));
        }
        // It is part of what is signed, so that it can't go as a header which this hook never sees.
        if let Some(name) = session_token {
            headers.push(("x-amz-security-token".to_owned(), secrets::reveal(name)?));
        }
        let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host);
        let host = host.strip_suffix(":443").unwrap_or(host);
        let unsigned = Unsigned { method, host, query, headers: &headers, body };
        let scope = Scope { time, region, service: SERVICE };
        let access_key_id = secrets::reveal(access_key_id)?;
        let text = unsigned.string_to_sign(&scope);
        let signature = secrets::hmac_sha256(secret_access_key, "AWS4", &scope.chain(), text.as_bytes())?;
        let url = if query.is_empty() { format!("{endpoint}/") } else { format!("{endpoint}/?{query}") };
        let mut request = Request::new(method, url)
            .header("x-amz-date", time)
            .header("authorization", unsigned.authorization(&scope, &access_key_id, &signature));
        request.headers.extend(headers);
        Ok(if method == "GET" { request } else { request.body(body) })
    }

    fn endpoint(&self) -> String {
        self.settings.endpoint()
    }

    /// `time` is that of the request's signature.
    fn read(&self, action: &str, response: &Response, time: &str) -> Result<Element, HookError> {
        let Some(answer) = xml::read(&response.text).filter(|_| !response.truncated) else {
            return Err(self.stranger(response));
        };
        if answer.name == "ErrorResponse" {
            let error = answer.child("Error").unwrap_or(&answer);
            return Err(self.refusal(action, response, error, time));
        }
        let result = answer.child(&format!("{action}Result"));
        match result.filter(|_| response.status == 200 && answer.name == format!("{action}Response")) {
            Some(result) => Ok(result.clone()),
            None => Err(self.stranger(response)),
        }
    }

    /// For an answer that is none of the API's.
    fn stranger(&self, response: &Response) -> HookError {
        let text = format!("`{}` does not speak as the API does: {}", self.endpoint(), response.summary());
        if response.status >= 500 {
            return HookError::temporary(text).hint(AILING);
        }
        HookError::failed(text).hint("does a proxy or a log-in page stand in the way?")
    }

    /// For a no of the API's, by its code.
    fn refusal(&self, action: &str, response: &Response, error: &Element, time: &str) -> HookError {
        let Settings { access_key_id, secret_access_key, session_token, .. } = self.settings;
        let (code, message) = (error.text_of("Code"), one_line(error.text_of("Message")));
        let said = format!("`{action}` was refused with {code}: {message}");
        let is_late =
            message.starts_with("Signature expired") || message.starts_with("Signature not yet current");
        match code {
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "RequestExpired" | "RequestTimeTooSkewed"
                if is_late || code.starts_with("Request") =>
            {
                let theirs = response.header("date").map_or_else(String::new, |date| format!(", AWS's {date}"));
                let text = format!("{said}\nhint: set the clock where cutover runs: it said {time}{theirs}");
                HookError::failed(text)
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => HookError::failed(said).hint(format!(
                "does secret `{secret_access_key}` belong to the access key in `{access_key_id}`?"
            )),
            "InvalidClientTokenId" | "UnrecognizedClientException" => HookError::failed(said).hint(match session_token {
                Some(token) => format!("are the secrets `{access_key_id}` and `{token}` of the same credentials?"),
                None => format!(
                    "does secret `{access_key_id}` hold an access key that is active? A temporary one needs `session-token` too"
                ),
            }),
            "ExpiredToken" | "ExpiredTokenException" => {
                HookError::failed(said).hint("the credentials are over: get new ones, and run the command again")
            }
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                HookError::failed(said).hint(format!(
                    "the policy of these credentials has to allow `elasticloadbalancing:{action}`"
                ))
            }
            "RuleNotFound" => HookError::failed(said).hint("`rule` of the settings names it by its ARN"),
            "ListenerNotFound" => HookError::failed(said).hint("`listener` of the settings names it by its ARN"),
            "TargetGroupNotFound" => {
                HookError::failed(said).hint("`blue` and `green` of the settings name them by their ARNs")
            }
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => {
                HookError::temporary(said).hint("this account asks too often: wait a minute, and run the command again")
            }
            "ServiceUnavailable" | "InternalFailure" => HookError::temporary(said).hint(AILING),
            _ if response.status >= 500 => HookError::temporary(said).hint(AILING),
            _ => HookError::failed(said),
        }
    }
}

/// What a message says in its first lines, and not more than a person reads.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

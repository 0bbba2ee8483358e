//! What a hook asks of hosts and servers, as a case has it: as far as it is written, with what it is answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{
    Bytes, Content, Done, HostFault, HostFaultKind, HttpFaultKind, Names, Output, Reply, Text,
};
use super::is_default;

/// A call of an import that reaches hosts or servers. Names are those of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outside {
    /// `hosts.exec`.
    Exec(Exec),
    /// `hosts.read-text` and `hosts.read-bytes`.
    Read(AtPath<Content>),
    /// `hosts.write-text` and `hosts.write-bytes`.
    Write(Write),
    /// `hosts.write-link`.
    WriteLink(WriteLink),
    /// `hosts.read-link`.
    ReadLink(AtPath<Text>),
    /// `hosts.list-names`.
    ListNames(AtPath<Names>),
    /// `hosts.remove`.
    Remove(AtPath<Done>),
    /// `hosts.exchange`.
    Exchange(Exchange),
    /// `http-client.send`.
    Send(Send),
}

/// A program that is run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Exec {
    /// Where.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// Absolute.
    #[serde(skip_serializing_if = "is_default")]
    pub program: Option<String>,
    /// All of them.
    #[serde(skip_serializing_if = "is_default")]
    pub args: Option<Vec<String>>,
    /// Those that are named.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Option<BTreeMap<String, String>>,
    /// Templates.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_env: Option<BTreeMap<String, String>>,
    /// Where it starts.
    #[serde(skip_serializing_if = "is_default")]
    pub directory: Option<String>,
    /// Standard input.
    #[serde(skip_serializing_if = "is_default")]
    pub input: Option<String>,
    /// A template.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_input: Option<String>,
    /// Whether by `sudo`.
    #[serde(skip_serializing_if = "is_default")]
    pub as_root: Option<bool>,
    /// Limit of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_ms: Option<u32>,
    /// What it answers.
    pub answer: Output,
}

/// A file, link or directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    bound = "A: Default + PartialEq + Serialize + for<'a> Deserialize<'a>"
)]
pub struct AtPath<A> {
    /// Where.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// Absolute.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// What it answers.
    pub answer: A,
}

/// A file that is replaced.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Write {
    /// Where.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// Absolute.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// Permission bits.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Option<u32>,
    /// What it is to hold, as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// The same as base64.
    #[serde(skip_serializing_if = "is_default")]
    pub base64: Option<String>,
    /// Whether it works.
    #[serde(skip_serializing_if = "is_default")]
    pub answer: Done,
}

/// A link that is pointed elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WriteLink {
    /// Where.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// Absolute.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// Where it is to point.
    #[serde(skip_serializing_if = "is_default")]
    pub target: Option<String>,
    /// Whether it works.
    #[serde(skip_serializing_if = "is_default")]
    pub answer: Done,
}

/// What is sent to a socket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Exchange {
    /// Where.
    #[serde(skip_serializing_if = "is_default")]
    pub host: Option<String>,
    /// `unix:…` or `tcp:…`.
    #[serde(skip_serializing_if = "is_default")]
    pub socket: Option<String>,
    /// All that is sent.
    #[serde(skip_serializing_if = "is_default")]
    pub content: Option<String>,
    /// Limit of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_ms: Option<u32>,
    /// What comes back.
    pub answer: Text,
}

/// A request of HTTP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Send {
    /// `GET`, …
    #[serde(skip_serializing_if = "is_default")]
    pub method: Option<String>,
    /// As the hook names it.
    #[serde(skip_serializing_if = "is_default")]
    pub url: Option<String>,
    /// From which host's network.
    #[serde(skip_serializing_if = "is_default")]
    pub via: Option<String>,
    /// `address:port`.
    #[serde(skip_serializing_if = "is_default")]
    pub connect_to: Option<String>,
    /// Those that are named, in lower case; the last of a name that is repeated.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Templates.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_headers: Option<BTreeMap<String, String>>,
    /// The body as text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: Option<String>,
    /// The body as base64.
    #[serde(skip_serializing_if = "is_default")]
    pub base64: Option<String>,
    /// A template.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_body: Option<String>,
    /// Limit of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_ms: Option<u32>,
    /// What comes back.
    pub answer: Reply,
}

impl Outside {
    /// What is asked, without the answer: name and keys.
    #[must_use]
    pub fn asked(&self) -> (String, serde_json::Map<String, Value>) {
        // Data that this file describes: nothing of it can fail to become JSON.
        let Ok(Value::Object(tagged)) = serde_json::to_value(self) else { return Default::default() };
        let Some((name, Value::Object(mut keys))) = tagged.into_iter().next() else {
            return Default::default();
        };
        keys.remove("answer");
        (name, keys)
    }

    /// What is asked, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let or = |text: &Option<String>, any: &str| text.clone().unwrap_or_else(|| any.to_owned());
        let path = |path: &Option<String>| {
            path.as_ref().map_or_else(|| "any path".to_owned(), |path| format!("`{path}`"))
        };
        let on = |host: &Option<String>| or(host, "any host");
        match self {
            Self::Exec(Exec { host, program, args, .. }) => {
                let args: String = args.iter().flatten().map(|arg| format!(" {arg}")).collect();
                format!("run `{}{args}` on {}", or(program, "any program"), on(host))
            }
            Self::Read(AtPath { host, path: at, .. }) => format!("read {} on {}", path(at), on(host)),
            Self::Write(Write { host, path: at, .. }) => format!("write {} on {}", path(at), on(host)),
            Self::WriteLink(WriteLink { host, path: at, .. }) => {
                format!("point {} on {}", path(at), on(host))
            }
            Self::ReadLink(AtPath { host, path: at, .. }) => {
                format!("read the link {} on {}", path(at), on(host))
            }
            Self::ListNames(AtPath { host, path: at, .. }) => format!("list {} on {}", path(at), on(host)),
            Self::Remove(AtPath { host, path: at, .. }) => format!("remove {} on {}", path(at), on(host)),
            Self::Exchange(Exchange { host, socket, content, .. }) => {
                let content = content
                    .as_ref()
                    .map_or("anything".to_owned(), |content| format!("`{}`", content.trim_end()));
                format!("send {content} to {} on {}", or(socket, "any socket"), on(host))
            }
            Self::Send(Send { method, url, .. }) => {
                format!("{} {}", or(method, "any method"), or(url, "any URL"))
            }
        }
    }

    /// What is answered, for people, in a few words.
    #[must_use]
    pub fn answer_words(&self) -> String {
        let failed = |fault: &HostFault| format!("{}: {}", fault.kind.as_str(), first_line(&fault.text));
        let size = |text: &Option<String>, base64: &Option<String>| {
            let bytes = Bytes::decoded(text.as_deref(), base64.as_deref()).unwrap_or_default();
            format!("{} bytes", bytes.len())
        };
        let done = |done: &Done| done.error.as_ref().map_or_else(|| "done".to_owned(), failed);
        let text = |text: &Text, words: String| text.error.as_ref().map_or(words, failed);
        match self {
            Self::Exec(exec) => match &exec.answer.error {
                Some(fault) => failed(fault),
                None => format!("exit status {}", exec.answer.status),
            },
            Self::Read(read) => match &read.answer.error {
                Some(fault) => failed(fault),
                None => size(&read.answer.text, &read.answer.base64),
            },
            Self::Write(write) => done(&write.answer),
            Self::WriteLink(link) => done(&link.answer),
            Self::Remove(remove) => done(&remove.answer),
            Self::ReadLink(link) => text(&link.answer, format!("`{}`", link.answer.text)),
            Self::Exchange(exchange) => {
                text(&exchange.answer, format!("{} bytes", exchange.answer.text.len()))
            }
            Self::ListNames(list) => match &list.answer.error {
                Some(fault) => failed(fault),
                None => format!("{} names", list.answer.names.len()),
            },
            Self::Send(send) => match &send.answer.error {
                Some(fault) => format!("{}: {}", fault.kind.as_str(), first_line(&fault.text)),
                None => {
                    format!("status {}, {}", send.answer.status, size(&send.answer.text, &send.answer.base64))
                }
            },
        }
    }

    /// Whether it could change something, as far as that can be told without grants.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Write(_) | Self::WriteLink(_) | Self::Remove(_) => true,
            Self::Send(send) => {
                send.method.as_deref().is_some_and(|method| !matches!(method, "GET" | "HEAD"))
            }
            Self::Exec(_) | Self::Read(_) | Self::ReadLink(_) | Self::ListNames(_) | Self::Exchange(_) => {
                false
            }
        }
    }

    /// Whether the answer is that it is not granted.
    #[must_use]
    pub fn is_answered_with_denied(&self) -> bool {
        let host = match self {
            Self::Send(send) => {
                return send.answer.error.as_ref().is_some_and(|fault| fault.kind == HttpFaultKind::Denied);
            }
            Self::Exec(exec) => &exec.answer.error,
            Self::Read(read) => &read.answer.error,
            Self::Write(write) => &write.answer.error,
            Self::WriteLink(link) => &link.answer.error,
            Self::ReadLink(link) => &link.answer.error,
            Self::ListNames(list) => &list.answer.error,
            Self::Remove(remove) => &remove.answer.error,
            Self::Exchange(exchange) => &exchange.answer.error,
        };
        host.as_ref().is_some_and(|fault| fault.kind == HostFaultKind::Denied)
    }

    /// Whether all that is written of bytes makes sense.
    ///
    /// # Errors
    /// When it does not, why.
    pub fn check(&self) -> Result<(), String> {
        let bytes = |text: &Option<String>, base64: &Option<String>| {
            Bytes::decoded(text.as_deref(), base64.as_deref()).map(drop)
        };
        match self {
            Self::Read(read) => bytes(&read.answer.text, &read.answer.base64),
            Self::Write(write) => bytes(&write.text, &write.base64),
            Self::Send(send) => {
                bytes(&send.text, &send.base64)?;
                bytes(&send.answer.text, &send.answer.base64)
            }
            Self::Exec(_)
            | Self::WriteLink(_)
            | Self::ReadLink(_)
            | Self::ListNames(_)
            | Self::Remove(_)
            | Self::Exchange(_) => Ok(()),
        }
    }

    /// The same as it is kept of a live run: without what another run would have otherwise (limits, headers, which carry times and
    /// signatures), and without what is nothing.
    #[must_use]
    pub fn kept(mut self) -> Self {
        match &mut self {
            Self::Exec(exec) => {
                exec.timeout_ms = None;
                exec.env = exec.env.take().filter(|env| !env.is_empty());
                exec.secret_env = exec.secret_env.take().filter(|env| !env.is_empty());
                exec.as_root = exec.as_root.filter(|root| *root);
            }
            Self::Exchange(exchange) => exchange.timeout_ms = None,
            Self::Send(send) => {
                send.timeout_ms = None;
                send.headers = None;
                send.secret_headers = send.secret_headers.take().filter(|headers| !headers.is_empty());
            }
            Self::Read(_)
            | Self::Write(_)
            | Self::WriteLink(_)
            | Self::ReadLink(_)
            | Self::ListNames(_)
            | Self::Remove(_) => {}
        }
        self
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

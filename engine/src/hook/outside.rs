//! Between calls of imports as the sandbox sends them and as a case has them.

use std::collections::BTreeMap;

use super::broker::Reply;
use super::contract::cutover::hook::hosts::{Command, HostError, Output};
use super::contract::cutover::hook::http_client::{HttpError, Request, Response};
use super::wire::{Answer, Import};
use crate::model::case::{
    self, AtPath, Bytes, Content, Done, Exchange, Exec, HostFault, HostFaultKind, HttpFault, HttpFaultKind,
    Names, Outside, Send, Text, Write, WriteLink,
};

/// What is asked of hosts and servers; none for what reaches nothing but the engine.
pub(super) fn asked(import: &Import, payload: &[u8]) -> Option<Outside> {
    Some(match import {
        Import::Log { .. } | Import::Progress { .. } | Import::Sign { .. } | Import::Reveal { .. } => {
            return None;
        }
        Import::Exec { host, command } => Outside::Exec(exec(host, command)),
        Import::Read { host, path } => Outside::Read(at(host, path)),
        Import::Write { host, path, mode } => {
            let Bytes { text, base64 } = Bytes::of(payload);
            let (host, path) = (Some(host.clone()), Some(path.clone()));
            Outside::Write(Write { host, path, mode: *mode, text, base64, answer: Done::default() })
        }
        Import::WriteLink { host, path, target } => Outside::WriteLink(WriteLink {
            host: Some(host.clone()),
            path: Some(path.clone()),
            target: Some(target.clone()),
            answer: Done::default(),
        }),
        Import::ReadLink { host, path } => Outside::ReadLink(at(host, path)),
        Import::ListNames { host, path } => Outside::ListNames(at(host, path)),
        Import::Remove { host, path } => Outside::Remove(at(host, path)),
        Import::Exchange { host, socket, content, timeout_ms } => Outside::Exchange(Exchange {
            host: Some(host.clone()),
            socket: Some(socket.clone()),
            content: Some(content.clone()),
            timeout_ms: *timeout_ms,
            answer: Text::default(),
        }),
        Import::Send { request, with_body } => Outside::Send(send(request, with_body.then_some(payload))),
    })
}

fn at<A: Default>(host: &str, path: &str) -> AtPath<A> {
    AtPath { host: Some(host.to_owned()), path: Some(path.to_owned()), answer: A::default() }
}

fn exec(host: &str, command: &Command) -> Exec {
    let Command { program, args, env, secret_env, directory, input, secret_input, as_root, timeout_ms } =
        command.clone();
    Exec {
        host: Some(host.to_owned()),
        program: Some(program),
        args: Some(args),
        env: Some(env.into_iter().collect()),
        secret_env: Some(secret_env.into_iter().collect()),
        directory,
        input,
        secret_input,
        as_root: Some(as_root),
        timeout_ms,
        answer: case::Output::default(),
    }
}

fn send(request: &Request, body: Option<&[u8]>) -> Send {
    let lower = |headers: &[(String, String)]| -> BTreeMap<String, String> {
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
    };
    let Bytes { text, base64 } = body.map(Bytes::of).unwrap_or_default();
    Send {
        method: Some(request.method.clone()),
        url: Some(request.url.clone()),
        via: request.via.clone(),
        connect_to: request.connect_to.clone(),
        headers: Some(lower(&request.headers)),
        secret_headers: Some(lower(&request.secret_headers)),
        text,
        base64,
        secret_body: request.secret_body.clone(),
        timeout_ms: request.timeout_ms,
        answer: case::Reply::default(),
    }
}

/// What a case answers, as the sandbox is told it. What can't be decoded was refused when the case was read.
pub(super) fn reply(outside: &Outside) -> Reply {
    let bytes = |text: &Option<String>, base64: &Option<String>| {
        Bytes::decoded(text.as_deref(), base64.as_deref()).unwrap_or_default()
    };
    let host = |fault: &HostFault| host_error(fault);
    let done = |done: &Done| {
        (Answer::Done(done.error.as_ref().map_or(Ok(()), |fault| Err(host(fault)))), Vec::new())
    };
    let text = |text: &Text| {
        let answer = text.error.as_ref().map_or_else(|| Ok(text.text.clone()), |fault| Err(host(fault)));
        (Answer::Text(answer), Vec::new())
    };
    match outside {
        Outside::Exec(Exec { answer, .. }) => {
            let case::Output { status, out, errors, truncated, error } = answer.clone();
            let output = error
                .as_ref()
                .map_or_else(|| Ok(Output { status, out, errors, truncated }), |fault| Err(host(fault)));
            (Answer::Output(output), Vec::new())
        }
        Outside::Read(AtPath { answer, .. }) => match &answer.error {
            Some(fault) => (Answer::Content(Err(host(fault))), Vec::new()),
            None => (Answer::Content(Ok(())), bytes(&answer.text, &answer.base64)),
        },
        Outside::Write(Write { answer, .. }) => done(answer),
        Outside::WriteLink(WriteLink { answer, .. }) => done(answer),
        Outside::Remove(AtPath { answer, .. }) => done(answer),
        Outside::ReadLink(AtPath { answer, .. }) => text(answer),
        Outside::Exchange(Exchange { answer, .. }) => text(answer),
        Outside::ListNames(AtPath { answer, .. }) => {
            let Names { names, error } = answer.clone();
            (Answer::Names(error.as_ref().map_or(Ok(names), |fault| Err(host(fault)))), Vec::new())
        }
        Outside::Send(Send { answer, .. }) => match &answer.error {
            Some(fault) => (Answer::Response(Err(http_error(fault))), Vec::new()),
            None => {
                let case::Reply { status, headers, truncated, .. } = answer.clone();
                // The sandbox puts the body where the request asked for it.
                let response =
                    Response { status, headers, text: String::new(), bytes: Vec::new(), truncated };
                (Answer::Response(Ok(response)), bytes(&answer.text, &answer.base64))
            }
        },
    }
}

/// The same call with what the world answered. What answers another call leaves it as it is.
pub(super) fn answered(outside: Outside, (answer, payload): &Reply) -> Outside {
    let done = |result: &Result<(), HostError>| Done { error: result.as_ref().err().map(host_fault) };
    let content = |result: &Result<(), HostError>| match result {
        Ok(()) => {
            let Bytes { text, base64 } = Bytes::of(payload);
            Content { text, base64, error: None }
        }
        Err(error) => Content { error: Some(host_fault(error)), ..Content::default() },
    };
    let text = |result: &Result<String, HostError>| match result {
        Ok(text) => Text { text: text.clone(), error: None },
        Err(error) => Text { text: String::new(), error: Some(host_fault(error)) },
    };
    match (outside, answer) {
        (Outside::Exec(call), Answer::Output(result)) => {
            Outside::Exec(Exec { answer: output(result), ..call })
        }
        (Outside::Read(call), Answer::Content(result)) => {
            Outside::Read(AtPath { answer: content(result), ..call })
        }
        (Outside::Write(call), Answer::Done(result)) => {
            Outside::Write(Write { answer: done(result), ..call })
        }
        (Outside::WriteLink(call), Answer::Done(result)) => {
            Outside::WriteLink(WriteLink { answer: done(result), ..call })
        }
        (Outside::Remove(call), Answer::Done(result)) => {
            Outside::Remove(AtPath { answer: done(result), ..call })
        }
        (Outside::ReadLink(call), Answer::Text(result)) => {
            Outside::ReadLink(AtPath { answer: text(result), ..call })
        }
        (Outside::Exchange(call), Answer::Text(result)) => {
            Outside::Exchange(Exchange { answer: text(result), ..call })
        }
        (Outside::ListNames(call), Answer::Names(result)) => {
            let (names, error) = match result {
                Ok(names) => (names.clone(), None),
                Err(error) => (Vec::new(), Some(host_fault(error))),
            };
            Outside::ListNames(AtPath { answer: Names { names, error }, ..call })
        }
        (Outside::Send(call), Answer::Response(result)) => {
            Outside::Send(Send { answer: response(result, payload), ..call })
        }
        (outside, _) => outside,
    }
}

fn output(result: &Result<Output, HostError>) -> case::Output {
    match result.clone() {
        Ok(Output { status, out, errors, truncated }) => {
            case::Output { status, out, errors, truncated, error: None }
        }
        Err(error) => case::Output { error: Some(host_fault(&error)), ..case::Output::default() },
    }
}

fn response(result: &Result<Response, HttpError>, payload: &[u8]) -> case::Reply {
    match result.clone() {
        Ok(Response { status, headers, truncated, .. }) => {
            let Bytes { text, base64 } = Bytes::of(payload);
            case::Reply { status, headers, text, base64, truncated, error: None }
        }
        Err(error) => case::Reply { error: Some(http_fault(&error)), ..case::Reply::default() },
    }
}

fn host_error(fault: &HostFault) -> HostError {
    let HostFault { kind, text, code } = fault.clone();
    match kind {
        HostFaultKind::Denied => HostError::Denied(text),
        HostFaultKind::NotFound => HostError::NotFound(text),
        HostFaultKind::Unreachable => HostError::Unreachable(text),
        HostFaultKind::Broken => HostError::Broken(text),
        HostFaultKind::TimedOut => HostError::TimedOut(text),
        HostFaultKind::Failed => HostError::Failed(text),
        HostFaultKind::Other => HostError::Other((code, text)),
    }
}

fn host_fault(error: &HostError) -> HostFault {
    let fault = |kind, text: &String| HostFault { kind, text: text.clone(), code: String::new() };
    match error {
        HostError::Denied(text) => fault(HostFaultKind::Denied, text),
        HostError::NotFound(text) => fault(HostFaultKind::NotFound, text),
        HostError::Unreachable(text) => fault(HostFaultKind::Unreachable, text),
        HostError::Broken(text) => fault(HostFaultKind::Broken, text),
        HostError::TimedOut(text) => fault(HostFaultKind::TimedOut, text),
        HostError::Failed(text) => fault(HostFaultKind::Failed, text),
        HostError::Other((code, text)) => {
            HostFault { code: code.clone(), ..fault(HostFaultKind::Other, text) }
        }
    }
}

fn http_error(fault: &HttpFault) -> HttpError {
    let HttpFault { kind, text, code } = fault.clone();
    match kind {
        HttpFaultKind::Denied => HttpError::Denied(text),
        HttpFaultKind::TimedOut => HttpError::TimedOut(text),
        HttpFaultKind::Connect => HttpError::Connect(text),
        HttpFaultKind::Tls => HttpError::Tls(text),
        HttpFaultKind::Broken => HttpError::Broken(text),
        HttpFaultKind::Other => HttpError::Other((code, text)),
    }
}

fn http_fault(error: &HttpError) -> HttpFault {
    let fault = |kind, text: &String| HttpFault { kind, text: text.clone(), code: String::new() };
    match error {
        HttpError::Denied(text) => fault(HttpFaultKind::Denied, text),
        HttpError::TimedOut(text) => fault(HttpFaultKind::TimedOut, text),
        HttpError::Connect(text) => fault(HttpFaultKind::Connect, text),
        HttpError::Tls(text) => fault(HttpFaultKind::Tls, text),
        HttpError::Broken(text) => fault(HttpFaultKind::Broken, text),
        HttpError::Other((code, text)) => {
            HttpFault { code: code.clone(), ..fault(HttpFaultKind::Other, text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the world may answer: what is kept of it is answered again to the byte.
    #[test]
    fn what_is_recorded_is_replayed() {
        let (host, path) = ("web1".to_owned(), "/x".to_owned());
        let errors = || {
            let text = || "why".to_owned();
            [
                HostError::Denied(text()),
                HostError::NotFound(text()),
                HostError::Unreachable(text()),
                HostError::Broken(text()),
                HostError::TimedOut(text()),
                HostError::Failed(text()),
                HostError::Other(("code".to_owned(), text())),
            ]
        };
        let https = || {
            let text = || "why".to_owned();
            [
                HttpError::Denied(text()),
                HttpError::TimedOut(text()),
                HttpError::Connect(text()),
                HttpError::Tls(text()),
                HttpError::Broken(text()),
                HttpError::Other(("code".to_owned(), text())),
            ]
        };
        let command = Command {
            program: "/bin/x".to_owned(),
            args: vec!["a".to_owned()],
            env: Vec::new(),
            secret_env: Vec::new(),
            directory: None,
            input: Some("in".to_owned()),
            secret_input: None,
            as_root: false,
            timeout_ms: Some(1),
        };
        let request = Request {
            method: "POST".to_owned(),
            url: "http://a.example/".to_owned(),
            via: None,
            connect_to: None,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: None,
            secret_body: None,
            binary: false,
            timeout_ms: None,
        };
        let mut all: Vec<(Import, Vec<Reply>)> = Vec::new();
        let output = Output { status: 3, out: "o".to_owned(), errors: "e".to_owned(), truncated: true };
        let mut outputs = vec![(Answer::Output(Ok(output)), Vec::new())];
        outputs.extend(errors().map(|error| (Answer::Output(Err(error)), Vec::new())));
        all.push((Import::Exec { host: host.clone(), command }, outputs));
        let mut contents = vec![
            (Answer::Content(Ok(())), b"text".to_vec()),
            (Answer::Content(Ok(())), vec![0, 255]),
            (Answer::Content(Ok(())), Vec::new()),
        ];
        contents.extend(errors().map(|error| (Answer::Content(Err(error)), Vec::new())));
        all.push((Import::Read { host: host.clone(), path: path.clone() }, contents));
        let mut done = vec![(Answer::Done(Ok(())), Vec::new())];
        done.extend(errors().map(|error| (Answer::Done(Err(error)), Vec::new())));
        all.push((Import::Write { host: host.clone(), path: path.clone(), mode: Some(0o600) }, done));
        let mut done = vec![(Answer::Done(Ok(())), Vec::new())];
        done.extend(errors().map(|error| (Answer::Done(Err(error)), Vec::new())));
        all.push((Import::Remove { host: host.clone(), path: path.clone() }, done));
        let done = vec![(Answer::Done(Ok(())), Vec::new())];
        let target = "/y".to_owned();
        all.push((Import::WriteLink { host: host.clone(), path: path.clone(), target }, done));
        let texts = || {
            let mut texts = vec![(Answer::Text(Ok("t".to_owned())), Vec::new())];
            texts.extend(errors().map(|error| (Answer::Text(Err(error)), Vec::new())));
            texts
        };
        all.push((Import::ReadLink { host: host.clone(), path: path.clone() }, texts()));
        let (socket, content) = ("unix:/s".to_owned(), "show\n".to_owned());
        all.push((Import::Exchange { host: host.clone(), socket, content, timeout_ms: None }, texts()));
        let mut names = vec![(Answer::Names(Ok(vec!["a".to_owned()])), Vec::new())];
        names.extend(errors().map(|error| (Answer::Names(Err(error)), Vec::new())));
        all.push((Import::ListNames { host, path }, names));
        let headers = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        let response =
            Response { status: 503, headers, text: String::new(), bytes: Vec::new(), truncated: false };
        let mut responses = vec![(Answer::Response(Ok(response)), b"body".to_vec())];
        responses.extend(https().map(|error| (Answer::Response(Err(error)), Vec::new())));
        all.push((Import::Send { request, with_body: true }, responses));
        let text = |answer: &Answer| serde_json::to_string(answer).expect("JSON");
        for (import, replies) in all {
            for expected in replies {
                let kept = answered(asked(&import, b"payload").expect("reaches something"), &expected).kept();
                // As it is written to a file and read from it.
                let kept: Outside =
                    toml::from_str(&toml::to_string(&kept).expect("TOML")).expect("what was written");
                let (answer, payload) = reply(&kept);
                assert_eq!((text(&answer), payload), (text(&expected.0), expected.1), "{kept:?}");
            }
        }
    }
}

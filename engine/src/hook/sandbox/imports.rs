//! The imports of the contract: time is answered here, everything else by the engine.

use std::time::Duration;

use super::exceeded::Exceeded;
use super::guest::Guest;
use crate::hook::contract::cutover::hook::engine::Level;
use crate::hook::contract::cutover::hook::hosts::{Command, HostError, Output};
use crate::hook::contract::cutover::hook::http_client::{HttpError, Request, Response};
use crate::hook::contract::cutover::hook::secrets::SecretError;
use crate::hook::contract::cutover::hook::{engine, hook_types, hosts, http_client, secret_text, secrets};
use crate::hook::wire::{Answer, Import};
use crate::model::Limit;

impl hook_types::Host for Guest {}

impl Guest {
    /// # Errors
    /// When content is longer than a call of an import may carry.
    fn expect_room(&self, length: usize) -> wasmtime::Result<()> {
        if length > self.limits.size(Limit::CallBytes) {
            Err(Exceeded(Limit::CallBytes).into())
        } else {
            Ok(())
        }
    }

    /// Cuts a line to just more than its limit: the engine cuts the rest, and says so.
    fn cut(&self, mut line: String) -> String {
        line.truncate(line.ceil_char_boundary(self.limits.size(Limit::LogLine) + 1));
        line
    }
}

impl engine::Host for Guest {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let message = self.cut(message);
        self.tell(Import::Log { level, message })
    }

    fn progress(&mut self, done: u32, total: u32, what: String) -> wasmtime::Result<()> {
        let what = self.cut(what);
        self.tell(Import::Progress { done, total, what })
    }

    fn elapsed_ms(&mut self) -> wasmtime::Result<u32> {
        Ok(milliseconds(self.elapsed()))
    }

    fn remaining_ms(&mut self) -> wasmtime::Result<u32> {
        Ok(milliseconds(self.remaining()))
    }

    fn sleep_ms(&mut self, ms: u32) -> wasmtime::Result<()> {
        std::thread::sleep(Duration::from_millis(ms.into()).min(self.remaining()));
        self.check_deadline()
    }
}

impl hosts::Host for Guest {
    fn exec(&mut self, host: String, command: Command) -> wasmtime::Result<Result<Output, HostError>> {
        let (Answer::Output(output), _) = self.request(Import::Exec { host, command }, &[])? else {
            return Err(unexpected());
        };
        Ok(output)
    }

    fn read_bytes(&mut self, host: String, path: String) -> wasmtime::Result<Result<Vec<u8>, HostError>> {
        let (Answer::Content(content), bytes) = self.request(Import::Read { host, path }, &[])? else {
            return Err(unexpected());
        };
        Ok(content.map(|()| bytes))
    }

    fn read_text(&mut self, host: String, path: String) -> wasmtime::Result<Result<String, HostError>> {
        let named = path.clone();
        let bytes = self.read_bytes(host, path)?;
        Ok(bytes.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| HostError::Failed(format!("`{named}` is not UTF-8 text")))
        }))
    }

    fn write_bytes(
        &mut self,
        host: String,
        path: String,
        content: Vec<u8>,
        mode: Option<u32>,
    ) -> wasmtime::Result<Result<(), HostError>> {
        self.expect_room(content.len())?;
        let answer = self.request(Import::Write { host, path, mode }, &content)?;
        done(answer.0)
    }

    fn write_text(
        &mut self,
        host: String,
        path: String,
        content: String,
        mode: Option<u32>,
    ) -> wasmtime::Result<Result<(), HostError>> {
        self.write_bytes(host, path, content.into_bytes(), mode)
    }

    fn write_link(
        &mut self,
        host: String,
        path: String,
        target: String,
    ) -> wasmtime::Result<Result<(), HostError>> {
        done(self.request(Import::WriteLink { host, path, target }, &[])?.0)
    }

    fn read_link(&mut self, host: String, path: String) -> wasmtime::Result<Result<String, HostError>> {
        text(self.request(Import::ReadLink { host, path }, &[])?.0)
    }

    fn list_names(&mut self, host: String, path: String) -> wasmtime::Result<Result<Vec<String>, HostError>> {
        let (Answer::Names(names), _) = self.request(Import::ListNames { host, path }, &[])? else {
            return Err(unexpected());
        };
        Ok(names)
    }

    fn remove(&mut self, host: String, path: String) -> wasmtime::Result<Result<(), HostError>> {
        done(self.request(Import::Remove { host, path }, &[])?.0)
    }

    fn exchange(
        &mut self,
        host: String,
        socket: String,
        content: String,
        timeout_ms: Option<u32>,
    ) -> wasmtime::Result<Result<String, HostError>> {
        text(self.request(Import::Exchange { host, socket, content, timeout_ms }, &[])?.0)
    }
}

impl http_client::Host for Guest {
    fn send(&mut self, mut request: Request) -> wasmtime::Result<Result<Response, HttpError>> {
        let body = request.body.take();
        self.expect_room(body.as_ref().map_or(0, Vec::len))?;
        let binary = request.binary;
        let import = Import::Send { request, with_body: body.is_some() };
        let (Answer::Response(response), bytes) =
            self.request(import, body.as_deref().unwrap_or_default())?
        else {
            return Err(unexpected());
        };
        Ok(response.map(|mut response| {
            if binary {
                response.bytes = bytes;
            } else {
                response.text = String::from_utf8_lossy(&bytes).into_owned();
            }
            response
        }))
    }
}

impl secrets::Host for Guest {
    fn hmac_sha256(
        &mut self,
        name: String,
        prefix: String,
        chain: Vec<String>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, SecretError>> {
        self.expect_room(data.len())?;
        let (Answer::Signature(signed), signature) =
            self.request(Import::Sign { name, prefix, chain }, &data)?
        else {
            return Err(unexpected());
        };
        Ok(signed.map(|()| signature))
    }
}

impl secret_text::Host for Guest {
    fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, SecretError>> {
        let (Answer::Revealed(text), _) = self.request(Import::Reveal { name }, &[])? else {
            return Err(unexpected());
        };
        Ok(text)
    }
}

fn done(answer: Answer) -> wasmtime::Result<Result<(), HostError>> {
    let Answer::Done(done) = answer else { return Err(unexpected()) };
    Ok(done)
}

fn text(answer: Answer) -> wasmtime::Result<Result<String, HostError>> {
    let Answer::Text(text) = answer else { return Err(unexpected()) };
    Ok(text)
}

fn unexpected() -> wasmtime::Error {
    wasmtime::Error::msg("the engine answered another import")
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

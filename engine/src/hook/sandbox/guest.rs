//! One call's guest: what its store holds, and how its imports reach the engine.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::deadline::DeadlinePassed;
use super::denied_http::DeniedHttp;
use super::exceeded::Exceeded;
use super::limiter::Limiter;
use super::printed::Printed;
use crate::hook::wire::{self, Answer, Import, Order, Report};
use crate::model::{Limit, Limits};

/// What the store of one call holds.
pub(super) struct Guest {
    pub(super) limiter: Limiter,
    pub(super) printed: Printed,
    pub(super) limits: Limits,
    /// Random bytes that it may still take.
    pub(super) random_left: u64,
    stream: Arc<UnixStream>,
    begun: Instant,
    deadline: Instant,
    lines: u64,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    denied: DeniedHttp,
    table: ResourceTable,
}

impl Guest {
    /// `input` is its standard input.
    pub(super) fn new(
        stream: Arc<UnixStream>,
        deadline: Instant,
        limits: &Limits,
        input: MemoryInputPipe,
    ) -> Self {
        let printed = Printed::new(limits.size(Limit::Output));
        // A new context is sealed: no files, names, sockets, variables, arguments. Clocks and random numbers do no harm.
        let mut wasi = WasiCtx::builder();
        let wasi = wasi.stdin(input).stdout(printed.clone()).stderr(printed.clone()).build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.size(Limit::Handles));
        Self {
            limiter: Limiter::new(limits),
            printed,
            limits: limits.clone(),
            random_left: limits.get(Limit::Random),
            stream,
            begun: Instant::now(),
            deadline,
            lines: 0,
            wasi,
            http: WasiHttpCtx::new(),
            denied: DeniedHttp,
            table,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// # Errors
    /// When the call's time is over.
    pub(super) fn check_deadline(&self) -> wasmtime::Result<()> {
        if self.remaining().is_zero() { Err(DeadlinePassed.into()) } else { Ok(()) }
    }

    /// Asks the engine and waits for what it says.
    pub(super) fn request(&self, import: Import, payload: &[u8]) -> wasmtime::Result<(Answer, Vec<u8>)> {
        self.check_deadline()?;
        let frame = wire::encode(&Report::Import(import), payload)?;
        if frame.len() - payload.len() > self.limits.size(Limit::Request) {
            return Err(Exceeded(Limit::Request).into());
        }
        (&*self.stream).write_all(&frame)?;
        match wire::receive(&*self.stream)? {
            (Order::Answer(answer), payload) => Ok((answer, payload)),
            (Order::Ask { .. } | Order::Inspect | Order::Compile { .. } | Order::Load { .. }, _) => {
                Err(io::Error::from(io::ErrorKind::InvalidData).into())
            }
        }
    }

    /// Tells the engine something that needs no answer; the engine counts too, this only spares it the work.
    pub(super) fn tell(&mut self, import: Import) -> wasmtime::Result<()> {
        self.lines = self.lines.saturating_add(1);
        if self.lines > self.limits.get(Limit::LogLines) + 1 {
            return self.check_deadline();
        }
        Ok(wire::send(&*self.stream, &Report::Import(import), &[])?)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.denied }
    }
}

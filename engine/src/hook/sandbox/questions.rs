//! One question to one fresh guest.

use wasmtime::component::InstancePre;
use wasmtime::{Store, UpdateDeadline};

use super::guest::Guest;
use super::misfit::Misfit;
use super::trap;
use crate::hook::contract::cutover::hook::hook_types::HookError;
use crate::hook::contract::exports::cutover::hook::{build, health_check, router, smoke_test};
use crate::hook::contract::script::exports::cutover::script::script as interpreter;
use crate::hook::wire::{Description, End, Question, Report, Value};
use crate::model::{HookKind, Limit};

/// Bytes that a call of an import may copy beside its content: names, paths, headers.
const SMALL_CHANGE: usize = 64 << 10;

/// Asks a guest that is made for this question and gone after it. Returns how it ended, with what the guest printed.
pub(super) fn ask(pre: &InstancePre<Guest>, guest: Guest, question: Question) -> Report {
    let call_bytes = guest.limits.size(Limit::CallBytes);
    let mut store = Store::new(pre.engine(), guest);
    store.limiter(|guest| &mut guest.limiter);
    // Wasmtime counts what a list or text refers to, and what it is itself.
    store.set_hostcall_fuel(call_bytes + SMALL_CHANGE);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| {
        store.data().check_deadline()?;
        Ok(UpdateDeadline::Continue(1))
    });
    let end = match call(pre, &mut store, question) {
        Ok(Ok(value)) => End::Value(value),
        Ok(Err(error)) => End::Error(error),
        Err(error) => trap::end_of(&error, store.data().limiter.refused),
    };
    let (printed, lost) = store.data().printed.newest();
    Report::Ended { end, printed, lost }
}

fn call(
    pre: &InstancePre<Guest>,
    store: &mut Store<Guest>,
    question: Question,
) -> wasmtime::Result<Result<Value, HookError>> {
    let instance = pre.instantiate(&mut *store)?;
    let misfit = |error: wasmtime::Error| wasmtime::Error::from(Misfit(trap::whole_text(&error)));
    let router = |store: &mut Store<Guest>| {
        router::GuestIndices::new(pre).and_then(|indices| indices.load(store, &instance)).map_err(misfit)
    };
    let build = |store: &mut Store<Guest>| {
        build::GuestIndices::new(pre).and_then(|indices| indices.load(store, &instance)).map_err(misfit)
    };
    let health = |store: &mut Store<Guest>| {
        health_check::GuestIndices::new(pre)
            .and_then(|indices| indices.load(store, &instance))
            .map_err(misfit)
    };
    let smoke = |store: &mut Store<Guest>| {
        smoke_test::GuestIndices::new(pre).and_then(|indices| indices.load(store, &instance)).map_err(misfit)
    };
    Ok(match question {
        Question::Describe => {
            let indices = interpreter::GuestIndices::new(pre).map_err(misfit)?;
            let described = indices.load(&mut *store, &instance).map_err(misfit)?.call_describe(store)?;
            let value = |found: interpreter::Description| {
                Value::Description(Description { imports: found.imports, exports: found.exports })
            };
            described.map(value).map_err(HookError::Failed)
        }
        Question::Validate { kind, settings } => Ok(Value::Faults(match kind {
            HookKind::Build => build(store)?.call_validate(store, &settings)?,
            HookKind::HealthCheck => health(store)?.call_validate(store, &settings)?,
            HookKind::SmokeTest => smoke(store)?.call_validate(store, &settings)?,
            HookKind::Router => router(store)?.call_validate(store, &settings)?,
        })),
        Question::Build { call, source } => {
            build(store)?.call_run(store, &call, &source)?.map(Value::Artifact)
        }
        Question::Check { call, instance } => {
            health(store)?.call_check(store, &call, &instance)?.map(Value::Health)
        }
        Question::Smoke { call } => smoke(store)?.call_run(store, &call)?.map(Value::Cases),
        Question::Features { call } => router(store)?.call_features(store, &call)?.map(Value::Features),
        Question::Observe { call, router: name } => {
            router(store)?.call_observe(store, &call, &name)?.map(Value::Observation)
        }
        Question::Prepare { call, router: name, want } => {
            router(store)?.call_prepare(store, &call, &name, &want)?.map(Value::Text)
        }
        Question::Apply { call, router: name, want } => {
            router(store)?.call_apply(store, &call, &name, &want)?.map(|()| Value::Done)
        }
        Question::Discard { call, router: name } => {
            router(store)?.call_discard(store, &call, &name)?.map(|()| Value::Done)
        }
        Question::Connections { call, router: name, color } => {
            router(store)?.call_connections(store, &call, &name, color)?.map(Value::Count)
        }
    })
}

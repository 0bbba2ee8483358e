//! What hooks are asked in a run, one function a question.

use super::hooks::{HookTrouble, Hooks};
use super::recording::{case_of, said};
use crate::hook::{Access, Answered, Between, LoadedHook, Recorder};
use crate::model::case::{Asked, Said};
use crate::model::{
    Artifact, Case, Color, Health, HookCall, HostName, Instance, Name, Observation, Routing, Source, Trouble,
    without_hint,
};

impl Hooks {
    /// Asks a hook. Where the run is recorded, what it hears and answers is kept.
    pub(super) async fn ask<T>(
        &self,
        hook: &LoadedHook,
        call: &HookCall,
        asked: Asked,
        ask: impl AsyncFnOnce(Access<'_>) -> Answered<T>,
    ) -> Result<T, HookTrouble>
    where
        T: Clone,
        Said: From<T>,
    {
        trouble(
            hook,
            match &self.recording {
                None => ask(self.access()).await,
                Some(recording) => {
                    let recorder = Recorder::default();
                    let between = Some(Between::Recorder(&recorder));
                    let answered = ask(Access { between, ..self.access() }).await;
                    let (put, redactor) = (hook.put(call, &asked), self.secrets.redactor());
                    let case = case_of(&put, recorder.into_heard(), said(&answered), redactor);
                    recording.keep(hook.title(), &asked, case, &self.told).await;
                    answered
                }
            },
        )
    }

    pub(crate) async fn build(&self, call: &HookCall, source: &Source) -> Result<Artifact, HookTrouble> {
        let hook = self.hook("build")?;
        let asked = Asked::Build(source.clone());
        self.ask(hook, call, asked, async |access| hook.build(call, source, access).await).await
    }

    pub(crate) async fn check_health(
        &self,
        call: &HookCall,
        instance: &Instance,
    ) -> Result<Health, HookTrouble> {
        let hook = self.hook("health-check")?;
        let asked = Asked::Check(instance.clone());
        self.ask(hook, call, asked, async |access| hook.check_health(call, instance, access).await).await
    }

    pub(crate) async fn smoke(&self, test: &Name, call: &HookCall) -> Result<Vec<Case>, HookTrouble> {
        let hook = self.hook(test.as_str())?;
        let asked = Asked::Smoke;
        self.ask(hook, call, asked, async |access| hook.smoke(call, access).await).await
    }

    pub(crate) async fn features(&self, call: &HookCall) -> Result<Vec<String>, HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Features;
        self.ask(hook, call, asked, async |access| hook.features(call, access).await).await
    }

    pub(crate) async fn observe(
        &self,
        call: &HookCall,
        router: &HostName,
    ) -> Result<Observation, HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Observe(router.clone());
        self.ask(hook, call, asked, async |access| hook.observe(call, router, access).await).await
    }

    pub(crate) async fn prepare(
        &self,
        call: &HookCall,
        router: &HostName,
        want: &Routing,
    ) -> Result<String, HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Prepare(router.clone(), want.clone());
        self.ask(hook, call, asked, async |access| hook.prepare(call, router, want, access).await).await
    }

    pub(crate) async fn apply(
        &self,
        call: &HookCall,
        router: &HostName,
        want: &Routing,
    ) -> Result<(), HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Apply(router.clone(), want.clone());
        self.ask(hook, call, asked, async |access| hook.apply(call, router, want, access).await).await
    }

    pub(crate) async fn discard(&self, call: &HookCall, router: &HostName) -> Result<(), HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Discard(router.clone());
        self.ask(hook, call, asked, async |access| hook.discard(call, router, access).await).await
    }

    pub(crate) async fn connections(
        &self,
        call: &HookCall,
        router: &HostName,
        color: Color,
    ) -> Result<Option<u32>, HookTrouble> {
        let hook = self.router()?;
        let asked = Asked::Connections(router.clone(), color);
        self.ask(hook, call, asked, async |access| hook.connections(call, router, color, access).await).await
    }
}

/// A hook's failure in the operator's words: which hook, why, what to do.
fn trouble<T>(hook: &LoadedHook, answered: Answered<T>) -> Result<T, HookTrouble> {
    answered.result.map_err(|failure| {
        let message = format!("hook `{}`: {}", hook.title(), without_hint(&failure.to_string()).0);
        let mut trouble = Trouble::new(failure.code(), message);
        trouble.hint = failure.hint();
        HookTrouble { trouble, temporary: failure.is_temporary() }
    })
}

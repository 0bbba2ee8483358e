//! Who does the check: a hook in each language that there is a template for, and processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use cutover::author::Language;
use cutover::hook::{HookPool, LoadedHook};
use cutover::model::{Health, HookKind, HookSource};
use test_support::toolchain;

use crate::stage::{self, RELEASE, Silence, Stage};

/// A hook, built.
pub(crate) struct Hook {
    pub(crate) language: String,
    /// Its component, or the script.
    pub(crate) wasm: Vec<u8>,
    source: HookSource,
}

/// One of each language whose tools are installed, and a script.
pub(crate) fn hooks(place: &Path) -> Vec<Hook> {
    let place = Utf8PathBuf::from_path_buf(place.to_owned()).expect("a name that is text");
    let mut hooks = Vec::new();
    for language in Language::ALL.map(Language::as_str) {
        let name = format!("check-{language}");
        cutover(&place, &["hook", "new", &name, "--kind", "health-check", "--lang", language], &[]);
        let directory = place.join(&name);
        let Some(variables) = toolchain(language, directory.as_std_path()) else { continue };
        eprintln!("building the hook in {language}");
        cutover(&directory, &["hook", "build"], &variables);
        let file = directory.join(format!("{name}.wasm"));
        let wasm = fs::read(&file).expect("what was built");
        hooks.push(Hook { language: language.to_owned(), wasm, source: HookSource::File(file) });
    }
    // A hook in JavaScript is a script as it stands.
    let script = place.join("check-js/hook.js");
    let wasm = fs::read(&script).expect("the template's");
    hooks.push(Hook { language: "script".to_owned(), wasm, source: HookSource::Script(script) });
    hooks
}

fn cutover(directory: &Utf8PathBuf, words: &[&str], variables: &[(String, String)]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
    command.args(words).current_dir(directory).stdout(Stdio::null());
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    assert!(command.status().expect("the program under test").success(), "{words:?}");
}

impl Hook {
    pub(crate) async fn load(&self, pool: &HookPool) -> LoadedHook {
        let hook = stage::hook(self.source.clone());
        pool.load(&hook, HookKind::HealthCheck, self.wasm.clone(), &Silence).await.expect("the hook")
    }

    /// A question that makes a fresh instance read its settings and nothing else.
    pub(crate) async fn read(&self, hook: &LoadedHook, stage: &Stage) {
        let faults = hook.validate(stage.access()).await.result;
        assert_eq!(faults.as_deref(), Ok(&[][..]), "{}", self.language);
    }

    /// The check.
    pub(crate) async fn check(&self, hook: &LoadedHook, stage: &Stage) {
        let health = hook.check_health(&stage.call, &stage.call.instances[0], stage.access()).await;
        assert_eq!(health.result, Ok(Health::Healthy(Some(RELEASE.to_owned()))), "{}", self.language);
    }
}

/// A program that does the check, started anew for each.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    program: &'static str,
    script: &'static str,
}

/// The first is what all is compared with.
pub(crate) const PROCESSES: [Process; 3] = [
    Process { name: "process: bash", program: "bash", script: "check.sh" },
    Process { name: "process: python3", program: "python3", script: "check.py" },
    Process { name: "process: node", program: "node", script: "check.mjs" },
];

impl Process {
    pub(crate) fn check(&self, stage: &Stage) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bench/languages");
        let mut command = Command::new(self.program);
        command.arg(scripts.join(self.script));
        command.arg(stage.call.instances[0].port.to_string()).arg(RELEASE);
        let ended = command.status().unwrap_or_else(|fault| panic!("`{}`: {fault}", self.program));
        assert!(ended.success(), "{}", self.name);
    }
}

/// Processes that this one has started.
pub(crate) fn children() -> BTreeSet<u32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_task = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    of_task
        .flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// The most memory in bytes that those took who were started since; none where the system does not tell.
pub(crate) fn memory_beyond(before: &BTreeSet<u32>) -> Option<u64> {
    let memory = |id: &u32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(most.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
    };
    children().difference(before).filter_map(memory).max()
}

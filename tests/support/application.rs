//! The application that is deployed: `tests/demo-app`, and how its releases misbehave.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program, built once by the compiler, and kept beside the program that runs.
///
/// # Panics
/// When it can't be built.
pub fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = std::env::current_exe().unwrap().with_file_name("demo-app");
        std::fs::create_dir_all(&directory).unwrap();
        let source = source();
        let (program, draft) =
            (directory.join("shop"), directory.join(format!("shop-{}", std::process::id())));
        let newer = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
        if newer(&program) < newer(&source) {
            let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
            rustc.args(["--edition", "2024", "-O", "-C", "strip=symbols", "-o"]).arg(&draft).arg(&source);
            assert!(rustc.status().unwrap().success(), "{rustc:?}");
            std::fs::rename(draft, &program).unwrap();
        }
        program
    })
}

/// Its source.
#[must_use]
pub(crate) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("demo-app").join("src/main.rs")
}

/// What a release does wrong; the lines are read by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Nothing.
    Sound,
    /// Ends at once.
    ExitsAtOnce,
    /// Is never healthy.
    NeverHealthy,
    /// Lets the first two health checks wait.
    WarmsUp,
    /// The page that the smoke test visits answers 500.
    FailsSmokeTest,
    /// Is no longer healthy after this many visits of its start page.
    SickAfterVisits(u32),
    /// Its migration fails.
    FailsMigration,
    /// Does not end on SIGTERM.
    IgnoresStop,
}

impl Behaviour {
    /// The file `behaviour` of a release.
    #[must_use]
    pub fn file(self, version: &str) -> String {
        let line = match self {
            Self::Sound => String::new(),
            Self::ExitsAtOnce => "exit = 3\n".to_owned(),
            Self::NeverHealthy => "health = never\n".to_owned(),
            Self::WarmsUp => "silent = 2\n".to_owned(),
            Self::FailsSmokeTest => "checkout = 500\n".to_owned(),
            Self::SickAfterVisits(visits) => format!("sick-after = {visits}\n"),
            Self::FailsMigration => "migrate = fail\n".to_owned(),
            Self::IgnoresStop => "stop = ignore\n".to_owned(),
        };
        format!("version = {version}\n{line}")
    }
}

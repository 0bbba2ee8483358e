//! Keeps what hooks are asked, hear and answer, as cases for `cutover hook test`.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::teller::Teller;
use crate::config::write_case;
use crate::hook::{Answered, Heard, masked};
use crate::model::case::{Asked, HookCase, Put, Said};
use crate::model::{EventKind, Trouble};
use crate::secret::Redactor;

/// For one case: a run waits for a slow disk no longer, and once at most.
const WRITING: Duration = Duration::from_secs(5);

/// A directory that gets a case for each call of a run.
#[derive(Debug)]
pub struct Recording {
    directory: Utf8PathBuf,
    kept: AtomicUsize,
    is_over: AtomicBool,
    told: Mutex<BTreeSet<String>>,
}

impl Recording {
    /// Into a directory that is made for it, or is empty.
    ///
    /// # Errors
    /// When there is something in it, or it can't be made.
    pub fn into_directory(directory: &Utf8Path) -> Result<Self, Trouble> {
        let made = make_directory(directory).and_then(|()| directory.read_dir_utf8()?.next().transpose());
        match made {
            Ok(None) => Ok(Self {
                directory: directory.to_owned(),
                kept: AtomicUsize::new(0),
                is_over: AtomicBool::new(false),
                told: Mutex::default(),
            }),
            Ok(Some(entry)) => {
                let text = format!("there is something in `{directory}` already: `{}`", entry.file_name());
                Err(Trouble::new("usage/record", text)
                    .hint("name a directory that is empty, or not there yet"))
            }
            Err(fault) => {
                let text = format!("can't record in the directory `{directory}`: {fault}");
                Err(Trouble::new("usage/record", text))
            }
        }
    }

    /// Keeps a call of the hook with this title. Where that does not work a warning tells it, and nothing else comes of it.
    pub(crate) async fn keep(
        &self,
        title: &str,
        asked: &Asked,
        case: Result<HookCase, String>,
        teller: &Teller,
    ) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let number = self.kept.fetch_add(1, Ordering::Relaxed) + 1;
        let (question, about) = (asked.question(), asked.about());
        let dash = if about.is_empty() { "" } else { "-" };
        let file = self.directory.join(title).join(format!("{number:04}-{question}{dash}{about}.toml"));
        let case = match case {
            Ok(case) => case,
            Err(reason) => {
                let text = format!("`{question}` of hook `{title}` is not recorded: {reason}");
                return self.warn(teller, text);
            }
        };
        let writing = spawn_blocking({
            let file = file.clone();
            move || {
                file.parent().map_or(Ok(()), make_directory).map_err(|fault| fault.to_string())?;
                write_new(&file, &case)
            }
        });
        let written = match timeout(WRITING, writing).await {
            Ok(ended) => ended.unwrap_or_else(|panic| Err(panic.to_string())),
            Err(_) => Err(format!("it takes longer than {} s", WRITING.as_secs())),
        };
        if let Err(reason) = written {
            self.is_over.store(true, Ordering::Relaxed);
            self.warn(
                teller,
                format!("no call of a hook is recorded any more: can't write `{file}`: {reason}"),
            );
        }
    }

    /// Tells it once.
    fn warn(&self, teller: &Teller, text: String) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone()) {
            teller.reporter.tell(EventKind::Warning { text, hint: None });
        }
    }
}

/// Writes a case into a file that is not there yet, for its owner alone.
///
/// # Errors
/// Why that does not work.
pub fn write_new(file: &Utf8Path, case: &HookCase) -> Result<(), String> {
    let text = write_case(case)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut open| open.write_all(text.as_bytes())).map_err(|fault| fault.to_string())
}

fn make_directory(directory: &Utf8Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// What was asked, heard and answered as a case, secrets masked.
///
/// # Errors
/// When a secret is part of a name, so that nothing of it could be replayed.
pub(crate) fn case_of(
    put: &Put<'_>,
    heard: Heard,
    said: Said,
    redactor: &Redactor,
) -> Result<HookCase, String> {
    let calls = heard.calls.into_iter().map(|(call, _)| call).collect();
    let case = HookCase::kept(put, calls, heard.secrets, said);
    masked(redactor, &case).ok_or_else(|| "a secret is part of a name in it".to_owned())
}

/// What was answered, as a case has it.
pub(crate) fn said<T: Clone>(answered: &Answered<T>) -> Said
where
    Said: From<T>,
{
    match &answered.result {
        Ok(value) => Said::from(value.clone()),
        Err(failure) => failure.said(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::{Event, EventSink};
    use crate::run::execute::reporter::{Reporter, SystemClock};

    /// What was warned of.
    #[derive(Default)]
    struct Warnings(Mutex<Vec<String>>);

    impl EventSink for Warnings {
        fn emit(&self, event: &Event) {
            let EventKind::Warning { text, hint: None } = &event.kind else { panic!("{event:?}") };
            self.0.lock().expect("nobody panics with it").push(text.clone());
        }
    }

    fn place(directory: &tempfile::TempDir) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(directory.path().join("cases")).expect("text")
    }

    fn case() -> HookCase {
        toml::from_str("kind = \"smoke-test\"\n[expect]\ncases = []\n").expect("a case")
    }

    #[tokio::test]
    async fn what_can_not_be_recorded_is_a_warning_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(&directory);
        let recording = Recording::into_directory(&place).expect("a directory that is not there");
        let warnings = Arc::<Warnings>::default();
        let sink = Arc::<Warnings>::clone(&warnings);
        let teller = Teller { reporter: Reporter::new(sink, Arc::new(SystemClock)) };
        let kept = |number: usize| place.join(format!("checkout/{number:04}-run.toml")).is_file();

        recording.keep("checkout", &Asked::Smoke, Ok(case()), &teller).await;
        for _ in 0..2 {
            let reason = Err("a secret is part of a name in it".to_owned());
            recording.keep("checkout", &Asked::Smoke, reason, &teller).await;
        }
        recording.keep("checkout", &Asked::Smoke, Ok(case()), &teller).await;
        assert_eq!([1, 2, 3, 4].map(kept), [true, false, false, true]);

        std::fs::remove_dir_all(&place).expect("a directory");
        std::fs::write(&place, "").expect("a file in its place");
        for _ in 0..2 {
            recording.keep("checkout", &Asked::Smoke, Ok(case()), &teller).await;
        }
        let told = warnings.0.lock().expect("nobody panics with it").clone();
        assert_eq!(
            told,
            [
                "`run` of hook `checkout` is not recorded: a secret is part of a name in it".to_owned(),
                format!(
                    "no call of a hook is recorded any more: can't write `{place}/checkout/0005-run.toml`: Not a directory (os error 20)"
                ),
            ]
        );
    }

    #[test]
    fn only_an_empty_directory_is_recorded_into() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = place(&directory);
        let refused = || {
            let trouble = Recording::into_directory(&place).expect_err("no such directory");
            (trouble.code, trouble.message, trouble.hint)
        };
        std::fs::write(&place, "").expect("a file");
        let text = format!("can't record in the directory `{place}`: File exists (os error 17)");
        assert_eq!(refused(), ("usage/record".to_owned(), text, None));
        std::fs::remove_file(&place).expect("a file");
        Recording::into_directory(&place).expect("made");
        Recording::into_directory(&place).expect("empty");
        std::fs::write(place.join("notes"), "").expect("a file");
        let text = format!("there is something in `{place}` already: `notes`");
        let hint = Some("name a directory that is empty, or not there yet".to_owned());
        assert_eq!(refused(), ("usage/record".to_owned(), text, hint));
    }
}

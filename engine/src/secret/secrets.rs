//! Looking secrets up where `[secrets]` says.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::{Redactor, Secret, SecretFault};
use crate::model::{Name, SecretSource};

/// Bytes of the longest secret: a chain of certificates with its key fits.
const LIMIT: usize = 64 * 1024;
/// For a secret's program: some of them ask a person for a touch or a password.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes shown of what a failed program said.
const SHOWN: usize = 300;

/// The secrets of a deployment, each looked up once, when it is first asked for.
#[derive(Debug)]
pub struct Secrets {
    sources: BTreeMap<Name, SecretSource>,
    environment: BTreeMap<String, String>,
    root: Utf8PathBuf,
    timeout: Duration,
    redactor: Redactor,
    found: Mutex<BTreeMap<Name, Secret>>,
}

impl Secrets {
    /// Secrets from these sources. `environment` is the engine's, for variables and for the programs that give secrets;
    /// `root` is where relative paths start. What is found is made known to `redactor` before anyone else gets it.
    #[must_use]
    pub fn new(
        sources: BTreeMap<Name, SecretSource>,
        environment: BTreeMap<String, String>,
        root: Utf8PathBuf,
        redactor: Redactor,
    ) -> Self {
        Self { sources, environment, root, timeout: TIMEOUT, redactor, found: Mutex::default() }
    }

    /// The secret of that name.
    ///
    /// # Errors
    /// When there is none, or its source gives no value. The next call tries again.
    pub async fn get(&self, name: &Name) -> Result<Secret, SecretFault> {
        // Held while looking up, so that a program that asks a person runs once.
        let mut found = self.found.lock().await;
        if let Some(secret) = found.get(name) {
            return Ok(secret.clone());
        }
        let source = self.sources.get(name).ok_or_else(|| SecretFault::Unknown {
            name: name.clone(),
            names: self.sources.keys().cloned().collect(),
        })?;
        let value = match source {
            SecretSource::Env(variable) => self
                .environment
                .get(variable)
                .cloned()
                .ok_or_else(|| SecretFault::NotSet { name: name.clone(), variable: variable.clone() })?,
            SecretSource::File(path) => text(name, read_file(name, &self.root.join(path)).await?)?,
            SecretSource::Command(command) => text(name, self.run(name, command).await?)?,
        };
        if value.contains('\0') {
            return Err(SecretFault::NotText { name: name.clone() });
        }
        if value.len() > LIMIT {
            return Err(SecretFault::TooLong { name: name.clone(), limit: LIMIT });
        }
        let secret = Secret::new(value).ok_or_else(|| SecretFault::TooShort { name: name.clone() })?;
        self.redactor.add(&secret);
        found.insert(name.clone(), secret.clone());
        Ok(secret)
    }

    /// The secret of that name, unless a program would have to be run for it: those that a hook may need were looked up before it is
    /// asked anything, by whoever may run programs.
    ///
    /// # Errors
    /// As [`Self::get`], and when a program gives it that was not run.
    pub async fn at_hand(&self, name: &Name) -> Result<Secret, SecretFault> {
        match self.sources.get(name) {
            Some(SecretSource::Command(command)) => {
                self.found.lock().await.get(name).cloned().ok_or_else(|| SecretFault::NotAsked {
                    name: name.clone(),
                    program: command.first().cloned().unwrap_or_default(),
                })
            }
            _ => self.get(name).await,
        }
    }

    /// The secrets of these names.
    ///
    /// # Errors
    /// The first one's.
    pub async fn get_all<'a>(
        &self,
        names: impl IntoIterator<Item = &'a Name>,
    ) -> Result<BTreeMap<Name, Secret>, SecretFault> {
        let mut secrets = BTreeMap::new();
        for name in names {
            secrets.insert(name.clone(), self.get(name).await?);
        }
        Ok(secrets)
    }

    /// Why these secrets can't be had, of those that can't. One that a program gives is asked for only if programs may be run.
    pub async fn faults<'a>(
        &self,
        names: impl IntoIterator<Item = &'a Name>,
        may_run: bool,
    ) -> Vec<SecretFault> {
        let mut faults = Vec::new();
        for name in names {
            if may_run || !matches!(self.sources.get(name), Some(SecretSource::Command(_))) {
                faults.extend(self.get(name).await.err());
            }
        }
        faults
    }

    /// Makes known to the redactor what no program has to be run for. Who only looks on masks what he can; what can't be looked up is
    /// not told of: nobody asked for it.
    pub async fn learn(&self) {
        for (name, source) in &self.sources {
            if !matches!(source, SecretSource::Command(_)) {
                let _ = self.get(name).await;
            }
        }
    }

    /// Masks what was looked up.
    #[must_use]
    pub const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    async fn run(&self, name: &Name, command: &[String]) -> Result<Vec<u8>, SecretFault> {
        let (program, args) =
            command.split_first().map_or(("", command), |(first, rest)| (first.as_str(), rest));
        let fault =
            |reason: String| SecretFault::Command { name: name.clone(), program: program.to_owned(), reason };
        // Which directory a relative program is looked for in is left open by the standard library.
        let path = if program.contains('/') { self.root.join(program) } else { Utf8PathBuf::from(program) };
        let mut child = Command::new(path)
            .args(args)
            .current_dir(&self.root)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| fault(format!("can't be started: {error}")))?;
        let (out, errors) = (child.stdout.take(), child.stderr.take());
        let work =
            async { tokio::try_join!(read_some(out, LIMIT + 2), read_some(errors, SHOWN), child.wait()) };
        let (out, errors, status) = tokio::time::timeout(self.timeout, work)
            .await
            .map_err(|_| fault(format!("gave no value within {} s", self.timeout.as_secs_f32())))?
            .map_err(|error| fault(format!("can't be read: {error}")))?;
        if status.success() {
            return Ok(out);
        }
        let said = String::from_utf8_lossy(&errors);
        let said: String = said.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Err(fault(format!("failed ({status}){said}")))
    }
}

/// The first `limit` bytes of a stream; what follows is read and dropped, so that its writer comes to an end.
async fn read_some(stream: Option<impl AsyncRead + Unpin>, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if let Some(mut stream) = stream {
        (&mut stream).take(limit as u64).read_to_end(&mut content).await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    }
    Ok(content)
}

async fn read_file(name: &Name, path: &Utf8Path) -> Result<Vec<u8>, SecretFault> {
    let fault = |reason: String| SecretFault::File { name: name.clone(), path: path.to_owned(), reason };
    // Asked before it is opened: opening a named pipe would wait for a writer.
    let kind = tokio::fs::metadata(path).await.map_err(|error| fault(error.to_string()))?;
    if !kind.is_file() {
        return Err(fault("it is no regular file".to_owned()));
    }
    let file = tokio::fs::File::open(path).await.map_err(|error| fault(error.to_string()))?;
    let opened = file.metadata().await.map_err(|error| fault(error.to_string()))?;
    let mode = opened.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretFault::Exposed { name: name.clone(), path: path.to_owned(), mode });
    }
    let mut content = Vec::new();
    file.take(LIMIT as u64 + 2).read_to_end(&mut content).await.map_err(|error| fault(error.to_string()))?;
    Ok(content)
}

/// As text, without the last newline.
fn text(name: &Name, content: Vec<u8>) -> Result<String, SecretFault> {
    let mut text = String::from_utf8(content).map_err(|_| SecretFault::NotText { name: name.clone() })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn secrets(root: &Utf8Path, sources: impl IntoIterator<Item = (&'static str, SecretSource)>) -> Secrets {
        let sources = sources.into_iter().map(|(text, source)| (name(text), source)).collect();
        let environment = [("TOKEN", "from-env"), ("PATH", "/usr/bin:/bin")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into();
        Secrets::new(sources, environment, root.to_owned(), Redactor::default())
    }

    fn shell(script: &str) -> SecretSource {
        SecretSource::Command(["sh", "-c", script].map(str::to_owned).to_vec())
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).expect("UTF-8");
        (directory, path)
    }

    #[tokio::test]
    async fn each_source_gives_its_value_once_and_it_is_masked() {
        let (_scratch, root) = scratch();
        let file = root.join("key");
        std::fs::write(&file, "from-file\n").expect("writes");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("sets");
        let secrets = secrets(
            &root,
            [
                ("a", SecretSource::Env("TOKEN".to_owned())),
                ("b", SecretSource::File("key".into())),
                ("c", shell("echo ran >> runs; echo \"$TOKEN-command\"")),
            ],
        );
        let all = [name("a"), name("b"), name("c"), name("c")];
        assert_eq!(secrets.faults(&all, true).await, []);
        let values = secrets.get_all(&all).await.expect("all there");
        let values: Vec<&str> = values.values().map(Secret::expose).collect();
        assert_eq!(values, ["from-env", "from-file", "from-env-command"]);
        assert_eq!(std::fs::read_to_string(root.join("runs")).expect("ran"), "ran\n");
        assert_eq!(secrets.redactor.mask("x from-file y from-env z"), "x *** y *** z");
        assert!(!format!("{:?}", secrets.get(&name("a")).await).contains("from-env"));
    }

    #[tokio::test]
    async fn whoever_looks_on_masks_what_no_program_gives() {
        let (_scratch, root) = scratch();
        let secrets = secrets(
            &root,
            [
                ("a", SecretSource::Env("TOKEN".to_owned())),
                ("b", SecretSource::File("absent".into())),
                ("c", shell("echo ran >> runs; echo from-command")),
            ],
        );
        secrets.learn().await;
        assert_eq!(secrets.redactor().mask("from-env, from-command"), "***, from-command");
        assert!(!root.join("runs").exists());
    }

    #[tokio::test]
    async fn what_gives_no_value_says_why() {
        let (_scratch, root) = scratch();
        std::fs::write(root.join("open"), "value").expect("writes");
        std::fs::set_permissions(root.join("open"), std::fs::Permissions::from_mode(0o640)).expect("sets");
        let mut secrets = secrets(
            &root,
            [
                ("env", SecretSource::Env("NOWHERE".to_owned())),
                ("open", SecretSource::File("open".into())),
                ("dir", SecretSource::File(".".into())),
                ("fails", shell("echo out; echo no such entry >&2; exit 3")),
                ("hangs", shell("exec sleep 100")),
                ("short", shell("printf abc")),
                ("bytes", shell("printf '\\377\\376\\375\\374'")),
                ("long", shell("head -c 70000 /dev/zero | tr '\\0' x")),
                ("absent", SecretSource::Command(vec!["./none".to_owned()])),
            ],
        );
        secrets.timeout = Duration::from_millis(300);
        let mut said = Vec::new();
        for source in ["env", "open", "dir", "fails", "hangs", "short", "bytes", "long", "absent", "none"] {
            let fault = secrets.get(&name(source)).await.expect_err(source);
            said.push(format!("{}: {fault}", fault.code()).replace(root.as_str(), "ROOT"));
        }
        assert_eq!(
            said,
            [
                "secret/not-set: secret `env`: the variable `NOWHERE` is not set",
                "secret/exposed: secret `open`: `ROOT/open` has mode 0640, so others than its owner have access",
                "secret/file: secret `dir`: can't read `ROOT/.`: it is no regular file",
                "secret/command: secret `fails`: `sh` failed (exit status: 3): no such entry",
                "secret/command: secret `hangs`: `sh` gave no value within 0.3 s",
                "secret/too-short: secret `short` is shorter than 4 bytes, too short to be kept out of the output",
                "secret/not-text: secret `bytes` is not text",
                "secret/too-long: secret `long` is longer than 65536 bytes",
                "secret/command: secret `absent`: `./none` can't be started: No such file or directory (os error 2)",
                "secret/unknown: there is no secret `none`; known: `absent`, `bytes`, `dir`, `env`, `fails`, `hangs`, \
                 `long`, `open`, `short`",
            ]
        );
    }
}

//! The environment of the processes of one release in one colour on one host, as a file.
//!
//! It is written 0600 to `env/` of the application's directory when the release is deployed, and stays as long
//! as the release is started by it: a rollback starts a release with the environment that it had, and the process, its migration and
//! `exec` all read the same file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Secret;
use crate::model::{Color, Deployment, EnvValue, Name, Placeholders, ReleaseId};

/// Bytes of the whole file: what a host reads at most.
const LIMIT: usize = 1 << 20;

/// Why an environment can't be written. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentFault {
    /// The engine sets it, so that every process can say what it is.
    #[error("`{name}` is set by cutover itself")]
    Reserved {
        /// The variable.
        name: String,
    },
    /// Not a variable's name.
    #[error("`{name}` is not a variable's name: use letters, digits and `_`, not beginning with a digit")]
    BadName {
        /// As it was written.
        name: String,
    },
    /// A value with a NUL.
    #[error("the value of `{name}` has a NUL, which no variable can hold")]
    Nul {
        /// The variable.
        name: String,
    },
    /// It names a secret that was not given.
    #[error("`{name}` wants the secret `{secret}`, which is not there")]
    NoSecret {
        /// The variable.
        name: String,
        /// The secret.
        secret: Name,
    },
    /// All variables together are too long.
    #[error("the environment is longer than {LIMIT} bytes")]
    TooLong,
}

/// The environment file, a secret as a whole: the application's variables, over them the colour's, then `CUTOVER_RELEASE`,
/// `CUTOVER_COLOR` and `PORT`, which nothing else may set. Placeholders are filled in texts, not in secrets.
///
/// The format is systemd's `EnvironmentFile` (`systemd.exec(5)`), every value in double quotes with `"`, `\`, `$` and `` ` ``
/// escaped. Line breaks stand as they are: within quotes systemd and the host side both keep them.
///
/// # Errors
/// For the first variable, in the order of their names, that can't be written.
pub fn environment(
    deployment: &Deployment,
    color: Color,
    release: &ReleaseId,
    placeholders: &Placeholders,
    secrets: &BTreeMap<Name, Secret>,
) -> Result<Vec<u8>, EnvironmentFault> {
    let application = &deployment.application;
    let own = application.color(color);
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in application.env.iter().chain(&own.env) {
        let value = match value {
            EnvValue::Text(text) => placeholders.fill(text),
            EnvValue::Secret(secret) => {
                let found = secrets.get(secret).ok_or_else(|| EnvironmentFault::NoSecret {
                    name: name.clone(),
                    secret: secret.clone(),
                })?;
                found.expose().to_owned()
            }
        };
        variables.insert(name, value);
    }
    let port = own.port.to_string();
    let ours = [("CUTOVER_RELEASE", release.as_str()), ("CUTOVER_COLOR", color.as_str()), ("PORT", &port)];
    let mut file = format!("# release {release}, {color}; written by cutover\n");
    for (name, value) in &variables {
        let name = (*name).to_owned();
        if ours.iter().any(|(reserved, _)| *reserved == name) {
            return Err(EnvironmentFault::Reserved { name });
        }
        if !is_name(&name) {
            return Err(EnvironmentFault::BadName { name: name.escape_debug().to_string() });
        }
        if value.contains('\0') {
            return Err(EnvironmentFault::Nul { name });
        }
        push(&mut file, &name, value);
    }
    for (name, value) in ours {
        push(&mut file, name, value);
    }
    if file.len() > LIMIT { Err(EnvironmentFault::TooLong) } else { Ok(file.into_bytes()) }
}

fn push(file: &mut String, name: &str, value: &str) {
    let mut quoted = String::with_capacity(value.len() + 2);
    for letter in value.chars() {
        if matches!(letter, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    // Writing to a String can't fail.
    let _ = writeln!(file, "{name}=\"{quoted}\"");
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::grant::Grants;
    use crate::model::{
        Application, Build, ColorSettings, ConnectionPolicy, Driver, HealthCheck, Hook, HookSource, Host,
        Limits, Location, MaxExcluded, Pipeline, Reach, Retire, Router, Strategy,
    };

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn hook() -> Hook {
        Hook {
            title: "x".to_owned(),
            source: HookSource::Builtin("x".to_owned()),
            settings: serde_json::Value::Null,
            timeout: Duration::ZERO,
            grants: Grants::default(),
            bundled_grants: true,
            limits: Limits::default(),
            location: Location::default(),
            sha256: None,
            locked: None,
        }
    }

    fn deployment(env: &[(&str, EnvValue)], green: &[(&str, EnvValue)]) -> Deployment {
        let map = |env: &[(&str, EnvValue)]| {
            env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let host = Host { name: name("web1"), reach: Reach::Local, address: "10.0.0.1".to_owned() };
        Deployment {
            app: name("shop"),
            environment: None,
            confirm: false,
            root: "/".into(),
            state: None,
            hosts: [(name("web1"), host)].into(),
            build: Build { hook: hook(), repository: None, branch: "main".to_owned(), builder: name("web1") },
            application: Application {
                hosts: vec![name("web1")],
                directory: "/srv/shop".to_owned(),
                linked_dirs: Vec::new(),
                linked_files: Vec::new(),
                keep_releases: 5,
                driver: Driver::Detached,
                start: Vec::new(),
                migrate: None,
                user: None,
                stop_timeout: Duration::ZERO,
                listen: "{address}".to_owned(),
                env: map(env),
                env_files: Vec::new(),
                blue: ColorSettings { port: 4001, ..ColorSettings::default() },
                green: ColorSettings { port: 4002, env: map(green), ..ColorSettings::default() },
                release_marker: None,
            },
            health_check: HealthCheck {
                hook: hook(),
                interval: Duration::ZERO,
                healthy_after: 1,
                deadline: Duration::ZERO,
            },
            smoke_tests: Vec::new(),
            router: Router { hook: hook(), names: Vec::new(), front_doors: Vec::new() },
            pipeline: Pipeline {
                timeout: Duration::ZERO,
                strategy: Strategy::default(),
                watch: Duration::ZERO,
                drain_timeout: Duration::ZERO,
                connections: ConnectionPolicy::Wait,
                retire: Retire::KeepWarm,
                parallel: 1,
                max_excluded: MaxExcluded::NONE,
                max_age: None,
            },
            secrets: BTreeMap::new(),
        }
    }

    fn text(value: &str) -> EnvValue {
        EnvValue::Text(value.to_owned())
    }

    fn file(env: &[(&str, EnvValue)], green: &[(&str, EnvValue)]) -> Result<String, EnvironmentFault> {
        let deployment = deployment(env, green);
        let release = ReleaseId::parse("20260102T030405Z-9f3c2a1b-x7k2").expect("an identifier");
        let placeholders =
            Placeholders::new(&deployment, &name("web1"), Color::Green, release.as_str(), "/srv/shop");
        let secret = Secret::new("pa$$ {port}".to_owned()).expect("long enough");
        let secrets = [(name("db"), secret)].into();
        let file = environment(&deployment, Color::Green, &release, &placeholders, &secrets)?;
        Ok(String::from_utf8(file).expect("text"))
    }

    #[test]
    fn the_colour_goes_over_the_application_and_we_say_what_it_is() {
        let env = [
            ("DATABASE", EnvValue::Secret(name("db"))),
            ("NODE", text("any")),
            ("URL", text("http://{listen}:{port}/{color}")),
        ];
        assert_eq!(
            file(&env, &[("NODE", text("green"))]).as_deref(),
            Ok("# release 20260102T030405Z-9f3c2a1b-x7k2, green; written by cutover\n\
                DATABASE=\"pa\\$\\$ {port}\"\n\
                NODE=\"green\"\n\
                URL=\"http://10.0.0.1:4002/green\"\n\
                CUTOVER_RELEASE=\"20260102T030405Z-9f3c2a1b-x7k2\"\n\
                CUTOVER_COLOR=\"green\"\n\
                PORT=\"4002\"\n")
        );
    }

    /// A shell reads double quotes by the same rules.
    #[test]
    fn values_survive_whatever_is_in_them() {
        let values = [
            ("A", "plain"),
            ("B", ""),
            ("C", " blanks  at both ends "),
            ("D", "$HOME `id` $(id) \\ \\\\ \\n \" ' # ; !"),
            ("E", "-----BEGIN-----\nline\n\n-----END-----\n"),
            ("F", "\\\nnot a continued line\\"),
            ("G", "grün\ttab\r"),
        ];
        let env: Vec<_> = values.iter().map(|(name, value)| (*name, text(value))).collect();
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("env");
        std::fs::write(&path, file(&env, &[]).expect("can be written")).expect("writes");
        for (name, value) in values {
            let script = format!(". \"$1\"; printf '%s' \"${name}\"");
            let out = std::process::Command::new("sh").args(["-c", &script, "sh"]).arg(&path).output();
            assert_eq!(String::from_utf8_lossy(&out.expect("runs").stdout), value, "{name}");
        }
    }

    #[test]
    fn what_can_not_be_written_is_named() {
        let said = |name: &str, value| file(&[(name, value)], &[]).expect_err("refused").to_string();
        assert_eq!(said("PORT", text("1")), "`PORT` is set by cutover itself");
        assert_eq!(
            said("A B", text("1")),
            "`A B` is not a variable's name: use letters, digits and `_`, not beginning with a digit"
        );
        assert_eq!(said("A", text("x\0")), "the value of `A` has a NUL, which no variable can hold");
        assert_eq!(said("A", EnvValue::Secret(name("no"))), "`A` wants the secret `no`, which is not there");
        assert_eq!(said("A", text(&"x".repeat(LIMIT))), "the environment is longer than 1048576 bytes");
    }
}

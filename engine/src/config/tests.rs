//! Whole files against whole outputs: `tests/config/NAME.toml` with `NAME.err` (its faults) or `NAME.settings` (what it means).
//!
//! `CUTOVER_UPDATE=1` writes what is there now. A first line `# -e NAME` chooses the environment.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Input, Loaded, Surroundings, load, load_to_look, render};
use crate::model::SettingFault;
use crate::model::grant::fixture::AUTHORITY;
use crate::model::grant::{Authorities, ExecGrant, Grants, HostGroup, HttpGrant, HttpTarget};
use crate::model::{
    ConnectionPolicy, Driver, EachRouter, EnvValue, FrontDoor, HookSource, Host, Name, Reach, ReleaseMarker,
    SecretSource, SystemdScope,
};

/// The bundled hooks, and one component in the directory.
pub(super) struct Shelf;

impl Surroundings for Shelf {
    fn is_file(&self, path: &Utf8Path) -> bool {
        path == "/project/shop/hooks/vendor-smoke.wasm"
    }

    fn builtins(&self) -> &[&str] {
        &[
            "apache",
            "caddy",
            "command-build",
            "haproxy",
            "http-health",
            "http-smoke",
            "nginx",
            "proxy",
            "traefik",
        ]
    }

    fn bundled_grants(
        &self,
        name: &str,
        title: &str,
        settings: &serde_json::Value,
    ) -> Result<String, SettingFault> {
        match name {
            "command-build" => {
                let fault = || SettingFault { key: "run".to_owned(), reason: "is missing".to_owned() };
                let program = &settings.get("run").ok_or_else(fault)?[0][0];
                let more = "args = ['**'], directory = '{checkout}'";
                Ok(format!("exec = [{{ hosts = 'builder', program = {program}, {more} }}]"))
            }
            "nginx" => {
                Ok(format!("write = [{{ hosts = 'routers', path = '/var/lib/cutover-nginx/{title}/blue' }}]"))
            }
            "haproxy" => {
                let socket = settings["socket"].as_str().unwrap_or("unix:/run/haproxy/admin.sock");
                Ok(format!("connect = [{{ hosts = 'routers', to = '{socket}', send = ['show info'] }}]"))
            }
            _ => Ok("http = [{ to = 'instances' }]".to_owned()),
        }
    }

    fn settings_schema(&self, _name: &str) -> Option<serde_json::Value> {
        None
    }
}

pub(super) fn load_text(text: &str, environment: Option<&str>) -> Result<Loaded, super::Faults> {
    let root = Utf8Path::new("/project/shop");
    load(Input { file: "cutover.toml", text, root, environment }, &Shelf)
}

/// All files, by name.
pub(super) fn texts() -> Vec<(String, String)> {
    files().iter().map(|file| (file.to_string(), fs::read_to_string(file).unwrap())).collect()
}

fn files() -> Vec<Utf8PathBuf> {
    let directory = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config");
    let files = directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let mut files: Vec<_> = files.filter(|file| file.extension() == Some("toml")).collect();
    files.sort();
    files
}

#[test]
fn every_file_means_or_says_what_is_written_beside_it() {
    let update = std::env::var_os("CUTOVER_UPDATE").is_some();
    let mut wrong = String::new();
    let mut bad = 0;
    for file in &files() {
        let text = fs::read_to_string(file).unwrap();
        let environment = text.lines().next().and_then(|line| line.strip_prefix("# -e "));
        let (extension, other, got) = match load_text(&text, environment) {
            Ok(loaded) => {
                let mut got = render(&loaded.settings);
                for warning in &loaded.warnings {
                    write!(got, "\n{warning}\n").unwrap();
                }
                ("settings", "err", got)
            }
            Err(faults) => {
                bad += 1;
                ("err", "settings", format!("{faults}\n"))
            }
        };
        let golden = file.with_extension(extension);
        if update {
            fs::write(&golden, &got).unwrap();
            let _ = fs::remove_file(file.with_extension(other));
        }
        let want = fs::read_to_string(&golden).unwrap_or_default();
        if want != got || file.with_extension(other).exists() {
            let diff = similar::TextDiff::from_lines(&want, &got);
            write!(wrong, "\n{}\n{}", golden.file_name().unwrap(), diff.unified_diff()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(bad >= 40, "only {bad} files with faults were found");
}

fn golden(name: &str) -> String {
    let file = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config").join(name);
    fs::read_to_string(file).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn the_example_becomes_what_it_says() {
    let loaded = load_text(&golden("example-production.toml"), Some("production")).unwrap();
    let deployment = &loaded.deployment;
    assert_eq!(deployment.title(), "shop/production");
    assert!(deployment.confirm);
    assert_eq!(deployment.home(), &name("lb1"));
    let web2 = Reach::Ssh {
        destination: "deploy@web2.example.com:2222".to_owned(),
        identity_file: None,
        helper_directory: "~/.cache/cutover".to_owned(),
    };
    let hosts: Vec<_> = deployment.hosts.keys().map(Name::as_str).collect();
    assert_eq!(hosts, ["lb1", "local", "web1", "web2"]);
    assert_eq!(
        deployment.hosts["web2"],
        Host { name: name("web2"), reach: web2, address: "10.0.0.12".to_owned() }
    );
    assert_eq!(deployment.hosts["lb1"].address, "lb1.example.com");
    assert_eq!(deployment.build.builder, name("local"));
    assert_eq!(deployment.build.hook.timeout, Duration::from_secs(900));
    let application = &deployment.application;
    assert_eq!(application.driver, Driver::Systemd { scope: SystemdScope::System, unit: Vec::new() });
    assert_eq!(application.env["DATABASE_URL"], EnvValue::Secret(name("db")));
    assert_eq!(application.env_files, ["shared/.env"]);
    assert_eq!((application.blue.port, application.green.port), (4001, 4002));
    assert_eq!(application.release_marker, Some(ReleaseMarker::Header("x-release".to_owned())));
    let smoke = &deployment.smoke_tests[0].hook;
    assert_eq!(smoke.source, HookSource::File("/project/shop/hooks/vendor-smoke.wasm".into()));
    let http = HttpGrant { to: HttpTarget::Instances, private: false, via: None, authorities: None };
    assert_eq!(smoke.grants, Grants { http: Some(vec![http]), ..Grants::default() });
    assert_eq!((smoke.bundled_grants, smoke.location.line), (false, 51));
    assert_eq!(deployment.router.hook.settings, serde_json::json!({ "style": "file-test" }));
    let inside = FrontDoor {
        url: "http://127.0.0.1/deployment_id".to_owned(),
        via: Some(name("lb1")),
        body: Some("{color}".to_owned()),
        each_router: EachRouter::WhereItAnswers,
    };
    assert_eq!(deployment.router.front_doors[1], inside);
    assert_eq!(deployment.pipeline.connections, ConnectionPolicy::Wait);
    assert_eq!(deployment.secrets[&name("db")], SecretSource::Env("SHOP_DATABASE_URL".to_owned()));
}

#[test]
fn bundled_hooks_get_the_grants_that_are_listed_for_their_settings() {
    let loaded = load_text(&golden("short-vps.toml"), None).unwrap();
    let build = &loaded.deployment.build.hook;
    assert!(build.bundled_grants);
    let exec = ExecGrant {
        hosts: HostGroup::Builder,
        program: "mix".to_owned(),
        args: vec!["**".to_owned()],
        env: Vec::new(),
        directory: vec!["{checkout}".to_owned()],
        input: false,
        as_root: false,
        read_only: false,
        interpreter: false,
    };
    assert_eq!(build.grants, Grants { exec: Some(vec![exec]), ..Grants::default() });
}

#[test]
fn faults_that_a_hook_finds_are_placed_in_the_file() {
    let loaded = load_text(&golden("environment-merges.toml"), Some("staging")).unwrap();
    let hook = &loaded.deployment.smoke_tests[0].hook;
    let mut places = Vec::new();
    for key in ["cases[0].path", "cases[0].status", "cases[7]", "other", ""] {
        let fault = loaded.setting_fault(hook, &setting_fault(key, "must be something else"));
        places.push((fault.location.line, fault.location.column));
    }
    assert_eq!(places, [(17, 32), (17, 23), (17, 22), (17, 12), (17, 12)]);
    let pay =
        loaded.setting_fault(&loaded.deployment.smoke_tests[1].hook, &setting_fault("cases", "is missing"));
    let faults = loaded.faults(vec![pay]).unwrap();
    assert_eq!(
        faults.to_string(),
        "error[config/setting]: pay: setting `cases`: is missing\n  --> cutover.toml:29:1\n   |\n\
         29 | [[environments.staging.smoke-test]]\n   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n\n\
         1 fault in cutover.toml; nothing was run"
    );
}

#[test]
fn no_text_is_too_odd_to_be_answered() {
    let example = golden("example-production.toml");
    let lines: Vec<&str> = example.lines().collect();
    let mut texts: Vec<String> =
        example.char_indices().step_by(7).map(|(end, _)| example[..end].to_owned()).collect();
    for at in 0..lines.len() {
        let with = |line: &str| [&lines[..at], &[line], &lines[at + 1..]].concat().join("\n");
        texts.push(with(""));
        if let Some((key, _)) = lines[at].split_once(" = ") {
            for value in ["3", "\"x\"", "[]", "{}", "[[{ a = 1 }]]", "true", "\"\\u0000{a}*-\"", "1979-05-27"]
            {
                texts.push(with(&format!("{key} = {value}")));
            }
        }
    }
    assert!(texts.len() > 500, "{}", texts.len());
    for text in texts {
        for environment in [None, Some("production"), Some("staging"), Some("-x")] {
            match load_text(&text, environment) {
                Ok(loaded) => {
                    let deployment = &loaded.deployment;
                    let known = |host: &Name| deployment.hosts.contains_key(host);
                    assert!(known(deployment.home()) && deployment.application.hosts.iter().all(known));
                    assert!(!deployment.router.names.is_empty());
                }
                Err(faults) => assert!(faults.to_string().ends_with("; nothing was run"), "{faults}"),
            }
        }
    }
}

fn setting_fault(key: &str, reason: &str) -> SettingFault {
    SettingFault { key: key.to_owned(), reason: reason.to_owned() }
}

/// A file with environments, and a fault in one line of it.
fn with_fault(line: &str) -> String {
    let text = r#"
name = "shop"
[hosts]
web1 = { ssh = "deploy@web1" }
web2 = { ssh = "deploy@web2" }
[build]
settings = { run = [["make"]], artifact = "dist" }
@build
[app]
hosts = ["web1"]
start = ["bin/shop"]
directory = "/srv/shop"
env = { KEY = { secret = "key" } }
blue = { port = 4001 }
green = { port = 4002 }
@app
[health-check]
@health
[[smoke-test]]
name = "cart"
hook = "builtin:http-smoke"
@smoke
[router]
front-door = ["https://shop.example.com/up"]
@router
[pipeline]
watch = "3s"
@pipeline
[secrets]
key = { env = "KEY" }
@secrets
[environments.production]
confirm = true
@production
[environments.staging]
default = true
@staging
app.hosts = ["web2"]
app.directory = "/srv/staging"
app.blue.port = 4003
app.green.port = 4004
"#;
    let place = line.split_once(' ').map_or("", |(place, _)| place);
    let put = |found: &str| match found == place {
        true => line.split_once(' ').map_or(String::new(), |(_, text)| text.to_owned()),
        false if found.starts_with('@') => String::new(),
        false => found.to_owned(),
    };
    text.lines().map(|found| put(found) + "\n").collect()
}

#[test]
fn a_look_goes_on_without_what_it_does_not_need() {
    let look = |text: &str, environment, needed: &[&str]| {
        let root = Utf8Path::new("/project/shop");
        let input = Input { file: "cutover.toml", text, root, environment };
        load_to_look(input, &Shelf, needed).map(|loaded| {
            let text = loaded.set_aside.as_ref().map(ToString::to_string).unwrap_or_default();
            let directory = loaded.deployment.application.directory.clone();
            (directory, text.lines().last().unwrap_or_default().to_owned())
        })
    };
    let production =
        |line: &str| look(&with_fault(line), Some("production"), &[]).map_err(|faults| faults.to_string());
    let without = |parts: &str| {
        Ok(("/srv/shop".to_owned(), format!("1 fault in cutover.toml; this goes on without `{parts}`")))
    };
    assert_eq!(production(""), Ok(("/srv/shop".to_owned(), String::new())));
    let spared = [
        ("@build brunch = \"main\"", "build"),
        ("@build builder = \"web9\"", "build"),
        ("@health interval = \"1x\"", "health-check"),
        ("@smoke timeout = 5", "smoke-test"),
        ("@smoke hook2 = 1", "smoke-test"),
        ("@pipeline retire = \"now\"", "pipeline"),
        ("@secrets other = { env = 5 }", "secrets`, `app.env"),
        ("@app migrate = [\"bin/shop migrate\"]", "app.migrate"),
        ("@staging app.user = 5", "environments.staging"),
        ("@production pipeline.watch = 5", "environments.production.pipeline"),
    ];
    for (line, parts) in spared {
        assert_eq!(production(line), without(parts), "{line}");
    }
    // Where things are must be right.
    for line in [
        "@app directory2 = \"/srv\"",
        "@app listen = 5",
        "@router hosts = [\"web9\"]",
        "@production app.hosts = [\"web9\"]",
        "@production colour = true",
        "@secrets = broken",
    ] {
        let told = production(line).expect_err(line);
        assert!(told.ends_with("1 fault in cutover.toml; nothing was run"), "{told}");
    }
    let health = with_fault("@health interval = \"1x\"");
    assert!(look(&health, Some("production"), &["health-check"]).is_err(), "it is needed");
    let staging = look(&with_fault("@production app.user = 5"), None, &[]).expect("the default environment");
    assert_eq!(staging.0, "/srv/staging");
    assert!(staging.1.ends_with("without `environments.production`"), "{}", staging.1);
}

#[test]
fn an_authority_is_for_tls_alone() {
    const TEXT: &str = r#"
name = "shop"
[app]
start = ["bin/shop", "--port", "{port}"]
blue  = { port = 4001 }
green = { port = 4002 }
[router]
front-door = ["http://127.0.0.1:8080/up"]
[[health-check.grants.http]]
to = "ORIGIN"
ca = """
PEM"""
"#;
    let text = |origin: &str| TEXT.replace("ORIGIN", origin).replace("PEM", AUTHORITY);
    let loaded = load_text(&text("https://x"), None).unwrap();
    let http = loaded.deployment.health_check.hook.grants.http.unwrap();
    assert_eq!(http[0].authorities, Some(Authorities::parse(AUTHORITY).unwrap()));
    let faults = load_text(&text("http://x"), None).unwrap_err().to_string();
    assert!(
        faults.contains("`ca` is for `https://` alone") && faults.contains("hint: leave it out"),
        "{faults}"
    );
}

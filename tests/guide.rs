//! What the guide for authors of hooks says works: each of its commands is run, and its code is that of the templates.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use test_support::{Balancer, Behaviour, Block, Manual, Step, Test, toolchain};

use crate::local;

/// The guide's balancer.
const BALANCER: &str = "http://127.0.0.1:9000";

/// Installed by other means, since tests fetch nothing.
const INSTALLING: [&str; 3] =
    ["npm install", "go mod tidy", "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"];

/// The part that is written anew for each language.
const LANGUAGES: &str = "## In each language";

fn guide() -> Manual {
    Manual::read("hooks-sdk/docs/authors.md")
}

/// Someone who types what the guide says, in a project whose router is such a balancer.
struct Author {
    test: Test,
    balancer: Balancer,
    /// Below the project.
    directory: &'static str,
    /// What the compilers need.
    variables: Vec<(String, String)>,
}

impl Author {
    fn new() -> Option<Self> {
        let test = local()?;
        let (blue, green) = test.ports();
        let balancer = Balancer::start(format!("127.0.0.1:{blue}"), format!("127.0.0.1:{green}"));
        // As a project has it that is begun.
        let _ = test.cutover(&["config"]).expect(0);
        Some(Self { test, balancer, directory: "", variables: Vec::new() })
    }

    /// Follows it to its end. False, with a word why, where a language can't be had.
    fn follow(&mut self, page: &Manual) -> bool {
        page.blocks().iter().all(|block| match block.language.as_str() {
            "toml" => self.write(block),
            "console" => block.steps().iter().all(|step| self.take(step)),
            _ => true,
        })
    }

    /// Writes the file that the first line names.
    fn write(&mut self, block: &Block) -> bool {
        let (name, text) = block.text.split_once('\n').unwrap();
        let name = name.strip_prefix("# ").unwrap();
        if name == "cutover.toml" {
            let table = text.strip_prefix("[router]\n").unwrap().replace(BALANCER, &self.balancer.origin());
            self.test.route_by("HOOK", "{}", self.balancer.door());
            self.test.configure("hook = \"HOOK\"\nsettings = {}\n", &table);
        } else {
            let file = self.test.directory().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        true
    }

    fn take(&mut self, step: &Step) -> bool {
        let words: Vec<&str> = step.command.split(' ').collect();
        let said = match words.as_slice() {
            _ if INSTALLING.contains(&step.command.as_str()) => return true,
            ["cd", directory] => {
                self.directory = if *directory == "lb" { "lb" } else { panic!("{directory}") };
                return true;
            }
            ["cutover", "deploy", ..] => {
                self.test.repository.push("v1", Behaviour::Sound);
                self.on_desk(&words[1..])
            }
            ["cutover", "hook", "conformance", ..] => {
                // Both colours run.
                let _ = self.test.deploy("v2", Behaviour::Sound).expect(0);
                self.on_desk(&words[1..])
            }
            ["cutover", "check"] | ["cutover", "hook", "run", ..] => self.on_desk(&words[1..]),
            ["cutover", rest @ ..] => self.here(env!("CARGO_BIN_EXE_cutover"), rest),
            [program, rest @ ..] => self.here(program, rest),
            [] => panic!("no command"),
        };
        for line in &step.shown {
            assert!(said.contains(line), "`{line}` is not in what `{}` says:\n{said}", step.command);
        }
        let Some(at) = words.iter().position(|word| *word == "--lang") else { return true };
        let installed = toolchain(words[at + 1], &self.test.directory().join(words[3]));
        self.variables = installed.clone().unwrap_or_default();
        installed.is_some()
    }

    /// On the desk of the test's world, from where its hosts are reached.
    fn on_desk(&self, words: &[&str]) -> String {
        let ended = self.test.cutover(words).expect(0);
        ended.stdout + &ended.stderr
    }

    /// On this machine, where the compilers are.
    fn here(&self, program: &str, words: &[&str]) -> String {
        let mut command = Command::new(program);
        command.current_dir(self.test.directory().join(self.directory));
        for word in words {
            match word.strip_suffix("/*.toml") {
                Some(place) => command.args(self.files(place)),
                None => command.arg(word),
            };
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Not that of whoever runs the tests.
        for (name, place) in [("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")] {
            command.env(name, self.test.scratch().directory(place));
        }
        let ended = command.output().unwrap();
        let text =
            [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(ended.status.success(), "{program} {words:?}: {text}");
        text
    }

    fn files(&self, place: &str) -> Vec<PathBuf> {
        let found = fs::read_dir(self.test.directory().join(place)).unwrap();
        let mut files: Vec<PathBuf> = found.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 3, "{files:?}");
        files
    }
}

#[test]
fn it_is_read_in_ten_minutes() {
    let words = guide().text().split_whitespace().count();
    assert!(words < 2500, "{words} words");
}

#[test]
fn its_code_is_what_the_templates_hold() {
    for (heading, language, file) in [
        ("### Rust", "rust", "router/lib.rs"),
        ("### JavaScript", "js", "router/hook.js"),
        ("### TypeScript", "ts", "router/hook.ts"),
        ("### Python", "python", "router/app.py"),
        ("### C", "c", "router/hook.c"),
        ("### Go", "go", "router/hook.go"),
    ] {
        let template = Manual::read(&format!("engine/src/author/templates/{language}/{file}"));
        let shown = guide().section(heading).blocks_of(language);
        assert_eq!(shown.len(), 1, "{heading}");
        assert!(template.text().contains(&shown[0]), "{}\nis not in\n{}", shown[0], template.text());
    }
}

#[test]
fn a_router_is_made_tried_and_recorded() {
    let Some(mut author) = Author::new() else { return };
    if author.follow(&guide().before(LANGUAGES)) {
        assert_eq!(author.test.live(), "v2 green");
    }
}

#[test]
fn a_router_is_a_script() {
    let Some(mut author) = Author::new() else { return };
    let _ = author
        .here(env!("CARGO_BIN_EXE_cutover"), &["hook", "new", "lb", "--kind", "router", "--lang", "js"]);
    let case = guide().before(LANGUAGES).blocks_of("toml")[0].clone();
    author.write(&Block { language: "toml".to_owned(), text: case });
    author.follow(&guide().section("### A script"));
}

/// What a language's section says, from nothing to a component.
fn begun_in(heading: &str) {
    let Some(mut author) = Author::new() else { return };
    if author.follow(&guide().section(heading)) {
        assert!(author.test.directory().join("lb/lb.wasm").is_file());
    }
}

#[test]
fn a_router_is_built_in_rust() {
    begun_in("### Rust");
}

#[test]
fn a_router_is_built_in_javascript() {
    begun_in("### JavaScript");
}

#[test]
fn a_router_is_built_in_typescript() {
    begun_in("### TypeScript");
}

#[test]
fn a_router_is_built_in_python() {
    begun_in("### Python");
}

#[test]
fn a_router_is_built_in_c() {
    begun_in("### C");
}

#[test]
fn a_router_is_built_in_go() {
    begun_in("### Go");
}

//! The short file that `cutover init` writes: out of what lies in the directory and what the machine is, purely.

use crate::model::Name;

/// What lies in the directory.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: Name,
    pub(super) mix: bool,
    pub(super) cargo: bool,
    pub(super) go: bool,
    /// `package.json`, when it is there and JSON.
    pub(super) npm: Option<serde_json::Value>,
    pub(super) make: bool,
    pub(super) branch: String,
}

impl Project {
    /// The name of an application out of that of a directory.
    pub(super) fn name_of(directory: &str) -> Name {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let lower = directory.to_ascii_lowercase();
        let plain: String = lower.chars().map(|c| if fits(c) { c } else { '-' }).take(40).collect();
        let named = Name::new(plain.trim_matches(['-', '_'])).or_else(|_| Name::new("app"));
        named.unwrap_or_else(|fault| unreachable!("{fault}"))
    }

    /// The branch that may go live: that of the remote, else the one that is checked out. Arguments are the contents of
    /// `.git/refs/remotes/origin/HEAD` and `.git/HEAD`.
    pub(super) fn branch_of(remote: &str, local: &str) -> String {
        let remote = remote.trim().strip_prefix("ref: refs/remotes/origin/");
        let local = local.trim().strip_prefix("ref: refs/heads/");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        remote.or(local).filter(|branch| branch.chars().all(plain)).unwrap_or("main").to_owned()
    }
}

/// What the machine is.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) systemd: bool,
    pub(super) root: bool,
}

/// A file, and what to look at in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Starter {
    pub(super) text: String,
    pub(super) edit: Vec<String>,
}

/// How an application is built and started.
struct Recipe {
    run: Vec<Vec<String>>,
    artifact: &'static str,
    start: Vec<String>,
    migrate: Option<String>,
    why: &'static str,
}

/// The file for a project on a machine.
pub(super) fn starter(project: &Project, machine: &Machine) -> Starter {
    let name = &project.name;
    let recipe = recipe(project);
    let run: Vec<String> = recipe.run.iter().map(|argv| array(argv)).collect();
    let run = format!("[{}]", run.join(", "));
    let migrate = recipe.migrate.map(|line| format!("{line}\n")).unwrap_or_default();
    let (driver, directory) = match machine {
        Machine { systemd: true, root: true } => ("systemd", format!("/srv/{name}")),
        Machine { root: true, .. } => ("detached", format!("/srv/{name}")),
        Machine { .. } => ("detached", format!("~/apps/{name}")),
    };
    let driver_remark = match driver {
        "systemd" => "a unit for each colour; `cutover setup` prints the template",
        _ => "processes of this user, without an init system; or \"systemd\"",
    };
    let text = format!(
        "\
# How `{name}` goes live. `cutover check` checks this file, `cutover plan` shows what would be done,
# `cutover config` prints all values with their defaults, `cutover schema` helps editors.

name = \"{name}\"

# Machines that run it. Without this table: this machine, no SSH.
# [hosts]
# web1 = {{ ssh = \"deploy@web1.example.com\" }}

[build]
# {why}
# It runs in a clean checkout of the remote's branch: what is not pushed is not built.
branch   = \"{branch}\"
settings = {{ run = {run}, artifact = \"{artifact}\" }}

[app]
directory = \"{directory}\"
driver    = \"{driver}\"    # {driver_remark}
# Program and arguments, from the release's directory. The port is {{port}} here and PORT in its environment.
start     = {start}
{migrate}blue      = {{ port = 4001 }}
green     = {{ port = 4002 }}

[health-check]
settings = {{ path = \"/\" }}

[router]
# nginx on this machine. The URL through which users come proves each switch.
front-door = [\"http://127.0.0.1:80/\"]
",
        why = recipe.why,
        branch = project.branch,
        artifact = recipe.artifact,
        start = array(&recipe.start),
    );
    let edit = vec![
        format!("build.settings: how a checkout becomes the directory `{}`", recipe.artifact),
        "app.start: what runs, and how it learns its port".to_owned(),
        "health-check.settings: a path that answers 200 when all is well".to_owned(),
        "router.front-door: the URL through which users come".to_owned(),
        "hosts: when it runs elsewhere than here".to_owned(),
    ];
    Starter { text, edit }
}

fn recipe(project: &Project) -> Recipe {
    let name = project.name.as_str();
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<String>>();
    if project.mix {
        let module = name.replace('-', "_");
        return Recipe {
            run: vec![
                words("mix deps.get --only prod"),
                words("env MIX_ENV=prod mix release --overwrite --path dist"),
            ],
            artifact: "dist",
            start: words(&format!("bin/{module} start")),
            migrate: Some(format!("# migrate = [\"bin/{module}\", \"eval\", \"MyApp.Release.migrate\"]")),
            why: "mix.exs: an Elixir release.",
        };
    }
    if project.cargo {
        return Recipe {
            run: vec![words("cargo install --locked --path . --root dist")],
            artifact: "dist",
            start: vec![format!("bin/{name}")],
            migrate: None,
            why: "Cargo.toml: a Rust program, installed into dist/bin.",
        };
    }
    if project.go {
        return Recipe {
            run: vec![words(&format!("go build -o dist/bin/{name} ."))],
            artifact: "dist",
            start: vec![format!("bin/{name}")],
            migrate: None,
            why: "go.mod: a Go program.",
        };
    }
    if let Some(package) = &project.npm {
        let builds = package.pointer("/scripts/build").is_some();
        let mut run = vec![words("npm ci")];
        run.extend(builds.then(|| words("npm run build")));
        let main = package.get("main").and_then(serde_json::Value::as_str).unwrap_or("server.js");
        return Recipe {
            run,
            artifact: ".",
            start: vec!["/usr/bin/env".to_owned(), "node".to_owned(), main.to_owned()],
            migrate: None,
            why: "package.json: a Node.js application.",
        };
    }
    Recipe {
        run: vec![words("make")],
        artifact: "dist",
        start: vec![format!("bin/{name}"), "--port".to_owned(), "{port}".to_owned()],
        migrate: None,
        why: if project.make {
            "Makefile: `make` fills dist."
        } else {
            "Nothing known was found here: say how it is built."
        },
    }
}

/// A TOML array of strings; JSON's escapes are TOML's.
fn array(words: &[String]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(name: &str) -> Project {
        let name = Project::name_of(name);
        Project {
            name,
            mix: false,
            cargo: false,
            go: false,
            npm: None,
            make: false,
            branch: "main".to_owned(),
        }
    }

    #[test]
    fn each_kind_of_project_gets_a_file_that_is_toml() {
        let machine = Machine { systemd: true, root: true };
        let npm = serde_json::json!({ "main": "dist/\"x\".js", "scripts": { "build": "tsc" } });
        let kinds = [
            Project { mix: true, ..project("my-app") },
            Project { cargo: true, ..project("shop") },
            Project { go: true, ..project("shop") },
            Project { npm: Some(npm), ..project("shop") },
            Project { make: true, ..project("shop") },
            project("shop"),
        ];
        for kind in kinds {
            let text = starter(&kind, &machine).text;
            let table: toml::Table = text.parse().expect("TOML");
            assert_eq!(table["name"].as_str(), Some(kind.name.as_str()));
            assert!(!text.contains("\n\n\n"), "{text}");
        }
    }

    #[test]
    fn names_and_branches_are_made_of_what_is_there() {
        for (directory, name) in
            [("shop", "shop"), ("My Shop!", "my-shop"), ("...", "app"), ("", "app"), ("日本", "app")]
        {
            assert_eq!(Project::name_of(directory).as_str(), name);
        }
        let branch = Project::branch_of;
        assert_eq!(branch("ref: refs/remotes/origin/trunk\n", "ref: refs/heads/topic\n"), "trunk");
        assert_eq!(branch("", "ref: refs/heads/topic\n"), "topic");
        assert_eq!(branch("", "9f3c2a1\n"), "main");
        assert_eq!(branch("ref: refs/remotes/origin/a\"b", ""), "main");
    }
}

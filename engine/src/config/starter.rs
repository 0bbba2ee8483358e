//! The file that `cutover init` writes: short, explained, and accepted as it stands.

use std::fmt::Write as _;

use super::known_router::KnownRouter;
use super::node::quoted;
use crate::model::Name;

/// What was found in the directory and on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Name of the directory.
    pub directory: String,
    /// What builds the project.
    pub project: Project,
    /// Whether the directory is a checkout with a remote.
    pub remote: bool,
    /// Default branch of the remote, where the checkout tells it: one that was cloned does.
    pub branch: Option<String>,
    /// What routes on this machine.
    pub router: Option<KnownRouter>,
}

/// What builds a project, as told by the files in its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Project {
    /// `Cargo.toml`.
    Cargo,
    /// `mix.exs`.
    Mix,
    /// `go.mod`.
    Go,
    /// `package.json`.
    Npm,
    /// `Makefile`, or nothing known.
    #[default]
    Make,
}

impl Project {
    /// Every kind with the file that tells it, the most telling first.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Cargo, "Cargo.toml"),
        (Self::Mix, "mix.exs"),
        (Self::Go, "go.mod"),
        (Self::Npm, "package.json"),
        (Self::Make, "Makefile"),
    ];

    /// Commands of the build, path of the artifact, command of one instance.
    fn commands(self, name: &str) -> (Vec<Vec<String>>, String, Vec<String>) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let program = format!("bin/{name}");
        match self {
            Self::Cargo => {
                (vec![words("cargo install --locked --path . --root dist")], "dist".to_owned(), vec![program])
            }
            Self::Mix => {
                let release = name.replace('-', "_");
                let start = vec![format!("bin/{release}"), "start".to_owned()];
                (vec![words("mix release")], format!("_build/prod/rel/{release}"), start)
            }
            Self::Go => {
                (vec![words(&format!("go build -o dist/bin/{name} ."))], "dist".to_owned(), vec![program])
            }
            Self::Npm => {
                let start = words("/usr/bin/env node server.js");
                (vec![words("npm ci"), words("npm run build")], "dist".to_owned(), start)
            }
            Self::Make => (vec![words("make")], "dist".to_owned(), vec![program]),
        }
    }
}

/// Text of a first configuration.
#[must_use]
pub fn starter(facts: &Facts) -> String {
    let name = app_name(&facts.directory);
    let (run, artifact, start) = facts.project.commands(&name);
    let run: Vec<String> = run.iter().map(|words| list(words)).collect();
    let mut text = String::new();
    let mut say = |line: &str| {
        // Writing into a string can't fail.
        let _ = writeln!(text, "{line}");
    };
    say("# What cutover deploys, where and how. `cutover config` shows every value with its origin,");
    say("# `cutover schema` every key.");
    say(&format!("name = {}", quoted(&name)));
    say("");
    say("# Without [hosts] all runs on this machine. A server of yours, reached over SSH:");
    say("# [hosts]");
    say("# web1 = { ssh = \"deploy@web1.example.com\" }");
    say("");
    say("[build]");
    match &facts.branch {
        Some(branch) => say(&format!("branch = {}  # the only branch that may go live", quoted(branch))),
        None if facts.remote => say("# branch = \"main\"  # the only branch that may go live"),
        None => {
            say("# No git remote was found here; builds start from one, never from unpushed work:");
            say("# repository = \"git@example.com:…\"");
        }
    }
    say("[build.settings]");
    say(&format!("run = [{}]", run.join(", ")));
    say(&format!("artifact = {}  # the directory that becomes the release", quoted(&artifact)));
    say("");
    say("[app]");
    say(&format!("start = {}  # must listen on $PORT; or say {{port}} here", list(&start)));
    say("blue = { port = 4001 }");
    say("green = { port = 4002 }");
    say("# Where answers say what $CUTOVER_RELEASE holds: with it, health checks and the switch are proven.");
    say("# release-marker = { header = \"x-release\" }");
    say("");
    say("[health-check.settings]");
    say("path = \"/\"  # answers 200 once an instance is ready");
    say("");
    match facts.router {
        Some(KnownRouter::Nginx) => say("[router]  # nginx; `cutover setup` prints what it needs once"),
        Some(router) => {
            let (name, title) = (router.name(), router.title());
            say("[router]");
            say(&format!("hook = \"builtin:{name}\"  # {title}; `cutover setup` prints what it needs once"));
        }
        None => {
            let names = KnownRouter::ALL.map(KnownRouter::title).join(", ");
            say(&format!("# None of {names} was found on this machine."));
            say(
                "# cutover's own proxy needs nothing else; `cutover setup` prints how it is installed as a service.",
            );
            say("[router]");
            say("hook = \"builtin:proxy\"");
        }
    }
    // The proxy has the port that users come to by themselves; others are configured already.
    let door = match facts.router {
        // Traefik tells what it does at 8080.
        Some(KnownRouter::Traefik) | None => "http://127.0.0.1/",
        Some(_) => "http://127.0.0.1:8080/",
    };
    say(&format!("front-door = [\"{door}\"]  # where users come in"));
    text
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A name out of a directory's: what is not allowed becomes `-`.
fn app_name(directory: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = directory.chars().map(plain).take(40).collect();
    let name = name.trim_matches(['-', '_']);
    Name::new(name).map_or_else(|_| "app".to_owned(), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::load_text;
    use super::*;

    #[test]
    fn every_starter_is_accepted_without_a_warning() {
        for (project, _) in Project::ALL {
            for branch in [None, Some("trunk".to_owned())] {
                let routers = KnownRouter::ALL.map(Some).into_iter().chain([None]);
                for (directory, router) in ["My Shop", "", "été-2", "-"]
                    .into_iter()
                    .flat_map(|directory| routers.clone().map(move |router| (directory, router)))
                {
                    let facts = Facts {
                        directory: directory.to_owned(),
                        project,
                        remote: router.is_some(),
                        branch: branch.clone(),
                        router,
                    };
                    let text = starter(&facts);
                    let loaded = load_text(&text, None).unwrap_or_else(|faults| panic!("{text}\n{faults}"));
                    assert_eq!(loaded.warnings, [], "{text}");
                    assert_eq!(loaded.deployment.build.branch, branch.as_deref().unwrap_or("main"));
                }
            }
        }
    }

    #[test]
    fn names_come_out_of_any_directory() {
        for (directory, want) in
            [("My Shop", "my-shop"), ("", "app"), ("été", "t"), ("--", "app"), ("x_1", "x_1")]
        {
            assert_eq!(app_name(directory), want, "{directory}");
        }
    }
}

//! `cutover proxy`.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;

use super::invocation::Invocation;
use super::{DONE, Ended};
use crate::model::view::{ExitCode, Problem};
use crate::model::{Color, Name};
use crate::proxy::{self, CONTROL_SOCKET, Listing, Options, Shown};
use crate::report::{Line, Tone};

/// Serve as the router yourself, where there is none: a reverse proxy
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover proxy run --listen 0.0.0.0:80
  cutover proxy run --listen 127.0.0.1:8080 --directory /srv/proxy
  cutover proxy list                    applications, where their requests go, how many are open
  cutover proxy remove shop             forgets an application that is not deployed any more

What moves its requests is a deployment, with `[router] hook = \"builtin:proxy\"`. `cutover setup` prints how it is installed on the router's host, as a service.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve until told to end
    #[command(after_help = "\
It speaks HTTP/1.1 and HTTP/2 (without TLS to those who begin with it), and passes websockets of HTTP/1.1 on. Instances are asked in HTTP/1.1.
SIGHUP has it start the program anew, which goes on with its sockets, while the old process answers what it has: an upgrade loses no connection, and takes over certificates that were renewed. SIGTERM ends it once its requests have ended, and after --drain-timeout.
Instances are told of their client by X-Forwarded-For, -Host and -Proto and by Forwarded; what clients say in these is dropped.")]
    Run {
        /// Address and port for clients; several times for several
        #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "listen_tls")]
        listen: Vec<SocketAddr>,
        /// The same for clients that speak TLS
        #[arg(long, value_name = "ADDRESS:PORT", requires = "certificate")]
        listen_tls: Vec<SocketAddr>,
        /// File of the certificate and those that lead to its authority, in PEM
        #[arg(long, value_name = "FILE", requires = "key", requires = "listen_tls")]
        certificate: Option<Utf8PathBuf>,
        /// File of its key, in PEM
        #[arg(long, value_name = "FILE", requires = "certificate")]
        key: Option<Utf8PathBuf>,
        #[command(flatten)]
        place: Place,
        /// Seconds until an instance's answer must begin
        #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        response_timeout: u32,
        /// Seconds that open requests have to end in when it is told to end
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        drain_timeout: u32,
        /// The process before this one hands its sockets over on standard input
        #[arg(long, hide = true)]
        take_over: bool,
    },
    /// Show the applications of the proxy that runs, and what is open
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Forget an application; its requests are answered with 404 then
    Remove {
        /// As `cutover proxy list` names it
        #[arg(value_parser = |text: &str| Name::new(text))]
        name: Name,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// The proxy's own, with its routes and its control socket
    #[arg(long, value_name = "DIRECTORY", default_value = "/var/lib/cutover-proxy")]
    directory: Utf8PathBuf,
}

const TAKE_OVER: &str = "--take-over";

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        match self.action {
            Action::Run {
                listen,
                listen_tls,
                certificate,
                key,
                place,
                response_timeout,
                drain_timeout,
                take_over,
            } => {
                // The program as it was started: what lies at that path when it is followed is what follows it.
                let program = std::env::current_exe().map_err(|fault| {
                    let text = format!("can't tell where this program lies: {fault}");
                    Problem::new("proxy/program", text, ExitCode::NothingChanged)
                })?;
                let words = std::env::args_os().skip(1).filter(|word| word != TAKE_OVER);
                let options = Options {
                    listen,
                    listen_tls,
                    certificate: certificate.zip(key).map(|(own, key)| (own.into(), key.into())),
                    directory: place.directory.into(),
                    response_timeout: Duration::from_secs(response_timeout.into()),
                    drain_timeout: Duration::from_secs(drain_timeout.into()),
                    successor: (program, words.chain([TAKE_OVER.into()]).collect()),
                    follows: take_over,
                    notify: std::env::var_os("NOTIFY_SOCKET"),
                    log: Arc::new(|text| {
                        // A closed output ends nothing.
                        let _ = writeln!(std::io::stderr(), "cutover proxy: {text}");
                    }),
                };
                proxy::serve(options).await?;
            }
            Action::List { place } => {
                let listing: Listing = ask(&place.directory, "list")?;
                invocation.output.view(&listing, |listing, _| shown(listing));
            }
            Action::Remove { name, place } => {
                let found: Shown = ask(&place.directory, &format!("show {name}"))?;
                if found.version == 0 {
                    let text = format!("the proxy has no application `{name}`");
                    let problem = Problem::new("proxy/unknown", text, ExitCode::NothingChanged);
                    return Err(problem.hint("`cutover proxy list` names them").into());
                }
                let removed: Version = ask(&place.directory, &format!("remove {name} {}", found.version))?;
                invocation.output.view(&removed, |_, _| vec![Line::plain(&format!("removed {name}"))]);
            }
        }
        Ok(DONE)
    }
}

/// What a change answers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Version {
    version: u64,
}

/// What the proxy refuses.
#[derive(serde::Deserialize)]
struct Refused {
    error: String,
}

fn ask<T: DeserializeOwned>(directory: &Utf8Path, line: &str) -> Result<T, Problem> {
    let path = directory.join(CONTROL_SOCKET);
    let problem = |text: String| Problem::new("proxy/control", text, ExitCode::NothingChanged);
    let exchange = || {
        let mut socket = UnixStream::connect(&path)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.write_all(format!("{line}\n").as_bytes())?;
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).map(|_| answer)
    };
    let answer = exchange().map_err(|fault| {
        problem(format!("no proxy answers on `{path}`: {fault}"))
            .hint("does `cutover proxy run` run on this machine, with this --directory, and as this user?")
    })?;
    serde_json::from_str(&answer).map_err(|_| match serde_json::from_str::<Refused>(&answer) {
        Ok(refused) => problem(format!("the proxy refuses it: {}", refused.error)),
        Err(_) => problem(format!("`{path}` does not answer as a proxy does")),
    })
}

fn shown(listing: &Listing) -> Vec<Line> {
    if listing.routes.is_empty() {
        return vec![Line::plain("no application yet: the first deployment of each brings it here")];
    }
    let mut lines = Vec::new();
    for (name, shown) in &listing.routes {
        let Some(route) = &shown.route else { continue };
        let names = if route.host_names.is_empty() {
            "all other host names".to_owned()
        } else {
            route.host_names.join(", ")
        };
        lines.push(Line::plain("").with(Tone::Strong, name.as_str()).text("  ").text(&names));
        for (color, open) in Color::ALL.into_iter().zip([shown.open.blue.requests, shown.open.green.requests])
        {
            let side = route.side(color);
            let instances: Vec<String> = side
                .upstreams
                .iter()
                .map(|upstream| {
                    let out = if route.out.contains(&upstream.host) { " (out)" } else { "" };
                    format!("{}{out}", upstream.address)
                })
                .collect();
            let share = format!("  {color:<6}{:>4} %  {open} open  {}", side.percent, instances.join(" "));
            lines.push(Line::plain(&share));
        }
    }
    lines
}

//! `cutover deploy`.

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::invocation::Invocation;
use super::lock_wait::LockWaitFlag;
use super::locked::LockFlag;
use super::plan::show;
use super::record::RecordFlag;
use super::{Ended, pipeline};
use crate::model::request::{DeployRequest, DeploySource};
use crate::model::view::{ExitCode, Problem};

/// Put a new release live
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover deploy                        the newest revision of the branch that may go live
  cutover deploy -e production -m \"spring sale\"
  cutover deploy --revision v2.1        another revision of it
  cutover deploy --release 43           a release that is on the hosts: no build
  cutover deploy --dry-run              the same as `cutover plan`

The revision that is live already is deployed again only when it does not run on a host within reach, with --again, or when one of \
these has changed since it was deployed: build.hook, build.settings, app.hosts, app.directory, app.linked-dirs, app.linked-files, \
app.driver, app.start, app.migrate, app.user, app.stop-timeout, app.listen, app.env, app.env-file, app.blue, app.green, router.hosts, \
router.hook, router.settings. Values of secrets, files on the hosts, and what only judges a release (health check, smoke tests, front \
doors, times) are not compared. --release and --artifact deploy whatever is live.

All hosts get the release, or none keeps it: a failure before the pivot puts everything back. \
When something cut it off: `cutover resume`, or `cutover abort` to put it back.

--record keeps what hooks are asked, hear and answer, secrets masked: `cutover hook test router DIR/router/*.toml` asks it again with nothing of it \
there, after a change of the hook. What can't be written is a warning.")]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Text for the history
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Take what the routers show as the truth, where the record differs, and what is live as this project's, where another repository has made it
    #[arg(long)]
    adopt: bool,
    /// Deploy the revision that is live once more, though neither it nor the configuration has changed
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    waiting: LockWaitFlag,
    #[command(flatten)]
    recording: RecordFlag,
    /// Show the plan and change nothing
    #[arg(long, conflicts_with = "record")]
    dry_run: bool,
    #[command(flatten)]
    lock: LockFlag,
}

/// What goes live.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Source {
    /// Build this commit (its hexadecimal digits) or tag of the branch [default: its newest commit]
    #[arg(long, value_name = "R")]
    revision: Option<String>,
    /// A release that is on the hosts, by number or identifier, instead of a build
    #[arg(long, value_name = "ID")]
    release: Option<String>,
    /// A directory or file that was built elsewhere, instead of a build
    #[arg(long, value_name = "PATH")]
    artifact: Option<Utf8PathBuf>,
}

impl Source {
    /// # Errors
    /// When the artifact is not there: known without any host.
    pub(super) fn into_request(self) -> Result<DeploySource, Problem> {
        match (self.artifact, self.release) {
            (Some(path), _) => match std::fs::metadata(&path) {
                Ok(_) => Ok(DeploySource::Artifact(path)),
                Err(fault) => Err(no_artifact(&path, &fault)),
            },
            (None, Some(release)) => Ok(DeploySource::Release(release)),
            (None, None) => Ok(DeploySource::Revision(self.revision)),
        }
    }
}

fn no_artifact(path: &Utf8Path, fault: &std::io::Error) -> Problem {
    let text = if fault.kind() == std::io::ErrorKind::NotFound {
        format!("there is no artifact `{path}`")
    } else {
        format!("can't read the artifact `{path}`: {fault}")
    };
    Problem::new("build/artifact", text, ExitCode::NothingChanged)
        .hint("`--artifact` takes a directory or file that was built before, on this machine")
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let source = self.source.into_request()?;
        let loaded = invocation.load()?;
        self.lock.demand(&loaded)?;
        let Self { message, adopt, again, waiting, .. } = self;
        let request = DeployRequest { source, message, adopt, again, lock_wait: waiting.lock_wait };
        if self.dry_run {
            return show(invocation, &loaded, request).await;
        }
        let recording = self.recording.begin()?;
        invocation.confirm(&loaded.deployment, "deploy")?;
        pipeline::deploy(&loaded, request, recording, &invocation.output).await
    }
}

//! `cutover state`.

use clap::{Args, Subcommand};

use super::invocation::Invocation;
use super::{DONE, Ended, engine};
use crate::model::BucketUrl;
use crate::model::view::{ExitCode, Problem};
use crate::report;

/// Show, move or recover the record of deployments that one host keeps
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover state show                    where it is kept, lock, what is live, what is unfinished, each host's fence
  cutover state move                    after another host was named first in router.hosts
  cutover state recover                 shows what it would write, and asks

Lock, journals, history and the record of what is live are kept on one host, the home: the first of `router.hosts`, else the first of `app.hosts`. Nothing is deployed while hosts and configuration do not agree which one that is.

With `state` in the configuration they are kept in an object store instead. Variables lead to it:
  s3://  AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_ENDPOINT_URL
  gs://  GOOGLE_APPLICATION_CREDENTIALS; GOOGLE_BASE_URL
  az://  AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; AZURE_STORAGE_ENDPOINT
The last one of each is for a server of your own, and AWS_ALLOW_HTTP=true (GOOGLE_…, AZURE_…) for one without TLS. Tokens, roles and identities of machines are told as the Rust crate object_store documents them. gs:// is untested.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show where it is kept and what is in it; touch nothing
    Show,
    /// Bring it to the host that the configuration names first now
    #[command(after_help = "\
The old home must still be in `[hosts]`. Its files are copied under the lock, read back, and left where they are, with a mark that
they count no more: a configuration that still names the old home is refused. Cut off at any point, the same command finishes it.
With `state` in the configuration it goes to that object store; `--from` brings it back.")]
    Move {
        /// The object store that has it, where the configuration names none any more
        #[arg(long, value_name = "URL", value_parser = bucket_url)]
        from: Option<BucketUrl>,
    },
    /// Recover it from what hosts and routers show, when its home was lost or its files can't be read
    #[command(after_help = "\
It shows what it would write and asks; `--yes` answers. Files that can't be read are renamed, never removed. It is refused while a
deployment can still be ended by `cutover resume` or `cutover abort`, and where routers or hosts contradict each other.")]
    Recover,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        match self.action {
            Action::Show => {
                let loaded = invocation.load_to_look(&[])?;
                let view = engine::state(&loaded, invocation.output.remarks()).await?;
                invocation.output.view(&view, report::state);
            }
            Action::Move { from } => {
                let loaded = invocation.load()?;
                invocation.confirm(&loaded.deployment, "state move")?;
                let view = engine::move_state(&loaded, from.as_ref(), invocation.output.remarks()).await?;
                invocation.output.view(&view, |view, _| report::moved(view));
            }
            Action::Recover => {
                let loaded = invocation.load()?;
                let recovery = engine::propose_recovery(&loaded, invocation.output.remarks()).await?;
                let view = recovery.view();
                if view.changes.is_empty() || invocation.output.is_for_people() {
                    invocation.output.view(&view, report::recovery);
                }
                if !view.changes.is_empty() {
                    let text =
                        "this changes the state, and there is no terminal to ask on; nothing was changed";
                    let unasked = Problem::new("usage/not-confirmed", text, ExitCode::Usage)
                        .hint("`--yes` confirms it");
                    invocation.agree("write this?".to_owned(), recovery.interrupted(), unasked).await?;
                    recovery.carry_out().await?;
                    invocation.output.view(&view, |view, _| report::recovered(view));
                }
            }
        }
        Ok(DONE)
    }
}

fn bucket_url(text: &str) -> Result<BucketUrl, String> {
    BucketUrl::parse(text)
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::Arguments;
    use crate::model::BucketKind;

    #[test]
    fn its_help_names_the_variables_of_each_object_store() {
        let help = Arguments::augment_args(clap::Command::new("state")).render_long_help().to_string();
        for kind in BucketKind::ALL {
            let [sufficient, elsewhere] = kind.sufficient();
            let line = format!("  {}://  {sufficient}; {elsewhere}\n", kind.scheme());
            assert!(help.contains(&line), "{line}{help}");
        }
    }
}

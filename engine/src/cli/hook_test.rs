//! `cutover hook test`: a hook, held against cases.

use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::Args;

use super::engine::{problem, until_signal};
use super::hook::meant;
use super::invocation::Invocation;
use super::world::{interrupts, supplier};
use super::{DONE, Ended, project_file};
use crate::config::{ReadCase, read_case};
use crate::model::view::{ExitCode, Problem};
use crate::report;
use crate::run::{Reporter, SystemClock, TestedHook, replay};

/// Bytes of a case at most: what a hook was answered may be long.
const LARGEST: u64 = 64 << 20;

/// Hold a hook against cases, in the real sandbox over a world that each case makes up
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cutover hook test hooks/lb.wasm cases/*.toml
  cutover hook test builtin:http-health cases/starting.toml

A case, as small as it can be:
  kind = \"health-check\"
  settings = { path = \"/health\" }
  call.instances = [{ host = \"web1\", port = 4001 }]

  [[outside]]
  send = { url = \"http://127.0.0.1:4001/health\", via = \"web1\", answer = { status = 503, text = \"no database\" } }

  [expect]
  health = \"unhealthy\"

Nothing is reached. A call that the case does not have ends the hook there; that, a call that does not come, and another answer fail the case. \
Ends with 70 when a case failed, and with 50 when one can't be read: then none is run.

`ask` names the question where a kind is asked several: ask = \"observe\", with `router`; \"prepare\" and \"apply\" with `want = { green = 100 }`; \
\"connections\" with `of`. Each entry of `outside` is one call: exec, read, write, write-link, read-link, list-names, remove, exchange or send, with \
the keys of the contract (`cutover help wit`) and its `answer`; an answer may be `{ error = { kind = \"not-found\", text = \"…\" } }`. Calls have to come \
in this order, unless `any-order = true`. Of a call and of `expect` only those keys are compared that are written. `secrets` gives the values of \
those that are signed with or revealed; templates are compared as they are.

A case without `grants` allows whatever it answers, also what a run would deny. With the table, as cutover.toml has it, a call that it does not \
grant is denied as in a run, before the case is asked: grants = { http = [{ to = \"instances\" }] }. There, \"app\" is the hosts of the call, \
\"routers\" the one that is asked about, \"builder\" the host `builder`; to which address a URL leads is not looked at.

`cutover hook run --record FILE` writes a case of what really happened, and `cutover deploy --record DIR` one for each call of a deployment.")]
pub(super) struct Arguments {
    /// A file, `script:FILE`, `builtin:NAME`, or a hook of the configuration: `router`
    hook: String,
    /// Files of cases
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<Utf8PathBuf>,
}

impl Arguments {
    pub(super) async fn run(self, invocation: &Invocation) -> Ended {
        let (source, configured) = meant(invocation, &self.hook)?;
        let Some(cases) = read(invocation, &self.cases)? else { return Ok(ExitCode::Configuration.code()) };
        let hook = TestedHook { name: self.hook, source, configured };
        let pool = supplier(true)?.pool.with_root(project_file::working_directory()?);
        let reporter = Reporter::new(invocation.output.remarks(), Arc::new(SystemClock));
        let testing = async { Ok(replay(&pool, &hook, &cases, reporter).await.map_err(problem)?) };
        let view = until_signal(interrupts(), testing).await?;
        let failed = view.failed() > 0;
        if failed || !invocation.output.is_quiet() {
            invocation.output.view(&view, |view, _| report::hook_test(view));
        }
        Ok(if failed { ExitCode::CheckFailed.code() } else { DONE })
    }
}

/// All cases; none where any has faults, which are told.
fn read(invocation: &Invocation, files: &[Utf8PathBuf]) -> Result<Option<Vec<ReadCase>>, Problem> {
    let (mut cases, mut has_faults) = (Vec::new(), false);
    for file in files {
        let text = project_file::read_up_to(file, LARGEST).map_err(|fault| {
            Problem::new("case/unreadable", format!("can't read `{file}`: {fault}"), ExitCode::Configuration)
        })?;
        match read_case(file.as_str(), &text) {
            Ok(case) => cases.push(case),
            Err(faults) => {
                has_faults = true;
                invocation.output.failure(&faults.into());
            }
        }
    }
    Ok((!has_faults).then_some(cases))
}

//! `--record`.

use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::Args;

use super::engine::problem;
use crate::model::view::Problem;
use crate::run::Recording;

/// Of the commands that ask all hooks.
#[derive(Debug, Args)]
pub(super) struct RecordFlag {
    /// Keep each call of a hook as a case for `cutover hook test`, in a directory that is empty or not there yet
    #[arg(long, value_name = "DIR")]
    record: Option<Utf8PathBuf>,
}

impl RecordFlag {
    /// # Errors
    /// When it can't be recorded there: known before anything is touched.
    pub(super) fn begin(self) -> Result<Option<Arc<Recording>>, Problem> {
        let recording = self.record.map(|directory| Recording::into_directory(&directory));
        Ok(recording.transpose().map_err(problem)?.map(Arc::new))
    }
}

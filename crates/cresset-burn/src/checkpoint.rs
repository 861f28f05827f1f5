//! Checkpoints as files of the run.

use std::path::{Path, PathBuf};

use burn_core::store::ModuleRecord;
use burn_train::checkpoint::{Checkpointer, CheckpointerError, FileCheckpointer};
use cresset_run::{File, Run};

use crate::guard::Guard;
use crate::logger::Latest;

/// The key of checkpoints.
const KEY: &str = "checkpoints/model";

/// burn's own checkpointer of the model, which also tells the run of each file.
pub(crate) struct RecordedCheckpointer {
    files: FileCheckpointer,
    folder: PathBuf,
    run: Run,
    latest: Latest,
    guard: Guard,
}

impl RecordedCheckpointer {
    /// `files` writes into `folder`.
    pub(crate) fn new(files: FileCheckpointer, run: &Run, folder: &Path, latest: Latest) -> Self {
        Self {
            files,
            folder: folder.to_owned(),
            run: run.clone(),
            latest,
            guard: Guard::new(run, "checkpoints"),
        }
    }

    fn record(&self, epoch: usize) {
        let step = self.run.step().unwrap_or_default();
        let path = self.folder.join(format!("model-{epoch}.bpk"));
        let mut file = File::new(path).role("checkpoint").metadata("epoch", epoch);
        let metrics = self.latest.get();
        for (key, value) in &metrics {
            file = file.metadata(key, *value);
        }
        let shown = metrics.iter().filter(|(key, _)| key.starts_with("val/"));
        let shown: Vec<String> = shown
            .map(|(key, value)| format!("{key} {value:.4}"))
            .collect();
        let caption = match shown.is_empty() {
            true => format!("epoch {epoch}"),
            false => format!("epoch {epoch}: {}", shown.join(", ")),
        };
        self.run.log_value(step, KEY, file.caption(caption));
    }
}

impl Checkpointer<ModuleRecord> for RecordedCheckpointer {
    fn save(&self, epoch: usize, record: ModuleRecord) -> Result<(), CheckpointerError> {
        self.files.save(epoch, record)?;
        self.guard.run(|| self.record(epoch));
        Ok(())
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        Checkpointer::<ModuleRecord>::delete(&self.files, epoch)
    }

    fn restore(&self, epoch: usize) -> Result<ModuleRecord, CheckpointerError> {
        self.files.restore(epoch)
    }
}

//! Checkpoints as files of the run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use burn_core::store::ModuleRecord;
use burn_train::checkpoint::{Checkpointer, CheckpointerError, FileCheckpointer};
use cresset_run::{File, Run};

use crate::guard::Guard;
use crate::passes::{Pass, Passes};

/// The key of checkpoints.
const KEY: &str = "checkpoints/model";

/// How long a checkpoint waits for the metrics of its epoch, which are on their way.
const PASS: Duration = Duration::from_secs(2);

/// How long it waits for the disk to have what was logged before.
const FLUSH: Duration = Duration::from_secs(5);

/// burn's own checkpointer of the model, which also tells the run of each file. burn gives it a thread.
pub(crate) struct RecordedCheckpointer {
    files: FileCheckpointer,
    folder: PathBuf,
    run: Run,
    passes: Passes,
    guard: Guard,
}

impl RecordedCheckpointer {
    /// `files` writes into `folder`.
    pub(crate) fn new(files: FileCheckpointer, run: &Run, folder: &Path, passes: Passes) -> Self {
        Self {
            files,
            folder: folder.to_owned(),
            run: run.clone(),
            passes,
            guard: Guard::new(run, "checkpoints"),
        }
    }

    /// What the epoch was, once the log has it and all before it: training may go on from this checkpoint after a kill or a loss of power,
    /// and what the log did not have then would never come again. A log that cannot be written is not waited for.
    fn flush(&self, epoch: usize) -> Pass {
        let step = self.run.step();
        let pass = self.passes.of_epoch(epoch, PASS);
        self.run.flush(FLUSH);
        Pass {
            step: pass.step.or(step),
            ..pass
        }
    }

    fn record(&self, epoch: usize, Pass { step, metrics }: Pass) {
        let step = step.unwrap_or_default();
        let path = self.folder.join(format!("model-{epoch}.bpk"));
        let mut file = File::new(path).role("checkpoint").metadata("epoch", epoch);
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
        // Training may go on meanwhile: what belongs to this checkpoint is asked for first.
        let pass = self.guard.run(|| self.flush(epoch));
        self.files.save(epoch, record)?;
        if let Some(pass) = pass {
            self.guard.run(|| self.record(epoch, pass));
        }
        Ok(())
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        Checkpointer::<ModuleRecord>::delete(&self.files, epoch)
    }

    fn restore(&self, epoch: usize) -> Result<ModuleRecord, CheckpointerError> {
        self.files.restore(epoch)
    }
}

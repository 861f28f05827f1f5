//! What came of events.

use crate::wandb::entry::{Entry, Output};
use crate::wandb::files::NewFile;

/// What came of events.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) entries: Vec<Entry>,
    /// Files that entries point to.
    pub(crate) files: Vec<NewFile>,
}

impl Told {
    pub(super) fn file(&mut self, file: NewFile) {
        let (path, kind) = (file.path.clone(), file.kind);
        self.entries.push(Entry::File { path, kind });
        self.files.push(file);
    }

    pub(super) fn say(&mut self, time: i64, is_error: bool, text: String) {
        let output = Output {
            time,
            is_error,
            text,
        };
        self.entries.push(Entry::Output(output));
    }
}

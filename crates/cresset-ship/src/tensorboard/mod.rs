//! Runs as event files that TensorBoard shows.
//!
//! [`EventFiles`] writes a folder for each run, `project/run name/run id`, and in it a folder `rank-N` for each rank but 0. What goes where:
//!
//! | Cresset | TensorBoard |
//! |---|---|
//! | scalars | `scalars`; NaN and infinities are kept. TensorBoard has single precision, in which what is beyond 3.4e38 is infinite; all digits stand in the file |
//! | histograms | `histograms`; elements that are not finite have no place in one and are counted in the scalar `<key>/non_finite` |
//! | images | `images`, and pictures that move in a format of images too; boxes and masks are lost, and a caption stands in the text `<key>/caption` |
//! | audio | `audio` |
//! | text | `text`, as it is, which TensorBoard takes for Markdown |
//! | tables, figures | `text`: a Markdown table, of the first 200 rows and 50 columns |
//! | HTML, video, point clouds, files | `text`: what it is and how large; the bytes stay with the run |
//! | config, and state at the end | `hparams`, nested names joined by dots; config also as `text` |
//! | environment, name, tags, notes, definitions, summary, console, alerts, losses, ends | `text` under `cresset/…` |
//!
//! A tag can be of one plugin only. A key that has values of several kinds gets a tag for each, the later ones with the plugin's name behind the
//! key. Of a run that was taken up again from a step, TensorBoard is told to forget that step and later ones, as Cresset does. The `experiment` message
//! of the hparams plugin is left out: TensorBoard takes the first that it finds for all runs, and without any makes one from all of them.
//!
//! By its fast loader, which it has by default, TensorBoard shows of steps that go back only what came last, and a sample of long series. All of it
//! is shown with `--load_fast=false --samples_per_plugin=scalars=1000000`.
//!
//! What is written does not depend on when it is: an event that comes again gives the same bytes in the same place.

mod events;
mod file;
mod hparams;
mod markdown;
mod media;
pub(crate) mod message;
pub(crate) mod record;
mod state;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cresset_record::{Rank, RunDir, State};

use crate::error::ShipError;
use crate::event::Event;
use crate::sink::{Memory, Sink};

use events::Page;
use file::EventFile;
use state::Written;

/// A [`Sink`] that writes event files under one folder, to which `tensorboard --logdir` is pointed.
///
/// It remembers the length of each event file up to which events were acknowledged, and cuts the file to it before it writes on, so that
/// events that come again after a crash are not there twice.
#[derive(Debug)]
pub struct EventFiles {
    folder: PathBuf,
}

impl EventFiles {
    /// Writes under `folder`, which is made where needed.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Sink for EventFiles {
    fn take(
        &mut self,
        run: &RunDir,
        events: &[(Rank, Event)],
        memory: &mut Memory,
    ) -> Result<(), ShipError> {
        let mut written = Written::from(memory)?;
        let mut files: BTreeMap<Rank, EventFile> = BTreeMap::new();
        for (rank, event) in events {
            written.note(run, *rank, event);
            let folder = self.folder.join(written.folder(*rank));
            let of_rank = written.rank(*rank);
            if !files.contains_key(rank) {
                files.insert(*rank, EventFile::open(&folder, of_rank)?);
            }
            let Some(file) = files.get_mut(rank) else {
                continue;
            };
            Page {
                run,
                written: of_rank,
                out: file.buffer(),
            }
            .put(event);
            file.spill()?;
        }
        for (rank, file) in files {
            written.rank(rank).length = file.finish()?;
        }
        hparams::write_start(&self.folder, &mut written)?;
        written.into_memory(memory)
    }

    fn end(&mut self, _: &RunDir, state: &State, memory: &mut Memory) -> Result<(), ShipError> {
        let mut written = Written::from(memory)?;
        hparams::write_end(&self.folder, &mut written, state)?;
        written.into_memory(memory)
    }
}

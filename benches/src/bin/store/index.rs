//! The rate at which points are indexed, and what they take up then.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use cresset_benches::Budget::{AtLeast, AtMost};
use cresset_benches::{Figures, PeakMemory, process_cpu_seconds};
use cresset_record::Root;
use cresset_store::Store;

use crate::runs::{self, Kind};

/// Steps and series of the runs that are indexed.
const SERIES: u32 = 50;
const STEPS: u64 = 100_000;
/// What is demanded of the index, in millions of points a second of processor time.
const RATE: f64 = 2.0;

/// Measures runs of many series whose values look differently.
pub(crate) fn measure(shrink: u64, figures: &mut Figures) -> Result<()> {
    for kind in [Kind::Noisy, Kind::Single, Kind::Smooth] {
        of_kind(kind, STEPS / shrink, figures)?;
    }
    Ok(())
}

fn of_kind(kind: Kind, steps: u64, figures: &mut Figures) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Root::new(folder.path());
    runs::write(&root, "run", SERIES, steps, kind)?;
    let memory = PeakMemory::begin();
    Indexed::new(folder.path())?.show(kind, kind.word(), figures);
    if let Some(added) = memory.and_then(|m| m.added_mib()) {
        let name = format!("memory added while {} is indexed", kind.word());
        figures.note(name, added, "MiB");
    }
    Ok(())
}

/// What indexing a folder came to.
pub(crate) struct Indexed {
    pub(crate) points: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) bytes: u64,
}

impl Indexed {
    /// Indexes the folder.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let cpu = process_cpu_seconds();
        let store = Store::open(Root::new(folder))?;
        let refreshed = store.refresh()?;
        ensure!(
            refreshed.refused.is_empty(),
            "refused: {:?}",
            refreshed.refused
        );
        let cpu_seconds = process_cpu_seconds() - cpu;
        // The last connection to close folds the write-ahead log into the file.
        drop(store);
        Ok(Self {
            points: refreshed.points,
            cpu_seconds,
            bytes: fs::metadata(folder.join("index.sqlite"))?.len(),
        })
    }

    pub(crate) fn show(&self, kind: Kind, word: &str, figures: &mut Figures) {
        let rate = self.points as f64 / self.cpu_seconds / 1e6;
        let name = format!("points indexed a second of processor time, {word}");
        figures.add(name, rate, "M/s", AtLeast(RATE));
        let size = self.bytes as f64 / self.points as f64;
        let most = match kind {
            Kind::Noisy | Kind::Single => 10.0,
            Kind::Smooth => 3.0,
        };
        let name = format!("bytes a point at rest, {word}");
        figures.add(name, size, "B", AtMost(most));
    }
}

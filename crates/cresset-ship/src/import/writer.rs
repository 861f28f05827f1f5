//! Writes a run that happened elsewhere.

mod log;
mod names;
mod place;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cresset_record::{
    BlobRef, ConfigUpdate, ConsoleLine, Content, End, KeyId, Level, Media, MediaDetail, Outcome,
    Record, Root, Start, TensorStats, Timestamp,
};

use super::{ImportError, Imported};
pub use names::{project_named, run_id};

use log::Log;
use place::Place;

/// Longer texts are blobs.
const INLINE: usize = 4096;

/// So many kinds of things that are left out are told apart, each by so many characters.
const MAX_KINDS: usize = 1000;
const MAX_WORDS: usize = 300;

/// Writes a run that happened elsewhere, one value after another. It is seen once it is [finished](Self::finish); dropped before, nothing is left
/// of it.
///
/// ```
/// use cresset_record::{Outcome, Rank, Root, Start, Timestamp};
/// use cresset_ship::import::{RunWriter, run_id};
///
/// # let folder = tempfile::tempdir()?;
/// let start = Start {
///     run: run_id("paper", &[b"table 3"])?,
///     project: "figures".to_owned().try_into()?,
///     name: "table 3".to_owned(),
///     rank: Rank(0),
///     world_size: None,
///     time: Timestamp(0),
///     group: None,
///     job_type: None,
///     tags: vec![],
///     notes: String::new(),
///     config: Default::default(),
///     cresset_version: String::new(),
/// };
/// let mut run = RunWriter::begin(&Root::new(folder.path()), "table 3", &start)?;
/// run.scalars(7, Timestamp(1_000_000), [("loss", 0.3)])?;
/// run.text("said", 7, Timestamp(1_000_000), "converged")?;
/// let imported = run.finish(Timestamp(2_000_000), Outcome::Finished)?;
/// assert_eq!(imported.points, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunWriter {
    name: String,
    log: Log,
    row: Vec<(KeyId, f64)>,
    points: u64,
    values: u64,
    left_out: BTreeMap<String, u64>,
}

impl RunWriter {
    /// Begins a run. `source` is what it is made from, for people.
    ///
    /// # Errors
    /// If the run is there already, is imported at this moment, or cannot be written.
    pub fn begin(into: &Root, source: &str, start: &Start) -> Result<Self, ImportError> {
        let mut writer = Self {
            name: start.name.clone(),
            log: Log::new(Place::take(into, source, &start.project, &start.run)?)?,
            row: Vec::new(),
            points: 0,
            values: 0,
            left_out: BTreeMap::new(),
        };
        writer.record(Record::Start(Box::new(start.clone())))?;
        Ok(writer)
    }

    /// Scalars of one step. Names that cannot be keys are changed as little as makes them such.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn scalars<'a>(
        &mut self,
        step: u64,
        time: Timestamp,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<(), ImportError> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        for (name, value) in values {
            if let Some(id) = self.key(name)? {
                row.push((id, value));
            }
        }
        if !row.is_empty() {
            self.points += row.len() as u64;
            self.log.push_row(step, time, &row)?;
        }
        self.row = row;
        Ok(())
    }

    /// A histogram.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn histogram(
        &mut self,
        key: &str,
        step: u64,
        time: Timestamp,
        stats: TensorStats,
    ) -> Result<(), ImportError> {
        let Some(key) = self.key(key)? else {
            return Ok(());
        };
        let stats = Box::new(stats);
        self.value(&Record::Histogram {
            key,
            step,
            time,
            stats,
        })
    }

    /// A media value; its bytes come from [`Self::blob`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn media(
        &mut self,
        key: &str,
        step: u64,
        time: Timestamp,
        media: Media,
    ) -> Result<(), ImportError> {
        let Some(key) = self.key(key)? else {
            return Ok(());
        };
        let media = Box::new(media);
        self.value(&Record::Media {
            key,
            step,
            time,
            media,
        })
    }

    /// A text.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn text(
        &mut self,
        key: &str,
        step: u64,
        time: Timestamp,
        text: &str,
    ) -> Result<(), ImportError> {
        let content = match text.len() <= INLINE {
            true => Content::Inline(text.to_owned()),
            false => Content::Blob(self.blob(text.as_bytes(), "text/plain; charset=utf-8")?),
        };
        let detail = MediaDetail::Text;
        self.media(
            key,
            step,
            time,
            Media {
                content,
                caption: None,
                detail,
            },
        )
    }

    /// Keeps bytes beside the log, for a media value.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn blob(&self, bytes: &[u8], media_type: &str) -> Result<BlobRef, ImportError> {
        let blobs = self.log.dir().blobs();
        let kept = blobs.put(bytes, media_type);
        kept.map_err(ImportError::disk(self.log.dir().path()))
    }

    /// As [`Self::blob`], of a file, which may be large.
    ///
    /// # Errors
    /// If it cannot be read, or its copy not be written.
    pub fn blob_file(&self, file: &Path, media_type: &str) -> Result<BlobRef, ImportError> {
        let kept = self.log.dir().blobs().put_file(file, media_type);
        kept.map_err(ImportError::disk(self.log.dir().path()))
    }

    /// A file for what is needed only until the run is finished.
    pub(super) fn scratch(&self) -> PathBuf {
        self.log.dir().path().join("fetched")
    }

    /// A line of console.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn console(&mut self, line: ConsoleLine) -> Result<(), ImportError> {
        self.value(&Record::Console(line))
    }

    /// Config that comes later than the start.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn config(&mut self, update: ConfigUpdate) -> Result<(), ImportError> {
        self.record(Record::Config(update))
    }

    /// Anything else that is no value, such as an environment, a summary or a definition.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record(&mut self, record: Record) -> Result<(), ImportError> {
        self.log.push(record)
    }

    /// Counts something that has no place in a run, such as `value of the plugin mesh`. Of very many kinds of things, those after the first are
    /// counted together.
    pub fn leave_out(&mut self, what: impl AsRef<str>) {
        let what: String = what.as_ref().chars().take(MAX_WORDS).collect();
        let is_one_more = self.left_out.len() >= MAX_KINDS && !self.left_out.contains_key(&what);
        let what = match is_one_more {
            true => "other things".to_owned(),
            false => what,
        };
        *self.left_out.entry(what).or_default() += 1;
    }

    /// Ends the run and puts it into its place.
    ///
    /// # Errors
    /// If it cannot be written, or somebody else put it there meanwhile.
    pub fn finish(mut self, time: Timestamp, outcome: Outcome) -> Result<Imported, ImportError> {
        self.close(time)?;
        self.record(Record::End(End { time, outcome }))?;
        self.show()
    }

    /// Puts the run into its place as one that died without a word: it is seen as crashed. `time` is when that was noticed.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_crashed(mut self, time: Timestamp) -> Result<Imported, ImportError> {
        self.close(time)?;
        self.show()
    }

    /// Says what was left out.
    fn close(&mut self, time: Timestamp) -> Result<(), ImportError> {
        for what in self.left_out() {
            let line = ConsoleLine {
                time,
                level: Level::Warn,
                target: "cresset::import".to_owned(),
                message: format!("not taken over: {what}"),
                fields: serde_json::Map::new(),
            };
            self.record(Record::Console(line))?;
        }
        Ok(())
    }

    fn show(self) -> Result<Imported, ImportError> {
        let _ = fs::remove_file(self.scratch());
        Ok(Imported {
            left_out: self.left_out(),
            run: self.log.show()?,
            name: self.name,
            points: self.points,
            values: self.values,
        })
    }

    fn left_out(&self) -> Vec<String> {
        let left_out = self.left_out.iter();
        left_out
            .map(|(what, count)| format!("{count} × {what}"))
            .collect()
    }

    /// A value that may be too large to be kept, which is then counted.
    fn value(&mut self, record: &Record) -> Result<(), ImportError> {
        match self.log.push_value(record)? {
            Ok(()) => self.values += 1,
            Err(why) => self.leave_out(why.to_string()),
        }
        Ok(())
    }

    /// A key's number; `None` if there are too many.
    fn key(&mut self, name: &str) -> Result<Option<KeyId>, ImportError> {
        let key = self.log.key(name)?;
        if key.is_none() {
            self.leave_out("value of a series beyond those that can be kept");
        }
        Ok(key)
    }
}

/// The path of a source by which it is known again.
pub(super) fn canonical(path: &Path) -> Result<PathBuf, ImportError> {
    fs::canonicalize(path).map_err(ImportError::disk(path))
}

//! Writes a run that happened elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use cresset_record::{
    BlobRef, ConfigUpdate, ConsoleLine, Content, Digest, End, FrameBuilder, Holder, Key, KeyId,
    Level, LogWriter, MAX_KEY, Media, MediaDetail, NameError, Outcome, Rank, Record, Root, RunDir,
    RunId, Start, TensorStats, Timestamp, WriterLock,
};

use super::{ImportError, Imported};

/// Longer texts are blobs.
const INLINE: usize = 4096;
/// A source with more series than this has made them up.
const MAX_KEYS: usize = 100_000;

/// The id of a run that is imported: from the kind of its source and from what tells the source from all others.
///
/// # Errors
/// If the kind is no word.
pub fn run_id(kind: &str, identity: &[&[u8]]) -> Result<RunId, NameError> {
    let mut bytes = Vec::new();
    for part in identity {
        // With its length, so that no two lists of parts are the same bytes.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    let digest = Digest::of(&bytes).to_string();
    RunId::try_from(format!("{kind}-{}", &digest[..16]))
}

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
    source: String,
    name: String,
    /// Where it will be.
    target: RunDir,
    /// Where it is until then.
    dir: RunDir,
    log: LogWriter,
    frame: FrameBuilder,
    keys: HashMap<String, KeyId>,
    /// What every segment begins with, but for keys.
    head: Vec<Record>,
    row: Vec<(KeyId, f64)>,
    points: u64,
    values: u64,
    left_out: BTreeMap<String, u64>,
    is_finished: bool,
    _lock: WriterLock,
}

impl RunWriter {
    /// Begins a run. `source` is what it is made from, for people.
    ///
    /// # Errors
    /// If the run is there already, is imported at this moment, or cannot be written.
    pub fn begin(into: &Root, source: &str, start: &Start) -> Result<Self, ImportError> {
        let id = start.run.as_str();
        let known = into.find(id).unwrap_or_default();
        if let Some(run) = known.into_iter().find(|run| run.id_text() == id) {
            let source_name = source.to_owned();
            return Err(ImportError::AlreadyImported { source_name, run });
        }
        // Where nobody looks for runs: they are two folders deep.
        let dir = RunDir::new(into.path().join(format!(".import-{id}")));
        fs::create_dir_all(dir.path()).map_err(ImportError::disk(dir.path()))?;
        let holder = Holder {
            pid: std::process::id(),
            host: "this machine".to_owned(),
            since: Timestamp::now(),
        };
        let lock = WriterLock::acquire(&dir, Rank(0), &holder)?;
        // An import that was killed may have left some.
        for (rank, index) in dir.segments().map_err(ImportError::disk(dir.path()))? {
            let path = dir.segment(rank, index);
            fs::remove_file(&path).map_err(ImportError::disk(path))?;
        }
        let log = LogWriter::create(&dir, Rank(0)).map_err(ImportError::disk(dir.path()))?;
        let mut writer = Self {
            source: source.to_owned(),
            name: start.name.clone(),
            target: into.run(&start.project, &start.run),
            dir,
            log,
            frame: FrameBuilder::default(),
            keys: HashMap::new(),
            head: Vec::new(),
            row: Vec::new(),
            points: 0,
            values: 0,
            left_out: BTreeMap::new(),
            is_finished: false,
            _lock: lock,
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
            self.frame.push_row(step, time, &row);
        }
        self.row = row;
        self.make_room()
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
        let blobs = self.dir.blobs();
        let kept = blobs.put(bytes, media_type);
        kept.map_err(ImportError::disk(self.dir.path()))
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
        self.frame.push(&record)?;
        let is_lasting = matches!(
            record,
            Record::Start(_)
                | Record::Environment(_)
                | Record::Define(_)
                | Record::Config(_)
                | Record::Label(_)
                | Record::Summary(_)
        );
        if is_lasting {
            self.head.push(record);
        }
        self.make_room()
    }

    /// Counts something that has no place in a run, such as `values of the plugin mesh`.
    pub fn leave_out(&mut self, what: impl Into<String>) {
        *self.left_out.entry(what.into()).or_default() += 1;
    }

    /// Ends the run and puts it into its place.
    ///
    /// # Errors
    /// If it cannot be written, or somebody else put it there meanwhile.
    pub fn finish(mut self, time: Timestamp, outcome: Outcome) -> Result<Imported, ImportError> {
        let left_out: Vec<String> = std::mem::take(&mut self.left_out)
            .into_iter()
            .map(|(what, count)| format!("{count} × {what}"))
            .collect();
        for what in &left_out {
            let line = ConsoleLine {
                time,
                level: Level::Warn,
                target: "cresset::import".to_owned(),
                message: format!("not taken over: {what}"),
                fields: serde_json::Map::new(),
            };
            self.record(Record::Console(line))?;
        }
        self.record(Record::End(End { time, outcome }))?;
        self.append()?;
        self.log
            .sync()
            .map_err(ImportError::disk(self.dir.path()))?;
        self.put_in_place()?;
        self.is_finished = true;
        Ok(Imported {
            run: self.target.clone(),
            name: self.name.clone(),
            points: self.points,
            values: self.values,
            left_out,
        })
    }

    fn put_in_place(&self) -> Result<(), ImportError> {
        let target = self.target.path();
        if let Some(project) = target.parent() {
            fs::create_dir_all(project).map_err(ImportError::disk(project))?;
        }
        // A folder that holds something is not replaced.
        match fs::rename(self.dir.path(), target) {
            Err(_) if target.exists() => Err(ImportError::AlreadyImported {
                source_name: self.source.clone(),
                run: self.target.clone(),
            }),
            renamed => renamed.map_err(ImportError::disk(target)),
        }
    }

    /// A value that may be too large to be kept, which is then counted.
    fn value(&mut self, record: &Record) -> Result<(), ImportError> {
        match self.frame.push(record) {
            Ok(()) => self.values += 1,
            Err(error) => self.leave_out(error.to_string()),
        }
        self.make_room()
    }

    /// A key's number; `None` if there are too many.
    fn key(&mut self, name: &str) -> Result<Option<KeyId>, ImportError> {
        if let Some(id) = self.keys.get(name) {
            return Ok(Some(*id));
        }
        if self.keys.len() >= MAX_KEYS {
            self.leave_out(format!("values of series beyond {MAX_KEYS}"));
            return Ok(None);
        }
        let id = KeyId(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let key = usable(name)?;
        self.frame.push(&Record::Key { id, key })?;
        self.keys.insert(name.to_owned(), id);
        Ok(Some(id))
    }

    fn make_room(&mut self) -> Result<(), ImportError> {
        if self.frame.is_full() {
            self.append()?;
        }
        if !self.log.is_full() {
            return Ok(());
        }
        self.append()?;
        self.log
            .rotate()
            .map_err(ImportError::disk(self.dir.path()))?;
        for record in &self.head {
            self.frame.push(record)?;
        }
        for (name, id) in &self.keys {
            let key = usable(name)?;
            self.frame.push(&Record::Key { id: *id, key })?;
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), ImportError> {
        let appended = self.log.append(&mut self.frame);
        appended.map_err(ImportError::disk(self.dir.path()))
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_dir_all(self.dir.path());
        }
    }
}

/// The key nearest to a name from elsewhere.
fn usable(name: &str) -> Result<Key, NameError> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    if plain.is_empty() {
        return Key::new("unnamed");
    }
    if plain.len() <= MAX_KEY {
        return Key::new(&plain);
    }
    // Long names often differ at their end.
    let digest = Digest::of(name.as_bytes()).to_string();
    let mut short: String = plain.chars().take(MAX_KEY / 8).collect();
    short.push('…');
    short.push_str(&digest[..16]);
    Key::new(&short)
}

/// The path of a source by which it is known again.
pub(super) fn canonical(path: &std::path::Path) -> Result<PathBuf, ImportError> {
    fs::canonicalize(path).map_err(ImportError::disk(path))
}

//! Writes the log of one run as `cresset-run` would, at times of the caller's choosing.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use cresset_record::{
    BlobRef, Content, Definition, End, FrameBuilder, Holder, Key, KeyId, LogWriter, Media,
    MediaDetail, Outcome, Project, Rank, Record, Root, RunDir, RunId, Start, TensorStats,
    Timestamp, WriterLock,
};
use cresset_run::{Figure, Table};
use serde_json::{Map, Value as Json};

use crate::rng::Rng;

/// A frame is sealed at this size.
const FRAME_BYTES: usize = 128 << 10;

/// The log of one rank of a run.
pub(crate) struct Book {
    pub(crate) dir: RunDir,
    rank: Rank,
    start: Start,
    log: LogWriter,
    frame: FrameBuilder,
    keys: HashMap<String, KeyId>,
    definitions: Vec<Definition>,
    /// The time of whatever is written next.
    pub(crate) now: Timestamp,
    lock: Option<WriterLock>,
}

impl Book {
    pub(crate) fn begin(out: &Path, start: Start, definitions: &[Definition]) -> Result<Self> {
        let dir = Root::new(out).run(&start.project, &start.run);
        let rank = start.rank;
        let log = LogWriter::create(&dir, rank)
            .with_context(|| format!("cannot write {}", dir.path().display()))?;
        let mut book = Self {
            dir,
            rank,
            now: start.time,
            start,
            log,
            frame: FrameBuilder::default(),
            keys: HashMap::new(),
            definitions: definitions.to_vec(),
            lock: None,
        };
        book.preamble()?;
        Ok(book)
    }

    fn preamble(&mut self) -> Result<()> {
        self.record(&Record::Start(Box::new(self.start.clone())))?;
        for definition in self.definitions.clone() {
            self.record(&Record::Define(definition))?;
        }
        let keys: Vec<_> = self.keys.iter().map(|(k, id)| (k.clone(), *id)).collect();
        for (key, id) in keys {
            self.declare(&key, id)?;
        }
        Ok(())
    }

    fn declare(&mut self, key: &str, id: KeyId) -> Result<()> {
        let key = Key::try_from(key.to_owned()).with_context(|| format!("key {key:?}"))?;
        self.record(&Record::Key { id, key })
    }

    /// Holds the lock, so that readers take the run as going on.
    pub(crate) fn hold(&mut self) -> Result<()> {
        let holder = Holder {
            pid: std::process::id(),
            host: "fixtures".to_owned(),
            since: self.now,
        };
        self.lock = Some(WriterLock::acquire(&self.dir, self.rank, &holder)?);
        Ok(())
    }

    pub(crate) fn key(&mut self, key: &str) -> Result<KeyId> {
        if let Some(id) = self.keys.get(key) {
            return Ok(*id);
        }
        let id = KeyId(self.keys.len() as u32);
        self.keys.insert(key.to_owned(), id);
        self.declare(key, id)?;
        Ok(id)
    }

    pub(crate) fn record(&mut self, record: &Record) -> Result<()> {
        self.frame.push(record)?;
        self.seal_if_large()
    }

    pub(crate) fn row_of(&mut self, step: u64, points: &[(KeyId, f64)]) -> Result<()> {
        self.frame.push_row(step, self.now, points);
        self.seal_if_large()
    }

    pub(crate) fn row<K: AsRef<str>>(&mut self, step: u64, points: &[(K, f64)]) -> Result<()> {
        let row = points.iter().map(|(k, v)| Ok((self.key(k.as_ref())?, *v)));
        let row = row.collect::<Result<Vec<_>>>()?;
        self.row_of(step, &row)
    }

    fn seal_if_large(&mut self) -> Result<()> {
        if self.frame.len() >= FRAME_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.log.append(&mut self.frame)?;
        if self.log.is_full() {
            self.log.rotate()?;
            self.preamble()?;
        }
        Ok(())
    }

    pub(crate) fn histogram(&mut self, step: u64, key: &str, stats: TensorStats) -> Result<()> {
        let record = Record::Histogram {
            key: self.key(key)?,
            step,
            time: self.now,
            stats: Box::new(stats),
        };
        self.record(&record)
    }

    pub(crate) fn blob(&self, bytes: &[u8], media_type: &str) -> Result<BlobRef> {
        Ok(self.dir.blobs().put(bytes, media_type)?)
    }

    pub(crate) fn media(&mut self, step: u64, key: &str, media: Media) -> Result<()> {
        let record = Record::Media {
            key: self.key(key)?,
            step,
            time: self.now,
            media: Box::new(media),
        };
        self.record(&record)
    }

    pub(crate) fn bytes(
        &mut self,
        step: u64,
        key: &str,
        (bytes, media_type): (&[u8], &str),
        detail: MediaDetail,
        caption: Option<&str>,
    ) -> Result<()> {
        let blob = self.blob(bytes, media_type)?;
        let media = Media {
            content: Content::Blob(blob),
            caption: caption.map(str::to_owned),
            detail,
        };
        self.media(step, key, media)
    }

    pub(crate) fn text(&mut self, step: u64, key: &str, text: &str) -> Result<()> {
        let media = Media {
            content: Content::Inline(text.to_owned()),
            caption: None,
            detail: MediaDetail::Text,
        };
        self.media(step, key, media)
    }

    pub(crate) fn figure(&mut self, step: u64, key: &str, figure: &Figure) -> Result<()> {
        let json = serde_json::to_vec(figure)?;
        let detail = MediaDetail::Figure {
            figure: figure.name().to_owned(),
        };
        self.bytes(step, key, (&json, "application/json"), detail, None)
    }

    pub(crate) fn table(&mut self, step: u64, key: &str, table: &Table) -> Result<()> {
        let json = serde_json::to_vec(table)?;
        let detail = MediaDetail::Table {
            rows: table.rows.len() as u64,
            columns: table.columns.len() as u64,
        };
        self.bytes(step, key, (&json, "application/json"), detail, None)
    }

    pub(crate) fn summary(&mut self, values: Map<String, Json>) -> Result<()> {
        self.record(&Record::Summary(values))
    }

    /// Ends the run. A book that is dropped instead is a run that crashed.
    pub(crate) fn end(mut self, outcome: Outcome) -> Result<()> {
        let time = self.now;
        self.record(&Record::End(End { time, outcome }))?;
        self.flush()
    }
}

/// A head with nothing but names.
pub(crate) fn start(project: &str, id: &str, name: &str, time: Timestamp) -> Result<Start> {
    Ok(Start {
        run: RunId::try_from(id.to_owned())?,
        project: Project::try_from(project.to_owned())?,
        name: name.to_owned(),
        rank: Rank(0),
        world_size: None,
        time,
        group: None,
        job_type: None,
        tags: Vec::new(),
        notes: String::new(),
        config: Map::new(),
        cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// An id as `RunId::generate` makes them, of a time and a seed.
pub(crate) fn id(time: Timestamp, rng: &mut Rng) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let digits = |number: u64, n: u32| {
        (0..n)
            .rev()
            .map(move |i| char::from(ALPHABET[(number >> (5 * i)) as usize & 31]))
    };
    let seconds = (time.0 / 1_000_000) as u64;
    digits(seconds, 7).chain(digits(rng.next(), 6)).collect()
}

/// Two words and a number, as Cresset names runs.
pub(crate) fn name(rng: &mut Rng, number: u64) -> String {
    const FIRST: [&str; 16] = [
        "amber", "bold", "bright", "calm", "clear", "copper", "coral", "eager", "gentle", "golden",
        "keen", "lucid", "nimble", "silver", "steady", "warm",
    ];
    const SECOND: [&str; 16] = [
        "anchor", "bay", "beacon", "buoy", "cape", "cove", "delta", "ember", "gull", "harbor",
        "keel", "lantern", "pilot", "reef", "sail", "tide",
    ];
    format!("{}-{}-{number}", rng.pick(&FIRST), rng.pick(&SECOND))
}

/// Microseconds of a time that is always the same: Monday 2026-11-23, 02:00 UTC.
pub(crate) const MONDAY: i64 = 1_795_399_200_000_000;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3600 * SECOND;

//! The log of a run that is written in one go.

use std::collections::HashMap;

use cresset_record::{
    EncodeError, FrameBuilder, KeyId, LogWriter, Rank, Record, RunDir, Timestamp,
};

use super::ImportError;
use super::names::usable;
use super::place::Place;

/// A source with more series than this has made them up.
const MAX_KEYS: usize = 100_000;

/// A log, segment after segment, each of which can be read without those before it.
#[derive(Debug)]
pub(super) struct Log {
    /// Let go of last: what is in it is removed then.
    log: LogWriter,
    place: Place,
    frame: FrameBuilder,
    keys: HashMap<String, KeyId>,
    /// What every segment begins with, but for keys.
    head: Vec<Record>,
}

impl Log {
    pub(super) fn new(place: Place) -> Result<Self, ImportError> {
        let dir = place.dir();
        let log = LogWriter::create(dir, Rank(0)).map_err(ImportError::disk(dir.path()))?;
        Ok(Self {
            log,
            place,
            frame: FrameBuilder::default(),
            keys: HashMap::new(),
            head: Vec::new(),
        })
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &RunDir {
        self.place.dir()
    }

    /// The number of a name's key, which is declared where needed; `None` if there are too many.
    pub(super) fn key(&mut self, name: &str) -> Result<Option<KeyId>, ImportError> {
        if let Some(id) = self.keys.get(name) {
            return Ok(Some(*id));
        }
        if self.keys.len() >= MAX_KEYS {
            return Ok(None);
        }
        let id = KeyId(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let key = usable(name)?;
        self.frame.push(&Record::Key { id, key })?;
        self.keys.insert(name.to_owned(), id);
        Ok(Some(id))
    }

    pub(super) fn push_row(
        &mut self,
        step: u64,
        time: Timestamp,
        row: &[(KeyId, f64)],
    ) -> Result<(), ImportError> {
        self.frame.push_row(step, time, row);
        self.make_room()
    }

    /// A record that the run cannot do without.
    pub(super) fn push(&mut self, record: Record) -> Result<(), ImportError> {
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

    /// A record that may be one that cannot be kept.
    pub(super) fn push_value(
        &mut self,
        record: &Record,
    ) -> Result<Result<(), EncodeError>, ImportError> {
        let pushed = self.frame.push(record);
        self.make_room()?;
        Ok(pushed)
    }

    /// Brings all to the disk, and the run to where runs are.
    pub(super) fn show(mut self) -> Result<RunDir, ImportError> {
        self.append()?;
        let synced = self.log.sync();
        synced.map_err(ImportError::disk(self.dir().path()))?;
        self.place.show()
    }

    fn make_room(&mut self) -> Result<(), ImportError> {
        if self.frame.is_full() {
            self.append()?;
        }
        if !self.log.is_full() {
            return Ok(());
        }
        self.append()?;
        let rotated = self.log.rotate();
        rotated.map_err(ImportError::disk(self.dir().path()))?;
        let keys = self.keys.iter().map(|(name, id)| {
            let (id, key) = (*id, usable(name)?);
            Ok(Record::Key { id, key })
        });
        let head = self.head.iter().cloned().map(Ok);
        for record in head.chain(keys).collect::<Result<Vec<_>, ImportError>>()? {
            self.frame.push(&record)?;
            if self.frame.is_full() {
                self.append()?;
            }
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), ImportError> {
        let appended = self.log.append(&mut self.frame);
        appended.map_err(ImportError::disk(self.place.dir().path()))
    }
}

//! The payload of a frame: its sequence number, then records, each of kind, length and body.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format::{FRAME_HEAD, MAX_PAYLOAD, seal_frame};
use super::rows::{self, RowsEncoder};
use super::{histogram, varint};
use crate::key::{Key, KeyId};
use crate::media::Media;
use crate::record::Record;
use crate::time::Timestamp;

// Kinds of records. Numbers are never used again; 0 is never used.
const START: u64 = 1;
const RESUME: u64 = 2;
const ENVIRONMENT: u64 = 3;
const KEY: u64 = 4;
const ROWS: u64 = 5;
const HISTOGRAM: u64 = 6;
const MEDIA: u64 = 7;
const DEFINE: u64 = 8;
const CONFIG: u64 = 9;
const LABEL: u64 = 10;
const SUMMARY: u64 = 11;
const CONSOLE: u64 = 12;
const ALERT: u64 = 13;
const LOST: u64 = 14;
const END: u64 = 15;

/// Largest body of one record; what is larger belongs into a blob.
pub const MAX_RECORD: usize = MAX_PAYLOAD / 2;

/// Builds one frame after another in a buffer that is used again.
///
/// Rows pushed one after another share a record; any other record closes it, so order is kept.
pub struct FrameBuilder {
    out: Vec<u8>,
    body: Vec<u8>,
    rows: RowsEncoder,
}

impl Default for FrameBuilder {
    fn default() -> Self {
        Self {
            out: vec![0; FRAME_HEAD],
            body: Vec::new(),
            rows: RowsEncoder::default(),
        }
    }
}

impl FrameBuilder {
    /// Whether nothing was pushed since the last frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.len() == FRAME_HEAD && self.rows.is_empty()
    }

    /// About how many bytes the frame has so far. Seal it well before it reaches [`MAX_RECORD`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len() + self.rows.len()
    }

    /// Appends one row of scalars.
    pub fn push_row(&mut self, step: u64, time: Timestamp, points: &[(KeyId, f64)]) {
        self.rows.push(step, time, points);
    }

    /// Appends a record.
    ///
    /// # Errors
    /// If its body is larger than [`MAX_RECORD`] or has no JSON; nothing is appended then.
    pub fn push(&mut self, record: &Record) -> Result<(), EncodeError> {
        if let Record::Rows(rows) = record {
            for row in rows {
                self.push_row(row.step, row.time, &row.points);
            }
            return Ok(());
        }
        self.body.clear();
        let body = &mut self.body;
        let kind = match record {
            Record::Rows(_) | Record::Unknown { .. } => return Err(EncodeError::Unknown),
            Record::Key { id, key } => {
                varint::put(body, u64::from(id.0));
                body.extend_from_slice(key.as_str().as_bytes());
                KEY
            }
            Record::Histogram {
                key,
                step,
                time,
                stats,
            } => {
                histogram::encode(body, *key, *step, *time, stats);
                HISTOGRAM
            }
            Record::Media {
                key,
                step,
                time,
                media,
            } => {
                varint::put(body, u64::from(key.0));
                varint::put(body, *step);
                varint::put_signed(body, time.0);
                json(body, MEDIA, &**media)?
            }
            Record::Start(start) => json(body, START, &**start)?,
            Record::Resume(resume) => json(body, RESUME, resume)?,
            Record::Environment(map) => json(body, ENVIRONMENT, map)?,
            Record::Define(definition) => json(body, DEFINE, definition)?,
            Record::Config(update) => json(body, CONFIG, update)?,
            Record::Label(update) => json(body, LABEL, update)?,
            Record::Summary(map) => json(body, SUMMARY, map)?,
            Record::Console(line) => json(body, CONSOLE, line)?,
            Record::Alert(alert) => json(body, ALERT, alert)?,
            Record::Lost(lost) => json(body, LOST, lost)?,
            Record::End(end) => json(body, END, end)?,
        };
        if self.body.len() > MAX_RECORD {
            return Err(EncodeError::TooLarge {
                bytes: self.body.len(),
            });
        }
        self.close_rows();
        varint::put(&mut self.out, kind);
        varint::put(&mut self.out, self.body.len() as u64);
        self.out.extend_from_slice(&self.body);
        Ok(())
    }

    /// Completes the frame under sequence number `sequence` and hands its bytes to `write`; then starts the next.
    pub fn seal<T>(&mut self, sequence: u64, write: impl FnOnce(&[u8]) -> T) -> T {
        self.close_rows();
        // The number goes last in place but first in the payload: bodies are built before it is known.
        let mut number = Vec::with_capacity(10);
        varint::put(&mut number, sequence);
        self.out.splice(FRAME_HEAD..FRAME_HEAD, number);
        seal_frame(&mut self.out);
        let result = write(&self.out);
        self.out.truncate(FRAME_HEAD);
        result
    }

    fn close_rows(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        self.body.clear();
        self.rows.finish_into(&mut self.body);
        varint::put(&mut self.out, ROWS);
        varint::put(&mut self.out, self.body.len() as u64);
        self.out.extend_from_slice(&self.body);
    }
}

/// Why a record could not be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It is larger than [`MAX_RECORD`].
    #[error("a record of {bytes} bytes is larger than {MAX_RECORD}; keep large values as files")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It has no JSON form.
    #[error("a value has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// Records of unknown kinds are read, never written.
    #[error("records of unknown kinds cannot be written")]
    Unknown,
}

fn json(body: &mut Vec<u8>, kind: u64, value: &impl Serialize) -> Result<u64, EncodeError> {
    serde_json::to_writer(body, value)?;
    Ok(kind)
}

/// The records of a frame, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number in its writer's log, from 0.
    pub sequence: u64,
    /// What it holds.
    pub records: Vec<Record>,
    /// Records whose body is not what their kind promises, although the checksum is right: written by something broken.
    pub malformed: u32,
}

/// Decodes a payload whose checksum was right; `None` if it has no sequence number.
pub(super) fn decode(mut payload: &[u8]) -> Option<Frame> {
    let sequence = varint::take(&mut payload)?;
    let mut frame = Frame {
        sequence,
        records: Vec::new(),
        malformed: 0,
    };
    while !payload.is_empty() {
        let Some((kind, body)) = take_record(&mut payload) else {
            frame.malformed += 1;
            break;
        };
        match decode_record(kind, body) {
            Some(record) => frame.records.push(record),
            None => frame.malformed += 1,
        }
    }
    Some(frame)
}

/// The sequence number of a payload.
pub(super) fn sequence(mut payload: &[u8]) -> Option<u64> {
    varint::take(&mut payload)
}

fn take_record<'a>(payload: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let kind = varint::take(payload)?;
    let length = usize::try_from(varint::take(payload)?).ok()?;
    let (body, rest) = payload.split_at_checked(length)?;
    *payload = rest;
    Some((kind, body))
}

fn decode_record(kind: u64, mut body: &[u8]) -> Option<Record> {
    Some(match kind {
        KEY => {
            let id = take_key(&mut body)?;
            Record::Key {
                id,
                key: Key::new(std::str::from_utf8(body).ok()?).ok()?,
            }
        }
        ROWS => Record::Rows(rows::decode(body)?),
        HISTOGRAM => {
            let (key, step, time, stats) = histogram::decode(body)?;
            Record::Histogram {
                key,
                step,
                time,
                stats: Box::new(stats),
            }
        }
        MEDIA => Record::Media {
            key: take_key(&mut body)?,
            step: varint::take(&mut body)?,
            time: Timestamp(varint::take_signed(&mut body)?),
            media: Box::new(from_json::<Media>(body)?),
        },
        START => Record::Start(Box::new(from_json(body)?)),
        RESUME => Record::Resume(from_json(body)?),
        ENVIRONMENT => Record::Environment(from_json(body)?),
        DEFINE => Record::Define(from_json(body)?),
        CONFIG => Record::Config(from_json(body)?),
        LABEL => Record::Label(from_json(body)?),
        SUMMARY => Record::Summary(from_json(body)?),
        CONSOLE => Record::Console(from_json(body)?),
        ALERT => Record::Alert(from_json(body)?),
        LOST => Record::Lost(from_json(body)?),
        END => Record::End(from_json(body)?),
        _ => Record::Unknown {
            kind,
            len: body.len() as u64,
        },
    })
}

fn take_key(body: &mut &[u8]) -> Option<KeyId> {
    varint::take(body)
        .and_then(|id| u32::try_from(id).ok())
        .map(KeyId)
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

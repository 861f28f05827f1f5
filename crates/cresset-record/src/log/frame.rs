//! Builds frames. The payload is a sequence number, then records, each of kind, length and body.

use serde::Serialize;

use super::format::{FRAME_HEAD, MAX_PAYLOAD, MAX_POINTS, seal_frame};
use super::kind;
use super::rows::RowsEncoder;
use super::{histogram, varint};
use crate::key::KeyId;
use crate::record::Record;
use crate::time::Timestamp;

/// Largest body of one record in bytes; what is larger belongs into a blob.
pub const MAX_RECORD: usize = MAX_PAYLOAD / 2;

/// JSON deeper than this is not written: parsers stop somewhere, ours at 127.
const MAX_DEPTH: usize = 100;

/// Builds one frame after another in a buffer that is used again.
///
/// Rows pushed one after another share a record; any other record closes it, so order is kept.
pub struct FrameBuilder {
    /// Room for the head, then records.
    out: Vec<u8>,
    body: Vec<u8>,
    rows: RowsEncoder,
    rows_body: Vec<u8>,
    /// Rows and points in the frame.
    points: usize,
}

impl Default for FrameBuilder {
    fn default() -> Self {
        Self {
            out: vec![0; FRAME_HEAD],
            body: Vec::new(),
            rows: RowsEncoder::default(),
            rows_body: Vec::new(),
            points: 0,
        }
    }
}

impl FrameBuilder {
    /// Whether nothing was pushed since the last frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.len() == FRAME_HEAD && self.rows.is_empty()
    }

    /// About how many bytes the frame has so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len() + self.rows.len()
    }

    /// Whether the frame should be sealed before more is pushed: it has a megabyte, or a million points. A frame of
    /// more than eight megabytes or four million points no reader takes, and [`LogWriter`](crate::LogWriter) refuses it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= MAX_PAYLOAD / 8 || self.points >= MAX_POINTS / 4
    }

    /// Whether a reader would refuse the frame.
    pub(super) fn is_oversized(&self) -> bool {
        // Kind, two lengths and the sequence number take 40 bytes at most.
        self.len() + 40 > FRAME_HEAD + MAX_PAYLOAD || self.points > MAX_POINTS
    }

    /// Appends one row of scalars.
    pub fn push_row(&mut self, step: u64, time: Timestamp, points: &[(KeyId, f64)]) {
        self.rows.push(step, time, points);
        self.points = self.points.saturating_add(1 + points.len());
    }

    /// Appends a record.
    ///
    /// # Errors
    /// If its body is larger than [`MAX_RECORD`] or is not what a reader takes; nothing is appended then.
    pub fn push(&mut self, record: &Record) -> Result<(), EncodeError> {
        if let Record::Rows(rows) = record {
            for row in rows {
                self.push_row(row.step, row.time, &row.points);
            }
            return Ok(());
        }
        self.body.clear();
        let kind = encode(record, &mut self.body)?;
        if self.body.len() > MAX_RECORD {
            return Err(EncodeError::TooLarge {
                bytes: self.body.len(),
            });
        }
        self.close_rows();
        put_record(&mut self.out, kind, &self.body);
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
        self.clear();
        result
    }

    /// Forgets what was pushed since the last frame.
    pub(super) fn clear(&mut self) {
        self.close_rows();
        self.out.truncate(FRAME_HEAD);
        self.points = 0;
    }

    fn close_rows(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        self.rows_body.clear();
        self.rows.finish_into(&mut self.rows_body);
        put_record(&mut self.out, kind::ROWS, &self.rows_body);
    }
}

impl std::fmt::Debug for FrameBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameBuilder")
            .field("bytes", &self.len())
            .field("points", &self.points)
            .finish()
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
    /// Its JSON is an array in an array in an array, and so on, beyond what readers take.
    #[error("a value nests {depth} levels deep, more than {MAX_DEPTH}; make it flatter")]
    TooDeep {
        /// How deep.
        depth: usize,
    },
    /// The histogram's scale, offset or number of buckets is beyond what readers take.
    #[error(
        "a histogram of scale {scale} with {buckets} buckets a sign cannot be kept; downscale it"
    )]
    Histogram {
        /// Its scale.
        scale: i8,
        /// The most buckets it has of a sign.
        buckets: usize,
    },
    /// Records of unknown kinds are read, never written.
    #[error("records of unknown kinds cannot be written")]
    Unknown,
}

fn put_record(out: &mut Vec<u8>, kind: u64, body: &[u8]) {
    varint::put(out, kind);
    varint::put(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Appends a record's body and returns its kind.
fn encode(record: &Record, body: &mut Vec<u8>) -> Result<u64, EncodeError> {
    match record {
        Record::Rows(_) | Record::Unknown { .. } => Err(EncodeError::Unknown),
        Record::Key { id, key } => {
            varint::put(body, u64::from(id.0));
            body.extend_from_slice(key.as_str().as_bytes());
            Ok(kind::KEY)
        }
        Record::Histogram {
            key,
            step,
            time,
            stats,
        } => {
            if !histogram::is_readable(&stats.histogram) {
                let h = &stats.histogram;
                return Err(EncodeError::Histogram {
                    scale: h.scale,
                    buckets: h.positive.counts.len().max(h.negative.counts.len()),
                });
            }
            histogram::encode(body, *key, *step, *time, stats);
            Ok(kind::HISTOGRAM)
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
            json(body, kind::MEDIA, &**media)
        }
        Record::Start(start) => json(body, kind::START, &**start),
        Record::Resume(resume) => json(body, kind::RESUME, resume),
        Record::Environment(map) => json(body, kind::ENVIRONMENT, map),
        Record::Define(definition) => json(body, kind::DEFINE, definition),
        Record::Config(update) => json(body, kind::CONFIG, update),
        Record::Label(update) => json(body, kind::LABEL, update),
        Record::Summary(map) => json(body, kind::SUMMARY, map),
        Record::Console(line) => json(body, kind::CONSOLE, line),
        Record::Alert(alert) => json(body, kind::ALERT, alert),
        Record::Lost(lost) => json(body, kind::LOST, lost),
        Record::End(end) => json(body, kind::END, end),
    }
}

fn json(body: &mut Vec<u8>, kind: u64, value: &impl Serialize) -> Result<u64, EncodeError> {
    let begin = body.len();
    serde_json::to_writer(&mut *body, value)?;
    let depth = json_depth(&body[begin..]);
    if depth > MAX_DEPTH {
        return Err(EncodeError::TooDeep { depth });
    }
    Ok(kind)
}

/// How deep arrays and objects nest in valid JSON.
fn json_depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

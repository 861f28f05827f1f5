//! Reading of W&B's files, damaged ones included.
//!
//! W&B's own `sync` stops at the first record that it cannot read. Here a damaged block is reported and left, and reading goes on at
//! the next one, so that a bad sector costs its records and no others.

use std::io::{self, Read};

use serde_json::Value as Json;

use crate::proto::Malformed;

use super::decode::record;
use super::log::{BLOCK, CHUNK_HEAD, FIRST, FULL, HEADER, LAST, MIDDLE, checksum};

/// Longest record that is read, in bytes.
const MAX_RECORD: usize = 256 << 20;

/// A record of a W&B file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// Which client wrote the file.
    Header {
        /// Its version.
        producer: String,
    },
    /// What the run is called and made with.
    Run(Box<Run>),
    /// Changes of config: paths and values.
    Config(Vec<Item>),
    /// Values of one step: paths and values, `_step`, `_timestamp` and `_runtime` among them.
    History {
        /// The step, where the record says it apart from the values.
        step: Option<u64>,
        /// The values.
        items: Vec<Item>,
    },
    /// Changes of the summary: paths and values.
    Summary(Vec<Item>),
    /// What the machine did; names without `system.`.
    Stats {
        /// When, in microseconds since 1970.
        time: i64,
        /// The values.
        items: Vec<Item>,
    },
    /// Console output; not always a whole line.
    Output {
        /// When, in microseconds since 1970.
        time: i64,
        /// Whether it went to standard error.
        is_error: bool,
        /// What was written.
        text: String,
    },
    /// Something a person should look at.
    Alert {
        /// One line.
        title: String,
        /// The rest.
        text: String,
        /// `INFO`, `WARN` or `ERROR`.
        level: String,
    },
    /// What a metric means.
    Metric(Metric),
    /// The run's end.
    Exit {
        /// 0 if all went well.
        code: i64,
    },
    /// Something else, by its number in W&B's `Record`.
    Other(u32),
}

/// What a run is called and made with.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words are W&B's own")]
pub struct Run {
    pub id: String,
    pub entity: String,
    pub project: String,
    pub config: Vec<Item>,
    pub summary: Vec<Item>,
    pub group: String,
    pub job_type: String,
    pub display_name: String,
    pub notes: String,
    pub tags: Vec<String>,
    pub host: String,
    /// When it began, in microseconds since 1970.
    pub start_time: Option<i64>,
}

/// What a metric means.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// A name, or a pattern with `*` at its end.
    pub name: String,
    /// The metric that is the x axis.
    pub step_metric: String,
    /// Whether charts leave it out.
    pub is_hidden: bool,
    /// Numbers of the rules for its summary: 1 min, 2 max, 3 mean, 4 best, 5 last, 6 none.
    pub summary: Vec<u32>,
    /// 1 if lower is better, 2 if higher is.
    pub goal: i64,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The key, and keys within it.
    pub path: Vec<String>,
    /// The value.
    pub value: Value,
}

/// A value as W&B has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, which may be NaN or infinite.
    Number(f64),
    /// Any other JSON. Numbers in it that JSON has not are `null`.
    Json(Json),
}

/// What comes next in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// A record.
    Record(Record),
    /// Bytes from here to there are damaged, for this reason. Reading goes on after them.
    Damage {
        /// Where they begin in the file.
        from: u64,
        /// Where they end.
        to: u64,
        /// What is wrong with them.
        reason: &'static str,
    },
}

/// Reads a W&B file, from its beginning to its end.
#[derive(Debug)]
pub struct Reader<R> {
    file: R,
    /// The block at hand, and where it begins in the file.
    block: Vec<u8>,
    begins: u64,
    /// The next chunk in the block.
    at: usize,
    /// The beginning of a record whose end is still to come, and where it begins.
    parts: Option<(Vec<u8>, u64)>,
    is_last: bool,
}

impl<R: Read> Reader<R> {
    /// # Errors
    /// If it cannot be read, or is no W&B file.
    pub fn new(mut file: R) -> io::Result<Self> {
        let block = fill(&mut file)?;
        if !block.starts_with(&HEADER) {
            let message = "this is no W&B file of a known version";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Self {
            file,
            is_last: (block.len() as u64) < BLOCK,
            block,
            begins: 0,
            at: HEADER.len(),
            parts: None,
        })
    }

    /// The next record or damage; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Next>> {
        loop {
            let rest = self.block.get(self.at..).unwrap_or_default();
            if (rest.len() as u64) < CHUNK_HEAD {
                if self.is_last {
                    return Ok(self.torn(rest.len()));
                }
                self.next_block()?;
                continue;
            }
            let here = self.begins + self.at as u64;
            match chunk(rest) {
                Err(reason) => return Ok(Some(self.skip(here, reason))),
                Ok((kind, payload)) => {
                    let payload = payload.to_vec();
                    self.at += CHUNK_HEAD as usize + payload.len();
                    if let Some(next) = self.put(kind, payload, here) {
                        return Ok(Some(next));
                    }
                }
            }
        }
    }

    /// Puts chunks together.
    fn put(&mut self, kind: u8, payload: Vec<u8>, here: u64) -> Option<Next> {
        let damage = |from, reason| Next::Damage {
            from,
            to: here,
            reason,
        };
        let broken = self.parts.take();
        let (whole, from) = match (kind, broken) {
            (FULL, None) => (payload, here),
            (FIRST, None) => {
                self.parts = Some((payload, here));
                return None;
            }
            (MIDDLE | LAST, Some((mut bytes, from))) => {
                if bytes.len() + payload.len() > MAX_RECORD {
                    return Some(damage(from, "a record is too long"));
                }
                bytes.extend_from_slice(&payload);
                if kind == MIDDLE {
                    self.parts = Some((bytes, from));
                    return None;
                }
                (bytes, from)
            }
            // The record before has no end: this one is read again after that was said.
            (FULL | FIRST, Some((_, from))) => {
                self.at -= CHUNK_HEAD as usize + payload.len();
                return Some(damage(from, "a record has no end"));
            }
            // The beginning went with what was damaged before.
            _ => return None,
        };
        match record(&whole) {
            Ok(record) => Some(Next::Record(record)),
            Err(Malformed) => Some(Next::Damage {
                from,
                to: self.begins + self.at as u64,
                reason: "a record is no message of W&B",
            }),
        }
    }

    /// Leaves the rest of the block.
    fn skip(&mut self, here: u64, reason: &'static str) -> Next {
        self.at = self.block.len();
        let from = self.parts.take().map_or(here, |(_, from)| from);
        let reason = match self.is_last && reason == CUT {
            true => "the file ends within a record",
            false => reason,
        };
        Next::Damage {
            from,
            to: self.begins + self.block.len() as u64,
            reason,
        }
    }

    /// What the end of the file has cut off, if it has.
    fn torn(&mut self, left: usize) -> Option<Next> {
        let to = self.begins + self.block.len() as u64;
        self.at = self.block.len();
        let from = match self.parts.take() {
            Some((_, from)) => from,
            // What fills a block up is no part of a record.
            None if self.block.iter().rev().take(left).all(|byte| *byte == 0) => return None,
            None => to - left as u64,
        };
        Some(Next::Damage {
            from,
            to,
            reason: "the file ends within a record",
        })
    }

    fn next_block(&mut self) -> io::Result<()> {
        self.begins += self.block.len() as u64;
        self.block = fill(&mut self.file)?;
        self.is_last = (self.block.len() as u64) < BLOCK;
        self.at = 0;
        Ok(())
    }
}

/// A block, or what is left of the file.
fn fill(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(BLOCK as usize);
    file.take(BLOCK).read_to_end(&mut block)?;
    Ok(block)
}

const CUT: &str = "a chunk is longer than its block";

fn chunk(bytes: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    let (head, rest) = bytes.split_first_chunk::<7>().ok_or(CUT)?;
    let [a, b, c, d, low, high, kind] = *head;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let payload = rest.get(..length).ok_or(CUT)?;
    if checksum(kind, payload) != u32::from_le_bytes([a, b, c, d]) {
        return Err("a checksum does not match");
    }
    match kind {
        FULL..=LAST => Ok((kind, payload)),
        _ => Err("a chunk is of no known kind"),
    }
}

//! Takes frames apart.

use serde::de::DeserializeOwned;

use super::format::{MAX_POINTS, MINOR};
use super::kind;
use super::{histogram, rows, varint};
use crate::key::{Key, KeyId};
use crate::media::Media;
use crate::record::Record;
use crate::time::Timestamp;

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

impl Frame {
    /// Decodes a frame's payload; `None` if it has no sequence number.
    ///
    /// `minor` is the minor version of the segment that it is from: in one newer than [`MINOR`], a body that is not
    /// understood is no mistake but [`Record::Unknown`].
    #[must_use]
    pub fn decode(mut payload: &[u8], minor: u16) -> Option<Self> {
        let sequence = varint::take(&mut payload)?;
        let mut frame = Self {
            sequence,
            records: Vec::new(),
            malformed: 0,
        };
        let mut allowance = MAX_POINTS;
        while !payload.is_empty() {
            let Some((kind, body)) = take_record(&mut payload) else {
                frame.malformed += 1;
                break;
            };
            match decode_record(kind, body, &mut allowance) {
                Some(record) => frame.records.push(record),
                None if minor > MINOR => frame.records.push(unknown(kind, body)),
                None => frame.malformed += 1,
            }
        }
        Some(frame)
    }
}

/// The sequence number of a payload.
pub(super) fn sequence(mut payload: &[u8]) -> Option<u64> {
    varint::take(&mut payload)
}

/// The key declarations of a payload, without decoding the rest.
pub(super) fn keys(mut payload: &[u8]) -> Vec<Record> {
    let mut keys = Vec::new();
    if varint::take(&mut payload).is_some() {
        while let Some((kind, body)) = take_record(&mut payload) {
            if kind == kind::KEY {
                keys.extend(decode_record(kind, body, &mut 0));
            }
        }
    }
    keys
}

fn take_record<'a>(payload: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let kind = varint::take(payload)?;
    let length = usize::try_from(varint::take(payload)?).ok()?;
    let (body, rest) = payload.split_at_checked(length)?;
    *payload = rest;
    Some((kind, body))
}

fn decode_record(kind: u64, mut body: &[u8], allowance: &mut usize) -> Option<Record> {
    Some(match kind {
        kind::KEY => {
            let id = take_key(&mut body)?;
            Record::Key {
                id,
                key: Key::new(std::str::from_utf8(body).ok()?).ok()?,
            }
        }
        kind::ROWS => Record::Rows(rows::decode(body, allowance)?),
        kind::HISTOGRAM => {
            let (key, step, time, stats) = histogram::decode(body)?;
            Record::Histogram {
                key,
                step,
                time,
                stats: Box::new(stats),
            }
        }
        kind::MEDIA => Record::Media {
            key: take_key(&mut body)?,
            step: varint::take(&mut body)?,
            time: Timestamp(varint::take_signed(&mut body)?),
            media: Box::new(from_json::<Media>(body)?),
        },
        kind::START => Record::Start(Box::new(from_json(body)?)),
        kind::RESUME => Record::Resume(from_json(body)?),
        kind::ENVIRONMENT => Record::Environment(from_json(body)?),
        kind::DEFINE => Record::Define(from_json(body)?),
        kind::CONFIG => Record::Config(from_json(body)?),
        kind::LABEL => Record::Label(from_json(body)?),
        kind::SUMMARY => Record::Summary(from_json(body)?),
        kind::CONSOLE => Record::Console(from_json(body)?),
        kind::ALERT => Record::Alert(from_json(body)?),
        kind::LOST => Record::Lost(from_json(body)?),
        kind::END => Record::End(from_json(body)?),
        _ => unknown(kind, body),
    })
}

fn unknown(kind: u64, body: &[u8]) -> Record {
    Record::Unknown {
        kind,
        len: body.len() as u64,
    }
}

fn take_key(body: &mut &[u8]) -> Option<KeyId> {
    varint::take(body)
        .and_then(|id| u32::try_from(id).ok())
        .map(KeyId)
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

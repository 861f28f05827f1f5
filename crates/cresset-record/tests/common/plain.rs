//! A second decoder of the run log, written from `docs/run-log.md` alone: slow, plain, and with nothing of the first
//! one. Bits are characters of a string, checksums go bit by bit, and every search begins from the start.

use serde_json::Value as Json;

impl PlainRecord {
    /// What the first decoder's record would be here.
    pub fn of(record: &cresset_record::Record) -> Self {
        use cresset_record::Record as R;
        // By way of text: as text an `f32` is shorter than as the `f64` of a value.
        fn value(of: &impl serde::Serialize) -> Json {
            serde_json::from_str(&serde_json::to_string(of).unwrap()).unwrap()
        }
        let json = |kind, value| Self::Json { kind, value };
        match record {
            R::Start(start) => json(1, value(start)),
            R::Resume(resume) => json(2, value(resume)),
            R::Environment(map) => json(3, value(map)),
            R::Key { id, key } => Self::Key {
                id: id.0,
                key: key.to_string(),
            },
            R::Rows(rows) => Self::Rows(rows.iter().map(PlainRow::of).collect()),
            R::Histogram {
                key,
                step,
                time,
                stats: s,
            } => {
                let h = &s.histogram;
                Self::Histogram(Box::new(PlainHistogram {
                    key: key.0,
                    step: *step,
                    time: time.0,
                    counters: [s.count, s.zeros, s.nan, s.pos_inf, s.neg_inf],
                    moments: [s.min, s.max, s.sum, s.sum_sq].map(f64::to_bits),
                    scale: h.scale.into(),
                    zero_count: h.zero_count,
                    buckets: [&h.positive, &h.negative]
                        .map(|b| (b.offset.into(), b.counts.clone())),
                }))
            }
            R::Media {
                key,
                step,
                time,
                media,
            } => Self::Media {
                key: key.0,
                step: *step,
                time: time.0,
                value: value(media),
            },
            R::Define(definition) => json(8, value(definition)),
            R::Config(update) => json(9, value(update)),
            R::Label(update) => json(10, value(update)),
            R::Summary(map) => json(11, value(map)),
            R::Console(line) => json(12, value(line)),
            R::Alert(alert) => json(13, value(alert)),
            R::Lost(lost) => json(14, value(lost)),
            R::End(end) => json(15, value(end)),
            R::Unknown { kind, len } => Self::Unknown {
                kind: *kind,
                len: *len,
            },
        }
    }
}

impl PlainRow {
    fn of(row: &cresset_record::Row) -> Self {
        Self {
            step: row.step,
            time: row.time.0,
            points: row
                .points
                .iter()
                .map(|(id, value)| (id.0, value.to_bits()))
                .collect(),
        }
    }
}

/// Records as plain ones, rows that follow each other as one record: how they are divided into records is the writer's choice.
pub fn plainly<'a>(
    records: impl IntoIterator<Item = &'a cresset_record::Record>,
) -> Vec<PlainRecord> {
    join_rows(records.into_iter().map(PlainRecord::of))
}

/// See [`plainly`].
pub fn join_rows(records: impl IntoIterator<Item = PlainRecord>) -> Vec<PlainRecord> {
    let mut joined: Vec<PlainRecord> = Vec::new();
    for record in records {
        match (joined.last_mut(), record) {
            (_, PlainRecord::Rows(rows)) if rows.is_empty() => {}
            (Some(PlainRecord::Rows(all)), PlainRecord::Rows(rows)) => all.extend(rows),
            (_, record) => joined.push(record),
        }
    }
    joined
}

/// The head of a segment (§2).
#[derive(Clone, Debug, PartialEq)]
pub struct PlainHead {
    pub major: u64,
    pub minor: u64,
    pub length: u64,
    pub rank: u64,
    pub index: u64,
    pub first_frame: u64,
    pub identity: u64,
}

/// What stands in a segment, one thing after another.
#[derive(Clone, Debug, PartialEq)]
pub enum PlainPart {
    Frame {
        from: usize,
        to: usize,
        frame: PlainFrame,
    },
    Corrupt {
        from: usize,
        to: usize,
    },
    TornTail {
        from: usize,
        to: usize,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlainFrame {
    /// `None` if the payload has none; then it has no records either.
    pub sequence: Option<u64>,
    /// `None` for one that is malformed.
    pub records: Vec<Option<PlainRecord>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PlainRecord {
    Json {
        kind: u64,
        value: Json,
    },
    Key {
        id: u32,
        key: String,
    },
    Rows(Vec<PlainRow>),
    Histogram(Box<PlainHistogram>),
    Media {
        key: u32,
        step: u64,
        time: i64,
        value: Json,
    },
    Unknown {
        kind: u64,
        len: u64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlainRow {
    pub step: u64,
    pub time: i64,
    /// Key numbers and the bits of values.
    pub points: Vec<(u32, u64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlainHistogram {
    pub key: u32,
    pub step: u64,
    pub time: i64,
    pub counters: [u64; 5],
    /// Bits of min, max, sum and the sum of squares.
    pub moments: [u64; 4],
    pub scale: i64,
    pub zero_count: u64,
    /// Offset and counts, positive and then negative.
    pub buckets: [(i64, Vec<u64>); 2],
}

/// A finished segment: its head, if that is whole, and what follows.
pub fn read_segment(bytes: &[u8]) -> (Option<PlainHead>, Vec<PlainPart>) {
    let head = read_head(bytes);
    let mut at = head.as_ref().map_or(0, |head| head.length as usize);
    let mut head_missing = head.is_none();
    let mut parts = Vec::new();
    while at < bytes.len() {
        // Without a head, byte 0 is damage, and the search begins at byte 1.
        if !head_missing && let Some((to, frame)) = frame_at(bytes, at) {
            parts.push(PlainPart::Frame {
                from: at,
                to,
                frame,
            });
            at = to;
            continue;
        }
        head_missing = false;
        match (at + 1..bytes.len()).find(|&later| frame_at(bytes, later).is_some()) {
            Some(to) => {
                parts.push(PlainPart::Corrupt { from: at, to });
                at = to;
            }
            None => {
                parts.push(PlainPart::TornTail {
                    from: at,
                    to: bytes.len(),
                });
                at = bytes.len();
            }
        }
    }
    (head, parts)
}

fn read_head(whole: &[u8]) -> Option<PlainHead> {
    let bytes = whole.get(..44)?;
    let length = little_endian(&bytes[12..16]);
    if !(44..=4096).contains(&length) || whole.len() < length as usize {
        return None;
    }
    if &bytes[..8] != b"\x89CRSLOG\n" || little_endian(&bytes[40..44]) != crc32c(&bytes[..40]) {
        return None;
    }
    Some(PlainHead {
        major: little_endian(&bytes[8..10]),
        minor: little_endian(&bytes[10..12]),
        length,
        rank: little_endian(&bytes[16..20]),
        index: little_endian(&bytes[20..24]),
        first_frame: little_endian(&bytes[24..32]),
        identity: little_endian(&bytes[32..40]),
    })
}

/// The whole frame at a place and where it ends (§3).
fn frame_at(bytes: &[u8], at: usize) -> Option<(usize, PlainFrame)> {
    let rest = &bytes[at..];
    if rest.len() < 10 || rest[0] != 0xC5 || rest[1] != 0x5E {
        return None;
    }
    let length = little_endian(&rest[2..6]) as usize;
    if length > 8_388_608 || rest.len() < 10 + length {
        return None;
    }
    let payload = &rest[10..10 + length];
    let mut summed = rest[2..6].to_vec();
    summed.extend_from_slice(payload);
    if little_endian(&rest[6..10]) != crc32c(&summed) {
        return None;
    }
    Some((at + 10 + length, read_payload(payload)))
}

/// A payload (§3).
pub fn read_payload(payload: &[u8]) -> PlainFrame {
    let mut input = Bytes {
        bytes: payload,
        at: 0,
    };
    let mut frame = PlainFrame {
        sequence: input.varint(),
        records: Vec::new(),
    };
    if frame.sequence.is_none() {
        return frame;
    }
    while input.at < payload.len() {
        let record = (|| {
            let kind = input.varint()?;
            let length = input.varint()?;
            Some((kind, input.take(length as usize)?))
        })();
        let Some((kind, body)) = record else {
            frame.records.push(None);
            break;
        };
        frame.records.push(read_record(kind, body));
    }
    frame
}

/// A record's body (§4); `None` if it is malformed.
fn read_record(kind: u64, body: &[u8]) -> Option<PlainRecord> {
    let mut input = Bytes { bytes: body, at: 0 };
    match kind {
        4 => Some(PlainRecord::Key {
            id: u32::try_from(input.varint()?).ok()?,
            key: String::from_utf8(input.rest().to_vec()).ok()?,
        }),
        5 => read_rows(body).map(PlainRecord::Rows),
        6 => read_histogram(&mut input).map(|h| PlainRecord::Histogram(Box::new(h))),
        7 => Some(PlainRecord::Media {
            key: u32::try_from(input.varint()?).ok()?,
            step: input.varint()?,
            time: input.svarint()?,
            value: serde_json::from_slice(input.rest()).ok()?,
        }),
        1..=15 => Some(PlainRecord::Json {
            kind,
            value: serde_json::from_slice(body).ok()?,
        }),
        _ => Some(PlainRecord::Unknown {
            kind,
            len: body.len() as u64,
        }),
    }
}

/// A column of values (§5).
#[derive(Clone)]
struct PlainColumn {
    previous: u64,
    leading: usize,
    width: usize,
}

fn read_rows(body: &[u8]) -> Option<Vec<PlainRow>> {
    let mut input = Bytes { bytes: body, at: 0 };
    let count = input.varint()?;
    let heads_length = input.varint()? as usize;
    let mut heads = Bytes {
        bytes: input.take(heads_length)?,
        at: 0,
    };
    let mut values = Bits::new(input.rest());
    let mut layouts: Vec<Vec<u32>> = Vec::new();
    let mut layout = None;
    let mut columns: Vec<(u32, PlainColumn)> = Vec::new();
    let (mut step, mut stride, mut time) = (0u64, 0u64, 0i64);
    let mut rows = Vec::new();
    for _ in 0..count {
        let head = heads.take(1)?[0];
        match head % 4 {
            0 => {}
            1 => layout = Some(heads.varint()? as usize),
            2 => {
                let keys = heads.varint()?;
                let mut new = Vec::new();
                for _ in 0..keys {
                    new.push(u32::try_from(heads.varint()?).ok()?);
                }
                layouts.push(new);
                layout = Some(layouts.len() - 1);
            }
            _ => return None,
        }
        match head / 4 % 4 {
            0 => step = step.wrapping_add(stride),
            1 => {}
            2 => {
                stride = heads.svarint()? as u64;
                step = step.wrapping_add(stride);
            }
            _ => return None,
        }
        match head / 16 {
            0 => {}
            1 => time = time.wrapping_add(heads.varint()? as i64),
            2 => time = time.wrapping_add(heads.svarint()?),
            _ => return None,
        }
        let mut points = Vec::new();
        for &key in layouts.get(layout?)? {
            if !columns.iter().any(|(k, _)| *k == key) {
                let fresh = PlainColumn {
                    previous: 0,
                    leading: 0,
                    width: 64,
                };
                columns.push((key, fresh));
            }
            let (_, column) = columns.iter_mut().find(|(k, _)| *k == key)?;
            points.push((key, read_value(column, &mut values)?));
        }
        rows.push(PlainRow { step, time, points });
    }
    heads.rest().is_empty().then_some(rows)
}

fn read_value(column: &mut PlainColumn, values: &mut Bits) -> Option<u64> {
    if values.take(1)? == 1 {
        if values.take(1)? == 1 {
            column.leading = values.take(6)? as usize;
            column.width = values.take(6)? as usize + 1;
            if column.leading + column.width > 64 {
                return None;
            }
        }
        let xor = values.take(column.width)?;
        column.previous ^= xor << (64 - column.leading - column.width);
    }
    Some(column.previous)
}

fn read_histogram(input: &mut Bytes) -> Option<PlainHistogram> {
    let key = u32::try_from(input.varint()?).ok()?;
    let step = input.varint()?;
    let time = input.svarint()?;
    let mut counters = [0; 5];
    for counter in &mut counters {
        *counter = input.varint()?;
    }
    let mut moments = [0; 4];
    for moment in &mut moments {
        *moment = little_endian(input.take(8)?);
    }
    let scale = input.svarint()?;
    let zero_count = input.varint()?;
    let mut buckets = [(0, Vec::new()), (0, Vec::new())];
    for (offset, counts) in &mut buckets {
        *offset = input.svarint()?;
        let n = input.varint()?;
        if n > 4200 || offset.abs() >= 1 << 30 {
            return None;
        }
        for _ in 0..n {
            counts.push(input.varint()?);
        }
    }
    (-128..=20).contains(&scale).then_some(PlainHistogram {
        key,
        step,
        time,
        counters,
        moments,
        scale,
        zero_count,
        buckets,
    })
}

struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(n)?)?;
        self.at += n;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    fn varint(&mut self) -> Option<u64> {
        let mut bits = String::new();
        for _ in 0..10 {
            let byte = self.take(1)?[0];
            bits = format!("{:07b}{bits}", byte & 0x7f);
            if byte & 0x80 == 0 {
                let significant = bits.trim_start_matches('0');
                return match significant.len() {
                    0 => Some(0),
                    1..=64 => u64::from_str_radix(significant, 2).ok(),
                    _ => None,
                };
            }
        }
        None
    }

    fn svarint(&mut self) -> Option<i64> {
        let n = self.varint()?;
        // 0, −1, 1, −2, 2, …
        Some(if n % 2 == 0 {
            (n / 2) as i64
        } else {
            -((n / 2) as i64) - 1
        })
    }
}

struct Bits {
    bits: String,
    at: usize,
}

impl Bits {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bits: bytes.iter().map(|byte| format!("{byte:08b}")).collect(),
            at: 0,
        }
    }

    fn take(&mut self, n: usize) -> Option<u64> {
        let taken = self.bits.get(self.at..self.at + n)?;
        self.at += n;
        u64::from_str_radix(taken, 2).ok()
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |n, &byte| n * 256 + u64::from(byte))
}

/// CRC-32C: reflected, polynomial 1EDC6F41, all ones in and out.
pub fn crc32c(bytes: &[u8]) -> u64 {
    let mut crc = 0xFFFF_FFFFu32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82F6_3B78
            } else {
                crc >> 1
            };
        }
    }
    u64::from(!crc)
}

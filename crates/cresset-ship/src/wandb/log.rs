//! The file that W&B calls its transaction log: LevelDB's log format with a header of W&B's and plain CRC-32.
//!
//! Seven bytes of header, then chunks in blocks of 32 KiB (the header is part of the first). A chunk is a checksum of kind and payload, a
//! length, a kind, and the payload; a record is one chunk, or a first, any number of middle ones and a last. As in
//! `core/pkg/leveldb/record.go` and `core/internal/transactionlog` of wandb/wandb.

/// Length of a block.
pub(crate) const BLOCK: u64 = 32 * 1024;
/// Length of a chunk before its payload.
pub(crate) const CHUNK_HEAD: u64 = 7;
/// `:W&B`, the number 0xBEE1, version 0.
pub(crate) const HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xE1, 0xBE, 0];

/// A chunk holds a record.
pub(crate) const FULL: u8 = 1;
/// A chunk holds a record's beginning.
pub(crate) const FIRST: u8 = 2;
/// A chunk holds some of a record's middle.
pub(crate) const MIDDLE: u8 = 3;
/// A chunk holds a record's end.
pub(crate) const LAST: u8 = 4;

/// Bytes that go to the end of a file.
#[derive(Debug)]
pub(crate) struct Appended {
    /// Where they begin in the file.
    at: u64,
    bytes: Vec<u8>,
}

impl Appended {
    /// Goes on with a file of this length; an empty one gets its header.
    pub(crate) fn to(length: u64) -> Self {
        let bytes = match length {
            0 => HEADER.to_vec(),
            _ => Vec::new(),
        };
        Self { at: length, bytes }
    }

    /// The file's length with them.
    pub(crate) fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One record.
    pub(crate) fn record(&mut self, mut rest: &[u8]) {
        let mut is_first = true;
        loop {
            let mut left = BLOCK - self.end() % BLOCK;
            if left < CHUNK_HEAD {
                self.bytes.extend((0..left).map(|_| 0));
                left = BLOCK;
            }
            let space = (left - CHUNK_HEAD) as usize;
            let (now, later) = rest.split_at(rest.len().min(space));
            let kind = match (is_first, later.is_empty()) {
                (true, true) => FULL,
                (true, false) => FIRST,
                (false, false) => MIDDLE,
                (false, true) => LAST,
            };
            self.chunk(kind, now);
            (rest, is_first) = (later, false);
            if rest.is_empty() {
                return;
            }
        }
    }

    fn chunk(&mut self, kind: u8, payload: &[u8]) {
        self.bytes
            .extend_from_slice(&checksum(kind, payload).to_le_bytes());
        // A payload fits in a block.
        self.bytes
            .extend_from_slice(&(payload.len() as u16).to_le_bytes());
        self.bytes.push(kind);
        self.bytes.extend_from_slice(payload);
    }
}

pub(crate) fn checksum(kind: u8, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(payload);
    hasher.finalize()
}

//! Constants of the format and the fixed heads of segments and frames. `docs/run-log.md` describes the bytes.

use crate::ids::Rank;

/// Major version: a reader refuses a newer one.
pub const MAJOR: u16 = 1;
/// Minor version: a reader takes a newer one and skips the records that it does not know.
///
/// History: 1.0 (2026-11) first version.
pub const MINOR: u16 = 0;

const MAGIC: [u8; 8] = *b"\x89CRSLOG\n";
/// Bytes of a segment's head.
pub(crate) const SEGMENT_HEAD: usize = 36;
/// What a frame begins with.
pub(crate) const MARKER: [u8; 2] = [0xC5, 0x5E];
/// Marker, length, checksum.
pub(crate) const FRAME_HEAD: usize = 10;
/// Longest payload of a frame. Writers stay far below.
pub(crate) const MAX_PAYLOAD: usize = 8 << 20;

/// The head of a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    pub(crate) rank: Rank,
    pub(crate) index: u32,
    /// The sequence number of the first frame.
    pub(crate) first_frame: u64,
}

impl SegmentHead {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEAD] {
        let mut out = [0; SEGMENT_HEAD];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&self.major.to_le_bytes());
        out[10..12].copy_from_slice(&self.minor.to_le_bytes());
        out[12..16].copy_from_slice(&(SEGMENT_HEAD as u32).to_le_bytes());
        out[16..20].copy_from_slice(&self.rank.0.to_le_bytes());
        out[20..24].copy_from_slice(&self.index.to_le_bytes());
        out[24..32].copy_from_slice(&self.first_frame.to_le_bytes());
        let crc = crc32c::crc32c(&out[..32]);
        out[32..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` if the bytes are not an undamaged head.
    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEAD]) -> Option<Self> {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        if bytes[..8] != MAGIC || crc32c::crc32c(&bytes[..32]) != u32_at(32) {
            return None;
        }
        Some(Self {
            major: u16_at(8),
            minor: u16_at(10),
            rank: Rank(u32_at(16)),
            index: u32_at(20),
            first_frame: u64::from(u32_at(24)) | u64::from(u32_at(28)) << 32,
        })
    }
}

/// Writes marker, length and checksum into the first [`FRAME_HEAD`] bytes of `frame`, whose payload follows them.
pub(crate) fn seal_frame(frame: &mut [u8]) {
    let length = (frame.len() - FRAME_HEAD) as u32;
    frame[..2].copy_from_slice(&MARKER);
    frame[2..6].copy_from_slice(&length.to_le_bytes());
    let crc = checksum(length, &frame[FRAME_HEAD..]);
    frame[6..10].copy_from_slice(&crc.to_le_bytes());
}

/// What the head of a frame claims.
pub(crate) struct FrameHead {
    pub(crate) length: usize,
    crc: u32,
}

impl FrameHead {
    /// `None` if no frame can begin with these bytes.
    pub(crate) fn decode(bytes: &[u8; FRAME_HEAD]) -> Option<Self> {
        let [m0, m1, l0, l1, l2, l3, c0, c1, c2, c3] = *bytes;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        ([m0, m1] == MARKER && length <= MAX_PAYLOAD).then(|| Self {
            length,
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
        })
    }

    pub(crate) fn matches(&self, payload: &[u8]) -> bool {
        checksum(payload.len() as u32, payload) == self.crc
    }
}

/// CRC32C over the length, little-endian, and the payload.
fn checksum(length: u32, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), payload)
}

//! Constants of the format and the fixed heads of segments and frames. `docs/run-log.md` describes the bytes.

use crate::ids::Rank;

/// Major version: a reader refuses a newer one.
pub const MAJOR: u16 = 1;
/// Minor version: a reader takes a newer one and skips the records that it does not know.
///
/// History: 1.0 (2026-11) first version.
pub const MINOR: u16 = 0;

const MAGIC: [u8; 8] = *b"\x89CRSLOG\n";
/// Bytes of a segment's head, as far as this version knows it.
pub(crate) const SEGMENT_HEAD: usize = 44;
/// Longest head of any minor version.
const MAX_SEGMENT_HEAD: usize = 4096;
/// What a frame begins with.
pub(crate) const MARKER: [u8; 2] = [0xC5, 0x5E];
/// Marker, length, checksum.
pub(crate) const FRAME_HEAD: usize = 10;
/// Longest payload of a frame. Writers stay far below.
pub(crate) const MAX_PAYLOAD: usize = 8 << 20;
/// Most rows and points, added, that a reader takes from one frame.
pub(crate) const MAX_POINTS: usize = 1 << 22;

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// Major version of the format.
    pub major: u16,
    /// Minor version of the format.
    pub minor: u16,
    /// Whose log it is a part of.
    pub rank: Rank,
    /// Which part.
    pub index: u32,
    /// The sequence number of the first frame.
    pub first_frame: u64,
    /// A random number that no other segment has; with the rank and a sequence number it names a frame for ever.
    pub identity: u64,
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
        out[32..40].copy_from_slice(&self.identity.to_le_bytes());
        let crc = crc32c::crc32c(&out[..40]);
        out[40..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The head and its length; `None` if the bytes are not an undamaged head.
    pub(crate) fn decode(bytes: &[u8; SEGMENT_HEAD]) -> Option<(Self, usize)> {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let length = u32_at(12) as usize;
        if bytes[..8] != MAGIC || crc32c::crc32c(&bytes[..40]) != u32_at(40) {
            return None;
        }
        let head = Self {
            major: u16_at(8),
            minor: u16_at(10),
            rank: Rank(u32_at(16)),
            index: u32_at(20),
            first_frame: u64_at(24),
            identity: u64_at(32),
        };
        // Of a newer major version only the fields above are known.
        let sound = head.major > MAJOR || (SEGMENT_HEAD..=MAX_SEGMENT_HEAD).contains(&length);
        sound.then_some((head, length))
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

    /// The length of the payload if `bytes` begin with this head and hold the whole frame.
    pub(crate) fn frames(&self, bytes: &[u8]) -> Option<usize> {
        let payload = bytes.get(FRAME_HEAD..)?.get(..self.length)?;
        (checksum(self.length as u32, payload) == self.crc).then_some(self.length)
    }
}

/// CRC32C over the length, little-endian, and the payload.
fn checksum(length: u32, payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length.to_le_bytes()), payload)
}

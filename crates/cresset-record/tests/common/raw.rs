//! Segments and frames byte by byte, right and wrong.

use super::plain::crc32c;

/// The head of a segment, as `docs/run-log.md` has it; `extra` is what a later minor version may put behind it.
pub fn head(major: u16, minor: u16, first_frame: u64, extra: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89CRSLOG\n".to_vec();
    bytes.extend(major.to_le_bytes());
    bytes.extend(minor.to_le_bytes());
    bytes.extend((44 + extra.len() as u32).to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(first_frame.to_le_bytes());
    bytes.extend(0x1234_5678u64.to_le_bytes());
    let crc = crc32c(&bytes) as u32;
    bytes.extend(crc.to_le_bytes());
    bytes.extend(extra);
    bytes
}

/// A frame with any payload.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut summed = (payload.len() as u32).to_le_bytes().to_vec();
    summed.extend(payload);
    let mut bytes = vec![0xC5, 0x5E];
    bytes.extend(&summed[..4]);
    bytes.extend((crc32c(&summed) as u32).to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// A payload with records of any kinds and bodies.
pub fn payload(sequence: u64, records: &[(u64, &[u8])]) -> Vec<u8> {
    let mut payload = varint(sequence);
    for (kind, body) in records {
        payload.extend(varint(*kind));
        payload.extend(varint(body.len() as u64));
        payload.extend(*body);
    }
    payload
}

pub fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 128 {
        bytes.push((n % 128) as u8 + 128);
        n /= 128;
    }
    bytes.push(n as u8);
    bytes
}

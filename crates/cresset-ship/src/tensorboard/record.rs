//! TFRecord, the framing of event files: length, checksum of the length, payload, checksum of the payload. The format is described at
//! <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.

use std::io::{self, Read};

/// Bytes before a payload.
const HEAD: usize = 12;
/// Longest payload that is read: what is longer counts as damage. We write none that is longer.
const MAX_PAYLOAD: u64 = 80 << 20;

/// Appends a record to `out`.
pub(crate) fn put(out: &mut Vec<u8>, payload: &[u8]) {
    let length = (payload.len() as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(&length).to_le_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(&checksum(payload).to_le_bytes());
}

/// CRC-32C, masked: a checksum of bytes that hold their own checksum would be weak.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Reads records one after another.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: R,
    payload: Vec<u8>,
    at: u64,
    is_over: bool,
}

/// What comes next in an event file.
#[derive(Debug, PartialEq)]
pub(crate) enum Next<'a> {
    /// A whole record.
    Record(&'a [u8]),
    /// A record whose checksum is wrong, from this byte on; those after it can be read.
    Damaged(u64),
    /// A record that is cut short or whose length cannot be trusted, from this byte on; nothing after it can be read.
    Lost(u64),
    /// The end.
    End,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            payload: Vec::new(),
            at: 0,
            is_over: false,
        }
    }

    /// # Errors
    /// What the file system says.
    pub(crate) fn next(&mut self) -> io::Result<Next<'_>> {
        if self.is_over {
            return Ok(Next::End);
        }
        let begin = self.at;
        self.fill(HEAD as u64)?;
        let Some((length, sum)) = self.payload.split_first_chunk::<8>() else {
            self.is_over = true;
            let is_whole = self.payload.is_empty();
            return Ok(if is_whole {
                Next::End
            } else {
                Next::Lost(begin)
            });
        };
        let is_trusted = *sum == checksum(length).to_le_bytes();
        let length = u64::from_le_bytes(*length);
        if !is_trusted || length > MAX_PAYLOAD {
            self.is_over = true;
            return Ok(Next::Lost(begin));
        }
        // No more is reserved than comes: a short file may name a huge length.
        self.fill(length + 4)?;
        if (self.payload.len() as u64) < length + 4 {
            self.is_over = true;
            return Ok(Next::Lost(begin));
        }
        match self.payload.split_last_chunk::<4>() {
            Some((payload, sum)) if *sum == checksum(payload).to_le_bytes() => {
                Ok(Next::Record(payload))
            }
            _ => Ok(Next::Damaged(begin)),
        }
    }

    /// Reads so many bytes, or what there is.
    fn fill(&mut self, bytes: u64) -> io::Result<()> {
        self.payload.clear();
        let read = (&mut self.input).take(bytes);
        self.at += { read }.read_to_end(&mut self.payload)? as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<u64>, Option<u64>) {
        let mut records = Records::new(bytes);
        let (mut whole, mut damaged) = (Vec::new(), Vec::new());
        loop {
            match records.next().unwrap() {
                Next::Record(payload) => whole.push(payload.to_vec()),
                Next::Damaged(at) => damaged.push(at),
                Next::Lost(at) => return (whole, damaged, Some(at)),
                Next::End => return (whole, damaged, None),
            }
        }
    }

    #[test]
    fn a_record_is_as_others_write_it() {
        let mut out = Vec::new();
        put(&mut out, b"");
        // Of an empty record, as TensorFlow writes it.
        assert_eq!(
            out,
            [
                0, 0, 0, 0, 0, 0, 0, 0, 0x29, 0x03, 0x98, 0x07, 0xd8, 0xea, 0x82, 0xa2
            ]
        );
    }

    #[test]
    fn cut_or_spoiled_at_any_byte_what_is_whole_is_read() {
        let mut out = Vec::new();
        for payload in [&b"first"[..], b"", b"the third"] {
            put(&mut out, payload);
        }
        let (whole, damaged, lost) = read(&out);
        assert_eq!((whole.len(), damaged, lost), (3, vec![], None));
        let ends = [0, 21, 37, 62];
        for cut in 0..out.len() {
            let (whole, _, lost) = read(&out[..cut]);
            let expected = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(whole.len(), expected, "{cut}");
            assert_eq!(lost.is_some(), !ends.contains(&cut), "{cut}");
            let mut spoiled = out.clone();
            spoiled[cut] ^= 0x40;
            let (whole, damaged, lost) = read(&spoiled);
            assert!(whole.len() < 3 && damaged.len() + usize::from(lost.is_some()) == 1);
        }
    }

    #[test]
    fn a_huge_length_reserves_nothing() {
        let length = (MAX_PAYLOAD - 1).to_le_bytes();
        let mut out = length.to_vec();
        out.extend_from_slice(&checksum(&length).to_le_bytes());
        out.extend_from_slice(b"little");
        let mut records = Records::new(&out[..]);
        assert_eq!(records.next().unwrap(), Next::Lost(0));
        assert!(records.payload.capacity() < 1 << 16);
    }
}

//! Whole numbers in as few bytes as they need, seven bits a byte, the lowest first.

use crate::error::StoreError;

pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Signs alternate, so that small numbers of either sign are short.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub(crate) fn put_f64(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Takes stored bytes apart; every way in which they can be wrong is an error.
pub(crate) struct Taker<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Taker<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn damaged(&self) -> StoreError {
        damaged(self.what)
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| damaged(self.what))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, StoreError> {
        Ok(self.bytes(1)?[0])
    }

    pub(crate) fn number(&mut self) -> Result<u64, StoreError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    pub(crate) fn signed(&mut self) -> Result<i64, StoreError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A count of things of which each takes a byte at least: more than there are bytes is a lie.
    pub(crate) fn count(&mut self) -> Result<usize, StoreError> {
        let n = self.number()?;
        usize::try_from(n)
            .ok()
            .filter(|n| *n <= self.rest.len())
            .ok_or_else(|| self.damaged())
    }

    pub(crate) fn f64(&mut self) -> Result<f64, StoreError> {
        let bytes = self.bytes(8)?;
        bytes
            .first_chunk()
            .map(|b| f64::from_le_bytes(*b))
            .ok_or_else(|| self.damaged())
    }

    pub(crate) fn f32(&mut self) -> Result<f32, StoreError> {
        let bytes = self.bytes(4)?;
        bytes
            .first_chunk()
            .map(|b| f32::from_le_bytes(*b))
            .ok_or_else(|| self.damaged())
    }
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Engine(format!(
        "{what} in the index cannot be read; `cresset index rebuild` makes it anew"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for n in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, n);
            put_signed(&mut out, n as i64);
            put_signed(&mut out, (n as i64).wrapping_neg());
            let mut taker = Taker::new(&out, "test");
            assert_eq!(taker.number().unwrap(), n);
            assert_eq!(taker.signed().unwrap(), n as i64);
            assert_eq!(taker.signed().unwrap(), (n as i64).wrapping_neg());
            assert!(taker.is_empty() && taker.byte().is_err());
        }
    }
}

//! A stream of bits, and a column of `f64` in it.

/// Collects bits, highest first, into bytes.
#[derive(Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`, at the top.
    pending: u64,
    used: u32,
}

impl BitWriter {
    /// Appends the lowest `n` (1 to 64) bits of `value`; the bits above them must be zero.
    pub(super) fn push(&mut self, value: u64, n: u32) {
        let free = 64 - self.used;
        if n < free {
            self.pending |= value << (free - n);
            self.used += n;
        } else {
            let left = n - free;
            self.pending |= value >> left;
            self.bytes.extend_from_slice(&self.pending.to_be_bytes());
            self.pending = if left == 0 { 0 } else { value << (64 - left) };
            self.used = left;
        }
    }

    /// Bytes that [`Self::finish_into`] would append now.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.used.div_ceil(8) as usize
    }

    /// Appends the stream to `out`, padded with zero bits to a byte, and starts anew.
    pub(super) fn finish_into(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
        let tail = self.used.div_ceil(8) as usize;
        out.extend_from_slice(&self.pending.to_be_bytes()[..tail]);
        self.bytes.clear();
        self.pending = 0;
        self.used = 0;
    }
}

/// Takes bits off a stream, highest first.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Next bit.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `n` (1 to 64) bits; `None` past the end.
    #[inline]
    pub(super) fn take(&mut self, n: u32) -> Option<u64> {
        let end = self.at.checked_add(n as usize)?;
        if end > self.bytes.len() * 8 {
            return None;
        }
        let offset = (self.at % 8) as u32;
        let (word, ninth) = self.window(self.at / 8);
        self.at = end;
        // `offset` is below 8, so that the ninth byte has the bits that a shift to the left makes room for.
        let wide = word << offset | u64::from(ninth) >> (8 - offset);
        Some(wide >> (64 - n))
    }

    /// Eight bytes from `first` on as a number, and the one after them; zeros past the end.
    #[inline]
    fn window(&self, first: usize) -> (u64, u8) {
        let rest = self.bytes.get(first..).unwrap_or_default();
        if let Some(bytes) = rest.first_chunk::<9>() {
            let [word @ .., ninth] = *bytes;
            return (u64::from_be_bytes(word), ninth);
        }
        let mut word = [0; 8];
        let n = rest.len().min(8);
        word[..n].copy_from_slice(&rest[..n]);
        (u64::from_be_bytes(word), 0)
    }
}

/// What both ends remember of one series within a body. The scheme is that of Gorilla (Pelkonen et al., VLDB 2015, §4.1.2):
/// each value is XORed with the one before and only the bits between leading and trailing zeros are kept.
#[derive(Clone, Copy)]
pub(super) struct Column {
    previous: u64,
    leading: u32,
    /// Meaningful bits in the window.
    width: u32,
    /// Values pushed, up to 2; a reader has no use for it.
    pushed: u8,
}

impl Default for Column {
    /// The first window is all 64 bits, so that a first value without trailing zeros need not announce one.
    fn default() -> Self {
        Self {
            previous: 0,
            leading: 0,
            width: 64,
            pushed: 0,
        }
    }
}

/// Bits that a narrower window must save to be worth its 12 bits: noise that fits into one by chance does so once in 2⁸ values.
const NEW_WINDOW: u32 = 8;

impl Column {
    /// Appends `value`: `0` for an equal one, `10` and the bits in the last window, or `11`, 6 bits of leading
    /// zeros, 6 bits of width − 1, and the bits in that new window.
    #[inline]
    pub(super) fn push(&mut self, value: f64, out: &mut BitWriter) {
        let bits = value.to_bits();
        let xor = bits ^ self.previous;
        self.previous = bits;
        if xor == 0 {
            return out.push(0, 1);
        }
        let leading = xor.leading_zeros();
        let trailing = xor.trailing_zeros();
        let width = 64 - leading - trailing;
        let fits = leading >= self.leading && 64 - trailing <= self.leading + self.width;
        if fits && self.width <= width + self.patience() {
            out.push(0b10, 2);
        } else {
            out.push(
                0b11 << 12 | u64::from(leading) << 6 | u64::from(width - 1),
                14,
            );
            self.leading = leading;
            self.width = width;
        }
        out.push(xor >> (64 - self.leading - self.width), self.width);
    }

    /// How many bits wider than needed the window may be. The first is that of a value, exponent and all; the second
    /// value is the first to show what differences need, and all later ones gain by a window that fits them.
    #[inline]
    fn patience(&mut self) -> u32 {
        let second = self.pushed == 1;
        self.pushed = (self.pushed + 1).min(2);
        if second { 1 } else { NEW_WINDOW }
    }

    /// Takes the next value.
    #[inline]
    pub(super) fn take(&mut self, input: &mut BitReader<'_>) -> Option<f64> {
        if input.take(1)? == 1 {
            if input.take(1)? == 1 {
                let window = input.take(12)? as u32;
                self.leading = window >> 6;
                self.width = (window & 63) + 1;
                if self.leading + self.width > 64 {
                    return None;
                }
            }
            let bits = input.take(self.width)?;
            self.previous ^= bits << (64 - self.leading - self.width);
        }
        Some(f64::from_bits(self.previous))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_back(items in prop::collection::vec((any::<u64>(), 1u32..=64), 0..200)) {
            let mut out = BitWriter::default();
            let items: Vec<(u64, u32)> = items.into_iter().map(|(v, n)| (if n == 64 { v } else { v & ((1 << n) - 1) }, n)).collect();
            for &(v, n) in &items {
                out.push(v, n);
            }
            let expected = out.len();
            let mut bytes = Vec::new();
            out.finish_into(&mut bytes);
            prop_assert_eq!(bytes.len(), expected);
            let mut input = BitReader::new(&bytes);
            for &(v, n) in &items {
                prop_assert_eq!(input.take(n), Some(v));
            }
        }

        #[test]
        fn any_column_comes_back_bit_for_bit(values in prop::collection::vec(any::<u64>(), 0..200)) {
            let mut out = BitWriter::default();
            let mut column = Column::default();
            for &v in &values {
                column.push(f64::from_bits(v), &mut out);
            }
            let mut bytes = Vec::new();
            out.finish_into(&mut bytes);
            let mut input = BitReader::new(&bytes);
            let mut column = Column::default();
            for &v in &values {
                prop_assert_eq!(column.take(&mut input).map(f64::to_bits), Some(v));
            }
        }
    }
}

//! Integers in as few bytes as they need: LEB128, and zigzag for signed ones.

/// Appends `n` as LEB128: 7 bits a byte, lowest first, high bit set on all but the last.
pub(super) fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Takes a LEB128 integer off the front of `input`; `None` if it is cut or has more than 64 bits.
pub(super) fn take(input: &mut &[u8]) -> Option<u64> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        n |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

/// Appends a signed integer, small magnitudes first.
pub(super) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put(out, ((n << 1) ^ (n >> 63)) as u64);
}

/// Takes what [`put_signed`] wrote.
pub(super) fn take_signed(input: &mut &[u8]) -> Option<i64> {
    let n = take(input)?;
    Some((n >> 1) as i64 ^ -((n & 1) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        for n in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ] {
            let mut out = Vec::new();
            put(&mut out, n);
            put_signed(&mut out, n as i64);
            let mut input = &out[..];
            assert_eq!(take(&mut input), Some(n));
            assert_eq!(take_signed(&mut input), Some(n as i64));
            assert!(input.is_empty());
        }
        assert_eq!(take(&mut &[0x80][..]), None);
        assert_eq!(take(&mut &[0xff; 11][..]), None);
    }
}

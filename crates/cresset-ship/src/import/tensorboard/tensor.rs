//! Tensors of numbers and of strings, as `tensor.proto` has them. Shapes are not looked at: they may lie.

use crate::proto::{Fields, Malformed};

/// A tensor of more strings is refused: each takes more room here than it may have there.
const MAX_STRINGS: usize = 100_000;

/// The elements of a `TensorProto`.
#[derive(Default)]
pub(super) struct Tensor<'a> {
    pub(super) numbers: Vec<f64>,
    pub(super) strings: Vec<&'a [u8]>,
}

/// # Errors
/// If it is no message, or of numbers of a kind that is not known here.
pub(super) fn read(bytes: &[u8]) -> Result<Tensor<'_>, Malformed> {
    let mut tensor = Tensor::default();
    let (mut dtype, mut content) = (0, &[][..]);
    let (mut singles, mut halves) = (Vec::new(), Vec::new());
    for field in Fields::of(bytes) {
        let (number, value) = field?;
        match number {
            1 => dtype = value.int()?,
            4 => content = value.bytes()?,
            5 => value.floats(&mut singles)?,
            6 => value.doubles(&mut tensor.numbers)?,
            8 if tensor.strings.len() >= MAX_STRINGS => return Err(Malformed),
            8 => tensor.strings.push(value.bytes()?),
            // Of several widths and both signs; numbers beyond 2^63 are not looked for.
            7 | 10 | 11 | 16 | 17 => value.ints(&mut tensor.numbers)?,
            13 => value.ints(&mut halves)?,
            _ => {}
        }
    }
    // Our own files have each number in double precision as well.
    if tensor.numbers.is_empty() {
        tensor.numbers = singles;
    }
    let bits = halves.iter().map(|bits| *bits as u16);
    match dtype {
        BFLOAT16 => tensor.numbers.extend(bits.map(bfloat16)),
        HALF => tensor.numbers.extend(bits.map(half)),
        _ => {}
    }
    if !content.is_empty() {
        elements(dtype, content, &mut tensor.numbers)?;
    }
    Ok(tensor)
}

const BFLOAT16: i64 = 14;
const HALF: i64 = 19;

/// Elements in the memory layout of their type.
fn elements(dtype: i64, bytes: &[u8], into: &mut Vec<f64>) -> Result<(), Malformed> {
    fn each<const N: usize>(
        bytes: &[u8],
        into: &mut Vec<f64>,
        number: impl Fn([u8; N]) -> f64,
    ) -> Result<(), Malformed> {
        let (elements, rest) = bytes.as_chunks();
        into.extend(elements.iter().map(|element| number(*element)));
        if rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
    match dtype {
        1 => each(bytes, into, |b| f32::from_le_bytes(b).into()),
        2 => each(bytes, into, f64::from_le_bytes),
        3 => each(bytes, into, |b| i32::from_le_bytes(b).into()),
        4 | 10 => each(bytes, into, |b| u8::from_le_bytes(b).into()),
        5 => each(bytes, into, |b| i16::from_le_bytes(b).into()),
        6 => each(bytes, into, |b| i8::from_le_bytes(b).into()),
        9 => each(bytes, into, |b| i64::from_le_bytes(b) as f64),
        BFLOAT16 => each(bytes, into, |b| bfloat16(u16::from_le_bytes(b))),
        HALF => each(bytes, into, |b| half(u16::from_le_bytes(b))),
        22 => each(bytes, into, |b| u32::from_le_bytes(b).into()),
        23 => each(bytes, into, |b| u64::from_le_bytes(b) as f64),
        _ => Err(Malformed),
    }
}

fn bfloat16(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

/// IEEE 754's half precision: 1 bit of sign, 5 of exponent, 10 of mantissa.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 2f64.powi(-24)),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
        assert_eq!(bfloat16(0x3f80), 1.0);
    }
}

//! Protocol Buffers as bytes: a writer of messages and a reader of their fields, for messages that are few and small enough to be
//! spelled out by hand. The wire format is described at <https://protobuf.dev/programming-guides/encoding/>.

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// A message that is being written. Fields with a default value are written as well: who calls leaves them out where that matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An integer, an enum or a truth value.
    pub(crate) fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, VARINT);
        // Negative numbers are written as their two's complement of 64 bits.
        self.varint(value as u64);
        self
    }

    pub(crate) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn bytes(mut self, field: u32, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn key(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// One field's value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(&'a [u8]),
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Field<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(crate) fn int(self) -> Result<i64, Malformed> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn double(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed64(bytes) => Ok(f64::from_le_bytes(bytes)),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn float(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed32(bytes) => Ok(f64::from(f32::from_le_bytes(bytes))),
            _ => Err(Malformed),
        }
    }

    /// A repeated `double`: packed, or one of several fields of one number each.
    pub(crate) fn doubles(self, into: &mut Vec<f64>) -> Result<(), Malformed> {
        match self {
            Self::Bytes(packed) => {
                let (numbers, rest) = packed.as_chunks();
                into.extend(numbers.iter().map(|n| f64::from_le_bytes(*n)));
                whole(rest)
            }
            one => one.double().map(|n| into.push(n)),
        }
    }

    /// A repeated `float`, as [`Self::doubles`].
    pub(crate) fn floats(self, into: &mut Vec<f64>) -> Result<(), Malformed> {
        match self {
            Self::Bytes(packed) => {
                let (numbers, rest) = packed.as_chunks();
                into.extend(numbers.iter().map(|n| f64::from(f32::from_le_bytes(*n))));
                whole(rest)
            }
            one => one.float().map(|n| into.push(n)),
        }
    }

    /// A repeated integer, as [`Self::doubles`].
    pub(crate) fn ints(self, into: &mut Vec<f64>) -> Result<(), Malformed> {
        match self {
            Self::Bytes(packed) => {
                let mut rest = packed;
                while !rest.is_empty() {
                    into.push(varint(&mut rest)? as i64 as f64);
                }
                Ok(())
            }
            one => one.int().map(|n| into.push(n as f64)),
        }
    }
}

fn whole(rest: &[u8]) -> Result<(), Malformed> {
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// The fields of a message, in the order of the wire. Ends after the first error.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn read(&mut self) -> Result<(u32, Field<'a>), Malformed> {
        let key = varint(&mut self.0)?;
        let number = u32::try_from(key >> 3).map_err(|_| Malformed)?;
        let value = match key & 7 {
            VARINT => Field::Varint(varint(&mut self.0)?),
            FIXED64 => Field::Fixed64(*fixed(&mut self.0)?),
            FIXED32 => Field::Fixed32(*fixed(&mut self.0)?),
            BYTES => {
                let length = usize::try_from(varint(&mut self.0)?).map_err(|_| Malformed)?;
                let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => return Err(Malformed),
        };
        Ok((number, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Malformed)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

fn fixed<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N], Malformed> {
    let (number, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    *bytes = rest;
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::default().bytes(1, "tag").double(6, f64::INFINITY);
        let bytes = Message::default()
            .int(2, -1)
            .int(3, i64::MAX)
            .message(5, &inner)
            .into_bytes();
        let fields: Vec<_> = Fields::of(&bytes).map(Result::unwrap).collect();
        assert_eq!(fields[0], (2, Field::Varint(u64::MAX)));
        assert_eq!(fields[0].1.int(), Ok(-1));
        assert_eq!(fields[1].1.int(), Ok(i64::MAX));
        let inner: Vec<_> = Fields::of(fields[2].1.bytes().unwrap())
            .map(Result::unwrap)
            .collect();
        assert_eq!(inner[0].1.text(), Ok("tag"));
        assert_eq!(inner[1].1.double(), Ok(f64::INFINITY));
    }

    #[test]
    fn no_bytes_make_it_panic_or_loop() {
        let mut state = 1u64;
        for length in 0..400usize {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                (state >> 56) as u8
            })
            .take(length)
            .collect();
            assert!(Fields::of(&bytes).count() <= length + 1);
        }
        let huge = [
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        assert_eq!(Fields::of(&huge).collect::<Vec<_>>(), [Err(Malformed)]);
    }
}

//! What the bytes of an image or a sound are.

use cresset_record::{ImageDetail, MediaDetail, sniff};

/// An image's media type: only what a browser takes for a picture and for nothing else.
pub(in crate::import) fn image(
    bytes: &[u8],
    (width, height): (u32, u32),
) -> Option<(&'static str, MediaDetail)> {
    let media_type = sniff(bytes).filter(|media_type| media_type.starts_with("image/"))?;
    let detail = ImageDetail {
        width,
        height,
        ..ImageDetail::default()
    };
    Some((media_type, MediaDetail::Image(detail)))
}

/// What the head of a WAV file says.
pub(in crate::import) fn audio(bytes: &[u8]) -> Option<(&'static str, MediaDetail)> {
    let inside = bytes.strip_prefix(b"RIFF")?.get(4..)?;
    let mut chunks = inside.strip_prefix(b"WAVE")?;
    let mut format = None;
    loop {
        let (name, rest) = chunks.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length);
        if name == b"fmt " {
            let (channels, rest) = rest.get(2..)?.split_first_chunk()?;
            let (sample_rate, rest) = rest.split_first_chunk()?;
            let (bytes_a_second, _) = rest.split_first_chunk()?;
            format = Some((
                u16::from_le_bytes(*channels),
                u32::from_le_bytes(*sample_rate),
                u32::from_le_bytes(*bytes_a_second),
            ));
        }
        if name == b"data" {
            let (channels, sample_rate, bytes_a_second) = format?;
            let seconds = f64::from(length) / f64::from(bytes_a_second.max(1));
            let detail = MediaDetail::Audio {
                sample_rate,
                channels,
                seconds,
            };
            return Some(("audio/wav", detail));
        }
        // A chunk of odd length is followed by a byte that counts for nothing.
        let length = usize::try_from(length).ok()?;
        chunks = rest.get(length.checked_add(length & 1)?..)?;
    }
}

//! What bytes are, by how they begin.

/// The media type of a picture or a sound, by its first twelve bytes: of types that do nothing but look or sound. `None` for all else.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if head.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if head.starts_with(b"GIF8") {
        return Some("image/gif");
    }
    // A length stands between.
    match (head.strip_prefix(b"RIFF"), head.get(8..12)) {
        (Some(_), Some(b"WEBP")) => Some("image/webp"),
        (Some(_), Some(b"WAVE")) => Some("audio/wav"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_tell_what_bytes_are() {
        for (head, found) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], Some("image/png")),
            (b"\x89PNG\n", None),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\0\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"RIFF\0\0\0\0AVI ", None),
            (b"RIFF", None),
            (b"<svg>", None),
            (b"", None),
        ] {
            assert_eq!(sniff(head), found, "{head:?}");
        }
    }
}

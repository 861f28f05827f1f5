use std::fmt;

use super::MediaError;

/// Moving pictures that the user has encoded. They are kept as they are: no [`Redaction`](super::Redaction) applies.
#[derive(Clone)]
pub struct Video {
    pub(super) encoded: Vec<u8>,
    pub(super) media_type: String,
    pub(super) caption: Option<String>,
}

impl Video {
    /// Encoded bytes and their media type, such as `video/mp4`, `video/webm` or `image/gif`.
    ///
    /// # Errors
    /// If the media type is not one of moving pictures.
    pub fn new(
        encoded: impl Into<Vec<u8>>,
        media_type: impl Into<String>,
    ) -> Result<Self, MediaError> {
        let media_type = media_type.into();
        if !is_video(&media_type) {
            return Err(MediaError::VideoType { found: media_type });
        }
        Ok(Self {
            encoded: encoded.into(),
            media_type,
            caption: None,
        })
    }

    /// A line for people, shown under the video.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    pub(super) fn bytes(&self) -> usize {
        self.encoded.len() + self.caption.as_ref().map_or(0, String::len)
    }
}

impl fmt::Debug for Video {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Video")
            .field("media_type", &self.media_type)
            .field("bytes", &self.encoded.len())
            .field("caption", &self.caption)
            .finish()
    }
}

/// Readers are served the bytes under this type: nothing that a browser would run may pass.
fn is_video(media_type: &str) -> bool {
    let token = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b".+-".contains(&c);
    match media_type.strip_prefix("video/") {
        Some(subtype) => !subtype.is_empty() && subtype.len() <= 64 && subtype.bytes().all(token),
        None => matches!(media_type, "image/gif" | "image/webp" | "image/apng"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_of_moving_pictures_pass() {
        for (media_type, expected) in [
            ("video/mp4", true),
            ("video/x-matroska", true),
            ("image/gif", true),
            ("video/", false),
            ("video/mp4\r\nx: y", false),
            ("text/html", false),
            ("image/svg+xml", false),
            ("", false),
        ] {
            let video = Video::new([1, 2, 3], media_type);
            assert_eq!(video.is_ok(), expected, "{media_type:?}");
        }
        let error = Video::new([], "text/html").unwrap_err();
        assert!(error.to_string().contains("\"text/html\""), "{error}");
        assert!(!error.is_storage());
    }
}

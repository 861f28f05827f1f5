//! Images, sound, text and other media, as far as TensorBoard has a place for them.

use std::io;

use cresset_record::{
    BlobRef, Content, Figure, ImageDetail, Key, Media, MediaDetail, Table, Timestamp,
};

use super::events::Page;
use super::markdown;
use super::message::{Plugin, Tensor};

/// Larger values are named, not carried: TensorBoard keeps all that it shows in memory.
const MAX_BYTES: u64 = 64 << 20;

impl Page<'_> {
    pub(super) fn media(&mut self, key: &Key, step: u64, time: Timestamp, media: &Media) {
        let key = key.as_str();
        let shown = match self.bytes(&media.content) {
            Ok(bytes) => self.show(key, step, time, media, &bytes),
            Err(why) => Err(why),
        };
        match (shown, &media.caption) {
            (Ok(Shown::Wholly), Some(caption)) => {
                self.text(&format!("{key}/caption"), step, time, caption);
            }
            (Ok(Shown::Wholly), None) => {}
            (Ok(Shown::As(text)), caption) => {
                let caption = caption
                    .as_ref()
                    .map_or(String::new(), |c| format!("\n\n{c}"));
                self.text(key, step, time, &format!("{text}{caption}"));
            }
            (Err(why), caption) => {
                let caption = caption.as_deref().unwrap_or_default();
                let text = format!("{} cannot be shown: {why}. {caption}", name(&media.detail));
                self.text(key, step, time, text.trim_end());
            }
        }
    }

    fn show(
        &mut self,
        key: &str,
        step: u64,
        time: Timestamp,
        media: &Media,
        bytes: &[u8],
    ) -> Result<Shown, String> {
        let media_type = match &media.content {
            Content::Inline(_) => "",
            Content::Blob(blob) => blob.media_type.as_str(),
        };
        match &media.detail {
            MediaDetail::Image(ImageDetail { width, height, .. }) => {
                self.image(key, step, time, (*width, *height), bytes);
                Ok(Shown::Wholly)
            }
            // TensorBoard leaves the format to the browser, and asks for no size that is right.
            MediaDetail::Video if media_type.starts_with("image/") => {
                self.image(key, step, time, (0, 0), bytes);
                Ok(Shown::Wholly)
            }
            MediaDetail::Audio { .. } => {
                let tensor = Tensor::strings(&[1], &[bytes]);
                self.value(Plugin::Audio, key, step, time, &tensor);
                Ok(Shown::Wholly)
            }
            MediaDetail::Text => Ok(Shown::As(String::from_utf8_lossy(bytes).into_owned())),
            MediaDetail::Table { .. } => {
                let table: Table = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
                Ok(Shown::As(markdown::table(&table)))
            }
            MediaDetail::Figure { .. } => {
                let figure: Figure = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
                Ok(Shown::As(markdown::figure(&figure)))
            }
            _ => Err(format!(
                "it has {} bytes, which stay with the run",
                bytes.len()
            )),
        }
    }

    fn image(&mut self, key: &str, step: u64, time: Timestamp, size: (u32, u32), bytes: &[u8]) {
        let (width, height) = (size.0.to_string(), size.1.to_string());
        let tensor = Tensor::strings(&[3], &[width.as_bytes(), height.as_bytes(), bytes]);
        self.value(Plugin::Images, key, step, time, &tensor);
    }

    fn bytes(&self, content: &Content) -> Result<Vec<u8>, String> {
        match content {
            Content::Inline(text) => Ok(text.clone().into_bytes()),
            Content::Blob(BlobRef { bytes, .. }) if *bytes > MAX_BYTES => {
                Err(format!("it has {bytes} bytes, which stay with the run"))
            }
            Content::Blob(blob) => self.run.blobs().get(blob).map_err(|e| match e.kind() {
                io::ErrorKind::NotFound => "its bytes are missing".to_owned(),
                _ => e.to_string(),
            }),
        }
    }
}

/// How a value is shown.
enum Shown {
    /// By a plugin of its own kind.
    Wholly,
    /// As this text.
    As(String),
}

fn name(detail: &MediaDetail) -> String {
    match detail {
        MediaDetail::Text => "this text".to_owned(),
        MediaDetail::Html => "this HTML page".to_owned(),
        MediaDetail::Image(_) => "this image".to_owned(),
        MediaDetail::Audio { .. } => "this sound".to_owned(),
        MediaDetail::Video => "this video".to_owned(),
        MediaDetail::PointCloud { points, .. } => format!("this cloud of {points} points"),
        MediaDetail::Table { .. } => "this table".to_owned(),
        MediaDetail::Figure { figure } => format!("this figure ({figure})"),
        MediaDetail::File { name, .. } => format!("the file `{name}`"),
    }
}

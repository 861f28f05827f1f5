//! Images under the names that `mlflow.log_image` gives them (`mlflow/tracking/client.py`), by which MLflow's page finds their steps.
//! Older versions wrote `%` for `+` and `#` for `~`, which their own servers then could not serve (mlflow/mlflow#21085, #22165).

use std::io::Cursor;

use cresset_record::{Content, ImageDetail, Media};
use image::ImageFormat;

use super::media::Place;
use super::names;
use super::outgoing::millis;
use super::visit::Visit;
use crate::error::ShipError;

/// The longer side of what the page shows in its grid, in pixels.
const THUMBNAIL: u32 = 256;

impl Visit<'_> {
    pub(super) fn image(
        &mut self,
        place: Place<'_>,
        stem: &str,
        detail: &ImageDetail,
        media: &Media,
    ) -> Result<(), ShipError> {
        let is_plain = detail.boxes.is_empty() && detail.masks.is_empty();
        if media.caption.is_some() || detail.sample.is_some() || !is_plain {
            self.about(stem, media)?;
        }
        for mask in &detail.masks {
            let path = format!("{stem}.{}.png", names::part(&mask.name));
            self.put_blob(&path, &mask.blob)?;
        }
        let Some(bytes) = self.bytes(&media.content)? else {
            return Ok(());
        };
        let name = name(place, media);
        match thumbnail(&bytes) {
            Some(small) if is_png(&media.content) => {
                self.put(&format!("images/{name}.png"), &bytes)?;
                self.put(&format!("images/{name}+compressed.webp"), &small)?;
                self.out.tag("mlflow.loggedImages", "True");
                Ok(())
            }
            // The page shows no other kinds in its grid.
            _ => self.put(&format!("{stem}.image"), &bytes),
        }
    }
}

/// The name without its ending. Where MLflow has a random UUID, ours follows from the value, so that a repeat replaces the same files.
fn name(place: Place<'_>, media: &Media) -> String {
    let digits = names::digest(&place.identity(media), 32);
    let mut uuid = String::with_capacity(36);
    for (i, digit) in digits.chars().enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    let key = names::image(place.rank, place.key.as_str());
    let (step, time) = (place.step, millis(place.time));
    format!("{key}+step+{step}+timestamp+{time}+{uuid}")
}

fn is_png(content: &Content) -> bool {
    matches!(content, Content::Blob(blob) if blob.media_type == "image/png")
}

/// The image, small, as WebP; `None` if it cannot be read.
fn thumbnail(bytes: &[u8]) -> Option<Vec<u8>> {
    let image = image::load_from_memory_with_format(bytes, ImageFormat::Png).ok()?;
    let image = match image.width().max(image.height()) > THUMBNAIL {
        true => image.thumbnail(THUMBNAIL, THUMBNAIL),
        false => image,
    };
    let mut small = Cursor::new(Vec::new());
    let image = image.into_rgba8();
    image.write_to(&mut small, ImageFormat::WebP).ok()?;
    Some(small.into_inner())
}

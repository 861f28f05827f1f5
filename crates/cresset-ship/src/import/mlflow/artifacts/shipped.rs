//! Files of a run that was shipped to MLflow from here: where what belongs together was put.

use std::path::PathBuf;

use cresset_record::{ImageDetail, Mask, MediaDetail};
use serde::Deserialize;

use super::super::super::ImportError;
use super::super::super::writer::RunWriter;
use super::kinds::LoggedImage;
use super::{Artifacts, small};
use crate::mlflow::names;

/// What stands beside an image.
#[derive(Deserialize)]
struct About {
    caption: Option<String>,
    detail: MediaDetail,
}

impl Artifacts<'_> {
    /// What an image has beside its pixels: boxes, masks and what the sample was; its caption.
    pub(super) fn shown_with(
        &mut self,
        logged: &LoggedImage,
        detail: &mut MediaDetail,
        run: &mut RunWriter,
    ) -> Result<Option<String>, ImportError> {
        // Both names have the beginning of one digest.
        let Some(digits) = logged.uuid.get(..8) else {
            return Ok(None);
        };
        let (key, step) = (names::path(&logged.key), logged.step);
        let stem = format!("media/{key}/{step}-{digits}");
        let Some(about) = self.ours::<About>(&format!("{stem}.json"), run)? else {
            return Ok(None);
        };
        if let (MediaDetail::Image(said), MediaDetail::Image(image)) = (about.detail, detail) {
            let masks = self.masks(&stem, &said, run)?;
            *image = ImageDetail { masks, ..said };
        }
        Ok(about.caption)
    }

    /// The masks of an image whose bytes are there.
    fn masks(
        &mut self,
        stem: &str,
        said: &ImageDetail,
        run: &mut RunWriter,
    ) -> Result<Vec<Mask>, ImportError> {
        let mut masks = Vec::new();
        for mask in &said.masks {
            let path = format!("{stem}.{}.png", names::part(&mask.name));
            if !self.files.remove(&path) {
                run.leave_out("mask of an image that is not there");
                continue;
            }
            let Some(file) = self.fetch(&path, run)? else {
                continue;
            };
            let blob = run.blob_file(&file, "image/png")?;
            masks.push(Mask {
                blob,
                ..mask.clone()
            });
        }
        Ok(masks)
    }

    /// Whether the file is the caption of another, which comes after it and gets it.
    pub(super) fn is_caption(&mut self, path: &str, file: &PathBuf) -> bool {
        let stem = path.strip_suffix(".caption.txt");
        let stem = stem.filter(|_| self.head.came_from_here() && path.starts_with("media/"));
        let caption = small(file).and_then(|bytes| String::from_utf8(bytes).ok());
        let caption = stem.zip(caption);
        if let Some((stem, caption)) = caption {
            self.captions.insert(stem.to_owned(), caption);
            return true;
        }
        false
    }
}

/// Whether a file of ours follows from others, but for those who look at them.
pub(super) fn is_drawn(path: &str) -> bool {
    path.starts_with("figures/") && path.ends_with(".html")
}

/// Key, step and name of a value that was shipped from here, by where it was put.
pub(super) fn placed(path: &str) -> Option<(String, u64, &str)> {
    let (top, rest) = path.split_once('/')?;
    let (place, name) = rest.rsplit_once('/')?;
    match top {
        "tables" | "figures" | "histograms" => {
            let step = name.strip_suffix(".json")?.parse().ok()?;
            Some((place.to_owned(), step, name))
        }
        "media" if let Some((step, _)) = name.split_once('-').filter(|(step, _)| is_step(step)) => {
            Some((place.to_owned(), step.parse().ok()?, name))
        }
        "media" | "checkpoints" => {
            let (key, step) = place.rsplit_once('/')?;
            Some((key.to_owned(), step.parse().ok()?, name))
        }
        _ => None,
    }
}

fn is_step(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

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

/// Where a value was that was shipped from here.
pub(super) struct Placed {
    pub(super) key: String,
    pub(super) step: u64,
    pub(super) role: Role,
}

/// What it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A value of its own kind.
    Value,
    File,
    Checkpoint,
}

/// A value that was shipped from here, by where it was put.
pub(super) fn placed(path: &str) -> Option<Placed> {
    let (top, rest) = path.split_once('/')?;
    let (place, name) = rest.rsplit_once('/')?;
    let (key, step, role) = match top {
        "tables" | "figures" | "histograms" => (place, name.strip_suffix(".json")?, Role::Value),
        "media" if let Some(step) = step_of(name) => (place, step, Role::Value),
        "media" | "checkpoints" => {
            let (key, step) = place.rsplit_once('/')?;
            let is_file = top == "media";
            let role = if is_file {
                Role::File
            } else {
                Role::Checkpoint
            };
            (key, step, role)
        }
        _ => return None,
    };
    Some(Placed {
        key: key.to_owned(),
        step: step.parse().ok()?,
        role,
    })
}

/// The step of a name such as `7-0123abcd.txt`.
fn step_of(name: &str) -> Option<&str> {
    let (step, rest) = name.split_once('-')?;
    let digits = rest.split('.').next()?;
    let is_ours = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_ours.then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_a_value_was() {
        for (path, key, step, role) in [
            ("tables/val/classes/3.json", "val/classes", 3, Role::Value),
            ("media/said/7-0123abcd.txt", "said", 7, Role::Value),
            ("media/a/b/9/7-notes.txt", "a/b", 9, Role::File),
            ("checkpoints/model/9/m.bin", "model", 9, Role::Checkpoint),
        ] {
            let placed = placed(path).unwrap();
            assert_eq!((placed.key.as_str(), placed.step), (key, step), "{path}");
            assert!(placed.role == role, "{path}");
        }
        for path in ["config.json", "media/x.txt", "tables/t/x.json", "model/1/x"] {
            assert!(placed(path).is_none(), "{path}");
        }
    }
}

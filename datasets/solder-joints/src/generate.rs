use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::ImageEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::class::JointClass;
use crate::index::{CropRecord, Index, SerialNumber};
use crate::plan::{CropPlan, plan};
use crate::scene::Scene;
use crate::whole::write_whole;
use crate::{camera, light};

/// What to generate. Equal configurations give equal pixels on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerateConfig {
    /// Number of pictures.
    pub crops: usize,
    /// Width and height of a picture in pixels, 16 to 512.
    pub size: u32,
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Number of boards, at least 6; a board's crops are all in one split.
    pub boards: u32,
    /// Number of production lines, each with its own camera and its own drift.
    pub lines: u32,
}

impl Default for GenerateConfig {
    /// 6,000 crops of 64 × 64 pixels from 120 boards of 4 lines.
    fn default() -> Self {
        Self {
            crops: 6_000,
            size: 64,
            seed: 7,
            boards: 120,
            lines: 4,
        }
    }
}

/// What [`generate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Pictures in the data set.
    pub crops: usize,
    /// Of these, drawn by this call; the others were there already.
    pub drawn: usize,
    /// Pictures of each class, in the order of [`JointClass::ALL`].
    pub per_class: [usize; 6],
}

/// Why [`generate`] gave up.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The configuration asks for something impossible.
    #[error("cannot generate this data set: {0}")]
    Config(String),
    /// The folder holds something else; nothing in it was touched.
    #[error("{folder}: {found}; name an empty folder, or remove this one first", folder = folder.display())]
    Occupied {
        /// The folder named.
        folder: PathBuf,
        /// What is in it.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Present while a data set is being written, and after an interruption.
const UNFINISHED: &str = "generating.json";

/// Writes a data set into `folder`: `<class>/<number>.png` and, last, the [`Index`].
///
/// A complete data set of the same configuration is used as it is; one whose generation was
/// interrupted, or that lost files, is completed. `progress` gets the pictures done and their total.
///
/// # Errors
/// When the configuration is impossible, the folder holds something else, or a file cannot be written.
pub fn generate(
    folder: &Path,
    config: &GenerateConfig,
    progress: impl FnMut(usize, usize) + Send,
) -> Result<Summary, GenerateError> {
    config.check()?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| GenerateError::Io { path, source }
    };
    let complete = claim(folder, config)?;

    let plans = plan(config);
    let missing: Vec<&CropPlan> = plans
        .iter()
        .filter(|plan| !is_there(&folder.join(file_name(plan))))
        .collect();
    let per_class =
        JointClass::ALL.map(|class| plans.iter().filter(|plan| plan.class == class).count());
    let summary = Summary {
        crops: plans.len(),
        drawn: missing.len(),
        per_class,
    };
    let progress = Mutex::new((plans.len() - missing.len(), progress));
    let report = |newly: usize| {
        let mut guard = progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, callback) = &mut *guard;
        *done += newly;
        callback(*done, plans.len());
    };
    report(0);
    if complete && missing.is_empty() {
        return Ok(summary);
    }
    for class in JointClass::ALL {
        let path = folder.join(class.name());
        fs::create_dir_all(&path).map_err(io(&path))?;
    }
    missing.par_iter().try_for_each(|plan| {
        let path = folder.join(file_name(plan));
        let scene = Scene::new(config.seed, plan);
        write_png(&path, &render(&scene, config.size), config.size).map_err(io(&path))?;
        report(1);
        Ok(())
    })?;
    let crops = plans.iter().map(|plan| record(plan, config)).collect();
    let index = Index {
        format: Index::FORMAT.to_owned(),
        version: Index::VERSION,
        config: config.clone(),
        crops,
    };
    index.write(folder).map_err(io(&folder.join(Index::FILE)))?;
    let marker = folder.join(UNFINISHED);
    match fs::remove_file(&marker) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(&marker)(error)),
        _ => Ok(summary),
    }
}

impl GenerateConfig {
    fn check(&self) -> Result<(), GenerateError> {
        let wrong = |what: String| Err(GenerateError::Config(what));
        if !(16..=512).contains(&self.size) {
            return wrong(format!(
                "size is {}, and must be 16 to 512 pixels",
                self.size
            ));
        }
        if self.boards < 6 || self.crops < self.boards as usize {
            return wrong(format!(
                "{} crops of {} boards; there must be at least 6 boards, and a crop for each",
                self.crops, self.boards
            ));
        }
        if self.lines == 0 || self.lines > self.boards {
            return wrong(format!(
                "{} lines for {} boards; there must be 1 to one for each",
                self.lines, self.boards
            ));
        }
        Ok(())
    }
}

/// Makes `folder` ours, or says why it cannot be. True if it holds this very data set already.
///
/// Several processes may want the same data set at once, so the order matters: whoever works in a
/// folder puts its marker there before anything else and takes it away after the index is written.
fn claim(folder: &Path, config: &GenerateConfig) -> Result<bool, GenerateError> {
    let io = |source| GenerateError::Io {
        path: folder.to_owned(),
        source,
    };
    let occupied = |found: String| {
        Err(GenerateError::Occupied {
            folder: folder.to_owned(),
            found,
        })
    };
    fs::create_dir_all(folder).map_err(io)?;
    let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let empty = fs::read_dir(folder)
        .map_err(io)?
        .flatten()
        .all(|entry| hidden(&entry));
    let marker = folder.join(UNFINISHED);
    let wanted =
        serde_json::to_string(&(Index::VERSION, config)).map_err(|error| io(error.into()))?;
    match fs::read_to_string(&marker) {
        Ok(found) if found == wanted => return Ok(false),
        Ok(found) => {
            return occupied(format!(
                "it holds an unfinished data set of another configuration ({found})"
            ));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        Err(_) => {}
    }
    match Index::read(folder).map_err(io)? {
        Some(index) if index.config == *config => Ok(true),
        Some(index) => occupied(format!(
            "it holds a data set of another configuration ({:?})",
            index.config
        )),
        None if !empty => {
            occupied("it is not empty, and what it holds is not a data set of ours".to_owned())
        }
        None => {
            write_whole(&marker, wanted.as_bytes(), true).map_err(io)?;
            Ok(false)
        }
    }
}

/// Pictures are renamed into place when whole; an empty one is what a power cut may leave.
fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

fn file_name(plan: &CropPlan) -> String {
    format!("{}/{:05}.png", plan.class.name(), plan.id)
}

fn record(plan: &CropPlan, config: &GenerateConfig) -> CropRecord {
    let serial = Scene::new(config.seed, plan)
        .serial
        .map(|label| SerialNumber {
            pixels: label.pixels(config.size),
            text: label.text,
        });
    CropRecord {
        path: file_name(plan),
        class: plan.class,
        split: plan.split,
        board: plan.board,
        line: plan.line,
        severity: (plan.severity * 1000.0).round() / 1000.0,
        resembles: plan.resembles,
        serial,
    }
}

/// The picture of a scene: `size` × `size` RGB bytes, row by row.
pub(crate) fn render(scene: &Scene, size: u32) -> Vec<u8> {
    let size = size as usize;
    // At least two samples a pixel each way, and never so few that a pin hole slips between them.
    let side = size * 2.max(96_usize.div_ceil(size));
    camera::expose(
        &light::light(scene, side),
        side,
        size,
        &scene.optics,
        scene.noise_seed,
    )
}

fn write_png(path: &Path, pixels: &[u8], size: u32) -> io::Result<()> {
    let mut png = Vec::with_capacity(pixels.len());
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, size, size, image::ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    write_whole(path, &png, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_number_is_where_the_index_says() {
        const SIZE: u32 = 64;
        let config = GenerateConfig {
            crops: 60,
            boards: 12,
            ..GenerateConfig::default()
        };
        let mut shown = 0;
        for plan in plan(&config) {
            let with = Scene::new(config.seed, &plan);
            let Some(serial) = record(&plan, &config).serial else {
                continue;
            };
            let [x, y, width, height] = serial.pixels;
            assert!(
                x + width <= SIZE && y + height <= SIZE,
                "{:?}",
                serial.pixels
            );
            let without = Scene {
                serial: None,
                ..with.clone()
            };
            let (with, without) = (render(&with, SIZE), render(&without, SIZE));
            for (i, (a, b)) in with.chunks(3).zip(without.chunks(3)).enumerate() {
                let (px, py) = (i as u32 % SIZE, i as u32 / SIZE);
                let inside = (x..x + width).contains(&px) && (y..y + height).contains(&py);
                let difference = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| a.abs_diff(*b))
                    .max()
                    .unwrap_or(0);
                assert!(
                    inside || difference <= 24,
                    "crop {}: {difference} at {px}, {py}",
                    plan.id
                );
                shown += usize::from(inside && difference > 40);
            }
        }
        assert!(shown > 1000, "{shown} pixels of print");
    }
}

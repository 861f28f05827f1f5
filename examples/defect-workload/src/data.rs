use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use solder_joints::{
    Augment, BatchOptions, Batches, GenerateConfig, ImageFolder, Index, LoadOptions, Split, Subset,
    generate,
};

/// Which images, and how they are dealt out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Images are brought to this width and height, in pixels.
    pub image_size: u32,
    /// Images in a batch of training.
    pub batch_size: usize,
    /// How much training images are altered.
    pub augment: Augment,
    /// Of the order and the alterations.
    pub seed: u64,
    /// How many images to draw where there are none.
    pub generate: usize,
}

/// Which files there are and what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileList {
    /// A line for each file, by path: the BLAKE3 digest and the path from the data's folder, as `b3sum --check` reads them there.
    pub text: String,
    /// The BLAKE3 digest of the text.
    pub blake3: String,
}

/// Threads that decode and alter images; the others are for the network.
const LOADER_THREADS: usize = 1;

/// The images, split for training, validation and test.
#[derive(Clone, Debug)]
pub struct Data {
    /// In the order of their numbers.
    pub classes: Vec<String>,
    folder: PathBuf,
    images: ImageFolder,
    train: Subset,
    val: Subset,
    test: Subset,
    workload: Workload,
    /// Where images show a board's serial number, which is nobody else's business.
    serials: HashMap<PathBuf, [f64; 4]>,
}

impl Data {
    /// Opens the images in `folder`, after drawing solder joints if there is nothing there.
    ///
    /// # Errors
    /// If they cannot be read or written, or are too few.
    pub fn open(folder: &Path, workload: Workload) -> Result<Self> {
        if is_ours_to_fill(folder)? {
            draw(folder, workload.generate)?;
        }
        let options = LoadOptions {
            size: workload.image_size,
            ..LoadOptions::default()
        };
        let images = ImageFolder::open(folder, &options)?;
        for skipped in images.skipped().iter().take(5) {
            eprintln!("skipped {}: {}", skipped.path.display(), skipped.reason);
        }
        let [train, val, test] = Split::ALL.map(|split| images.split(split));
        if train.len() < workload.batch_size {
            bail!(
                "{}: {} images to train on are fewer than a batch of {}",
                folder.display(),
                train.len(),
                workload.batch_size
            );
        }
        if val.is_empty() || test.is_empty() {
            bail!(
                "{}: no images are left for validation or test",
                folder.display()
            );
        }
        let classes = images.classes().to_vec();
        Ok(Self {
            classes,
            folder: folder.to_owned(),
            train,
            val,
            test,
            workload,
            serials: serials(folder)?,
            images,
        })
    }

    /// Where image `index` shows a serial number: left, top, width and height as parts of the image.
    #[must_use]
    pub fn serial(&self, index: usize) -> Option<[f64; 4]> {
        self.serials.get(self.images.path(index)?).copied()
    }

    /// How many images each split has.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [&self.train, &self.val, &self.test].map(Subset::len)
    }

    /// How many batches an epoch of training has.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        (self.train.len() / self.workload.batch_size) as u64
    }

    /// One shuffled and altered pass over the training images, from batch `start` on. It follows from the seed and
    /// the epoch alone.
    #[must_use]
    pub fn training(&self, epoch: u64, start: u64) -> Batches {
        self.train.batches(&BatchOptions {
            batch_size: self.workload.batch_size,
            shuffle_seed: Some(self.workload.seed),
            epoch,
            augment: self.workload.augment,
            threads: LOADER_THREADS,
            ahead: 4,
            drop_last: true,
            start_batch: start as usize,
            ..BatchOptions::default()
        })
    }

    /// The images of a split as they are, in order.
    #[must_use]
    pub fn evaluation(&self, split: Split) -> Batches {
        self.subset(split).batches(&BatchOptions {
            batch_size: 128,
            augment: Augment::None,
            threads: LOADER_THREADS,
            ..BatchOptions::default()
        })
    }

    /// How many images a split has.
    #[must_use]
    pub fn len(&self, split: Split) -> usize {
        self.subset(split).len()
    }

    /// Weights of the classes in the loss: frequency to the power of `-strength`, mean 1.
    #[must_use]
    pub fn class_weights(&self, strength: f64) -> Vec<f32> {
        let counts = self.train.class_counts();
        let weights: Vec<f64> = counts
            .iter()
            .map(|&count| (count.max(1) as f64).powf(-strength))
            .collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        weights
            .iter()
            .map(|weight| (weight / mean) as f32)
            .collect()
    }

    /// The files of a split, each with what is in it: two trainings with the same list saw the same images.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn list(&self, split: Split) -> Result<FileList> {
        let paths = self.subset(split).indices().iter();
        let mut paths: Vec<&Path> = paths.filter_map(|&i| self.images.path(i)).collect();
        paths.sort_unstable();
        let mut text = String::new();
        for path in paths {
            let mut hasher = blake3::Hasher::new();
            let read = File::open(path).and_then(|file| hasher.update_reader(file).map(|_| ()));
            read.with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(&self.folder).unwrap_or(path);
            text += &format!("{}  {}\n", hasher.finalize().to_hex(), name.display());
        }
        let blake3 = blake3::hash(text.as_bytes()).to_hex().to_string();
        Ok(FileList { text, blake3 })
    }

    fn subset(&self, split: Split) -> &Subset {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }
}

/// By the index of a generated data set; other people's images have none.
fn serials(folder: &Path) -> Result<HashMap<PathBuf, [f64; 4]>> {
    let Some(index) = Index::read(folder)? else {
        return Ok(HashMap::new());
    };
    let size = f64::from(index.config.size);
    let region = |place: [u32; 4]| place.map(|pixels| f64::from(pixels) / size);
    let with_serial = index
        .crops
        .into_iter()
        .filter_map(|crop| Some((folder.join(crop.path), region(crop.serial?.pixels))));
    Ok(with_serial.collect())
}

/// Whether `folder` is not there, empty, or filled by us in part. Other people's images are used as they are.
fn is_ours_to_fill(folder: &Path) -> Result<bool> {
    if Index::read(folder)?.is_some() {
        return Ok(false);
    }
    let is_empty = || std::fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    let not_there = !folder
        .try_exists()
        .with_context(|| folder.display().to_string())?;
    Ok(not_there || folder.join("generating.json").exists() || is_empty().unwrap_or(false))
}

fn draw(folder: &Path, crops: usize) -> Result<()> {
    let boards = (crops / 50).max(12) as u32;
    let config = GenerateConfig {
        crops,
        boards,
        ..GenerateConfig::default()
    };
    let style = ProgressStyle::with_template("drawing solder joints {bar:40} {pos}/{len} {eta}")?;
    let bar = ProgressBar::new(crops as u64).with_style(style);
    generate(folder, &config, |done, _| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    Ok(())
}

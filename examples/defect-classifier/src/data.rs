use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use cresset::Region;
use indicatif::{ProgressBar, ProgressStyle};
use solder_joints::{
    Augment, Batch, BatchOptions, Batches, GenerateConfig, ImageFolder, Index, LoadOptions, Split,
    Subset, generate,
};

use crate::args::Settings;

/// Threads that decode and alter images; the others are for the network.
const LOADER_THREADS: usize = 1;

/// The images, split for training, validation and test.
pub(crate) struct Data {
    pub(crate) classes: Vec<String>,
    images: ImageFolder,
    train: Subset,
    val: Subset,
    test: Subset,
    /// Where images show a board's serial number, which is nobody else's business.
    serials: HashMap<PathBuf, Region>,
}

impl Data {
    /// Opens the images in `folder`, after drawing solder joints if there is nothing there.
    pub(crate) fn open(folder: &Path, settings: &Settings) -> Result<Self> {
        if is_ours_to_fill(folder)? {
            draw(folder, settings)?;
        }
        let options = LoadOptions {
            size: settings.image_size,
            ..LoadOptions::default()
        };
        let images = ImageFolder::open(folder, &options)?;
        for skipped in images.skipped().iter().take(5) {
            eprintln!("skipped {}: {}", skipped.path.display(), skipped.reason);
        }
        let [train, val, test] = Split::ALL.map(|split| images.split(split));
        if train.len() < settings.batch_size {
            bail!(
                "{}: {} images to train on are fewer than a batch of {}",
                folder.display(),
                train.len(),
                settings.batch_size
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
            train,
            val,
            test,
            serials: serials(folder)?,
            images,
        })
    }

    /// Where image `index` shows a serial number.
    pub(crate) fn serial(&self, index: usize) -> Option<Region> {
        self.serials.get(self.images.path(index)?).copied()
    }

    /// How many images each split has.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [&self.train, &self.val, &self.test].map(Subset::len)
    }

    pub(crate) fn steps_per_epoch(&self, settings: &Settings) -> u64 {
        (self.train.len() / settings.batch_size) as u64
    }

    /// One shuffled and altered pass over the training images, from batch `start` on. It follows from the seed and
    /// the epoch alone.
    pub(crate) fn training(&self, settings: &Settings, epoch: u64, start: u64) -> Batches {
        self.train.batches(&BatchOptions {
            batch_size: settings.batch_size,
            shuffle_seed: Some(settings.seed),
            epoch,
            augment: settings.augment,
            threads: LOADER_THREADS,
            ahead: 4,
            drop_last: true,
            start_batch: start as usize,
            ..BatchOptions::default()
        })
    }

    /// The images of a split as they are, in order.
    pub(crate) fn evaluation(&self, split: Split) -> Batches {
        let subset = match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        };
        subset.batches(&BatchOptions {
            batch_size: 128,
            augment: Augment::None,
            threads: LOADER_THREADS,
            ..BatchOptions::default()
        })
    }

    /// Weights of the classes in the loss: frequency to the power of `-strength`, mean 1.
    pub(crate) fn class_weights(&self, strength: f64, device: &Device) -> Result<Tensor> {
        let counts = self.train.class_counts();
        let weights: Vec<f64> = counts
            .iter()
            .map(|&count| (count.max(1) as f64).powf(-strength))
            .collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        Ok(Tensor::from_iter(
            weights.iter().map(|weight| (weight / mean) as f32),
            device,
        )?)
    }
}

/// Images (batch, 3, height, width) and labels (batch,) on `device`.
pub(crate) fn tensors(batch: &Batch, device: &Device) -> Result<(Tensor, Tensor)> {
    let labels = Tensor::new(batch.labels.as_slice(), device)?;
    Ok((
        Tensor::from_slice(&batch.images, &batch.dims, device)?,
        labels,
    ))
}

/// By the index of a generated data set; other people's images have none.
fn serials(folder: &Path) -> Result<HashMap<PathBuf, Region>> {
    let Some(index) = Index::read(folder)? else {
        return Ok(HashMap::new());
    };
    let size = f64::from(index.config.size);
    let region = |[x, y, width, height]: [u32; 4]| {
        let [x, y, width, height] = [x, y, width, height].map(|pixels| f64::from(pixels) / size);
        Region::fractions(x, y, width, height)
    };
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

fn draw(folder: &Path, settings: &Settings) -> Result<()> {
    let boards = (settings.generate / 50).max(12) as u32;
    let config = GenerateConfig {
        crops: settings.generate,
        boards,
        ..GenerateConfig::default()
    };
    let style = ProgressStyle::with_template("drawing solder joints {bar:40} {pos}/{len} {eta}")?;
    let bar = ProgressBar::new(settings.generate as u64).with_style(style);
    generate(folder, &config, |done, _| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    Ok(())
}

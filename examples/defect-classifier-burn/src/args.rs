use std::path::PathBuf;

use clap::{Args, Parser};
use defect_workload::Workload;
use serde::Serialize;
use solder_joints::Augment;

/// Trains a residual network that finds defects in images of solder joints, on burn's Learner.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder with one sub-folder of images for each class; it is filled with generated solder joints if it is not
    /// there yet [default: data/solder-joints]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,

    /// Where burn keeps its own files [default: `burn` in the run's folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,

    /// A short run on fewer and smaller images, to see whether everything works
    #[arg(long)]
    smoke: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What decides how a run goes; the same names and defaults as in the candle example.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct Settings {
    /// Channels of the first stage
    #[arg(long, default_value_t = 16)]
    pub(crate) width: usize,

    /// Images are brought to this width and height, in pixels
    #[arg(long, default_value_t = 64, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(8..=1024))]
    pub(crate) image_size: u32,

    /// Passes over the training images
    #[arg(long, default_value_t = 24)]
    pub(crate) epochs: usize,

    /// Images in a batch
    #[arg(long, default_value_t = 32)]
    pub(crate) batch_size: usize,

    /// Peak learning rate of AdamW
    #[arg(long, default_value_t = 3e-3, value_name = "RATE")]
    pub(crate) lr: f64,

    /// Share of the run in which the learning rate rises
    #[arg(long, default_value_t = 0.08, value_name = "SHARE")]
    pub(crate) warmup: f64,

    /// Decoupled weight decay
    #[arg(long, default_value_t = 0.05, value_name = "DECAY")]
    pub(crate) weight_decay: f32,

    /// How much training images are altered: none, light, medium or heavy
    #[arg(long, default_value = "medium")]
    pub(crate) augment: Augment,

    /// How much rare classes are made up for: 0 not at all, 1 in full
    #[arg(long, default_value_t = 0.5, value_name = "POWER")]
    pub(crate) class_weight: f64,

    /// Seed of weights, order and augmentation
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Number of images to generate, where there are none
    #[arg(long, default_value_t = 6000, value_name = "IMAGES")]
    pub(crate) generate: usize,
}

impl Arguments {
    /// With what `--smoke` brings along.
    pub(crate) fn resolved(mut self) -> Self {
        if self.smoke {
            self.settings = Settings {
                width: 8,
                image_size: 48,
                generate: 1500,
                lr: 6e-3,
                augment: Augment::Light,
                ..self.settings
            };
        }
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        let usual = match self.smoke {
            true => "data/solder-joints-smoke",
            false => "data/solder-joints",
        };
        self.data.clone().unwrap_or_else(|| usual.into())
    }
}

impl Settings {
    pub(crate) fn workload(&self) -> Workload {
        Workload {
            image_size: self.image_size,
            batch_size: self.batch_size,
            augment: self.augment,
            seed: self.seed,
            generate: self.generate,
        }
    }
}

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use candle_core::Device;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use defect_workload::Workload;
use serde::{Deserialize, Serialize};
use solder_joints::Augment;

use crate::model::{Architecture, ModelConfig};

/// Trains a residual network that finds defects in images of solder joints.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder with one sub-folder of images for each class; it is filled with generated solder joints if it is not
    /// there yet [default: data/solder-joints]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Folder for checkpoints [default: `checkpoints` in the run's folder]
    #[arg(long, value_name = "FOLDER", conflicts_with = "resume")]
    pub(crate) checkpoints: Option<PathBuf>,

    /// Go on with the run of this id, or from this checkpoint, with the settings that it had; only --lr may be another,
    /// for a run that diverged
    #[arg(long, value_name = "RUN|FILE")]
    pub(crate) resume: Option<String>,

    /// Where to compute: `cpu`, `cuda` or `cuda:N`
    #[arg(long, default_value = "cpu", value_parser = device)]
    pub(crate) device: DeviceName,

    /// Steps between checkpoints within an epoch; one is written at the end of each epoch anyway
    #[arg(long, default_value_t = 100, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) checkpoint_every: u64,

    /// Open the dashboard on the run while it trains
    #[arg(long)]
    pub(crate) ui: bool,

    /// A run of half a minute on fewer and smaller images, to see whether everything works
    #[arg(long, conflicts_with = "resume")]
    smoke: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,

    /// Whether the command line has a learning rate: a resumed run, which brings its own, then takes it.
    #[arg(skip)]
    has_lr: bool,
}

/// What decides how a run goes: a run resumed has the same.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// resnet8, resnet14, resnet20, resnet18 or resnet50
    #[arg(long, default_value = "resnet8")]
    pub(crate) arch: Architecture,

    /// Channels of the first stage [default: 16; 64 for resnet18 and resnet50]
    #[arg(long, value_parser = positive)]
    pub(crate) width: Option<usize>,

    /// Stride of the first convolution
    #[arg(long, default_value_t = 2, value_parser = positive)]
    pub(crate) stem_stride: usize,

    /// Images are brought to this width and height, in pixels
    #[arg(long, default_value_t = 64, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(8..=1024))]
    pub(crate) image_size: u32,

    /// Passes over the training images
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) epochs: u64,

    /// Images in a batch
    #[arg(long, default_value_t = 32, value_parser = at_least_two)]
    pub(crate) batch_size: usize,

    /// Peak learning rate of AdamW
    #[arg(long, default_value_t = 3e-3, value_name = "RATE", value_parser = non_negative)]
    pub(crate) lr: f64,

    /// Share of the run in which the learning rate rises
    #[arg(long, default_value_t = 0.08, value_name = "SHARE", value_parser = share)]
    pub(crate) warmup: f64,

    /// Decoupled weight decay
    #[arg(long, default_value_t = 0.05, value_name = "DECAY", value_parser = non_negative)]
    pub(crate) weight_decay: f64,

    /// How much training images are altered: none, light, medium or heavy
    #[arg(long, default_value = "medium")]
    pub(crate) augment: Augment,

    /// How much rare classes are made up for: 0 not at all, 1 in full
    #[arg(long, default_value_t = 0.5, value_name = "POWER", value_parser = share)]
    pub(crate) class_weight: f64,

    /// Seed of weights, order and augmentation
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Number of images to generate, where there are none
    #[arg(long, default_value_t = 6000, value_name = "IMAGES", value_parser = positive)]
    pub(crate) generate: usize,
}

impl Arguments {
    /// The command line's, checked.
    ///
    /// # Errors
    /// When a setting is given that a resumed run or a smoke test brings along. Exits on anything that clap refuses.
    pub(crate) fn from_command_line() -> Result<Self> {
        Self::parse_from_words(std::env::args_os()).map_err(|error| {
            match error.downcast::<clap::Error>() {
                Ok(error) => error.exit(),
                Err(error) => error,
            }
        })
    }

    fn parse_from_words<T: Into<std::ffi::OsString> + Clone>(
        words: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let matches = Self::command().try_get_matches_from(words)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        let preset: Option<(&str, &[&str])> = match (&arguments.resume, arguments.smoke) {
            (Some(_), _) => Some(("--resume", &["lr"])),
            (None, true) => Some(("--smoke", &["seed"])),
            (None, false) => None,
        };
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        arguments.has_lr = given("lr");
        if let Some((preset, free)) = preset {
            let settings = Settings::augment_args(clap::Command::new("settings"));
            let mut ids = settings.get_arguments().map(|arg| arg.get_id().as_str());
            if let Some(id) = ids.find(|id| given(id) && !free.contains(id)) {
                bail!(
                    "--{} cannot be combined with {preset}, which brings its own",
                    id.replace('_', "-")
                );
            }
        }
        if arguments.smoke {
            arguments.settings = arguments.settings.smoke();
        }
        Ok(arguments)
    }

    /// The settings of a run, where one is resumed mostly those that it had.
    pub(crate) fn settings_of(&self, resumed: Option<&Settings>) -> Settings {
        let mut settings = resumed.unwrap_or(&self.settings).clone();
        if self.has_lr {
            settings.lr = self.settings.lr;
        }
        settings
    }

    /// The folder of images; `usual` is that of a run resumed.
    pub(crate) fn data(&self, usual: Option<PathBuf>) -> PathBuf {
        let default = if self.smoke {
            "data/solder-joints-smoke"
        } else {
            "data/solder-joints"
        };
        self.data
            .clone()
            .or(usual)
            .unwrap_or_else(|| default.into())
    }
}

impl Settings {
    fn smoke(self) -> Self {
        Self {
            width: Some(8),
            image_size: 48,
            generate: 1500,
            epochs: 24,
            lr: 6e-3,
            augment: Augment::Light,
            ..self
        }
    }

    pub(crate) fn workload(&self) -> Workload {
        Workload {
            image_size: self.image_size,
            batch_size: self.batch_size,
            augment: self.augment,
            seed: self.seed,
            generate: self.generate,
        }
    }

    pub(crate) fn model(&self, classes: usize) -> ModelConfig {
        let (architecture, stem_stride) = (self.arch, self.stem_stride);
        let width = self.width.unwrap_or(architecture.usual_width());
        ModelConfig {
            architecture,
            width,
            stem_stride,
            classes,
        }
    }
}

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    Cpu,
    Cuda(usize),
}

impl DeviceName {
    /// # Errors
    /// When there is no such GPU, or the program was built without the feature `cuda`.
    pub(crate) fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(_) if !candle_core::utils::cuda_is_available() => {
                bail!("this program was built without CUDA; build it with --features cuda")
            }
            Self::Cuda(ordinal) => Device::new_cuda(ordinal)
                .with_context(|| format!("cannot use the GPU cuda:{ordinal}")),
        }
    }
}

fn device(name: &str) -> Result<DeviceName, String> {
    match name.split_once(':') {
        None if name == "cpu" => Ok(DeviceName::Cpu),
        None if name == "cuda" => Ok(DeviceName::Cuda(0)),
        Some(("cuda", ordinal)) => ordinal
            .parse()
            .map(DeviceName::Cuda)
            .map_err(|_| format!("`{ordinal}` is no number")),
        _ => Err("expected cpu, cuda or cuda:N".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| "expected a number from 1".to_owned())
}

/// Batch normalisation has no variance to divide by for one image.
fn at_least_two(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&n| n > 1)
        .ok_or_else(|| "expected a number from 2".to_owned())
}

fn non_negative(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|x: &f64| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| "expected a number from 0".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x| (0.0..=1.0).contains(x));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments> {
        Arguments::parse_from_words(
            std::iter::once("defect-classifier").chain(line.split_whitespace()),
        )
    }

    #[test]
    fn flags_arrive() {
        let arguments =
            parse("--arch resnet14 --lr 1e-2 --device cuda:3 --augment heavy --data x/y").unwrap();
        assert_eq!(arguments.settings.arch, Architecture::ResNet14);
        assert_eq!(arguments.settings.lr, 0.01);
        assert_eq!(arguments.settings.augment, Augment::Heavy);
        assert_eq!(arguments.device, DeviceName::Cuda(3));
        assert_eq!(arguments.data(None), PathBuf::from("x/y"));
        assert_eq!(
            parse("").unwrap().data(None),
            PathBuf::from("data/solder-joints")
        );
    }

    #[test]
    fn nonsense_is_refused_with_the_flag_named() {
        for (line, flag) in [
            ("--lr=-1", "--lr"),
            ("--lr nan", "--lr"),
            ("--device gpu", "--device"),
            ("--batch-size 1", "--batch-size"),
            ("--arch vgg", "--arch"),
            ("--warmup 2", "--warmup"),
            ("--epochs 0", "--epochs"),
        ] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains(flag), "{line}: {message}");
        }
    }

    #[test]
    fn presets_bring_their_own_settings() {
        let message = |line| parse(line).unwrap_err().to_string();
        assert_eq!(
            message("--resume x --weight-decay 0"),
            "--weight-decay cannot be combined with --resume, which brings its own"
        );
        assert_eq!(
            message("--resume x --seed 2"),
            "--seed cannot be combined with --resume, which brings its own"
        );
        assert_eq!(
            message("--smoke --width 4"),
            "--width cannot be combined with --smoke, which brings its own"
        );
        assert!(parse("--resume x --device cpu --data y").is_ok());
        let had = parse("--lr 5 --width 4").unwrap().settings;
        let lower = parse("--resume x --lr 0.1").unwrap();
        let expected = Settings {
            lr: 0.1,
            ..had.clone()
        };
        assert_eq!(lower.settings_of(Some(&had)), expected);
        let same = parse("--resume x").unwrap();
        assert_eq!(same.settings_of(Some(&had)), had);
        let smoke = parse("--smoke --seed 5").unwrap();
        assert_eq!((smoke.settings.seed, smoke.settings.image_size), (5, 48));
        assert_eq!(smoke.data(None), PathBuf::from("data/solder-joints-smoke"));
    }

    #[test]
    fn settings_survive_a_checkpoint() {
        let settings = parse("--lr 0.1 --weight-decay 0.3 --width 12")
            .unwrap()
            .settings;
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(serde_json::from_value::<Settings>(json).unwrap(), settings);
    }
}

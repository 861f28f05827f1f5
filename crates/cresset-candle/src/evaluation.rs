//! Evaluation passes: from tensors to metrics, figures and the mistakes worth looking at.

use std::ops::RangeInclusive;

use candle_core::{DType, Device, Error, Result, Tensor, bail};
use cresset_run::samples::{self, Batch, Kept, Mistake, Pictures, Report, Scores};
use cresset_run::{Image, Run};

/// One evaluation pass of a classifier, batch by batch.
///
/// Only the scores and the images of kept mistakes leave the device, the latter as thumbnails; [`finish`](Self::finish)
/// records everything and gives the metrics. See [`cresset_run::samples`] for what is computed, and how much memory it takes;
/// 64 thumbnails of 128 × 128 RGB pixels take 12 MiB on top.
///
/// ```
/// # use candle_core::{Device, Tensor};
/// use cresset_candle::Evaluation;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join("cresset-doc-evaluation");
/// # let model = |_: &Tensor| Tensor::new(&[[2f32, -1.0, 0.5], [0.1, 3.0, -2.0]], &Device::Cpu);
/// # let images = Tensor::randn(0f32, 1.0, (2, 3, 64, 64), &Device::Cpu)?;
/// # let batches = [(images, Tensor::new(&[0u32, 2], &Device::Cpu)?, [40, 41])];
/// let run = cresset_run::init("harbor-defect-classifier").dir(&dir).start()?;
/// let mut evaluation = Evaluation::new(["good", "bridge", "void"])
///     .denormalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// for (images, targets, indices) in &batches {
///     let logits = model(images)?;
///     evaluation.push(&logits, targets, indices, images)?;
/// }
/// let report = evaluation.finish(&run, "val", 1200);
/// assert_eq!(report.accuracy, Some(0.5));
/// # Ok(())
/// # }
/// ```
pub struct Evaluation {
    samples: samples::Evaluation<Tensor>,
    pictures: Pictures,
}

impl Evaluation {
    /// A pass over these classes, in the order of the model's outputs.
    pub fn new(classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            samples: samples::Evaluation::new(classes),
            pictures: Pictures::default(),
        }
    }

    /// How many mistakes are kept of each pair of true and predicted class; 4 if not set.
    #[must_use]
    pub fn mistakes_per_pair(mut self, n: usize) -> Self {
        self.samples = self.samples.mistakes_per_pair(n);
        self
    }

    /// How many mistakes are kept at all; 64 if not set.
    #[must_use]
    pub fn max_mistakes(mut self, n: usize) -> Self {
        self.samples = self.samples.max_mistakes(n);
        self
    }

    /// Most pixels along the longer side of a kept image; 128 if not set. Larger images are reduced by a whole factor, by
    /// averaging. What is to be redacted in pixels is measured on the reduced image; fractions fit both.
    #[must_use]
    pub fn thumbnail_side(mut self, pixels: usize) -> Self {
        self.pictures = self.pictures.side(pixels);
        self
    }

    /// Undoes the normalisation of the images, `x · std + mean` in each channel, before they are shown.
    #[must_use]
    pub fn denormalize(mut self, mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        self.pictures = self.pictures.denormalize(mean, std);
        self
    }

    /// Which numbers are black and white, after [`denormalize`](Self::denormalize): `0.0..=1.0` if not set. Images of bytes
    /// go from 0 to 255 whatever this says.
    #[must_use]
    pub fn pixel_range(mut self, range: RangeInclusive<f32>) -> Self {
        self.pictures = self.pictures.range(range);
        self
    }

    /// Takes a batch in: logits of shape (rows, classes), or for two classes also (rows) or (rows, 1) with the logit of the
    /// second; targets of shape (rows), as integers; the place of each row in the data set; and images of shape (rows, channels,
    /// height, width) with 1, 3 or 4 channels, as bytes or floating-point numbers.
    ///
    /// The logits are copied to the host, for which this thread waits.
    ///
    /// # Errors
    /// If shapes do not fit together, with both of them; or if the device fails.
    pub fn push(
        &mut self,
        logits: &Tensor,
        targets: &Tensor,
        indices: &[u64],
        images: &Tensor,
    ) -> Result<()> {
        let (rows, channels, height, width) = images.dims4()?;
        if rows != indices.len() {
            bail!("{rows} images for {} indices", indices.len());
        }
        let checked = self.pictures.check(channels, height, width);
        checked.map_err(Error::wrap)?;
        let kept = self.take_in(logits, targets, indices)?;
        if kept.is_empty() {
            return Ok(());
        }
        let thumbnails = thumbnails(images, &kept, &self.pictures)?;
        for (kept, thumbnail) in kept.iter().zip(thumbnails) {
            self.samples.attach(kept, thumbnail);
        }
        Ok(())
    }

    /// Takes a batch in of which nothing can be shown; otherwise as [`push`](Self::push).
    ///
    /// # Errors
    /// If shapes do not fit together; or if the device fails.
    pub fn push_without_images(
        &mut self,
        logits: &Tensor,
        targets: &Tensor,
        indices: &[u64],
    ) -> Result<()> {
        self.take_in(logits, targets, indices).map(drop)
    }

    /// Gives the rows that are kept as mistakes.
    fn take_in(&mut self, logits: &Tensor, targets: &Tensor, indices: &[u64]) -> Result<Vec<Kept>> {
        let is_binary = match logits.dims() {
            [_] | [_, 1] => true,
            [_, _] => false,
            _ => bail!(
                "logits of shape {:?}; expected (rows, classes)",
                logits.shape()
            ),
        };
        let logits = logits.detach().flatten_all()?.to_dtype(DType::F32)?;
        let logits = logits.to_vec1::<f32>()?;
        let batch = Batch {
            scores: if is_binary {
                Scores::BinaryLogits(&logits)
            } else {
                Scores::Logits(&logits)
            },
            targets: &class_numbers(targets)?,
            indices,
        };
        self.samples.push(&batch).map_err(Error::wrap)
    }

    /// Ends the pass and records it at `step`: metrics such as `val/accuracy` and `val/recall/void` for the prefix `val`,
    /// the figures `val/confusion_matrix`, `val/roc` and `val/precision_recall`, the table `val/classes`, and
    /// the most confident mistakes as images `val/mistakes`. Images are encoded on a thread of the run.
    ///
    /// The report has everything but the images, which are on their way.
    pub fn finish(self, run: &Run, prefix: &str, step: u64) -> Report<Tensor> {
        let mut report = self.samples.report();
        if !run.is_enabled() {
            return report;
        }
        run.log_report(step, prefix, &report);
        let taken = report.mistakes.iter_mut().map(|mistake| Mistake {
            sample: mistake.sample.clone(),
            image: mistake.image.take(),
        });
        let mistakes: Vec<_> = taken.filter(|mistake| mistake.image.is_some()).collect();
        let pixels = mistakes.iter().filter_map(|m| m.image.as_ref());
        let bytes = pixels.map(|image| 4 * image.elem_count()).sum();
        let series = run.series(&samples::key_under(prefix, "mistakes"));
        let n = mistakes.len();
        let (pictures, key) = (self.pictures, series.clone());
        let queued = run.defer(bytes, move |run| {
            for mistake in mistakes {
                match shown(mistake, &pictures) {
                    Ok(Some(image)) => run.log_value(step, &key, image),
                    Ok(None) => {}
                    Err(_) => run.log_late(step, &key, || None),
                }
            }
        });
        if !queued {
            // So that they count as lost.
            (0..n).for_each(|_| run.log_late(step, &series, || None));
        }
        report
    }
}

/// The kept rows of a batch as images on the host of shape (channels, height, width), each with memory of its own.
fn thumbnails(images: &Tensor, kept: &[Kept], pictures: &Pictures) -> Result<Vec<Tensor>> {
    let rows: Vec<u32> = kept.iter().map(|kept| kept.row() as u32).collect();
    let rows = Tensor::new(&rows[..], images.device())?;
    let images = images.detach().contiguous()?.index_select(&rows, 0)?;
    let is_bytes = images.dtype() == DType::U8;
    let images = images.to_dtype(DType::F32)?;
    let images = if is_bytes { (images / 255.0)? } else { images };
    let (_, channels, height, width) = images.dims4()?;
    let window = pictures.window(height, width);
    let images = if window != (1, 1) {
        images.avg_pool2d(window)?
    } else {
        images
    };
    let shape = (channels, height / window.0, width / window.1);
    let thumbnails = images.flatten_from(1)?.to_vec2::<f32>()?.into_iter();
    thumbnails
        .map(|pixels| Tensor::from_vec(pixels, shape, &Device::Cpu))
        .collect()
}

/// A mistake as it is shown; `None` without an image.
fn shown(mistake: Mistake<Tensor>, pictures: &Pictures) -> Result<Option<Image>> {
    let Some(image) = mistake.image else {
        return Ok(None);
    };
    let (channels, height, width) = image.dims3()?;
    let pixels = image.flatten_all()?.to_vec1::<f32>()?;
    let image = pictures.image(pixels, [channels, height, width]);
    let mistake = Mistake {
        sample: mistake.sample,
        image: Some(image.map_err(Error::wrap)?),
    };
    Ok(mistake.shown())
}

/// Targets that are no class number, such as −100 to be ignored, become one that is no class either.
fn class_numbers(targets: &Tensor) -> Result<Vec<u32>> {
    let targets = targets.flatten_all()?;
    match targets.dtype() {
        DType::U32 => targets.to_vec1::<u32>(),
        DType::U8 | DType::I16 | DType::I32 | DType::I64 => {
            let numbers = targets.to_device(&Device::Cpu)?.to_dtype(DType::I64)?;
            let numbers = numbers.to_vec1::<i64>()?.into_iter();
            Ok(numbers
                .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
                .collect())
        }
        dtype => bail!("targets of type {dtype:?}; expected class numbers as integers"),
    }
}

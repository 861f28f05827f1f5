use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use cresset::{Run, Series};
use cresset_burn::SampleBatch;
use defect_workload::Data;
use solder_joints::{Batches, Split};

/// Images of solder joints with what is known of them.
#[derive(Clone, Debug)]
pub struct DefectBatch {
    /// (batch, 3, height, width), from −1 to 1.
    pub images: Tensor<4>,
    /// (batch)
    pub targets: Tensor<1, Int>,
    /// (batch): how much each counts in the loss.
    pub weights: Tensor<1>,
    /// (batch): which samples of the split they are.
    pub indices: Vec<u64>,
}

impl SampleBatch for DefectBatch {
    fn images(&self) -> Option<Tensor<4>> {
        Some(self.images.clone())
    }

    fn indices(&self) -> Vec<u64> {
        self.indices.clone()
    }
}

/// Deals out one split: batches of the same images in the same order as in the candle example.
#[derive(Clone)]
pub struct Loader {
    data: Arc<Data>,
    split: Split,
    class_weights: Arc<[f32]>,
    device: Device,
    /// Passes begun.
    epoch: Arc<AtomicU64>,
    speed: Option<Speed>,
}

/// How fast the learner takes batches.
#[derive(Clone)]
struct Speed {
    series: Series,
    /// Batches that it is done with.
    steps: Arc<AtomicU64>,
}

impl Loader {
    /// The batches of `split`; in training, rare classes weigh more by the power `class_weight`.
    #[must_use]
    pub fn new(data: &Arc<Data>, split: Split, class_weight: f64, device: &Device) -> Self {
        // Validation weighs all images alike.
        let strength = if split == Split::Train {
            class_weight
        } else {
            0.0
        };
        Self {
            data: Arc::clone(data),
            split,
            class_weights: data.class_weights(strength).into(),
            device: device.clone(),
            epoch: Arc::default(),
            speed: None,
        }
    }

    /// Records images a second as `train/images_per_second`.
    #[must_use]
    pub fn timed(mut self, run: &Run) -> Self {
        self.speed = Some(Speed {
            series: run.series("train/images_per_second"),
            steps: Arc::default(),
        });
        self
    }
}

impl DataLoader<DefectBatch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<DefectBatch> + 'a> {
        let batches = match self.split {
            Split::Train => {
                let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
                self.data.training(epoch, 0)
            }
            split => self.data.evaluation(split),
        };
        Box::new(Pass {
            loader: self,
            batches,
            done: 0,
            last: None,
        })
    }

    fn num_items(&self) -> usize {
        self.data.len(self.split)
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<DefectBatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    /// For several devices; this program uses one.
    fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<DefectBatch>> {
        Arc::new(self.clone())
    }
}

struct Pass<'a> {
    loader: &'a Loader,
    batches: Batches,
    done: usize,
    /// When the learner took its last batch, and how many images that has.
    last: Option<(Instant, usize)>,
}

impl Pass<'_> {
    /// The learner comes for another batch.
    fn record_speed(&self) {
        if let (Some(speed), Some((began, images))) = (&self.loader.speed, self.last) {
            let step = speed.steps.fetch_add(1, Ordering::Relaxed);
            let rate = images as f64 / began.elapsed().as_secs_f64();
            speed.series.log(step, rate);
        }
    }
}

impl Iterator for Pass<'_> {
    type Item = Result<DefectBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record_speed();
        let Loader {
            class_weights,
            device,
            ..
        } = self.loader;
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(DatasetError::new(error))),
        };
        self.done += batch.labels.len();
        self.last = Some((Instant::now(), batch.labels.len()));
        let weights: Vec<f32> = batch
            .labels
            .iter()
            .map(|&class| class_weights.get(class as usize).copied().unwrap_or(1.0))
            .collect();
        let targets: Vec<i32> = batch.labels.iter().map(|&class| class as i32).collect();
        Some(Ok(DefectBatch {
            images: Tensor::from_data(TensorData::new(batch.images, batch.dims), device),
            targets: Tensor::from_data(&targets[..], device),
            weights: Tensor::from_data(&weights[..], device),
            indices: batch.indices.iter().map(|&index| index as u64).collect(),
        }))
    }
}

impl DataLoaderIterator<DefectBatch> for Pass<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.loader.num_items(), None)
    }
}

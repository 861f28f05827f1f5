use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use cresset_burn::SampleBatch;
use defect_workload::Data;
use solder_joints::{Batches, Split};

/// Images of solder joints with what is known of them.
#[derive(Clone, Debug)]
pub(crate) struct DefectBatch {
    /// (batch, 3, height, width), from −1 to 1.
    pub(crate) images: Tensor<4>,
    /// (batch)
    pub(crate) targets: Tensor<1, Int>,
    /// (batch): how much each counts in the loss.
    pub(crate) weights: Tensor<1>,
    indices: Vec<u64>,
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
pub(crate) struct Loader {
    data: Arc<Data>,
    split: Split,
    class_weights: Arc<[f32]>,
    device: Device,
    /// Passes begun.
    epoch: Arc<AtomicU64>,
}

impl Loader {
    pub(crate) fn new(data: &Arc<Data>, split: Split, class_weight: f64, device: &Device) -> Self {
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
        }
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
}

impl Iterator for Pass<'_> {
    type Item = Result<DefectBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
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

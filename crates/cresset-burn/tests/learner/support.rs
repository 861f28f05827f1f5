//! A small network, its data, and reading back what was recorded.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, LearningResult, SupervisedTraining, TrainOutput,
    TrainStep,
};
use cresset_burn::{SampleBatch, Samples, Watch, Watched};
use cresset_record::{RunDir, RunView};
use cresset_run::{Cadence, Run, init};

pub(crate) const CLASSES: [&str; 3] = ["good", "bridge", "void"];
const SIDE: usize = 6;

#[derive(Module, Debug)]
pub(crate) struct Net {
    pub(crate) conv: Conv2d,
    pub(crate) norm: BatchNorm,
    pub(crate) head: Linear,
    /// Part of no loss.
    pub(crate) unused: Linear,
}

impl Net {
    /// The same weights in every run: values by place and by the number of elements.
    pub(crate) fn new(device: &Device) -> Self {
        let net = Self {
            conv: Conv2dConfig::new([3, 4], [3, 3]).init(device),
            norm: BatchNormConfig::new(4).init(device),
            head: LinearConfig::new(4, 3).init(device),
            unused: LinearConfig::new(2, 2).init(device),
        };
        net.map(&mut Fixed::default())
    }

    pub(crate) fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.norm.forward(self.conv.forward(images)));
        let [rows, channels, height, width] = x.dims();
        let x = x.reshape([rows, channels, height * width]).mean_dim(2);
        self.head.forward(x.reshape([rows, channels]))
    }

    pub(crate) fn classify(&self, batch: Batch) -> ClassificationOutput {
        let logits = self.forward(batch.images);
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        let loss = loss.forward(logits.clone(), batch.targets.clone());
        ClassificationOutput::new(loss, logits, batch.targets)
    }
}

#[derive(Default)]
struct Fixed {
    name: String,
}

impl ModuleMapper for Fixed {
    fn enter_module(&mut self, name: &str, _: &str) {
        name.clone_into(&mut self.name);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.name.starts_with("running") {
            return param;
        }
        param.map(|tensor| {
            let n = tensor.shape().num_elements();
            let value = |i: usize| ((i + n) as f32 * 0.7).sin() * 0.3;
            let data = TensorData::new((0..n).map(value).collect::<Vec<_>>(), tensor.dims());
            let device = tensor.device();
            let tensor = Tensor::from_data(data, &device);
            match device.is_autodiff() {
                true => tensor.require_grad(),
                false => tensor,
            }
        })
    }
}

impl TrainStep for Net {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Net {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) images: Tensor<4>,
    pub(crate) targets: Tensor<1, Int>,
    indices: Vec<u64>,
}

impl Batch {
    /// Rows from `from` on of a data set without end: the brighter an image, the higher its class.
    pub(crate) fn new(from: usize, rows: usize, device: &Device) -> Self {
        let pixels = 3 * SIDE * SIDE;
        let class = |row: usize| row * 7 % 3;
        let value = |row: usize, i: usize| {
            class(row) as f32 * 0.4 + ((row * pixels + i) as f32 * 0.37).sin() * 0.5
        };
        let rows_of = from..from + rows;
        let values: Vec<f32> = rows_of
            .clone()
            .flat_map(|row| (0..pixels).map(move |i| value(row, i)))
            .collect();
        let targets: Vec<i32> = rows_of.clone().map(|row| class(row) as i32).collect();
        Self {
            images: Tensor::from_data(TensorData::new(values, [rows, 3, SIDE, SIDE]), device),
            targets: Tensor::from_data(&targets[..], device),
            indices: rows_of.map(|row| row as u64).collect(),
        }
    }
}

impl SampleBatch for Batch {
    fn images(&self) -> Option<Tensor<4>> {
        Some(self.images.clone())
    }

    fn indices(&self) -> Vec<u64> {
        self.indices.clone()
    }
}

/// Batches of eight rows, the same in each pass.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) from: usize,
    pub(crate) batches: usize,
    pub(crate) device: Device,
    /// The batch that cannot be read.
    pub(crate) broken: Option<usize>,
    /// Waits before each batch until this run has nothing to do.
    pub(crate) patient: Option<Run>,
}

pub(crate) const ROWS: usize = 8;

impl Loader {
    pub(crate) fn new(from: usize, batches: usize) -> Self {
        Self {
            from,
            batches,
            device: Device::flex(),
            broken: None,
            patient: None,
        }
    }
}

impl DataLoader<Batch> for Loader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(Pass {
            loader: self,
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.batches * ROWS
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            from: self.from + start,
            batches: (end - start) / ROWS,
            ..self.clone()
        })
    }
}

struct Pass<'a> {
    loader: &'a Loader,
    done: usize,
}

impl Iterator for Pass<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self
            .loader
            .patient
            .as_ref()
            .is_some_and(|run| run.backlog() > 0)
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let at = self.done;
        if at == self.loader.batches {
            return None;
        }
        self.done += 1;
        if self.loader.broken == Some(at) {
            return Some(Err(DatasetError::new(std::io::Error::other(
                "no such image",
            ))));
        }
        let from = self.loader.from + at * ROWS;
        Some(Ok(Batch::new(from, ROWS, &self.loader.device)))
    }
}

impl DataLoaderIterator<Batch> for Pass<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done * ROWS, self.loader.num_items(), None)
    }
}

pub(crate) const TRAIN_BATCHES: usize = 6;
pub(crate) const VALID_BATCHES: usize = 2;

/// A training that gives the run time to look at every step.
pub(crate) fn patient<M>(run: &Run, folder: &Path) -> SupervisedTraining<M>
where
    M: burn::train::LearnerModel
        + TrainStep<Input = Batch, Output = ClassificationOutput>
        + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    let train = Loader {
        patient: Some(run.clone()),
        ..Loader::new(0, TRAIN_BATCHES)
    };
    training_of(folder, train, Loader::new(1000, VALID_BATCHES))
}

/// A training of one epoch that prints nothing.
pub(crate) fn training<M>(folder: &Path) -> SupervisedTraining<M>
where
    M: burn::train::LearnerModel
        + TrainStep<Input = Batch, Output = ClassificationOutput>
        + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    training_of(
        folder,
        Loader::new(0, TRAIN_BATCHES),
        Loader::new(1000, VALID_BATCHES),
    )
}

pub(crate) fn training_of<M>(folder: &Path, train: Loader, valid: Loader) -> SupervisedTraining<M>
where
    M: burn::train::LearnerModel
        + TrainStep<Input = Batch, Output = ClassificationOutput>
        + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    SupervisedTraining::new(folder, Arc::new(train), Arc::new(valid))
        .with_application_logger(None)
        .renderer(Box::new(crate::silent::Silent))
}

pub(crate) fn adam() -> ModuleOptimizer {
    AdamConfig::new().init()
}

pub(crate) fn learner<M: burn::train::LearnerModel>(model: M) -> Learner<M> {
    Learner::new(model, adam(), 0.02)
}

/// A network on the device that is trained on.
pub(crate) fn net() -> Net {
    Net::new(&Device::flex().autodiff())
}

/// All values of all parameters, in order.
pub(crate) fn values<M: Module>(model: &M) -> Vec<f32> {
    struct Values(Vec<f32>);
    impl burn::module::ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0
                .extend(param.val().to_data().try_to_vec::<f32>().unwrap());
        }
    }
    let mut values = Values(Vec::new());
    model.visit(&mut values);
    values.0
}

/// A net of which everything is watched at each step.
pub(crate) fn watched(run: &Run) -> Watched<Net> {
    let watch = Watch::new(run).cadence(Cadence::Every(1));
    Watched::with(net(), watch).samples(Samples::new(CLASSES))
}

/// What `work` records.
pub(crate) fn recorded<T>(work: impl FnOnce(&Run, &Path) -> T) -> (RunView, T) {
    let dir = tempfile::tempdir().unwrap();
    let run = init("burn").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let result = work(&run, &dir.path().join("training"));
    assert!(run.finish().complete);
    let view = RunView::open(RunDir::new(path)).unwrap();
    (view, result)
}

/// The points of a series.
pub(crate) fn points(view: &RunView, key: &str) -> Vec<(u64, f64)> {
    let found = view.series().find(|(name, _, _)| name.as_str() == key);
    let points = found.map(|(_, _, series)| series.points());
    let points = points.into_iter().flatten();
    points.map(|point| (point.step, point.value)).collect()
}

pub(crate) fn titles(view: &RunView) -> Vec<&str> {
    view.alerts()
        .iter()
        .map(|alert| alert.title.as_str())
        .collect()
}

pub(crate) fn ended_well<M>(result: &LearningResult<M>) {
    assert!(result.error.is_none() && result.interrupted.is_none());
}

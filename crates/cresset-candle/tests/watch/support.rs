//! A network to watch, and reading back what was recorded.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use candle_core::{DType, Device, Module, ModuleT, Result, Tensor, Var};
use candle_nn::{
    BatchNorm, Conv2d, Conv2dConfig, Linear, Optimizer, VarBuilder, VarMap, batch_norm, conv2d,
    linear, loss,
};
use cresset_candle::{AdamW, Watch};
use cresset_record::{Alert, RunDir, RunView};
use cresset_run::stats::Accumulator;
use cresset_run::{Cadence, Run, TensorStats, init};

/// A network with every kind of variable: trained, running statistics, never used.
pub(crate) struct Net {
    pub(crate) varmap: VarMap,
    conv: Conv2d,
    norm: BatchNorm,
    head: Linear,
}

impl Net {
    pub(crate) fn new(device: &Device) -> Result<Self> {
        let varmap = VarMap::new();
        let vb = VarBuilder::from_varmap(&varmap, DType::F32, device);
        let net = Self {
            conv: conv2d(3, 4, 3, Conv2dConfig::default(), vb.pp("conv"))?,
            norm: batch_norm(4, 1e-5, vb.pp("norm"))?,
            head: linear(4, 3, vb.pp("head"))?,
            varmap,
        };
        linear(2, 2, vb.pp("unused"))?;
        // The same weights in every run: values by place and by the length of the name.
        for (name, var) in net.vars() {
            if !name.starts_with("norm") {
                let n = var.elem_count() as i64;
                let seed = name.len() as f64;
                let values = (Tensor::arange(0, n, device)?.to_dtype(DType::F32)? + seed)?;
                var.set(
                    &values
                        .affine(0.7, 0.1)?
                        .sin()?
                        .affine(0.3, 0.0)?
                        .reshape(var.shape())?,
                )?;
            }
        }
        Ok(net)
    }

    pub(crate) fn loss(&self, step: u64) -> Result<Tensor> {
        let device = self.conv.weight().device();
        let pixels = Tensor::arange(0i64, 8 * 3 * 6 * 6, device)?.to_dtype(DType::F32)?;
        let images = pixels
            .affine(0.37, step as f64)?
            .sin()?
            .reshape((8, 3, 6, 6))?;
        let classes = Tensor::new(&[0u32, 1, 2, 0, 1, 2, 0, 1], device)?;
        let x = self
            .norm
            .forward_t(&self.conv.forward(&images)?, true)?
            .relu()?;
        loss::cross_entropy(&self.head.forward(&x.mean((2, 3))?)?, &classes)
    }

    pub(crate) fn vars(&self) -> Vec<(String, Var)> {
        let data = self.varmap.data().lock().unwrap();
        data.iter()
            .map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }

    pub(crate) fn var(&self, name: &str) -> Var {
        self.varmap.data().lock().unwrap()[name].clone()
    }

    pub(crate) fn adamw(&self) -> Result<AdamW> {
        AdamW::new_lr(self.varmap.all_vars(), 1e-2)
    }
}

pub(crate) const TRAINED: [&str; 6] = [
    "conv.bias",
    "conv.weight",
    "head.bias",
    "head.weight",
    "norm.bias",
    "norm.weight",
];

pub(crate) fn every_step(run: &Run) -> Watch {
    Watch::new(run).cadence(Cadence::Every(1))
}

/// Trains until the observation of each step is worked out before the next begins.
pub(crate) fn train(
    net: &Net,
    optimizer: &mut impl Optimizer,
    run: &Run,
    steps: std::ops::Range<u64>,
) -> Result<()> {
    for step in steps {
        optimizer.backward_step(&net.loss(step)?)?;
        settle(run);
    }
    Ok(())
}

pub(crate) fn settle(run: &Run) {
    while run.backlog() > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `work` with a run and gives what it recorded.
pub(crate) fn recorded(work: impl FnOnce(&Run) -> Result<()>) -> Result<RunView> {
    let dir = tempfile::tempdir()?;
    let run = init("watch").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    work(&run)?;
    let finished = run.finish();
    assert!(finished.complete && finished.lost == 0, "{finished:?}");
    Ok(view(&path))
}

pub(crate) fn view(run_dir: &Path) -> RunView {
    RunView::open(RunDir::new(run_dir)).unwrap()
}

/// (step, statistics) of a histogram series.
pub(crate) fn histograms(view: &RunView, key: &str) -> Vec<(u64, TensorStats)> {
    let of_key = view.histograms().find(|(k, _, _)| k.as_str() == key);
    let logged = of_key.map(|(_, _, logged)| logged).unwrap_or_default();
    logged.iter().map(|l| (l.step, l.value.clone())).collect()
}

/// (step, value) of a scalar series.
pub(crate) fn scalars(view: &RunView, key: &str) -> Vec<(u64, f64)> {
    let points = view
        .series_of(key)
        .map(cresset_record::Series::points)
        .unwrap_or_default();
    points.iter().map(|p| (p.step, p.value)).collect()
}

pub(crate) fn keys(view: &RunView) -> Vec<String> {
    let histograms = view.histograms().map(|(key, _, _)| key);
    let scalars = view.series().map(|(key, _, _)| key);
    let mut keys: Vec<_> = histograms
        .chain(scalars)
        .map(|k| k.as_str().to_owned())
        .collect();
    keys.sort();
    keys
}

pub(crate) fn alert<'a>(view: &'a RunView, title: &str) -> &'a Alert {
    let found = view.alerts().iter().find(|a| a.title == title);
    found.unwrap_or_else(|| panic!("no alert {title:?} among {:#?}", view.alerts()))
}

pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap();
    tensor
        .flatten_all()
        .unwrap()
        .to_dtype(DType::F64)
        .unwrap()
        .to_vec1()
        .unwrap()
}

pub(crate) fn stats(tensor: &Tensor) -> TensorStats {
    let mut accumulator = Accumulator::new();
    let values = values(tensor);
    match tensor.dtype() {
        // What the kernel for the type gives, to the last bit of the sums.
        DType::F32 => accumulator.add_f32(&values.iter().map(|&v| v as f32).collect::<Vec<_>>()),
        _ => accumulator.add_f64(&values),
    }
    accumulator.finish()
}

/// Device operations add in another order than the kernel for CPUs.
pub(crate) fn assert_same(
    found: &TensorStats,
    expected: &TensorStats,
    exact_sums: bool,
    what: &str,
) {
    if exact_sums {
        return assert_eq!(found, expected, "{what}");
    }
    let without_sums = |stats: &TensorStats| TensorStats {
        sum: 0.0,
        sum_sq: 0.0,
        ..stats.clone()
    };
    assert_eq!(without_sums(found), without_sums(expected), "{what}");
    assert!(
        (found.sum - expected.sum).abs() <= 1e-12 * expected.count as f64,
        "{what}"
    );
    assert!(
        (found.sum_sq - expected.sum_sq).abs() <= 1e-12 * expected.sum_sq,
        "{what}"
    );
}

pub(crate) fn poison(net: &Net, name: &str) -> Result<()> {
    let var = net.var(name);
    let mut spoilt: Vec<f32> = values(&var).into_iter().map(|v| v as f32).collect();
    spoilt[1] = f32::NAN;
    var.set(&Tensor::from_vec(spoilt, var.shape(), var.device())?)
}

/// Keeps the run's worker busy until the sender is dropped.
pub(crate) fn occupy_worker(run: &Run) -> mpsc::Sender<()> {
    let (release, wait) = mpsc::channel();
    assert!(run.defer(0, move |_| wait.recv().unwrap_or(())));
    release
}

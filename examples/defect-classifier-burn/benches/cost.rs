//! What watching costs the thread that trains, on burn's CPU backend: gradients, parameters, update ratios, and the loss.
//!
//! `cargo bench -p defect-classifier-burn --bench cost`
//!
//! Trainings of one ResNet take turns: not watched, watched at every step, and within the budget. The first network is that of the
//! reference workload; the second has as many parameters but is so small, and so are its images, that a step takes next to no time, and what
//! an observation costs weighs the most.
//!
//! Time is the training thread's processor time, and all of a step is computed on that thread: with more of them a step takes less
//! time, and the cost is a larger share of it. The backward pass varies by more than watching costs, so what is compared is
//! that which comes after it: the optimizer's step and what is recorded. A line of JSON a figure.

#![expect(clippy::print_stdout, reason = "a program that talks to its user")]

use anyhow::{Result, ensure};
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::AdamWConfig;
use burn::tensor::{Device, Distribution, Tensor};
use burn::train::{ClassificationOutput, TrainStep};
use cresset::Cadence;
use cresset_burn::{Watch, Watched, log_tensor};
use defect_classifier_burn::{DefectBatch, ResNet};
use serde_json::json;

/// burn makes a tensor for every operation; see the candle example.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;
const CLASSES: usize = 6;

struct Workload {
    name: &'static str,
    width: usize,
    pixels: usize,
    batch: usize,
    /// In one training of a round.
    steps: u64,
    /// What watching every step may cost, in percent; nobody should do that where steps take no time.
    most: Option<f64>,
}

const WORKLOADS: [Workload; 2] = [
    Workload {
        name: "reference",
        width: 16,
        pixels: 64,
        batch: 32,
        steps: 40,
        most: Some(2.0),
    },
    Workload {
        name: "tiny",
        width: 2,
        pixels: 8,
        batch: 2,
        steps: 2000,
        most: None,
    },
];

fn main() -> Result<()> {
    // Parallel parts of a step run on the pool's one thread, so that is where to train.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| WORKLOADS.iter().try_for_each(measure))
}

fn measure(workload: &Workload) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = cresset::init("bench-burn").dir(dir.path()).start()?;
    let device = Device::flex().autodiff();
    let batch = workload.images(&device);
    let model = || ResNet::seeded(workload.width, CLASSES, 1, &device);

    let mut steps = Vec::new();
    let mut modes = [
        ("every_step", Cadence::Every(1), workload.most),
        ("budget", Cadence::default(), Some(1.0)),
    ]
    .map(|(name, cadence, limit)| (name, cadence, limit, Vec::new(), 0));
    for round in 0..=ROUNDS {
        let (off, _) = train(model(), workload.steps, &batch, |_, _| {});
        for (_, cadence, _, shares, observed) in &mut modes {
            let watched = Watched::with(model(), Watch::new(&run).cadence(*cadence));
            let (on, watched) = train(watched, workload.steps, &batch, |step, loss| {
                log_tensor(&run, step, "train/loss", loss);
            });
            // The first round fills caches.
            if round > 0 {
                shares.push(100.0 * (on.after - off.after) / off.all);
                *observed += watched.account().observed;
            }
        }
        if round > 0 {
            steps.push(1e3 * off.all / workload.steps as f64);
        }
    }
    let line = |figure: &str, value: f64, unit: &str, budget: Option<f64>| {
        let name = format!("burn.{}.{figure}", workload.name);
        println!(
            "{}",
            json!({ "name": name, "value": value, "unit": unit, "budget": budget })
        );
    };
    line("step", median(&mut steps), "ms", None);
    for (mode, _, limit, mut shares, observed) in modes {
        line(mode, median(&mut shares), "%", limit);
        let all = ROUNDS as u64 * workload.steps;
        line(
            &format!("{mode}.observed"),
            100.0 * observed as f64 / all as f64,
            "% of steps",
            None,
        );
    }
    ensure!(run.finish().lost == 0, "the run lost values");
    Ok(())
}

impl Workload {
    fn images(&self, device: &Device) -> DefectBatch {
        let Self { batch, pixels, .. } = *self;
        let classes: Vec<i32> = (0..batch).map(|i| (i % CLASSES) as i32).collect();
        let noise = Distribution::Uniform(-1.0, 1.0);
        DefectBatch {
            images: Tensor::random([batch, 3, pixels, pixels], noise, device),
            targets: Tensor::from_data(&classes[..], device),
            weights: Tensor::ones([batch], device),
            indices: (0..batch as u64).collect(),
        }
    }
}

/// Seconds of the training thread.
#[derive(Default)]
struct Spent {
    all: f64,
    /// After backward passes.
    after: f64,
}

/// Trains as burn's learner does.
fn train<M>(
    mut model: M,
    steps: u64,
    batch: &DefectBatch,
    mut record: impl FnMut(u64, Tensor<1>),
) -> (Spent, M)
where
    M: TrainStep<Input = DefectBatch, Output = ClassificationOutput> + Module,
{
    let mut optimizer = AdamWConfig::new().init();
    let mut spent = Spent::default();
    for step in 0..steps {
        let batch = batch.clone();
        let began = thread_seconds();
        let output = model.step(batch);
        let computed = thread_seconds();
        record(step, output.item.loss);
        let rate = ModuleLearningRate::from(1e-3);
        model = model.optimize(&mut optimizer, rate, output.grads);
        let end = thread_seconds();
        spent.all += end - began;
        spent.after += end - computed;
    }
    (spent, model)
}

/// Processor time of the calling thread.
fn thread_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

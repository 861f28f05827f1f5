//! What watching every step of a training costs its thread: gradients, parameters, update ratios, loss and learning rate.
//!
//! `cargo run --release -p cresset-benches --bin watch`
//!
//! A ResNet-8 is trained with batches of 32 images of 32 × 32 pixels. In turn, the optimizer's step is taken with and without
//! `watch`, of the same kind and size, on gradients that a forward and backward pass just made; what it takes more is the cost.
//! Time is the training thread's CPU time, medians over all rounds, and all of a step is computed on that thread: with more of
//! them a step takes less time, and the cost is a larger share of it. A line of JSON a figure.

mod model;

use std::io::Write;
use std::process::{Command, exit};

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::{Optimizer, VarBuilder, VarMap, loss::cross_entropy};
use cresset_benches::{finish, median, thread_cpu_seconds};
use cresset_candle::{AdamW, Watch, log_tensor};
use cresset_run::Cadence;
use serde_json::json;

use model::ResNet8;

const ROUNDS: usize = 60;
const WARM_UP: usize = 5;
const BATCH: usize = 32;
/// Read by candle once, before anything is computed.
const THREADS: &str = "CANDLE_NUM_THREADS";

fn main() -> Result<()> {
    if std::env::var_os(THREADS).is_none() {
        let status = Command::new(std::env::current_exe()?)
            .env(THREADS, "1")
            .status()?;
        exit(status.code().unwrap_or(1));
    }
    // Parallel parts of a step run on the pool's one thread, so that is where to train.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let costs = pool.install(measure)?;
    let mut out = std::io::stdout().lock();
    for (name, value, unit, budget) in [
        (
            "watch.percent",
            100.0 * costs.watch / costs.step,
            "%",
            Some(0.5),
        ),
        ("watch.us", 1e6 * costs.watch, "µs", None),
        ("watch.optimizer_us", 1e6 * costs.optimizer, "µs", None),
        ("watch.step_ms", 1e3 * costs.step, "ms", None),
    ] {
        let line = json!({ "name": name, "value": value, "unit": unit, "budget": budget });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Medians, in seconds.
struct Costs {
    /// What watching adds to a step.
    watch: f64,
    /// The optimizer's own part of it.
    optimizer: f64,
    /// A step that is not watched.
    step: f64,
}

/// A model and what trains it.
struct Training<O> {
    model: ResNet8,
    varmap: VarMap,
    optimizer: O,
}

fn training<O>(optimizer: impl Fn(AdamW, &VarMap) -> O) -> Result<Training<O>> {
    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
    let model = ResNet8::new(10, vb)?;
    let adamw = AdamW::new_lr(varmap.all_vars(), 1e-3)?;
    Ok(Training {
        model,
        optimizer: optimizer(adamw, &varmap),
        varmap,
    })
}

/// What one step took, in seconds.
struct Step {
    all: f64,
    optimizer: f64,
}

impl<O: Optimizer> Training<O> {
    fn step(
        &mut self,
        images: &Tensor,
        classes: &Tensor,
        look: impl FnOnce(&Tensor),
    ) -> Result<Step> {
        let began = thread_cpu_seconds();
        let loss = cross_entropy(&self.model.forward(images)?, classes)?;
        let grads = loss.backward()?;
        let computed = thread_cpu_seconds();
        look(&loss);
        self.optimizer.step(&grads)?;
        let end = thread_cpu_seconds();
        Ok(Step {
            all: end - began,
            optimizer: end - computed,
        })
    }
}

fn measure() -> Result<Costs> {
    let dir = tempfile::tempdir()?;
    let run = cresset_run::init("bench-watch").dir(dir.path()).start()?;
    let mut plain = training(|adamw, _| adamw)?;
    let mut watched = training(|adamw, varmap| {
        let watch = Watch::new(&run).cadence(Cadence::Every(1));
        watch.optimizer(adamw, varmap)
    })?;
    let images = Tensor::randn(0f32, 1.0, (BATCH, 3, 32, 32), &Device::Cpu)?;
    let classes = Tensor::from_iter((0..BATCH as u32).map(|i| i % 10), &Device::Cpu)?;

    let (mut steps, mut off, mut on) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        let without = plain.step(&images, &classes, |_| {})?;
        let step = watched.optimizer.step_index();
        let with = watched.step(&images, &classes, |loss| {
            log_tensor(&run, step, "train/loss", loss);
        })?;
        if round >= WARM_UP {
            steps.push(without.all);
            off.push(without.optimizer);
            on.push(with.optimizer);
        }
    }
    let account = watched.optimizer.account();
    let rounds = (WARM_UP + ROUNDS) as u64;
    (account.observed == rounds)
        .then_some(())
        .with_context(|| format!("only {} of {rounds} steps were observed", account.observed))?;
    let optimizer = median(&mut off);
    drop((plain.varmap, watched));
    finish(run)?;
    Ok(Costs {
        watch: median(&mut on) - optimizer,
        optimizer,
        step: median(&mut steps),
    })
}

//! One training among those that take turns.

use std::time::Instant;

use anyhow::Result;
use candle_core::{Device, Tensor};
use candle_nn::{Optimizer, VarMap};
use cresset_benches::thread_cpu_seconds;
use cresset_candle::{AdamW, Watch, Watched, log_tensor};
use cresset_run::{Cadence, Run, Series};

use crate::workload::{Loss, Workload};

/// What is recorded.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Off,
    /// Each loss, read late.
    Losses,
    /// Each loss, read at once.
    Scalars,
    /// Losses, gradients and parameters.
    Watched(Cadence),
}

/// What some steps took, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    /// Until the device was done.
    pub(crate) wall: f64,
    /// Processor time of the training thread.
    pub(crate) thread: f64,
}

pub(crate) struct Training {
    loss: Loss,
    optimizer: Kind,
    run: Run,
    device: Device,
    step: u64,
}

enum Kind {
    Off(AdamW),
    Losses(AdamW),
    Scalars(AdamW, Series),
    Watched(Box<Watched<AdamW>>),
}

impl Training {
    pub(crate) fn new(workload: Workload, mode: Mode, run: &Run, device: &Device) -> Result<Self> {
        let varmap = VarMap::new();
        let loss = workload.build(&varmap, device)?;
        let adamw = AdamW::new_lr(varmap.all_vars(), 1e-4)?;
        let optimizer = match mode {
            Mode::Off => Kind::Off(adamw),
            Mode::Losses => Kind::Losses(adamw),
            Mode::Scalars => Kind::Scalars(adamw, run.series("at_once/loss")),
            Mode::Watched(cadence) => {
                let watch = Watch::new(run).cadence(cadence);
                let watch = watch.prefix(&format!("{cadence:?}"));
                Kind::Watched(Box::new(watch.optimizer(adamw, &varmap)))
            }
        };
        Ok(Self {
            loss,
            optimizer,
            run: run.clone(),
            device: device.clone(),
            step: 0,
        })
    }

    pub(crate) fn turn(&mut self, steps: u64) -> Result<Turn> {
        self.device.synchronize()?;
        let (began, cpu) = (Instant::now(), thread_cpu_seconds());
        for _ in 0..steps {
            let loss = (self.loss)()?;
            self.step(&loss)?;
            self.step += 1;
        }
        let thread = thread_cpu_seconds() - cpu;
        self.device.synchronize()?;
        Ok(Turn {
            wall: began.elapsed().as_secs_f64(),
            thread,
        })
    }

    fn step(&mut self, loss: &Tensor) -> Result<()> {
        match &mut self.optimizer {
            Kind::Off(adamw) => adamw.backward_step(loss)?,
            Kind::Losses(adamw) => {
                log_tensor(&self.run, self.step, "late/loss", loss);
                adamw.backward_step(loss)?;
            }
            Kind::Scalars(adamw, series) => {
                adamw.backward_step(loss)?;
                series.log(self.step, f64::from(loss.to_scalar::<f32>()?));
            }
            Kind::Watched(watched) => watched.backward_step(loss)?,
        }
        Ok(())
    }

    /// Which share of all steps so far was looked at.
    pub(crate) fn observed(&self) -> Option<f64> {
        match &self.optimizer {
            Kind::Watched(watched) => Some(watched.account().observed as f64 / self.step as f64),
            _ => None,
        }
    }
}

//! `watch`: an optimizer that records what it sees.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::{Optimizer, VarMap};
use cresset_run::{Cadence, Level, Pacer, Run, Series};

use crate::late;
use crate::names::Names;
use crate::observation::Observer;
use crate::resumable::{OptimizerSnapshot, ResumableOptimizer};

/// Watches `optimizer` with the settings that suit most programs: gradients, parameters and update ratios within 1 % of
/// the training thread's time, the loss of [`Optimizer::backward_step`] as `train/loss`, the learning rate as `train/lr`.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::{Module, Optimizer, VarBuilder, VarMap, linear, loss};
///
/// # fn main() -> anyhow::Result<()> {
/// # let dir = std::env::temp_dir().join("cresset-doc-watch");
/// let run = cresset_run::init("harbor-defect-classifier").dir(&dir).start()?;
/// let varmap = VarMap::new();
/// let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
/// let model = linear(4, 2, vb)?;
/// let adamw = cresset_candle::AdamW::new_lr(varmap.all_vars(), 1e-3)?;
/// let mut optimizer = cresset_candle::watch(&run, adamw, &varmap);
/// let (x, y) = (Tensor::ones((8, 4), DType::F32, &Device::Cpu)?, Tensor::zeros(8, DType::U32, &Device::Cpu)?);
/// for _ in 0..10 {
///     let loss = loss::cross_entropy(&model.forward(&x)?, &y)?;
///     optimizer.backward_step(&loss)?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn watch<O: Optimizer>(run: &Run, optimizer: O, varmap: &VarMap) -> Watched<O> {
    Watch::new(run).optimizer(optimizer, varmap)
}

/// Settings of [`watch`].
#[derive(Clone, Debug)]
pub struct Watch {
    run: Run,
    cadence: Cadence,
    prefix: String,
    gradients: bool,
    parameters: bool,
    loss: Option<String>,
    learning_rate: Option<String>,
}

impl Watch {
    /// The default settings.
    #[must_use]
    pub fn new(run: &Run) -> Self {
        Self {
            run: run.clone(),
            cadence: Cadence::default(),
            prefix: String::new(),
            gradients: true,
            parameters: true,
            loss: Some("train/loss".into()),
            learning_rate: Some("train/lr".into()),
        }
    }

    /// How often gradients and parameters are observed.
    #[must_use]
    pub fn cadence(mut self, cadence: Cadence) -> Self {
        self.cadence = cadence;
        self
    }

    /// Tells several models of one run apart: `actor` gives `gradients/actor/…`, `actor/loss` and `actor/lr`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = format!("{prefix}/");
        self.loss = Some(format!("{prefix}/loss"));
        self.learning_rate = Some(format!("{prefix}/lr"));
        self
    }

    /// Whether gradients are observed: as the optimizer gets them, after clipping by the caller.
    #[must_use]
    pub fn gradients(mut self, on: bool) -> Self {
        self.gradients = on;
        self
    }

    /// Whether parameters and their update ratios ‖Δw‖₂ / ‖w‖₂ are observed.
    #[must_use]
    pub fn parameters(mut self, on: bool) -> Self {
        self.parameters = on;
        self
    }

    /// The key of the loss that [`Optimizer::backward_step`] is given; `None` to leave it out.
    #[must_use]
    pub fn loss_key(mut self, key: Option<&str>) -> Self {
        self.loss = key.map(str::to_owned);
        self
    }

    /// The key of the learning rate; `None` to leave it out.
    #[must_use]
    pub fn learning_rate_key(mut self, key: Option<&str>) -> Self {
        self.learning_rate = key.map(str::to_owned);
        self
    }

    /// Wraps an optimizer of the variables of `varmap`, whose paths name what is recorded.
    pub fn optimizer<O: Optimizer>(self, optimizer: O, varmap: &VarMap) -> Watched<O> {
        let names = Names::from_varmap(varmap);
        let series = |key: &Option<String>| key.as_ref().map(|key| self.run.series(key));
        Watched {
            inner: optimizer,
            step: 0,
            loss: series(&self.loss),
            learning_rate: series(&self.learning_rate),
            pacer: Pacer::new(self.cadence),
            observer: Observer::new(&self.run, names, &self.prefix, self.gradients, self.parameters),
            saw_bad_loss: false,
            run: self.run,
        }
    }
}

/// An optimizer that is `O` and records what it sees; made by [`watch`].
///
/// It is used in place of `O`: [`Optimizer`] passes through, and so do `O`'s own methods by `Deref`. The weights after
/// each step are those of `O` alone, bit for bit.
#[derive(Debug)]
pub struct Watched<O> {
    inner: O,
    run: Run,
    /// The step that the next call of `step` is.
    step: u64,
    loss: Option<Series>,
    learning_rate: Option<Series>,
    pacer: Pacer,
    observer: Observer,
    saw_bad_loss: bool,
}

impl<O> Watched<O> {
    /// The number that the next step is recorded under: 0 at first.
    #[must_use]
    pub fn step_index(&self) -> u64 {
        self.step
    }

    /// Goes on at another step number, as a resumed run does.
    pub fn set_step_index(&mut self, step: u64) {
        self.step = step;
    }

    /// How observations went so far.
    #[must_use]
    pub fn account(&self) -> WatchAccount {
        WatchAccount {
            observed: self.pacer.observed(),
            skipped: self.observer.skipped(),
            training_thread: self.pacer.total(),
        }
    }
}

/// What watching has done and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchAccount {
    /// Observations made.
    pub observed: u64,
    /// Observations that were due but left out, because the one before was not yet done with.
    pub skipped: u64,
    /// Wall time that they took on the training thread.
    pub training_thread: std::time::Duration,
}

impl<O: Optimizer> Watched<O> {
    fn observed_step(&mut self, grads: &GradStore, forced: bool) -> Result<()> {
        let step = self.step;
        self.step += 1;
        if let Some(series) = &self.learning_rate {
            series.log(step, self.inner.learning_rate());
        }
        if !self.run.is_enabled() || !(self.pacer.is_due(step) || forced) {
            return self.inner.step(grads);
        }
        let began = Instant::now();
        let observation = self.observer.before_step(grads);
        let before = began.elapsed();
        let result = self.inner.step(grads);
        let resumed = Instant::now();
        if let Some(observation) = observation {
            self.observer.after_step(step, observation);
            self.pacer.spent(before + resumed.elapsed());
        }
        result
    }

    /// Records the loss; `true` if it is known to be NaN or infinite.
    fn record_loss(&mut self, loss: &Tensor) -> bool {
        let Some(series) = &self.loss else { return false };
        let Some(value) = late::record_scalar(&self.run, series, self.step, loss) else { return false };
        let bad = !value.is_finite();
        if bad && !self.saw_bad_loss {
            self.saw_bad_loss = true;
            let title = format!("{} is {value} at step {}", series.key(), self.step);
            self.run.alert_at(self.step, Level::Error, title, "The first loss that is not a finite number.");
        }
        bad
    }
}

impl<O: Optimizer> Optimizer for Watched<O> {
    type Config = (Watch, VarMap, O::Config);

    fn new(vars: Vec<Var>, (watch, varmap, config): Self::Config) -> Result<Self> {
        Ok(watch.optimizer(O::new(vars, config)?, &varmap))
    }

    fn step(&mut self, grads: &GradStore) -> Result<()> {
        self.observed_step(grads, false)
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.inner.set_learning_rate(lr);
    }

    fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        // The step of a bad loss is always observed: its gradients name the layer.
        let bad = self.run.is_enabled() && self.record_loss(loss);
        let first_bad = bad && !self.observer.saw_bad_gradient();
        let grads = loss.backward()?;
        self.observed_step(&grads, first_bad)
    }
}

impl<O: ResumableOptimizer> ResumableOptimizer for Watched<O> {
    fn snapshot(&self) -> Result<OptimizerSnapshot> {
        self.inner.snapshot()
    }

    fn restore(&mut self, snapshot: &OptimizerSnapshot) -> Result<()> {
        self.inner.restore(snapshot)
    }
}

impl<O> Deref for Watched<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.inner
    }
}

impl<O> DerefMut for Watched<O> {
    fn deref_mut(&mut self) -> &mut O {
        &mut self.inner
    }
}

impl<O> Drop for Watched<O> {
    fn drop(&mut self) {
        if self.pacer.observed() > 0 && self.run.is_recording() {
            let account = self.account();
            self.run.set_summary("cresset/watch/observed", account.observed);
            self.run.set_summary("cresset/watch/skipped", account.skipped);
            self.run.set_summary("cresset/watch/seconds", account.training_thread.as_secs_f64());
        }
    }
}

//! `watch`: an optimizer that records what it sees.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::{Optimizer, VarMap};
use cresset_run::watch::WatchAccount;
use cresset_run::{Cadence, Pacer, Run, Series};

use crate::loss::LossRecorder;
use crate::names::Names;
use crate::observation::Observer;
use crate::resumable::{OptimizerSnapshot, ResumableOptimizer};

/// Watches `optimizer` with the settings that suit most programs: gradients, parameters and update ratios within 1 % of
/// the training thread's time, the loss of [`Optimizer::backward_step`] as `train/loss`, the learning rate as `train/lr`.
///
/// What comes of it, for a variable `conv1.weight`:
///
/// | key | what it is |
/// |---|---|
/// | `train/loss`, `train/lr` | scalars, every step |
/// | `gradients/conv1.weight` | counts, extremes, moments and histogram of the gradient as the optimizer gets it |
/// | `gradients/norm` | ‖g‖₂ over all variables; NaN or ∞ where an element is |
/// | `parameters/conv1.weight` | the same of the parameter before the step |
/// | `update_ratio/conv1.weight` | ‖Δw‖₂ / ‖w‖₂ of the step |
///
/// and alerts that name the step and the variable of the first NaN or infinity, and the variables that no gradient reaches.
///
/// Where gradients are changed between `loss.backward()` and `step(&grads)`, they are recorded as changed, and the loss is not
/// seen: log it with [`log_tensor`](crate::log_tensor).
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::{Module, Optimizer, VarBuilder, VarMap, linear, loss};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join("cresset-doc-watch");
/// let run = cresset_run::init("harbor-defect-classifier").dir(&dir).start()?;
/// let varmap = VarMap::new();
/// let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
/// let model = linear(4, 2, vb.pp("head"))?;
/// let adamw = cresset_candle::AdamW::new_lr(varmap.all_vars(), 1e-3)?;
/// let mut optimizer = cresset_candle::watch(&run, adamw, &varmap);
/// let images = Tensor::ones((8, 4), DType::F32, &Device::Cpu)?;
/// let targets = Tensor::zeros(8, DType::U32, &Device::Cpu)?;
/// for _ in 0..10 {
///     optimizer.backward_step(&loss::cross_entropy(&model.forward(&images)?, &targets)?)?;
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

    /// How often gradients and parameters are observed. A step whose loss is NaN or infinite is observed always, until a
    /// bad gradient was found.
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
        let series = |key: Option<String>| key.map(|key| self.run.series(&key));
        Watched {
            inner: optimizer,
            step: 0,
            loss: series(self.loss).map(LossRecorder::new),
            learning_rate: series(self.learning_rate),
            pacer: Pacer::new(self.cadence),
            observer: Observer::new(
                &self.run,
                names,
                &self.prefix,
                self.gradients,
                self.parameters,
            ),
            prefix: self.prefix,
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
    loss: Option<LossRecorder>,
    learning_rate: Option<Series>,
    pacer: Pacer,
    observer: Observer,
    prefix: String,
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
        self.observer.account(self.pacer.total())
    }
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
        let observation = self.observer.before_step(grads, forced);
        let before = began.elapsed();
        let result = self.inner.step(grads);
        if let Some(observation) = observation {
            let resumed = Instant::now();
            self.observer.after_step(step, observation);
            // What this one will cost a device is not yet known; the last one is the best guess.
            let cost = before + resumed.elapsed() + self.observer.device_time();
            self.pacer.spent(cost);
        }
        result
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
        let mut bad_loss = false;
        if let Some(recorder) = &self.loss
            && self.run.is_enabled()
        {
            recorder.record(&self.run, self.step, loss);
            bad_loss = recorder.is_bad();
        }
        // The gradients of a bad loss name the layer.
        let forced = bad_loss && !self.observer.saw_bad_gradient();
        if self.run.is_enabled() {
            self.observer.see_graph(loss, forced);
        }
        let grads = loss.backward()?;
        self.observed_step(&grads, forced)
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
        self.account().put_into_summary(&self.run, &self.prefix);
    }
}

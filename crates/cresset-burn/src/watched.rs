//! A model that records what passes through it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn_core::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn_core::tensor::Device;
use burn_optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn_optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn_train::{InferenceStep, TrainOutput, TrainStep};
use cresset_run::Run;
use cresset_run::watch::WatchAccount;

use crate::guard::Guard;
use crate::logger::first_step;
use crate::observer::Observer;
use crate::samples::{ClassScores, Pass, SampleBatch, Sampler, Samples};
use crate::settings::Watch;

/// A model that is `M` and records what passes through it.
///
/// It is given to the learner in place of `M`: paths of parameters, records, checkpoints, the summary and what is computed are
/// those of `M`. Around each step of the optimizer it takes hold of gradients and parameters (which burn never changes
/// while somebody has hold of them, so nothing is copied), and they are worked out on the run's own
/// thread, on a GPU by operations that the training thread queues:
///
/// | key | what it is |
/// |---|---|
/// | `gradients/conv1.weight` | counts, extremes, moments and histogram of the gradient as the optimizer is given it: summed up over accumulated batches and devices, before clipping |
/// | `gradients/norm` | ‖g‖₂ over all parameters; NaN or ∞ where an element is |
/// | `parameters/conv1.weight` | the same of the parameter before the step |
/// | `update_ratio/conv1.weight` | ‖Δw‖₂ / ‖w‖₂ of the step |
///
/// and alerts name the step and the parameter of the first NaN or infinity, and the parameters that no gradient reaches.
/// Steps are numbered by batches, as [`CressetTraining`](crate::CressetTraining) numbers the metrics; with
/// accumulation an observation has the number of the last batch that went into it. Norms after clipping cannot be had: burn
/// clips inside of its optimizer.
pub struct Watched<M: TrainStep + InferenceStep> {
    inner: M,
    run: Run,
    guard: Guard,
    /// Batches so far, by all copies on all devices.
    steps: Arc<AtomicU64>,
    observer: Arc<Mutex<Observer>>,
    sampler: Option<Arc<Sampler<<M as InferenceStep>::Input, <M as InferenceStep>::Output>>>,
    pass: Option<Arc<Pass>>,
}

impl<M: TrainStep + InferenceStep> Watched<M> {
    /// Watches `model` with the settings that suit most programs.
    #[must_use]
    pub fn new(model: M, run: &Run) -> Self {
        Self::with(model, Watch::new(run))
    }

    /// Watches `model` with settings of your own.
    #[must_use]
    pub fn with(model: M, watch: Watch) -> Self {
        Self {
            inner: model,
            guard: Guard::new(&watch.run, "gradients and parameters"),
            steps: Arc::new(AtomicU64::new(first_step(&watch.run))),
            observer: Arc::new(Mutex::new(Observer::new(&watch))),
            run: watch.run,
            sampler: None,
            pass: None,
        }
    }

    /// Evaluates each validation pass: metrics such as `val/auc` and `val/recall/void`, the figures `val/confusion_matrix`,
    /// `val/roc` and `val/precision_recall`, the table `val/classes`, and the most confident mistakes as images `val/mistakes`.
    ///
    /// Only the scores and the images of kept mistakes leave the device, and the learner waits for neither.
    #[must_use]
    pub fn samples(mut self, samples: Samples) -> Self
    where
        <M as InferenceStep>::Input: SampleBatch,
        <M as InferenceStep>::Output: ClassScores,
    {
        self.sampler = Some(Arc::new(Sampler::new(samples)));
        self
    }

    /// Names the pass that comes next, for an evaluator: `test` gives `test/auc` in place of `val/auc`. It is recorded when
    /// this model and its clones are dropped.
    #[must_use]
    pub fn evaluated_as(mut self, prefix: &str) -> Self {
        self.pass = self.begin(prefix);
        self
    }

    /// How observations went so far.
    #[must_use]
    pub fn account(&self) -> WatchAccount {
        self.lock().account()
    }

    /// The model.
    #[must_use]
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The model, no longer watched.
    #[must_use]
    pub fn into_inner(self) -> M {
        self.inner
    }

    fn begin(&self, prefix: &str) -> Option<Arc<Pass>> {
        let sampler = self.sampler.as_ref().filter(|_| self.run.is_recording())?;
        let pass = self
            .guard
            .run(|| sampler.begin(&self.run, prefix, &self.steps))?;
        Some(Arc::new(pass))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Observer> {
        self.observer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn map_inner(self, change: impl FnOnce(M) -> M) -> Self {
        Self {
            inner: change(self.inner),
            ..self
        }
    }
}

impl<M: TrainStep + InferenceStep + Module> Watched<M> {
    /// What `optimize` makes of the inner model, looked at before and after.
    fn observed<G>(
        self,
        grads: G,
        parts: impl FnOnce(&G) -> Vec<&GradientsParams>,
        optimize: impl FnOnce(M, G) -> M,
    ) -> Self {
        let step = self.steps.load(Ordering::Relaxed).saturating_sub(1);
        let before = || self.lock().before(step, &self.inner, &parts(&grads));
        let observation = self.guard.run(before).flatten();
        let watched = self.map_inner(|inner| optimize(inner, grads));
        if let Some(observation) = observation {
            let after = || watched.lock().after(&watched.inner, observation);
            watched.guard.run(after);
        }
        watched
    }
}

impl<M: TrainStep + InferenceStep + Module> TrainStep for Watched<M> {
    type Input = <M as TrainStep>::Input;
    type Output = <M as TrainStep>::Output;

    fn step(&self, item: Self::Input) -> TrainOutput<Self::Output> {
        let output = TrainStep::step(&self.inner, item);
        self.steps.fetch_add(1, Ordering::Relaxed);
        output
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr_module: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        self.observed(
            grads,
            |grads| vec![grads],
            |inner, grads| inner.optimize(optim, lr_module, grads),
        )
    }

    fn optimize_multi(
        self,
        optim: &mut ModuleOptimizer,
        lr_module: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        self.observed(
            grads,
            |grads| grads.grads.iter().map(|(grads, _)| grads).collect(),
            |inner, grads| inner.optimize_multi(optim, lr_module, grads),
        )
    }
}

impl<M: TrainStep + InferenceStep + Module> InferenceStep for Watched<M> {
    type Input = <M as InferenceStep>::Input;
    type Output = <M as InferenceStep>::Output;

    fn step(&self, item: Self::Input) -> Self::Output {
        let pass = self.sampler.as_deref().zip(self.pass.as_deref());
        let Some((sampler, pass)) = pass else {
            return InferenceStep::step(&self.inner, item);
        };
        let shown = self.guard.run(|| sampler.look_at(&item));
        let output = InferenceStep::step(&self.inner, item);
        if let Some(shown) = shown {
            self.guard.run(|| sampler.push(pass, shown, &output));
        }
        output
    }
}

impl<M: TrainStep + InferenceStep + Module> Module for Watched<M> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.inner.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.map_inner(|inner| inner.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.map_inner(|inner| inner.to_device(device))
    }

    fn train(self) -> Self {
        let trained = self.map_inner(M::train);
        Self {
            pass: None,
            ..trained
        }
    }

    /// The learner asks for a copy to validate with at the beginning of each pass.
    fn valid(&self) -> Self {
        Self {
            inner: self.inner.valid(),
            pass: self.begin("val"),
            ..self.clone()
        }
    }

    fn materialize(self) -> Self {
        self.map_inner(M::materialize)
    }

    // Without entering a module of its own: paths are those of the inner model.
    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        self.inner.visit(visitor);
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        self.map_inner(|inner| inner.map(mapper))
    }
}

impl<M: TrainStep + InferenceStep + Clone> Clone for Watched<M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            run: self.run.clone(),
            guard: self.guard.clone(),
            steps: Arc::clone(&self.steps),
            observer: Arc::clone(&self.observer),
            sampler: self.sampler.clone(),
            pass: self.pass.clone(),
        }
    }
}

impl<M: TrainStep + InferenceStep + fmt::Debug> fmt::Debug for Watched<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<M: TrainStep + InferenceStep + fmt::Display> fmt::Display for Watched<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

//! Custom training loops.

use burn_core::module::Module;
use burn_optim::GradientsParams;
use cresset_run::Run;
use cresset_run::watch::WatchAccount;

use crate::guard::Guard;
use crate::observer::Observer;
use crate::settings::Watch;

/// Watches a model in a loop of your own; see [`Watched`](crate::Watched) for what is recorded.
///
/// ```no_run
/// # use burn::module::Module;
/// # use burn::optim::{GradientsParams, ModuleOptimizer};
/// # use burn::tensor::Tensor;
/// # fn doc<M: Module>(run: &cresset_run::Run, mut model: M, mut optim: ModuleOptimizer, loss: impl Fn(&M) -> Tensor<1>) {
/// let mut watcher = cresset_burn::Watcher::new(run);
/// for step in 0..1000 {
///     let loss = loss(&model);
///     cresset_burn::log_tensor(run, step, "train/loss", loss.clone());
///     let grads = GradientsParams::from_grads(loss.backward(), &model);
///     model = watcher.step(step, model, grads, |model, grads| optim.step(1e-3, model, grads));
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Watcher {
    observer: Observer,
    guard: Guard,
}

impl Watcher {
    /// Watches with the settings that suit most programs.
    #[must_use]
    pub fn new(run: &Run) -> Self {
        Self::with(Watch::new(run))
    }

    /// Watches with settings of your own.
    #[must_use]
    pub fn with(watch: Watch) -> Self {
        Self {
            guard: Guard::new(&watch.run, "gradients and parameters"),
            observer: Observer::new(&watch),
        }
    }

    /// Gives what `optimize` makes of the model; records gradients, parameters and update ratios of `step`, if that is due.
    pub fn step<M: Module>(
        &mut self,
        step: u64,
        model: M,
        grads: GradientsParams,
        optimize: impl FnOnce(M, GradientsParams) -> M,
    ) -> M {
        let Self { observer, guard } = self;
        let before = guard.run(|| observer.before(step, &model, &[&grads]));
        let model = optimize(model, grads);
        if let Some(Some(observation)) = before {
            guard.run(|| observer.after(&model, observation));
        }
        model
    }

    /// How observations went so far.
    #[must_use]
    pub fn account(&self) -> WatchAccount {
        self.observer.account()
    }
}

/// Records gradients and parameters once, now: for a step that you want to see whatever the cadence. To be called between
/// the backward pass and the optimizer's step; for update ratios see [`Watcher`].
pub fn watch_once<M: Module>(run: &Run, step: u64, model: &M, grads: &GradientsParams) {
    let watch = Watch::new(run).cadence(cresset_run::Cadence::Every(1));
    let mut observer = Observer::new(&watch);
    let guard = Guard::new(run, "gradients and parameters");
    guard.run(|| {
        if let Some(observation) = observer.before(step, model, &[grads]) {
            observer.hand_over(observation);
        }
    });
}

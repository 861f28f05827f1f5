//! One look at gradients and parameters: taken on the training thread, worked out on the run's.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::Tensor;
use candle_core::backprop::GradStore;
use cresset_run::stats::Accumulator;
use cresset_run::{Level, Run, TensorStats, Value};

use crate::host::{HostCopies, tensor_stats};
use crate::names::Names;

/// Parameters are copied so that an observation is of one moment. Above this many elements in all the update ratio is
/// left out, and the parameters are scanned in place instead, to bound memory (32 MiB as `f32`, twice).
const MAX_COPIED: usize = 8 << 20;
/// A variable without a gradient in so many observations is reported, once.
const PATIENCE: u64 = 10;

/// Takes observations, at most one in flight.
#[derive(Debug)]
pub(crate) struct Observer {
    run: Run,
    names: Names,
    prefix: Arc<str>,
    gradients: bool,
    parameters: bool,
    shared: Arc<Shared>,
    skipped: u64,
    /// Observations in which each variable had no gradient, by place in `names`; reported at [`PATIENCE`].
    without_gradient: Vec<u64>,
}

/// What the training thread and the worker's share.
#[derive(Debug, Default)]
struct Shared {
    in_flight: AtomicBool,
    saw_bad_gradient: AtomicBool,
    saw_bad_parameter: AtomicBool,
    failed: AtomicU64,
    /// Memory of the last observation, to be used again.
    spare: Mutex<Option<(HostCopies, HostCopies)>>,
}

/// What was taken before the optimizer's step.
#[derive(Debug)]
pub(crate) struct Observation {
    entries: Vec<Entry>,
    before: HostCopies,
    after: HostCopies,
    copied: bool,
}

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    variable: Tensor,
    gradient: Option<Tensor>,
    /// Of the parameter, where it could not be copied.
    scanned: Option<TensorStats>,
}

impl Observer {
    pub(crate) fn new(run: &Run, names: Names, prefix: &str, gradients: bool, parameters: bool) -> Self {
        Self {
            run: run.clone(),
            names,
            prefix: prefix.into(),
            gradients,
            parameters,
            shared: Arc::default(),
            skipped: 0,
            without_gradient: Vec::new(),
        }
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(crate) fn saw_bad_gradient(&self) -> bool {
        self.shared.saw_bad_gradient.load(Ordering::Relaxed)
    }

    /// Takes hold of the gradients, which never change, and copies the parameters, which the step will change. `None`
    /// if the observation before is not yet worked out.
    pub(crate) fn before_step(&mut self, grads: &GradStore) -> Option<Observation> {
        if self.shared.in_flight.swap(true, Ordering::Acquire) {
            self.skipped += 1;
            return None;
        }
        let spare = self.shared.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (mut before, mut after) = spare.unwrap_or_default();
        before.clear();
        after.clear();
        let vars = self.names.vars();
        self.without_gradient.resize(vars.len(), 0);
        let mut entries = Vec::with_capacity(vars.len());
        for (i, (name, var)) in vars.iter().enumerate() {
            let Some(gradient) = grads.get(var) else {
                self.without_gradient[i] += 1;
                if self.without_gradient[i] == PATIENCE && !is_buffer(name) {
                    report_no_gradient(&self.run, name);
                }
                continue;
            };
            entries.push(Entry {
                name: format!("{}{name}", self.prefix).into(),
                variable: var.as_detached_tensor(),
                // Detached: what is kept of the graph would keep the activations alive.
                gradient: self.gradients.then(|| gradient.detach()),
                scanned: None,
            });
        }
        let elements: usize = entries.iter().map(|e| e.variable.elem_count()).sum();
        let copied = self.parameters && elements <= MAX_COPIED;
        if copied && entries.iter().any(|e| before.push(&e.variable).is_err()) {
            self.shared.failed.fetch_add(1, Ordering::Relaxed);
            self.shared.in_flight.store(false, Ordering::Release);
            return None;
        }
        if self.parameters && !copied {
            let mut accumulator = Accumulator::new();
            for entry in &mut entries {
                entry.scanned = tensor_stats(&entry.variable, &mut accumulator).ok();
            }
        }
        Some(Observation { entries, before, after, copied })
    }

    /// Copies the parameters again and hands the observation to the run's worker thread.
    pub(crate) fn after_step(&mut self, step: u64, mut observation: Observation) {
        if observation.copied && observation.entries.iter().any(|e| observation.after.push(&e.variable).is_err()) {
            observation.copied = false;
        }
        // From here on only copies are looked at: the next step changes the variables.
        let bytes = observation.entries.iter().map(|e| 4 * e.variable.elem_count()).sum();
        let shared = Arc::clone(&self.shared);
        let prefix = Arc::clone(&self.prefix);
        let landing = Landing(Arc::clone(&self.shared));
        let queued = self.run.defer(bytes, move |run| {
            let _landing = landing;
            work_out(run, step, &prefix, &observation, &shared);
            let Observation { before, after, .. } = observation;
            *shared.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some((before, after));
        });
        if !queued {
            self.skipped += 1;
        }
    }
}

/// Lets the next observation begin, however this one ends.
struct Landing(Arc<Shared>);

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.in_flight.store(false, Ordering::Release);
    }
}

fn work_out(run: &Run, step: u64, prefix: &str, observation: &Observation, shared: &Shared) {
    let mut accumulator = Accumulator::new();
    let mut squares = 0.0;
    let mut bad_gradients = Vec::new();
    let mut bad_parameters = Vec::new();
    for (i, entry) in observation.entries.iter().enumerate() {
        let name = &entry.name;
        if let Some(stats) = entry.gradient.as_ref().and_then(|g| tensor_stats(g, &mut accumulator).ok()) {
            squares += stats.sum_sq;
            if stats.non_finite() > 0 {
                bad_gradients.push(describe(name, &stats));
            }
            run.log_value(step, format!("gradients/{name}"), Value::Histogram(stats));
        }
        let copied = observation.copied.then(|| observation.before.stats(i, &mut accumulator)).flatten();
        if let Some(stats) = copied.or_else(|| entry.scanned.clone()) {
            if stats.non_finite() > 0 {
                bad_parameters.push(describe(name, &stats));
            }
            if let Some(distance) = observation.before.distance(&observation.after, i) {
                let ratio = distance / stats.l2_norm().max(f64::MIN_POSITIVE);
                run.log(step, [(format!("update_ratio/{name}"), ratio)]);
            }
            run.log_value(step, format!("parameters/{name}"), Value::Histogram(stats));
        }
    }
    if observation.entries.iter().any(|e| e.gradient.is_some()) {
        run.log(step, [(format!("gradients/{prefix}norm"), squares.sqrt())]);
    }
    alert_first(run, step, "gradient", &bad_gradients, &shared.saw_bad_gradient);
    alert_first(run, step, "parameter", &bad_parameters, &shared.saw_bad_parameter);
}

fn describe(name: &str, stats: &TensorStats) -> String {
    let infinite = stats.pos_inf + stats.neg_inf;
    format!("{name}: {} NaN and {infinite} infinite of {} elements", stats.nan, stats.count)
}

fn alert_first(run: &Run, step: u64, what: &str, bad: &[String], seen: &AtomicBool) {
    let Some(first) = bad.first() else { return };
    if !seen.swap(true, Ordering::Relaxed) {
        let name = first.split(':').next().unwrap_or(first);
        run.alert_at(step, Level::Error, format!("first bad {what} at step {step}: {name}"), bad.join("\n"));
    }
}

fn report_no_gradient(run: &Run, name: &str) {
    run.alert(
        Level::Warn,
        format!("{name} gets no gradient"),
        format!("In {PATIENCE} observations no gradient reached it: it is frozen, or not part of the loss."),
    );
}

/// Whether a variable is state that is never trained, such as the running statistics of batch norm.
fn is_buffer(name: &str) -> bool {
    name.ends_with("running_mean") || name.ends_with("running_var")
}

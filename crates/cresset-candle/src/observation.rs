//! One look at gradients and parameters: taken on the training thread, worked out on the run's.

mod host_part;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, TensorId};
use cresset_run::{Level, Run, Series};

use crate::device::is_capturing;
use crate::device_stats::{self, DeviceStats};
use crate::findings::{Findings, VariableSeries};
use crate::names::Names;
use host_part::HostObservation;

/// Parameters on other devices than CPUs are copied for the time of one optimizer step, up to so many elements (128 MiB as
/// `f32`). Above that the update ratio is left out.
const MAX_COPIED_ON_DEVICE: usize = 32 << 20;
/// A variable without a gradient in so many observations is reported, once.
const PATIENCE: u64 = 10;

/// Takes observations, one in flight at a time; the first of a bad loss may be a second.
pub(crate) struct Observer {
    run: Run,
    names: Names,
    prefix: String,
    gradients: bool,
    parameters: bool,
    /// Takes CPUs for other devices, to test what is done there.
    everything_on_device: bool,
    variables: Vec<Variable>,
    device_stats: DeviceStats,
    norm: Series,
    shared: Arc<Shared>,
    forced: bool,
    taken: u64,
    skipped: u64,
}

/// What the training thread and the worker's share.
#[derive(Default)]
pub(crate) struct Shared {
    in_flight: AtomicU64,
    /// Observations that a device failed to work out.
    failed: AtomicU64,
    pub(crate) saw_bad_gradient: AtomicBool,
    pub(crate) saw_bad_parameter: AtomicBool,
    /// What the last observation cost a device, in nanoseconds.
    device_time: AtomicU64,
    /// Memory of the last observation, to be used again.
    spare: Mutex<Option<HostObservation>>,
}

struct Variable {
    name: Arc<str>,
    id: TensorId,
    /// The variable's storage without its graph.
    value: Tensor,
    /// Made when the first gradient comes: what is never trained gets no series.
    series: Option<Arc<VariableSeries>>,
    /// Observations in which it had no gradient.
    without_gradient: u64,
}

/// What was taken before the optimizer's step.
pub(crate) struct Observation {
    landing: Landing,
    host: HostObservation,
    devices: Vec<DeviceObservation>,
}

/// Of the variables of one other device.
struct DeviceObservation {
    device: Device,
    series: Vec<Arc<VariableSeries>>,
    gradients: Vec<Tensor>,
    values: Vec<Tensor>,
    begun: Option<device_stats::Begun>,
}

impl Observer {
    pub(crate) fn new(
        run: &Run,
        names: Names,
        prefix: &str,
        gradients: bool,
        parameters: bool,
    ) -> Self {
        Self {
            run: run.clone(),
            norm: run.series(&format!("gradients/{prefix}norm")),
            names,
            prefix: prefix.into(),
            gradients,
            parameters,
            everything_on_device: false,
            variables: Vec::new(),
            device_stats: DeviceStats::default(),
            shared: Arc::default(),
            forced: false,
            taken: 0,
            skipped: 0,
        }
    }

    /// Observations that reached the worker.
    pub(crate) fn taken(&self) -> u64 {
        self.taken - self.failed()
    }

    /// Observations that were due but left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped + self.failed()
    }

    fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn saw_bad_gradient(&self) -> bool {
        self.shared.saw_bad_gradient.load(Ordering::Relaxed)
    }

    /// What the last observation that was worked out cost a device; zero where that cannot be measured.
    pub(crate) fn device_time(&self) -> Duration {
        Duration::from_nanos(self.shared.device_time.load(Ordering::Relaxed))
    }

    /// Takes hold of the gradients, which never change, and copies the parameters, which the step will change. `None`
    /// if the observation before is not yet worked out: unless `forced` for the first time, as its step is then the one
    /// that people will want to see.
    pub(crate) fn before_step(&mut self, grads: &GradStore, forced: bool) -> Option<Observation> {
        if !self.gradients && !self.parameters {
            return None;
        }
        let room = 1 + u64::from(forced && !self.forced);
        self.forced |= forced;
        if self.shared.in_flight.load(Ordering::Acquire) >= room {
            self.skipped += 1;
            return None;
        }
        let landing = Landing::after_start(&self.shared);
        self.refresh();
        let mut observation = self.collect(grads, landing);
        if self.begin(&mut observation).is_err() {
            self.skipped += 1;
            return None;
        }
        Some(observation)
    }

    /// Copies the parameters again and hands the observation to the run's worker thread.
    pub(crate) fn after_step(&mut self, step: u64, observation: Observation) {
        let Observation {
            landing,
            mut host,
            devices,
        } = observation;
        host.copy_again();
        let pending = devices.into_iter().map(|on_device| {
            let DeviceObservation {
                series,
                begun,
                values,
                ..
            } = on_device;
            let pending = self.device_stats.after_step(begun?, &values).ok()?;
            Some((series, pending))
        });
        let Some(pending) = pending.collect::<Option<Vec<_>>>() else {
            self.skipped += 1;
            return;
        };
        let norm = self.gradients.then(|| self.norm.clone());
        let queued = self.run.defer(host.bytes(), move |run| {
            let shared = &landing.0;
            let mut findings = Findings::new(run, step);
            host.work_out(&mut findings);
            let mut device_time = Duration::ZERO;
            let mut failed = false;
            for (series, pending) in pending {
                match pending.read() {
                    Ok(outcome) => {
                        device_time += outcome.device_time;
                        findings.add_all(&series, outcome);
                    }
                    Err(_) => failed = true,
                }
            }
            shared
                .failed
                .fetch_add(u64::from(failed), Ordering::Relaxed);
            let nanoseconds = u64::try_from(device_time.as_nanos()).unwrap_or(u64::MAX);
            shared.device_time.store(nanoseconds, Ordering::Relaxed);
            findings.conclude(norm.as_ref(), shared);
            host.clear();
            *shared.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
        });
        if queued {
            self.taken += 1;
        } else {
            self.skipped += 1;
        }
    }

    /// Takes in variables that are new.
    fn refresh(&mut self) {
        if !self.names.refresh() {
            return;
        }
        let mut known: Vec<Variable> = std::mem::take(&mut self.variables);
        let vars = self.names.vars().iter().map(|(name, var)| {
            let place = known.iter().position(|v| v.id == var.id());
            match place {
                Some(i) => known.swap_remove(i),
                None => Variable {
                    name: format!("{}{name}", self.prefix).into(),
                    id: var.id(),
                    value: var.as_detached_tensor(),
                    series: None,
                    without_gradient: 0,
                },
            }
        });
        self.variables = vars.collect();
    }

    /// Finds the variables that have a gradient, where each is, and reports those that never have one.
    fn collect(&mut self, grads: &GradStore, landing: Landing) -> Observation {
        let spare = self
            .shared
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut host = spare.unwrap_or_default();
        let mut devices: Vec<DeviceObservation> = Vec::new();
        let mut never = Vec::new();
        for variable in &mut self.variables {
            if !device_stats::is_supported(variable.value.dtype()) {
                continue;
            }
            let Some(gradient) = grads.get_id(variable.id) else {
                variable.without_gradient += 1;
                if variable.without_gradient == PATIENCE && !is_buffer(&variable.name) {
                    never.push(Arc::clone(&variable.name));
                }
                continue;
            };
            let series = variable.series.get_or_insert_with(|| {
                Arc::new(VariableSeries::new(
                    &self.run,
                    &variable.name,
                    self.gradients,
                    self.parameters,
                ))
            });
            let series = Arc::clone(series);
            let value = variable.value.clone();
            // Detached: what is kept of the graph would keep the activations alive.
            let gradient = self.gradients.then(|| gradient.detach());
            if value.device().is_cpu() && !self.everything_on_device {
                host.push(series, value, gradient);
            } else {
                on_device(&mut devices, value.device()).push(series, value, gradient);
            }
        }
        if !never.is_empty() {
            report_no_gradient(&self.run, &never);
        }
        Observation {
            landing,
            host,
            devices,
        }
    }

    /// Copies and computes what must be had before the step.
    fn begin(&mut self, observation: &mut Observation) -> candle_core::Result<()> {
        if self.parameters {
            observation.host.copy_or_scan()?;
        }
        for on_device in &mut observation.devices {
            if is_capturing(&on_device.device) {
                candle_core::bail!("a CUDA graph is being captured");
            }
            if !self.parameters {
                on_device.values.clear();
            }
            let elements: usize = on_device.values.iter().map(Tensor::elem_count).sum();
            let keep = self.parameters && elements <= MAX_COPIED_ON_DEVICE;
            let gradients = std::mem::take(&mut on_device.gradients);
            let DeviceObservation { device, values, .. } = &*on_device;
            on_device.begun = Some(
                self.device_stats
                    .before_step(device, &gradients, values, keep)?,
            );
        }
        Ok(())
    }
}

impl DeviceObservation {
    fn push(&mut self, series: Arc<VariableSeries>, value: Tensor, gradient: Option<Tensor>) {
        self.series.push(series);
        self.values.push(value);
        self.gradients.extend(gradient);
    }
}

fn on_device<'a>(
    devices: &'a mut Vec<DeviceObservation>,
    device: &Device,
) -> &'a mut DeviceObservation {
    let known = devices.iter().position(|d| d.device.same_device(device));
    let i = known.unwrap_or_else(|| {
        devices.push(DeviceObservation {
            device: device.clone(),
            series: Vec::new(),
            gradients: Vec::new(),
            values: Vec::new(),
            begun: None,
        });
        devices.len() - 1
    });
    &mut devices[i]
}

/// Lets the next observation begin, however this one ends.
struct Landing(Arc<Shared>);

impl Landing {
    fn after_start(shared: &Arc<Shared>) -> Self {
        shared.in_flight.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(shared))
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

fn report_no_gradient(run: &Run, names: &[Arc<str>]) {
    let title = match names {
        [name] => format!("{name} gets no gradient"),
        names => format!("{} parameters get no gradient", names.len()),
    };
    let reason = format!("In {PATIENCE} observations none came: frozen, or not part of the loss.");
    run.alert(
        Level::Warn,
        title,
        format!("{reason}\n{}", names.join("\n")),
    );
}

/// Whether a variable is state that is never trained, such as the running statistics of batch norm.
fn is_buffer(name: &str) -> bool {
    name.ends_with("running_mean") || name.ends_with("running_var")
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("names", &self.names)
            .field("taken", &self.taken)
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

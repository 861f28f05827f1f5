//! One look at gradients and parameters: taken on the training thread, worked out on the run's.

mod host_part;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, TensorId};
use cresset_run::watch::{
    Findings, Landing, Observations, Parameter, ParameterSeries, WatchAccount, report_no_gradient,
};
use cresset_run::{Run, Series};

use crate::device::is_capturing;
use crate::device_stats::{self, DeviceStats, Outcome};
use crate::names::Names;
use host_part::HostObservation;

/// Parameters on other devices than CPUs are copied for the time of one optimizer step, up to so many elements (128 MiB as
/// `f32`). Above that the update ratio is left out.
const MAX_COPIED_ON_DEVICE: usize = 32 << 20;

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
    /// Names in the order in which the backward pass comes to them, once a graph was seen.
    order: Option<Arc<[Arc<str>]>>,
    device_stats: DeviceStats,
    norm: Series,
    observations: Observations,
    /// Memory of the last observation, to be used again.
    spare: Arc<Mutex<Option<HostObservation>>>,
}

struct Variable {
    parameter: Parameter,
    id: TensorId,
    /// The variable's storage without its graph.
    value: Tensor,
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
    series: Vec<Arc<ParameterSeries>>,
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
            order: None,
            device_stats: DeviceStats::default(),
            observations: Observations::default(),
            spare: Arc::default(),
        }
    }

    /// How observations went so far, which cost training so much.
    pub(crate) fn account(&self, cost: Duration) -> WatchAccount {
        self.observations.account(cost)
    }

    pub(crate) fn saw_bad_gradient(&self) -> bool {
        self.observations.saw_bad_gradient()
    }

    /// What the last observation that was worked out cost a device; zero where that cannot be measured.
    pub(crate) fn device_time(&self) -> Duration {
        self.observations.device_time()
    }

    /// Learns from the graph of a loss in which order the backward pass comes to the variables: of the first loss, and `anew` of
    /// a bad one, whose graph may be another.
    pub(crate) fn see_graph(&mut self, loss: &Tensor, anew: bool) {
        if !self.gradients || (self.order.is_some() && !anew) {
            return;
        }
        self.refresh();
        let names: HashMap<TensorId, &Arc<str>> = (self.variables.iter())
            .map(|variable| (variable.id, variable.parameter.name()))
            .collect();
        let nodes = loss.sorted_nodes().into_iter();
        let order = nodes.filter_map(|node| names.get(&node.id()).map(|&name| Arc::clone(name)));
        self.order = Some(order.collect());
    }

    /// Takes hold of the gradients, which never change, and copies the parameters, which the step will change. `None`
    /// if the observation before is not yet worked out: unless `forced` for the first time, as its step is then the one
    /// that people will want to see.
    pub(crate) fn before_step(&mut self, grads: &GradStore, forced: bool) -> Option<Observation> {
        if !self.gradients && !self.parameters {
            return None;
        }
        let landing = self.observations.begin(forced)?;
        self.refresh();
        let mut observation = self.collect(grads, landing);
        if self.begin(&mut observation).is_err() {
            self.observations.count(false);
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
            self.observations.count(false);
            return;
        };
        let norm = self.gradients.then(|| self.norm.clone());
        let spare = Arc::clone(&self.spare);
        let order = self.order.clone();
        let queued = self.run.defer(host.bytes(), move |run| {
            let mut findings = Findings::new(run, step);
            if let Some(order) = order {
                findings.reached(order);
            }
            host.work_out(&mut findings);
            let mut device_time = Duration::ZERO;
            let mut failed = false;
            for (series, pending) in pending {
                match pending.read() {
                    Ok(outcome) => {
                        device_time += outcome.device_time;
                        let Outcome {
                            gradients,
                            parameters,
                            distances,
                            ..
                        } = outcome;
                        findings.add_all(&series, gradients, parameters, distances);
                    }
                    Err(_) => failed = true,
                }
            }
            if failed {
                landing.fail();
            }
            landing.cost_device(device_time);
            findings.conclude(norm.as_ref(), &landing);
            host.clear();
            *spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
        });
        self.observations.count(queued);
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
                    parameter: Parameter::new(format!("{}{name}", self.prefix)),
                    id: var.id(),
                    value: var.as_detached_tensor(),
                },
            }
        });
        self.variables = vars.collect();
    }

    /// Finds the variables that have a gradient, where each is, and reports those that never have one.
    fn collect(&mut self, grads: &GradStore, landing: Landing) -> Observation {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut host = spare.take().unwrap_or_default();
        drop(spare);
        let mut devices: Vec<DeviceObservation> = Vec::new();
        let mut never = Vec::new();
        for variable in &mut self.variables {
            if !device_stats::is_supported(variable.value.dtype()) {
                continue;
            }
            let Some(gradient) = grads.get_id(variable.id) else {
                if variable.parameter.misses_gradient() {
                    never.push(Arc::clone(variable.parameter.name()));
                }
                continue;
            };
            let series = variable
                .parameter
                .series(&self.run, self.gradients, self.parameters);
            let value = variable.value.clone();
            // Detached: what is kept of the graph would keep the activations alive.
            let gradient = self.gradients.then(|| gradient.detach());
            if value.device().is_cpu() && !self.everything_on_device {
                host.push(series, value, gradient);
            } else {
                on_device(&mut devices, value.device()).push(series, value, gradient);
            }
        }
        report_no_gradient(&self.run, &never);
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
    fn push(&mut self, series: Arc<ParameterSeries>, value: Tensor, gradient: Option<Tensor>) {
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

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("names", &self.names)
            .field("observations", &self.observations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! One look at gradients and parameters around an optimizer's step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn_core::module::{Module, ModuleVisitor, Param, ParamId};
use burn_core::tensor::{Device, Tensor, TensorData};
use burn_optim::GradientsParams;
use cresset_run::stats::Accumulator;
use cresset_run::watch::{
    Findings, Found, Landing, Observations, Parameter, ParameterSeries, WatchAccount,
    report_no_gradient,
};
use cresset_run::{Pacer, Run, Series};

use crate::device::{DeviceStats, Queued};
use crate::settings::Watch;
use crate::tensors::{Held, Values, hold, stats_of_sum};
use crate::together::Together;

/// Takes observations of one model, one in flight at a time.
#[derive(Debug)]
pub(crate) struct Observer {
    run: Run,
    prefix: String,
    gradients: bool,
    parameters: bool,
    pacer: Pacer,
    known: HashMap<ParamId, Parameter>,
    devices: Vec<(Device, DeviceStats)>,
    observations: Observations,
    /// burn tells the loss to its loggers, some time after the step.
    together: Arc<Together>,
    norm: Series,
}

/// What was taken before the optimizer's step.
pub(crate) struct Observation {
    step: u64,
    landing: Landing,
    /// All parameters in the order of the model.
    names: Vec<Arc<str>>,
    /// Of parameters in host memory.
    entries: Vec<Entry>,
    groups: Vec<Group>,
    cost: Duration,
}

/// The parameters of one other device.
struct Group {
    /// In the observer's devices.
    device: usize,
    entries: Vec<Entry>,
    /// Before the step.
    before: Vec<Tensor<1>>,
    queued: Queued,
}

struct Entry {
    id: ParamId,
    series: Arc<ParameterSeries>,
    /// One of each device that computed a part of it.
    gradient: Vec<Box<dyn Held>>,
    before: Option<Box<dyn Held>>,
    after: Option<Box<dyn Held>>,
}

impl Observer {
    pub(crate) fn new(watch: &Watch) -> Self {
        let prefix = &watch.prefix;
        Self {
            run: watch.run.clone(),
            norm: watch.run.series(&format!("gradients/{prefix}norm")),
            prefix: prefix.clone(),
            gradients: watch.gradients,
            parameters: watch.parameters,
            pacer: Pacer::new(watch.cadence),
            known: HashMap::new(),
            devices: Vec::new(),
            observations: Observations::default(),
            together: watch.run.shared(),
        }
    }

    pub(crate) fn account(&self) -> WatchAccount {
        self.observations.account(self.pacer.total())
    }

    /// Takes hold of the gradients and the parameters of `model`, if an observation of `step` is due.
    pub(crate) fn before<M: Module>(
        &mut self,
        step: u64,
        model: &M,
        grads: &[&GradientsParams],
    ) -> Option<Observation> {
        let is_wanted = self.run.is_recording() && (self.gradients || self.parameters);
        // The gradients of a bad loss name the layer.
        let forced = self.together.loss.is_bad() && !self.observations.saw_bad_gradient();
        if !is_wanted || !(self.pacer.is_due(step) || forced) {
            return None;
        }
        let began = Instant::now();
        let landing = self.observations.begin(forced)?;
        let mut walk = Before {
            observer: self,
            grads,
            path: Vec::new(),
            seen: HashSet::new(),
            entries: Vec::new(),
            never: Vec::new(),
        };
        model.visit(&mut walk);
        let (all, never) = (walk.entries, walk.never);
        report_no_gradient(&self.run, &never);
        let names = all.iter().map(|entry| Arc::clone(entry.series.name()));
        let names = names.collect();
        let (entries, groups) = self.divide(all);
        Some(Observation {
            step,
            landing,
            names,
            entries,
            groups,
            cost: began.elapsed(),
        })
    }

    /// Parts what is in host memory from what devices have, and queues the statistics there.
    fn divide(&mut self, all: Vec<Entry>) -> (Vec<Entry>, Vec<Group>) {
        let (mut entries, mut groups) = (Vec::new(), Vec::<Group>::new());
        for entry in all {
            let Some(device) = entry.on_device() else {
                entries.push(entry);
                continue;
            };
            let device = self.device(&device);
            match groups.iter_mut().find(|group| group.device == device) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group {
                    device,
                    entries: vec![entry],
                    before: Vec::new(),
                    queued: Queued::default(),
                }),
            }
        }
        for group in &mut groups {
            let (device, stats) = &self.devices[group.device];
            let gradients = group.entries.iter_mut().filter_map(|entry| {
                let parts = entry.gradient.drain(..).map(|part| part.flat(device));
                parts.reduce(|a, b| a + b)
            });
            let mut tensors: Vec<_> = gradients.collect();
            let before = group
                .entries
                .iter_mut()
                .filter_map(|entry| entry.before.take());
            group.before = before.map(|before| before.flat(device)).collect();
            tensors.extend(group.before.iter().cloned());
            group.queued = stats.queue(&tensors);
        }
        (entries, groups)
    }

    fn device(&mut self, device: &Device) -> usize {
        let known = self.devices.iter().position(|(known, _)| known == device);
        known.unwrap_or_else(|| {
            self.devices
                .push((device.clone(), DeviceStats::new(device)));
            self.devices.len() - 1
        })
    }

    /// Takes hold of the parameters after the step too.
    pub(crate) fn after<M: Module>(&mut self, model: &M, mut observation: Observation) {
        let began = Instant::now();
        if self.parameters {
            let of_devices = observation
                .groups
                .iter_mut()
                .flat_map(|group| &mut group.entries);
            let all = observation.entries.iter_mut().chain(of_devices);
            let mut walk = After {
                entries: all.map(|entry| (entry.id, entry)).collect(),
            };
            model.visit(&mut walk);
            for group in &mut observation.groups {
                let (device, stats) = &self.devices[group.device];
                let after = group
                    .entries
                    .iter_mut()
                    .filter_map(|entry| entry.after.take());
                let after: Vec<_> = after.map(|after| after.flat(device)).collect();
                // Of a model that has lost parameters in the step, nobody knows which belong together.
                if after.len() == group.before.len() {
                    stats.queue_distances(&mut group.queued, &group.before, &after);
                }
            }
        }
        observation.cost += began.elapsed();
        self.hand_over(observation);
    }

    /// Hands what there is to the run's worker.
    pub(crate) fn hand_over(&mut self, observation: Observation) {
        let began = Instant::now();
        let Observation {
            step,
            landing,
            names,
            entries,
            groups,
            cost,
        } = observation;
        let has_gradients = self.gradients;
        let norm = has_gradients.then(|| self.norm.clone());
        // In host memory everything is there already: only what becomes garbage during the step is held longer for it.
        let bytes = entries.iter().map(Entry::bytes).sum();
        let groups: Vec<_> = groups
            .into_iter()
            .map(|group| {
                let device = self.devices[group.device].0.clone();
                // So that the device begins, and the worker does not wait for an idle queue. If it fails, reading says so.
                let _ = device.flush();
                let series: Vec<_> = group.entries.into_iter().map(|e| e.series).collect();
                (group.device, device, series, group.queued)
            })
            .collect();
        let queued = self.run.defer(bytes, move |run| {
            let mut findings = Findings::new(run, step);
            findings.declared(names.into_iter());
            let mut is_whole = work_out(entries, &mut findings).is_some();
            for (number, device, series, queued) in groups {
                is_whole &= read(&series, has_gradients, queued, &mut findings).is_some();
                log_memory(run, step, number, &device);
            }
            if !is_whole {
                landing.fail();
            }
            findings.conclude(norm.as_ref(), &landing);
        });
        self.observations.count(queued);
        self.pacer.spent(cost + began.elapsed());
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.account().put_into_summary(&self.run, &self.prefix);
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        let held = self.gradient.iter().chain(&self.before).chain(&self.after);
        held.map(|tensor| 4 * tensor.elements()).sum()
    }

    /// On the host; `None` if a device fails.
    fn work_out(self, findings: &mut Findings<'_>, accumulator: &mut Accumulator) -> Option<()> {
        let gradient = self.gradient.into_iter().map(Held::read);
        let gradient: Vec<TensorData> = gradient.collect::<Option<_>>()?;
        let before = self
            .before
            .map(|held| held.read().ok_or(()))
            .transpose()
            .ok()?;
        let after = self
            .after
            .map(|held| held.read().ok_or(()))
            .transpose()
            .ok()?;
        let values = before.as_ref().and_then(Values::of);
        let moved = after.as_ref().and_then(Values::of);
        findings.add(
            &self.series,
            Found {
                gradient: stats_of_sum(&gradient, accumulator),
                parameter: values.map(|values| values.stats(accumulator)),
                distance: values.zip(moved).and_then(|(a, b)| a.distance(b)),
            },
        );
        Some(())
    }

    /// The device whose operations are to look at it.
    fn on_device(&self) -> Option<Device> {
        let held = self.gradient.iter().chain(&self.before).chain(&self.after);
        let mut devices = held.map(|tensor| tensor.on_device());
        let first = devices.next().flatten()?;
        devices.all(|device| device.is_some()).then_some(first)
    }
}

/// Adds what there is of parameters in host memory; `None` if something cannot be read.
fn work_out(entries: Vec<Entry>, findings: &mut Findings<'_>) -> Option<()> {
    let mut accumulator = Accumulator::new();
    let mut entries = entries.into_iter();
    entries.try_for_each(|entry| entry.work_out(findings, &mut accumulator))
}

/// Adds what a device found of its parameters: all gradients, if they were looked at, then all parameters. `None` if it failed.
fn read(
    series: &[Arc<ParameterSeries>],
    has_gradients: bool,
    queued: Queued,
    findings: &mut Findings<'_>,
) -> Option<()> {
    let measured = queued.read().ok()?;
    let mut gradients = measured.stats;
    let looked_at = if has_gradients { series.len() } else { 0 };
    let parameters = gradients.split_off(looked_at.min(gradients.len()));
    findings.add_all(series, gradients, parameters, measured.distances);
    Some(())
}

/// What burn's allocator holds of a device, which the driver can only see as a whole.
fn log_memory(run: &Run, step: u64, number: usize, device: &Device) {
    let Some(pool) = device.memory_pool_usage() else {
        return;
    };
    let key = |name: &str| format!("system/burn.{number}/{name}");
    let figures = [
        (key("memory_in_use"), pool.bytes_in_use as f64),
        (key("memory_reserved"), pool.bytes_reserved as f64),
    ];
    run.log(step, figures.iter().map(|(key, value)| (key, *value)));
}

struct Before<'a> {
    observer: &'a mut Observer,
    grads: &'a [&'a GradientsParams],
    path: Vec<String>,
    /// One that several layers share is looked at once.
    seen: HashSet<ParamId>,
    entries: Vec<Entry>,
    never: Vec<Arc<str>>,
}

impl ModuleVisitor for Before<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        let gradient: Vec<Box<dyn Held>> = self
            .grads
            .iter()
            .filter_map(|grads| grads.get::<D>(param.id))
            .map(hold)
            .collect();
        let Observer {
            run,
            prefix,
            gradients,
            parameters,
            known,
            ..
        } = &mut *self.observer;
        let (gradients, parameters, path) = (*gradients, *parameters, &self.path);
        let make = || Parameter::new(format!("{prefix}{}", path.join(".")));
        let parameter = known.entry(param.id).or_insert_with(make);
        if gradient.is_empty() {
            // What is frozen needs none.
            if param.val().is_require_grad() && parameter.misses_gradient() {
                self.never.push(Arc::clone(parameter.name()));
            }
            return;
        }
        self.entries.push(Entry {
            id: param.id,
            series: parameter.series(run, gradients, parameters),
            gradient: if gradients { gradient } else { Vec::new() },
            before: parameters.then(|| hold(param.val())),
            after: None,
        });
    }
}

struct After<'a> {
    entries: HashMap<ParamId, &'a mut Entry>,
}

impl ModuleVisitor for After<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(entry) = self.entries.remove(&param.id) {
            entry.after = Some(hold(param.val()));
        }
    }
}

//! One look at gradients and parameters around an optimizer's step.

use std::collections::HashMap;
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

use crate::device::measure;
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
    observations: Observations,
    /// burn tells the loss to its loggers, some time after the step.
    together: Arc<Together>,
    norm: Series,
}

/// What was taken before the optimizer's step.
pub(crate) struct Observation {
    step: u64,
    landing: Landing,
    entries: Vec<Entry>,
    cost: Duration,
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
            entries: Vec::new(),
            never: Vec::new(),
        };
        model.visit(&mut walk);
        let (entries, never) = (walk.entries, walk.never);
        report_no_gradient(&self.run, &never);
        Some(Observation {
            step,
            landing,
            entries,
            cost: began.elapsed(),
        })
    }

    /// Takes hold of the parameters after the step too.
    pub(crate) fn after<M: Module>(&mut self, model: &M, mut observation: Observation) {
        let began = Instant::now();
        if self.parameters {
            let mut walk = After {
                entries: &mut observation.entries,
                next: 0,
            };
            model.visit(&mut walk);
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
            entries,
            cost,
        } = observation;
        let norm = self.gradients.then(|| self.norm.clone());
        // In host memory everything is there already: only what becomes garbage during the step is held longer for it.
        let bytes = entries.iter().map(Entry::bytes).sum();
        let queued = self.run.defer(bytes, move |run| {
            let mut findings = Findings::new(run, step);
            if work_out(entries, &mut findings, run, step).is_none() {
                landing.fail();
            }
            findings.conclude(norm.as_ref(), &landing);
        });
        self.observations.count(queued);
        self.pacer.spent(cost + began.elapsed());
    }

    fn parameter(&mut self, id: ParamId, path: &[String]) -> &mut Parameter {
        let prefix = &self.prefix;
        let make = || Parameter::new(format!("{prefix}{}", path.join(".")));
        self.known.entry(id).or_insert_with(make)
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

/// Adds what there is of each parameter; `None` if a device fails.
fn work_out(entries: Vec<Entry>, findings: &mut Findings<'_>, run: &Run, step: u64) -> Option<()> {
    let mut accumulator = Accumulator::new();
    let mut devices: Vec<(Device, Vec<Entry>)> = Vec::new();
    for entry in entries {
        match entry.on_device() {
            None => entry.work_out(findings, &mut accumulator)?,
            Some(device) => match devices.iter_mut().find(|(known, _)| *known == device) {
                Some((_, entries)) => entries.push(entry),
                None => devices.push((device, vec![entry])),
            },
        }
    }
    for (number, (device, entries)) in devices.into_iter().enumerate() {
        work_out_on(&device, entries, findings)?;
        log_memory(run, step, number, &device);
    }
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

/// What a device finds of its parameters.
fn work_out_on(device: &Device, entries: Vec<Entry>, findings: &mut Findings<'_>) -> Option<()> {
    let (mut tensors, mut pairs, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let gradient = entry.gradient.into_iter().map(|part| part.flat(device));
        let gradient = gradient.reduce(|a, b| a + b);
        let before = entry.before.map(|before| before.flat(device));
        let after = entry.after.map(|after| after.flat(device));
        known.push((
            entry.series,
            gradient.is_some(),
            before.is_some(),
            after.is_some(),
        ));
        tensors.extend(gradient);
        tensors.extend(before.clone());
        pairs.extend(before.zip(after));
    }
    let measured = measure(device, &tensors, &pairs).ok()?;
    let (mut stats, mut distances) = (measured.stats.into_iter(), measured.distances.into_iter());
    for (series, has_gradient, has_before, has_after) in known {
        let found = Found {
            gradient: if has_gradient { stats.next() } else { None },
            parameter: if has_before { stats.next() } else { None },
            distance: if has_before && has_after {
                distances.next()
            } else {
                None
            },
        };
        findings.add(&series, found);
    }
    Some(())
}

struct Before<'a> {
    observer: &'a mut Observer,
    grads: &'a [&'a GradientsParams],
    path: Vec<String>,
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
        let gradient: Vec<Box<dyn Held>> = self
            .grads
            .iter()
            .filter_map(|grads| grads.get::<D>(param.id))
            .map(hold)
            .collect();
        let Observer {
            gradients,
            parameters,
            ..
        } = *self.observer;
        let run = self.observer.run.clone();
        let parameter = self.observer.parameter(param.id, &self.path);
        if gradient.is_empty() {
            // What is frozen needs none.
            if param.val().is_require_grad() && parameter.misses_gradient() {
                self.never.push(Arc::clone(parameter.name()));
            }
            return;
        }
        self.entries.push(Entry {
            id: param.id,
            series: parameter.series(&run, gradients, parameters),
            gradient: if gradients { gradient } else { Vec::new() },
            before: parameters.then(|| hold(param.val())),
            after: None,
        });
    }
}

/// Modules are visited in the same order each time.
struct After<'a> {
    entries: &'a mut [Entry],
    next: usize,
}

impl ModuleVisitor for After<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(entry) = self.entries.get_mut(self.next)
            && entry.id == param.id
        {
            entry.after = Some(hold(param.val()));
            self.next += 1;
        }
    }
}

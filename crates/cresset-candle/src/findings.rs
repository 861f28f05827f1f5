//! What an observation found, on its way into the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cresset_run::{Level, Run, Series, TensorStats, Value};

use crate::device_stats::Outcome;
use crate::observation::Shared;

/// The series of one variable, looked up once.
pub(crate) struct VariableSeries {
    name: Arc<str>,
    gradient: Option<Series>,
    parameter: Option<Series>,
    update_ratio: Option<Series>,
}

impl VariableSeries {
    pub(crate) fn new(run: &Run, name: &Arc<str>, gradients: bool, parameters: bool) -> Self {
        let series = |is_on: bool, kind: &str| is_on.then(|| run.series(&format!("{kind}/{name}")));
        Self {
            name: Arc::clone(name),
            gradient: series(gradients, "gradients"),
            parameter: series(parameters, "parameters"),
            update_ratio: series(parameters, "update_ratio"),
        }
    }
}

/// What was found of one variable.
pub(crate) struct Found {
    pub(crate) gradient: Option<TensorStats>,
    pub(crate) parameter: Option<TensorStats>,
    /// ‖after − before‖₂ of the step.
    pub(crate) distance: Option<f64>,
}

/// What was found at one step.
pub(crate) struct Findings<'a> {
    run: &'a Run,
    step: u64,
    squares: f64,
    gradients: u64,
    bad_gradients: Vec<Bad>,
    bad_parameters: Vec<Bad>,
}

/// A tensor with NaN or infinities.
struct Bad {
    name: Arc<str>,
    nan: u64,
    infinite: u64,
    count: u64,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(run: &'a Run, step: u64) -> Self {
        Self {
            run,
            step,
            squares: 0.0,
            gradients: 0,
            bad_gradients: Vec::new(),
            bad_parameters: Vec::new(),
        }
    }

    /// Records what was found of one variable.
    pub(crate) fn add(&mut self, series: &VariableSeries, found: Found) {
        if let (Some(stats), Some(key)) = (found.gradient, &series.gradient) {
            self.gradients += 1;
            self.squares += stats.sum_sq;
            self.bad_gradients.extend(Bad::of(&series.name, &stats));
            self.run.log_value(self.step, key, Value::Histogram(stats));
        }
        if let (Some(stats), Some(key)) = (found.parameter, &series.parameter) {
            self.bad_parameters.extend(Bad::of(&series.name, &stats));
            let norm = stats.l2_norm();
            // Of parameters that are all zero, as biases are at first, every update is infinitely large.
            if let (Some(distance), Some(key)) = (found.distance, &series.update_ratio)
                && norm != 0.0
            {
                key.log(self.step, distance / norm);
            }
            self.run.log_value(self.step, key, Value::Histogram(stats));
        }
    }

    /// Records what a device found of its variables.
    pub(crate) fn add_all(&mut self, series: &[Arc<VariableSeries>], outcome: Outcome) {
        let mut gradients = outcome.gradients.into_iter();
        let mut parameters = outcome.parameters.into_iter();
        let mut distances = outcome.distances.into_iter();
        for series in series {
            let found = Found {
                gradient: gradients.next(),
                parameter: parameters.next(),
                distance: distances.next(),
            };
            self.add(series, found);
        }
    }

    /// Records what is of all variables together, and tells of the first bad values.
    pub(crate) fn conclude(self, norm: Option<&Series>, shared: &Shared) {
        if let Some(norm) = norm
            && self.gradients > 0
        {
            norm.log(self.step, self.squares.sqrt());
        }
        self.alert_first("gradient", &self.bad_gradients, &shared.saw_bad_gradient);
        self.alert_first("parameter", &self.bad_parameters, &shared.saw_bad_parameter);
    }

    fn alert_first(&self, what: &str, bad: &[Bad], seen: &AtomicBool) {
        let Some((first, others)) = bad.split_first() else {
            return;
        };
        if seen.swap(true, Ordering::Relaxed) {
            return;
        }
        let step = self.step;
        let mut title = format!("first bad {what} at step {step}: {}", first.name);
        if !others.is_empty() {
            title += &format!(" and {} more", others.len());
        }
        let lines: Vec<String> = bad.iter().map(Bad::line).collect();
        self.run
            .alert_at(step, Level::Error, title, lines.join("\n"));
    }
}

impl Bad {
    fn of(name: &Arc<str>, stats: &TensorStats) -> Option<Self> {
        (stats.non_finite() > 0).then(|| Self {
            name: Arc::clone(name),
            nan: stats.nan,
            infinite: stats.pos_inf.saturating_add(stats.neg_inf),
            count: stats.count,
        })
    }

    fn line(&self) -> String {
        let Self {
            name,
            nan,
            infinite,
            count,
        } = self;
        format!("{name}: {nan} NaN and {infinite} infinite of {count} elements")
    }
}

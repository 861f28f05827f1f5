//! What an observation found, on its way into the run.

use std::sync::Arc;

use cresset_record::{Level, TensorStats};

use super::flight::Landing;
use super::parameter::ParameterSeries;
use crate::media::Value;
use crate::run::Run;
use crate::series::Series;

/// What was found of one parameter.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Of its gradient.
    pub gradient: Option<TensorStats>,
    /// Of itself, before the step.
    pub parameter: Option<TensorStats>,
    /// ‖after − before‖₂ of the step.
    pub distance: Option<f64>,
}

/// What was found at one step.
#[derive(Debug)]
pub struct Findings<'a> {
    run: &'a Run,
    step: u64,
    squares: f64,
    gradients: u64,
    bad_gradients: Vec<Bad>,
    bad_parameters: Vec<Bad>,
}

/// A tensor with NaN or infinities.
#[derive(Debug)]
struct Bad {
    name: Arc<str>,
    nan: u64,
    infinite: u64,
    count: u64,
}

impl<'a> Findings<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(run: &'a Run, step: u64) -> Self {
        Self {
            run,
            step,
            squares: 0.0,
            gradients: 0,
            bad_gradients: Vec::new(),
            bad_parameters: Vec::new(),
        }
    }

    /// Records what was found of one parameter.
    pub fn add(&mut self, series: &ParameterSeries, found: Found) {
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

    /// Records what a device found of its parameters, in their order; of what was not looked at there is nothing.
    pub fn add_all(
        &mut self,
        series: &[Arc<ParameterSeries>],
        gradients: impl IntoIterator<Item = TensorStats>,
        parameters: impl IntoIterator<Item = TensorStats>,
        distances: impl IntoIterator<Item = f64>,
    ) {
        let mut gradients = gradients.into_iter();
        let mut parameters = parameters.into_iter();
        let mut distances = distances.into_iter();
        for series in series {
            let found = Found {
                gradient: gradients.next(),
                parameter: parameters.next(),
                distance: distances.next(),
            };
            self.add(series, found);
        }
    }

    /// Records what is of all parameters together, their gradients' norm where it is wanted, and tells of the first bad values.
    pub fn conclude(self, norm: Option<&Series>, landing: &Landing) {
        if let Some(norm) = norm
            && self.gradients > 0
        {
            norm.log(self.step, self.squares.sqrt());
        }
        if !self.bad_gradients.is_empty() && landing.is_first_bad_gradient() {
            self.alert("gradient", &self.bad_gradients);
        }
        if !self.bad_parameters.is_empty() && landing.is_first_bad_parameter() {
            self.alert("parameter", &self.bad_parameters);
        }
    }

    fn alert(&self, what: &str, bad: &[Bad]) {
        let Some((first, others)) = bad.split_first() else {
            return;
        };
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

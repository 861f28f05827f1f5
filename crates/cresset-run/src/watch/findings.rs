//! What an observation found, on its way into the run.

use std::sync::Arc;

use cresset_record::{Level, TensorStats};

use super::flight::Landing;
use super::parameter::ParameterSeries;
use crate::media::Value;
use crate::run::Run;
use crate::series::Series;

/// So many bad tensors are named; how many others there are is said.
const MOST_NAMED: usize = 3;

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
    gradients: usize,
    parameters: usize,
    bad_gradients: Vec<Bad>,
    bad_parameters: Vec<Bad>,
    order: Option<Order>,
}

/// In which order the backward pass comes to the parameters, as far as that is known.
#[derive(Debug)]
struct Order {
    names: Arc<[Arc<str>]>,
    /// How it is known, for people.
    said: &'static str,
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
            parameters: 0,
            bad_gradients: Vec::new(),
            bad_parameters: Vec::new(),
            order: None,
        }
    }

    /// Says in which order the backward pass came to the parameters, as the graph has it: of several bad gradients, the first
    /// in it is named.
    pub fn reached(&mut self, names: Arc<[Arc<str>]>) {
        let said = "in the order of the backward pass";
        self.order = Some(Order { names, said });
    }

    /// Says in which order the model has its parameters, where more is not known: of several bad gradients, the last in it is
    /// named, which mostly is nearest to the loss.
    pub fn declared(&mut self, names: impl DoubleEndedIterator<Item = Arc<str>>) {
        let (names, said) = (names.rev().collect(), "from the model's end");
        self.order = Some(Order { names, said });
    }

    /// Records what was found of one parameter.
    pub fn add(&mut self, series: &ParameterSeries, found: Found) {
        if let (Some(stats), Some(key)) = (found.gradient, &series.gradient) {
            self.gradients += 1;
            self.squares += squares(&stats);
            self.bad_gradients.extend(Bad::of(&series.name, &stats));
            self.run.log_value(self.step, key, Value::Histogram(stats));
        }
        if let (Some(stats), Some(key)) = (found.parameter, &series.parameter) {
            self.parameters += 1;
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
    pub fn conclude(mut self, norm: Option<&Series>, landing: &Landing) {
        if let Some(norm) = norm
            && self.gradients > 0
        {
            norm.log(self.step, self.squares.sqrt());
        }
        let is_finite = self.bad_gradients.is_empty() && self.bad_parameters.is_empty();
        // A device that failed has shown nothing.
        if is_finite && self.gradients + self.parameters > 0 {
            landing.was_finite(self.step);
        }
        if !self.bad_gradients.is_empty() && landing.is_first_bad_gradient() {
            let order = self.sort_gradients();
            let mut text = listed(&self.bad_gradients, self.gradients, "gradient", order);
            text += &self.before(landing);
            self.alert("gradient", &self.bad_gradients, text);
        }
        if !self.bad_parameters.is_empty() && landing.is_first_bad_parameter() {
            let mut text = listed(&self.bad_parameters, self.parameters, "parameter", None);
            text += &last_finite(landing);
            self.alert("parameter", &self.bad_parameters, text);
        }
    }

    /// Sorts bad gradients as the backward pass came to them; says by what they are sorted.
    fn sort_gradients(&mut self) -> Option<&'static str> {
        let Order { names, said } = self.order.as_ref()?;
        let place = |bad: &Bad| names.iter().position(|name| *name == bad.name);
        self.bad_gradients
            .sort_by_cached_key(|bad| place(bad).unwrap_or(usize::MAX));
        Some(said)
    }

    /// What was before the first bad gradients.
    fn before(&self, landing: &Landing) -> String {
        let parameters = match (self.parameters, self.bad_parameters.len()) {
            (0, _) => String::new(),
            (_, 0) => "\nAll parameters were finite before this step.".to_owned(),
            (all, bad) => {
                format!("\nBefore this step, {bad} of {all} parameters were bad already.")
            }
        };
        parameters + &last_finite(landing)
    }

    fn alert(&self, what: &str, bad: &[Bad], text: String) {
        let Some((first, others)) = bad.split_first() else {
            return;
        };
        let step = self.step;
        let mut title = format!("first bad {what} at step {step}: {}", first.name);
        if !others.is_empty() {
            title += &format!(" and {} more", others.len());
        }
        self.run.alert_at(step, Level::Error, title, text);
    }
}

/// Sum of the squares of all elements. Statistics leave out what is not finite; of a gradient full of NaN the norm would be 0,
/// and look as if it had vanished.
fn squares(stats: &TensorStats) -> f64 {
    match stats.non_finite() {
        0 => stats.sum_sq,
        _ if stats.nan > 0 => f64::NAN,
        _ => f64::INFINITY,
    }
}

/// How many of how many are bad, and the first of them.
fn listed(bad: &[Bad], all: usize, what: &str, order: Option<&str>) -> String {
    let count = bad.len();
    let mut text = match count {
        1 => format!("1 of {all} {what}s has NaN or infinities"),
        _ => format!("{count} of {all} {what}s have NaN or infinities"),
    };
    if let Some(order) = order.filter(|_| count > 1) {
        text += &format!(", {order}");
    }
    text.push(':');
    for bad in bad.iter().take(MOST_NAMED) {
        text += &format!("\n{}", bad.line());
    }
    if count > MOST_NAMED {
        text += &format!("\nand {} more", count - MOST_NAMED);
        let layer = shared_layer(bad);
        if !layer.is_empty() {
            text += &format!(", all in {layer}");
        }
    }
    text
}

/// What the paths begin with, all of them.
fn shared_layer(bad: &[Bad]) -> String {
    let mut shared: Option<Vec<&str>> = None;
    for bad in bad {
        let path: Vec<&str> = bad.name.split('.').collect();
        let alike = shared.as_ref().map_or(path.len(), |shared| {
            let pairs = shared.iter().zip(&path);
            pairs.take_while(|(a, b)| a == b).count()
        });
        shared = Some(path[..alike].to_vec());
    }
    shared.unwrap_or_default().join(".")
}

/// How close the step before is that is known to have been well.
fn last_finite(landing: &Landing) -> String {
    match landing.last_finite() {
        Some(step) => {
            format!("\nAt step {step}, the last that was looked at before, all was finite.")
        }
        None => "\nNo step before was looked at and found finite.".to_owned(),
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

//! The parameters of a model, as they are recorded.

use std::sync::Arc;

use cresset_record::Level;

use crate::run::Run;
use crate::series::Series;

/// A parameter without a gradient in so many observations is reported, once.
const PATIENCE: u64 = 10;

/// One parameter of a watched model.
#[derive(Debug)]
pub struct Parameter {
    name: Arc<str>,
    /// Made when the first gradient comes: what is never trained gets no series.
    series: Option<Arc<ParameterSeries>>,
    /// Observations in which it had no gradient.
    without_gradient: u64,
}

impl Parameter {
    /// The parameter of this path.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            series: None,
            without_gradient: 0,
        }
    }

    /// Its path.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it is recorded, made by the first call.
    pub fn series(&mut self, run: &Run, gradients: bool, parameters: bool) -> Arc<ParameterSeries> {
        let name = &self.name;
        let make = || Arc::new(ParameterSeries::new(run, name, gradients, parameters));
        Arc::clone(self.series.get_or_insert_with(make))
    }

    /// Counts an observation without a gradient; `true` in the one in which that is worth a word.
    pub fn misses_gradient(&mut self) -> bool {
        self.without_gradient += 1;
        self.without_gradient == PATIENCE && !self.is_buffer()
    }

    /// Whether it is state that is never trained, such as the running statistics of batch norm.
    fn is_buffer(&self) -> bool {
        self.name.ends_with("running_mean") || self.name.ends_with("running_var")
    }
}

/// Tells of parameters for which [`Parameter::misses_gradient`] was true.
pub fn report_no_gradient(run: &Run, names: &[Arc<str>]) {
    let title = match names {
        [] => return,
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

/// The series of one parameter, looked up once.
#[derive(Debug)]
pub struct ParameterSeries {
    pub(super) name: Arc<str>,
    pub(super) gradient: Option<Series>,
    pub(super) parameter: Option<Series>,
    pub(super) update_ratio: Option<Series>,
}

impl ParameterSeries {
    /// The parameter's path.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Those of the parameter `name`: of its gradient and of itself where these are wanted.
    #[must_use]
    pub fn new(run: &Run, name: &Arc<str>, gradients: bool, parameters: bool) -> Self {
        let series = |is_on: bool, kind: &str| is_on.then(|| run.series(&format!("{kind}/{name}")));
        Self {
            name: Arc::clone(name),
            gradient: series(gradients, "gradients"),
            parameter: series(parameters, "parameters"),
            update_ratio: series(parameters, "update_ratio"),
        }
    }
}

//! What the callback crates of all frameworks share in watching a model: one observation in flight at a time, what an
//! observation found on its way into the run, and the table in which a device counts a histogram.
//!
//! A callback crate takes hold of gradients and parameters around an optimizer's step, and works them out on the run's
//! worker thread, by [`Run::defer`](crate::Run::defer). There it fills [`Findings`]; their keys, alerts and norms are those
//! of every framework:
//!
//! | key | what it is |
//! |---|---|
//! | `gradients/<parameter>` | counts, extremes, moments and histogram of the gradient |
//! | `gradients/norm` | ‖g‖₂ over all parameters; NaN or ∞ where an element is |
//! | `parameters/<parameter>` | the same of the parameter before the step |
//! | `update_ratio/<parameter>` | ‖Δw‖₂ / ‖w‖₂ of the step |

mod findings;
mod flight;
mod loss;
mod parameter;
mod slots;

pub use findings::{Findings, Found};
pub use flight::{Landing, Observations, WatchAccount};
pub use loss::LossWatch;
pub use parameter::{Parameter, ParameterSeries, report_no_gradient};
pub use slots::Slots;

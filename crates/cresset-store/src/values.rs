//! Values of runs in memory: typed, with shared names and texts, a fraction of the size of JSON.

mod cell;
mod names;
mod path;
mod pool;
mod value;

pub(crate) use cell::{Cell, Object};
pub(crate) use names::{Names, Symbol};
pub(crate) use path::Path;
pub(crate) use pool::Pool;
pub(crate) use value::{Value, rfc3339};

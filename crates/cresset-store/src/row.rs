//! A run as tables and filters see it.

mod built_in;
mod field;
mod head;

use std::sync::Arc;

use cresset_record::{Definition, Timestamp};

use crate::document::RunDocument;
use crate::values::{Object, Pool, Value};

pub(crate) use built_in::{BuiltIn, Kind};
pub(crate) use field::FieldPath;
pub use head::RunHead;

/// What tables show of a run and filters ask of it, small enough to keep it of ten thousand runs.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) head: Arc<RunHead>,
    pub(crate) config: Object,
    pub(crate) summary: Object,
    pub(crate) environment: Arc<Object>,
    pub(crate) definitions: Arc<[Definition]>,
}

impl Row {
    /// The row of a run.
    pub(crate) fn new(run: &RunDocument, pool: &mut Pool) -> Self {
        Self {
            head: Arc::new(run.head()),
            config: pool.object(&run.config),
            summary: pool.object(&run.summary),
            environment: pool.shared_object(&run.environment),
            definitions: pool.definitions(&run.definitions),
        }
    }

    /// The value of a field, if the run has it. `now` is what age and the duration of a running run are measured to.
    pub(crate) fn value<'a>(&'a self, field: &FieldPath, now: Timestamp) -> Option<Value<'a>> {
        match field {
            FieldPath::BuiltIn(field) => self.head.value(*field, now),
            FieldPath::Config => Some(Value::Object(&self.config)),
            FieldPath::Nested(nested) => nested.find(self).map(Value::from),
        }
    }
}

//! Handles of series, and what else names one.

use std::sync::Arc;

use cresset_record::{KeyId, LossReason};

use crate::recorder::Recorder;
use crate::scalar::Scalar;

/// A series of one run, looked up once: logging through it hashes nothing.
///
/// It may outlive the run; what is logged then is counted as lost.
#[derive(Clone)]
pub struct Series {
    target: Option<Target>,
    name: Arc<str>,
}

#[derive(Clone)]
struct Target {
    recorder: Arc<Recorder>,
    /// `None` for a key that cannot be used.
    id: Option<KeyId>,
}

impl Series {
    pub(crate) fn new(recorder: Option<&Arc<Recorder>>, name: &str) -> Self {
        let target = recorder.map(|r| Target {
            recorder: Arc::clone(r),
            id: r.intern(name),
        });
        Self {
            target,
            name: name.into(),
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.name
    }

    /// Logs one value. Never blocks under the default [`Overflow`](crate::Overflow) and
    /// [`Durability`](crate::Durability), and never fails: what cannot be kept is counted.
    #[inline]
    pub fn log(&self, step: u64, value: impl Scalar) {
        let Some(target) = &self.target else { return };
        match target.id {
            Some(id) => target.recorder.row(step, &[(id, value.to_f64())]),
            None => target.recorder.losses.points(LossReason::BadKey, 1),
        }
    }
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series")
            .field("key", &self.name)
            .finish_non_exhaustive()
    }
}

/// What names a series in a log call: a key, or a [`Series`] made from one.
pub trait SeriesKey: sealed::Sealed {}

pub(crate) mod sealed {
    use super::{Arc, KeyId, Recorder, Series};

    /// The run that a key is looked up in.
    #[derive(Clone, Copy)]
    pub struct Within<'a>(pub(crate) &'a Arc<Recorder>);

    pub trait Sealed {
        /// The series' number in the run, `None` if the key cannot be used.
        fn id(&self, run: Within<'_>) -> Option<KeyId>;

        /// Its key.
        fn name(&self) -> &str;
    }

    impl Sealed for str {
        fn id(&self, run: Within<'_>) -> Option<KeyId> {
            run.0.intern(self)
        }

        fn name(&self) -> &str {
            self
        }
    }

    impl Sealed for String {
        fn id(&self, run: Within<'_>) -> Option<KeyId> {
            run.0.intern(self)
        }

        fn name(&self) -> &str {
            self
        }
    }

    impl Sealed for Series {
        fn id(&self, run: Within<'_>) -> Option<KeyId> {
            match &self.target {
                Some(target) if Arc::ptr_eq(&target.recorder, run.0) => target.id,
                // A handle of another run names the same key in this one.
                _ => run.0.intern(&self.name),
            }
        }

        fn name(&self) -> &str {
            &self.name
        }
    }

    impl<T: Sealed + ?Sized> Sealed for &T {
        fn id(&self, run: Within<'_>) -> Option<KeyId> {
            (**self).id(run)
        }

        fn name(&self) -> &str {
            (**self).name()
        }
    }
}

impl SeriesKey for str {}
impl SeriesKey for String {}
impl SeriesKey for Series {}
impl<T: SeriesKey + ?Sized> SeriesKey for &T {}

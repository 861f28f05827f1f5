//! A panic of ours must not reach burn, where it would abort the whole process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cresset_run::{Level, Run};

/// Does what can be done without; after the first panic nothing more.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    run: Run,
    what: &'static str,
    is_broken: Arc<AtomicBool>,
}

impl Guard {
    pub(crate) fn new(run: &Run, what: &'static str) -> Self {
        Self {
            run: run.clone(),
            what,
            is_broken: Arc::default(),
        }
    }

    /// `None` if `work` panicked, or something before it did.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.is_broken.load(Ordering::Relaxed) {
            return None;
        }
        // What the work was on is not looked at again.
        let result = catch_unwind(AssertUnwindSafe(work));
        result.map_err(|panic| self.give_up(panic.as_ref())).ok()
    }

    fn give_up(&self, panic: &(dyn std::any::Any + Send)) {
        if self.is_broken.swap(true, Ordering::Relaxed) {
            return;
        }
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        let title = format!("{} are no longer recorded", self.what);
        let text = format!("Recording them panicked; training goes on without: {message}");
        self.run.alert(Level::Error, title, text);
    }
}

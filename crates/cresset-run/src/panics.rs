//! Remembers what a thread panicked with, so that a run can say why it failed.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Adds to the process's panic hook, once; the hook that was there still runs.
pub(crate) fn remember() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or("a panic without a message");
            let place = info
                .location()
                .map(|l| format!(" at {}:{}:{}", l.file(), l.line(), l.column()));
            let text = format!("panicked{}: {message}", place.unwrap_or_default());
            // The thread may be past the end of its locals.
            let _ = LAST.try_with(|last| *last.borrow_mut() = Some(text));
            previous(info);
        }));
    });
}

/// What this thread last panicked with.
pub(crate) fn last() -> Option<String> {
    LAST.try_with(|last| last.borrow().clone()).ok().flatten()
}

//! Work that must not happen on the training thread nor hold up the writer: encoding media, reading late values.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::sync::lock;

/// Most bytes that wait at a time.
const MAX_BYTES: usize = 64 << 20;
/// Most jobs that wait at a time.
const MAX_JOBS: usize = 4096;

thread_local! {
    /// The address of the worker that this thread is, 0 if it is none.
    static WORKING: Cell<usize> = const { Cell::new(0) };
}

type Work = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(usize, Work)>,
    bytes: usize,
    /// How many jobs came so far, and how many of them are done: they are done in order.
    came: u64,
    done: u64,
    /// Somebody waits until so many are.
    waited_for: u64,
    running: bool,
    closing: bool,
}

/// A bounded queue of jobs and the state of the thread that does them.
#[derive(Default)]
pub(crate) struct Worker {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Worker {
    /// Leaves a job that holds about `bytes`; `false` if there is no room for it. What a job itself leaves is also taken
    /// while the queue is closed: it belongs to that job.
    pub(crate) fn submit(&self, bytes: usize, work: impl FnOnce() + Send + 'static) -> bool {
        let mut queue = lock(&self.queue);
        let full =
            queue.jobs.len() >= MAX_JOBS || (queue.bytes > 0 && queue.bytes + bytes > MAX_BYTES);
        if full || (queue.closing && !self.is_this_thread()) {
            return false;
        }
        queue.bytes += bytes;
        queue.came += 1;
        if queue.done < queue.waited_for && self.is_this_thread() {
            queue.waited_for = queue.came;
        }
        queue.jobs.push_back((bytes, Box::new(work)));
        self.changed.notify_all();
        true
    }

    /// The worker's thread: does jobs until the queue is closed and empty.
    pub(crate) fn work_until_closed(&self) {
        WORKING.set(self.address());
        loop {
            let mut queue = lock(&self.queue);
            queue.running = false;
            let (bytes, work) = loop {
                if let Some(job) = queue.jobs.pop_front() {
                    break job;
                }
                self.changed.notify_all();
                if queue.closing {
                    return;
                }
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            };
            queue.running = true;
            drop(queue);
            // The job counts its own losses; a panic of user code in it must not end the thread.
            let _ = catch_unwind(AssertUnwindSafe(work));
            let mut queue = lock(&self.queue);
            queue.bytes -= bytes;
            queue.done += 1;
            drop(queue);
            self.changed.notify_all();
        }
    }

    /// Waits for the jobs that came before and what they leave, until `deadline`; whether all is done. A job does not wait for itself.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        if self.is_this_thread() {
            return true;
        }
        let mut queue = lock(&self.queue);
        queue.waited_for = queue.came;
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .changed
            .wait_timeout_while(queue, left, |queue| queue.done < queue.waited_for);
        let queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        queue.done >= queue.waited_for
    }

    /// Takes no more jobs and waits for those there are; what is left at the deadline is dropped and counted.
    pub(crate) fn close(&self, deadline: Instant) -> u64 {
        let mut queue = lock(&self.queue);
        queue.closing = true;
        self.changed.notify_all();
        // Work that holds the last handle of its run ends the run from within: it cannot wait for itself.
        let deadline = if self.is_this_thread() {
            Instant::now()
        } else {
            deadline
        };
        while queue.running || !queue.jobs.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let abandoned = queue.jobs.len() as u64 + u64::from(queue.running);
                queue.done += queue.jobs.len() as u64;
                queue.jobs.clear();
                return abandoned;
            }
            queue = self
                .changed
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        0
    }

    fn is_this_thread(&self) -> bool {
        WORKING.get() == self.address()
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// How many jobs wait or are being done.
    pub(crate) fn backlog(&self) -> usize {
        let queue = lock(&self.queue);
        queue.jobs.len() + usize::from(queue.running)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_job_leaves_is_done_even_at_the_end() {
        let worker = Arc::new(Worker::default());
        let (started, has_started) = mpsc::channel();
        let (closing, is_closing) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let own = Arc::clone(&worker);
        assert!(worker.submit(0, move || {
            started.send(()).unwrap();
            is_closing.recv().unwrap();
            assert!(own.submit(0, move || done.send(()).unwrap()));
        }));
        std::thread::scope(|scope| {
            scope.spawn(|| worker.work_until_closed());
            has_started.recv().unwrap();
            assert_eq!(
                worker.close(Instant::now()),
                1,
                "a deadline that has passed"
            );
            assert!(
                !worker.submit(0, || {}),
                "nobody else leaves anything any more"
            );
            closing.send(()).unwrap();
            let patience = Instant::now() + Duration::from_secs(60);
            assert_eq!(worker.close(patience), 0);
            is_done.recv().unwrap();
        });
    }
}

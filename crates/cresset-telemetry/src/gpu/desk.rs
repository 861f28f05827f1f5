//! Where requests for GPUs are left and answers are picked up.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Answer, Backend, Call, Request};
use crate::keys::GpuId;

/// The side of the thread that asks the driver.
pub(crate) struct Desk {
    requests: Receiver<Request>,
    answers: Sender<Answer>,
    doing: Arc<Mutex<Option<Stuck>>>,
}

/// A call to the driver that has not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    pub(crate) gpu: Option<GpuId>,
    pub(crate) call: Call,
    pub(crate) since: Instant,
}

impl Desk {
    /// The next request; `None` when there will be no more.
    pub(crate) fn next(&self) -> Option<Request> {
        self.requests.recv().ok()
    }

    pub(crate) fn answer(&self, answer: Answer) {
        // Nobody listens any more if the run has ended meanwhile.
        let _ = self.answers.send(answer);
    }

    /// Does a call that may hang, and lets it be known while it goes on.
    pub(crate) fn during<T>(&self, gpu: Option<GpuId>, call: Call, work: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        *lock(&self.doing) = Some(Stuck { gpu, call, since });
        let result = work();
        *lock(&self.doing) = None;
        result
    }
}

/// The side of the sampler: one request at a time, and never a wait without an end.
pub(crate) struct Driver {
    requests: Sender<Request>,
    answers: Receiver<Answer>,
    doing: Arc<Mutex<Option<Stuck>>>,
    /// Whether an answer is still owed.
    waiting: bool,
}

/// How a request went.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Answer(Answer),
    /// Not yet; what the driver is busy with, if it is with a call.
    Waiting(Option<Stuck>),
    /// Nobody answers: there is nothing to ask.
    Nobody,
}

impl Driver {
    /// Starts the thread of a backend. `None` if there can be no thread.
    pub(crate) fn start(mut backend: impl Backend + 'static) -> Option<Self> {
        let (requests, received) = mpsc::channel();
        let (answers, given) = mpsc::channel();
        let doing = Arc::new(Mutex::new(None));
        let desk = Desk {
            requests: received,
            answers,
            doing: Arc::clone(&doing),
        };
        // Left to itself when the run ends: it may be in a call that never comes back.
        thread::Builder::new()
            .name("cresset-gpu".into())
            .stack_size(256 << 10)
            .spawn(move || backend.serve(&desk))
            .ok()?;
        Some(Self {
            requests,
            answers: given,
            doing,
            waiting: false,
        })
    }

    /// Leaves a request, unless one is not answered yet.
    pub(crate) fn ask(&mut self, request: Request) {
        if !self.waiting {
            self.waiting = self.requests.send(request).is_ok();
        }
    }

    /// Picks the answer up, within `patience`.
    pub(crate) fn answer(&mut self, patience: Duration) -> Asked {
        if !self.waiting {
            return match self.answers.try_recv() {
                Ok(answer) => Asked::Answer(answer),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => Asked::Nobody,
            };
        }
        match self.answers.recv_timeout(patience) {
            Ok(answer) => {
                self.waiting = false;
                Asked::Answer(answer)
            }
            Err(RecvTimeoutError::Timeout) => Asked::Waiting(*lock(&self.doing)),
            Err(RecvTimeoutError::Disconnected) => {
                self.waiting = false;
                Asked::Nobody
            }
        }
    }
}

/// All that these locks guard is valid between any two statements, so a panic of their holder is no reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

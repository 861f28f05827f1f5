use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::augment::{Augment, augment};
use crate::folder::{ImageFolder, Skipped, Subset};
use crate::rng::Rng;

/// How to go over a [`Subset`].
#[derive(Debug, Clone, PartialEq)]
pub struct BatchOptions {
    /// Pictures in a batch; the last one may be smaller.
    pub batch_size: usize,
    /// Shuffles, with another order in every epoch; `None` keeps the order of the files.
    pub shuffle_seed: Option<u64>,
    /// Which pass this is: it decides on order and augmentation.
    pub epoch: u64,
    /// How much pictures are altered.
    pub augment: Augment,
    /// Threads that make batches; 0 for one a core.
    pub threads: usize,
    /// Batches that are made ahead of their use, at most; 0 for twice the threads.
    pub ahead: usize,
    /// Leave out a last batch that is not full.
    pub drop_last: bool,
    /// Begin with this batch, to resume within an epoch: the rest is what it would have been.
    pub start_batch: usize,
    /// Pixels become (value / 255 − mean) / deviation, by channel.
    pub mean: [f32; 3],
    /// See `mean`.
    pub deviation: [f32; 3],
}

impl Default for BatchOptions {
    /// Batches of 32 in the order of the files, unaltered, pixels from -1 to 1.
    fn default() -> Self {
        Self {
            batch_size: 32,
            shuffle_seed: None,
            epoch: 0,
            augment: Augment::None,
            threads: 0,
            ahead: 0,
            drop_last: false,
            start_batch: 0,
            mean: [0.5; 3],
            deviation: [0.5; 3],
        }
    }
}

/// Some pictures, ready for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Its number within the epoch.
    pub number: usize,
    /// Normalised pixels in the order of `dims`.
    pub images: Vec<f32>,
    /// Pictures, channels (3), height, width.
    pub dims: [usize; 4],
    /// The class of each picture.
    pub labels: Vec<u32>,
    /// Each picture's number within the [`ImageFolder`].
    pub indices: Vec<usize>,
    /// Pictures that could be opened before but no longer can; they are missing from the batch.
    pub failed: Vec<Skipped>,
}

/// A batch that could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BatchError {
    /// None of its pictures could be read.
    #[error("batch {number}: no picture could be read, the first is {path}: {reason}", path = first.path.display(), reason = first.reason)]
    Unreadable {
        /// The batch's number within the epoch.
        number: usize,
        /// What is wrong with its first picture.
        first: Skipped,
    },
    /// A thread that makes batches failed: a fault in this crate.
    #[error("batch {number}: {what}")]
    Failed {
        /// The batch's number within the epoch.
        number: usize,
        /// What happened.
        what: String,
    },
}

/// Batches in order, made ahead on threads. The same for any number of threads. Dropping it stops them.
#[derive(Debug)]
pub struct Batches {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    next: usize,
}

/// What threads and consumer share. One lock; the condition is signalled on every change of `queue`.
#[derive(Debug)]
struct Shared {
    plan: Plan,
    /// Batches that may exist but for those the consumer took.
    ahead: usize,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug)]
struct Queue {
    /// The next batch that nobody makes yet.
    unclaimed: usize,
    /// The next batch that the consumer wants.
    wanted: usize,
    ready: BTreeMap<usize, Result<Batch, BatchError>>,
    stop: bool,
}

/// Which picture is in which batch: fixed before the first batch is made.
#[derive(Debug)]
struct Plan {
    folder: ImageFolder,
    order: Vec<usize>,
    count: usize,
    options: BatchOptions,
}

impl Batches {
    pub(crate) fn new(subset: &Subset, options: &BatchOptions) -> Self {
        Self::start(Plan::new(subset, options))
    }

    fn start(plan: Plan) -> Self {
        let options = &plan.options;
        let next = options.start_batch.min(plan.count);
        let threads = match options.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            n => n,
        };
        let threads = threads.min(plan.count - next);
        let ahead = if options.ahead == 0 {
            2 * threads
        } else {
            options.ahead
        };
        let queue = Queue {
            unclaimed: next,
            wanted: next,
            ready: BTreeMap::new(),
            stop: false,
        };
        let shared = Arc::new(Shared {
            plan,
            ahead,
            queue: Mutex::new(queue),
            changed: Condvar::new(),
        });
        let workers = (0..threads)
            .filter_map(|i| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("batches-{i}"))
                    .spawn(move || shared.work())
                    .ok()
            })
            .collect();
        Self {
            shared,
            workers,
            next,
        }
    }

    /// Number of batches in the whole epoch, those before `start_batch` included.
    pub fn per_epoch(&self) -> usize {
        self.shared.plan.count
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next;
        if number >= self.shared.plan.count {
            return None;
        }
        self.next += 1;
        // Where the system gives us no threads, the consumer makes its own batches.
        if self.workers.is_empty() {
            return Some(self.shared.plan.batch(number));
        }
        let mut queue = self.shared.lock();
        loop {
            if let Some(batch) = queue.ready.remove(&number) {
                queue.wanted = number + 1;
                self.shared.changed.notify_all();
                return Some(batch);
            }
            queue = self
                .shared
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.shared.plan.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches {}

impl Drop for Batches {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // A worker's panic was delivered as its batch's error.
            drop(worker.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(number) = self.claim() {
            let batch = catch_unwind(AssertUnwindSafe(|| self.plan.batch(number))).unwrap_or_else(
                |panic| {
                    let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                    let what = what.or_else(|| panic.downcast_ref::<String>().cloned());
                    Err(BatchError::Failed {
                        number,
                        what: what.unwrap_or_else(|| "a thread panicked".to_owned()),
                    })
                },
            );
            self.lock().ready.insert(number, batch);
            self.changed.notify_all();
        }
    }

    /// The next batch to make, once there is room for it; `None` when there is no more to do.
    fn claim(&self) -> Option<usize> {
        let mut queue = self.lock();
        while !queue.stop
            && queue.unclaimed < self.plan.count
            && queue.unclaimed >= queue.wanted + self.ahead
        {
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if queue.stop || queue.unclaimed >= self.plan.count {
            return None;
        }
        queue.unclaimed += 1;
        Some(queue.unclaimed - 1)
    }
}

impl Plan {
    fn new(subset: &Subset, options: &BatchOptions) -> Self {
        let mut options = options.clone();
        options.batch_size = options.batch_size.max(1);
        let mut order = subset.indices().to_vec();
        if let Some(seed) = options.shuffle_seed {
            Rng::keyed(seed, &[0x0bde2, options.epoch]).shuffle(&mut order);
        }
        let count = if options.drop_last {
            order.len() / options.batch_size
        } else {
            order.len().div_ceil(options.batch_size)
        };
        Self {
            folder: subset.folder().clone(),
            order,
            count,
            options,
        }
    }

    fn batch(&self, number: usize) -> Result<Batch, BatchError> {
        let from = number * self.options.batch_size;
        let members = &self.order[from..(from + self.options.batch_size).min(self.order.len())];
        let size = self.folder.size() as usize;
        let mut batch = Batch {
            number,
            images: Vec::with_capacity(members.len() * size * size * 3),
            dims: [0, 3, size, size],
            labels: Vec::with_capacity(members.len()),
            indices: Vec::with_capacity(members.len()),
            failed: Vec::new(),
        };
        for &index in members {
            match (self.folder.pixels(index), self.folder.label(index)) {
                (Ok(mut pixels), Some(label)) => {
                    let seed = self.options.shuffle_seed.unwrap_or(0);
                    let mut rng = Rng::keyed(seed, &[0xa063e, self.options.epoch, index as u64]);
                    augment(&mut pixels, size, self.options.augment, &mut rng);
                    self.normalise(&pixels, &mut batch.images);
                    batch.labels.push(label);
                    batch.indices.push(index);
                }
                (Err(failed), _) => batch.failed.push(failed),
                (Ok(_), None) => {}
            }
        }
        batch.dims[0] = batch.labels.len();
        match batch.failed.first() {
            Some(first) if batch.labels.is_empty() => Err(BatchError::Unreadable {
                number,
                first: first.clone(),
            }),
            _ => Ok(batch),
        }
    }

    /// Appends RGB bytes as three planes of normalised numbers.
    fn normalise(&self, pixels: &[u8], planes: &mut Vec<f32>) {
        for channel in 0..3 {
            let scale = 1.0 / (255.0 * self.options.deviation[channel]);
            let shift = self.options.mean[channel] / self.options.deviation[channel];
            planes.extend(
                pixels[channel..]
                    .iter()
                    .step_by(3)
                    .map(|&value| f32::from(value) * scale - shift),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::LoadOptions;
    use crate::index::Split;

    fn plan(options: &BatchOptions) -> Plan {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample");
        let images = ImageFolder::open(
            sample,
            &LoadOptions {
                size: 16,
                ..LoadOptions::default()
            },
        )
        .unwrap();
        Plan::new(&images.split(Split::Train), options)
    }

    fn options(batch_size: usize, threads: usize, ahead: usize) -> BatchOptions {
        BatchOptions {
            batch_size,
            threads,
            ahead,
            ..BatchOptions::default()
        }
    }

    #[test]
    fn no_more_than_agreed_is_made_ahead() {
        let mut batches = Batches::start(plan(&options(1, 3, 2)));
        let shared = Arc::clone(&batches.shared);
        while batches.next().is_some() {
            let queue = shared.lock();
            assert!(queue.unclaimed <= queue.wanted + 2 && queue.ready.len() <= 2);
        }
    }

    #[test]
    fn dropping_ends_the_threads() {
        for taken in [0, 1, 3] {
            let mut batches = Batches::start(plan(&options(1, 3, 1)));
            let shared = Arc::clone(&batches.shared);
            assert_eq!(batches.by_ref().take(taken).count(), taken);
            drop(batches);
            assert_eq!(
                Arc::strong_count(&shared),
                1,
                "a thread still holds its share"
            );
        }
    }

    #[test]
    fn a_panic_is_an_error_and_the_rest_goes_on() {
        let mut plan = plan(&options(4, 2, 0));
        let sound = plan.count;
        // A batch that the order has no pictures for makes the thread panic.
        plan.count = sound + 2;
        plan.order.truncate((sound - 1) * 4 + 1);
        let results: Vec<_> = Batches::start(plan).collect();
        assert_eq!(results.len(), sound + 2);
        assert!(results[..sound].iter().all(Result::is_ok));
        assert!(
            matches!(results[sound + 1], Err(BatchError::Failed { number, .. }) if number == sound + 1)
        );
    }
}

//! The inbox, its writer and the counts of losses, in every order that their threads may take: the files are those of the library, and what threads meet
//! at is loom's, which tries the orders one after another and says when all threads wait for ever.
#![expect(
    clippy::unwrap_used,
    reason = "these tests must fail where they cannot go on"
)]

mod sync;

#[path = "../../src/drain.rs"]
mod drain;
#[path = "../../src/inbox.rs"]
mod inbox;
#[path = "../../src/losses.rs"]
#[expect(dead_code, reason = "the tests count points")]
mod losses;
#[path = "../../src/options.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "durability is not the inbox's, and the library shows both"
)]
mod options;

use std::time::{Duration, Instant};

use cresset_record::{Key, KeyId, LossReason, Record, Timestamp};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use drain::{Done, Sink, drain};
use inbox::{Batch, Inbox, Left};
use losses::Losses;
use options::Overflow;

/// Two of these rows fit, and three do not.
static WIDE: [(KeyId, f64); 20_000] = [(KeyId(0), 0.5); 20_000];
const NARROW: [(KeyId, f64); 1] = [(KeyId(0), 0.5)];
/// Longer than the model's time goes: who waits so long waits for somebody.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// What threads share, and a writer.
#[derive(Default)]
struct Shared {
    inbox: Inbox,
    losses: Losses,
    done: Done,
}

/// What was written.
#[derive(Default)]
struct Log<'a> {
    losses: Option<&'a Losses>,
    batch: Batch,
    keys: usize,
    steps: Vec<u64>,
    records: usize,
    /// Points that were told of as lost.
    lost: u64,
    /// How many rows are on the disk.
    on_disk: Option<Arc<AtomicU64>>,
}

impl Sink for Log<'_> {
    fn patience(&mut self) -> Option<Duration> {
        None
    }

    fn write(&mut self, _: bool, take: impl FnOnce(&mut Batch) -> bool) -> Result<bool, Duration> {
        let is_waited_for = take(&mut self.batch);
        assert!(
            self.batch.points.len() <= 48 << 10,
            "more waited than may wait"
        );
        self.keys += self.batch.keys.len();
        self.steps
            .extend(self.batch.rows().map(|(row, _)| row.step));
        self.records += self.batch.records.len();
        self.batch.clear();
        let told = self.losses.map(|losses| losses.take(Timestamp(0)));
        self.lost += told
            .into_iter()
            .flatten()
            .map(|lost| lost.points)
            .sum::<u64>();
        if let Some(on_disk) = self.on_disk.as_ref().filter(|_| is_waited_for) {
            on_disk.store(self.steps.len() as u64, Ordering::SeqCst);
        }
        Ok(is_waited_for)
    }
}

/// What the writer has written when all is done.
struct Written {
    keys: usize,
    steps: Vec<u64>,
    records: usize,
    lost: u64,
}

/// Tries all orders in which at most `switches` threads are taken the processor away.
fn in_every_order(switches: usize, run: impl Fn(&Arc<Shared>) + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(move || run(&Arc::new(Shared::default())));
}

fn writer(shared: &Arc<Shared>) -> thread::JoinHandle<Written> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut log = Log {
            losses: Some(&shared.losses),
            ..Log::default()
        };
        drain(&shared.inbox, &mut log);
        shared.done.say();
        let Log {
            keys,
            steps,
            records,
            lost,
            ..
        } = log;
        Written {
            keys,
            steps,
            records,
            lost,
        }
    })
}

/// A thread that logs these steps; which of them it was told are kept.
fn logger(
    shared: &Arc<Shared>,
    steps: std::ops::Range<u64>,
    points: &'static [(KeyId, f64)],
    overflow: Overflow,
) -> thread::JoinHandle<Vec<u64>> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for step in steps {
            match row(&shared, step, points, overflow) {
                Left::Waits => kept.push(step),
                Left::NoRoom => shared
                    .losses
                    .points(LossReason::Overflow, points.len() as u64),
                Left::TooLate => {}
            }
        }
        kept
    })
}

fn row(shared: &Shared, step: u64, points: &[(KeyId, f64)], overflow: Overflow) -> Left {
    shared.inbox.push_row(step, Timestamp(0), points, overflow)
}

/// Ends the run and waits for it.
fn finish(shared: &Shared) {
    shared.inbox.close();
    assert!(shared.done.wait(Instant::now() + FOR_EVER));
}

#[test]
fn what_came_before_the_end_is_written_and_who_comes_later_is_told() {
    in_every_order(3, |shared| {
        let writer = writer(shared);
        let logger = logger(shared, 0..2, &NARROW, Overflow::DropNewest);
        assert_eq!(row(shared, 7, &NARROW, Overflow::DropNewest), Left::Waits);
        finish(shared);
        let (mut written, mut kept) = (writer.join().unwrap().steps, logger.join().unwrap());
        kept.push(7);
        written.sort_unstable();
        assert_eq!(written, kept);
    });
}

#[test]
fn who_flushes_waits_until_the_disk_has_what_came_before() {
    in_every_order(3, |shared| {
        let on_disk = Arc::new(AtomicU64::new(0));
        let writer = {
            let (shared, on_disk) = (Arc::clone(shared), Arc::clone(&on_disk));
            thread::spawn(move || {
                let mut log = Log {
                    on_disk: Some(on_disk),
                    ..Log::default()
                };
                drain(&shared.inbox, &mut log);
                shared.done.say();
            })
        };
        let other = {
            let (shared, on_disk) = (Arc::clone(shared), Arc::clone(&on_disk));
            thread::spawn(move || {
                row(&shared, 1, &NARROW, Overflow::DropNewest);
                assert_eq!(shared.inbox.flush(Instant::now() + FOR_EVER), Some(true));
                assert!(on_disk.load(Ordering::SeqCst) >= 1);
            })
        };
        row(shared, 7, &NARROW, Overflow::DropNewest);
        assert_eq!(shared.inbox.flush(Instant::now() + FOR_EVER), Some(true));
        assert!(on_disk.load(Ordering::SeqCst) >= 1);
        other.join().unwrap();
        assert_eq!(on_disk.load(Ordering::SeqCst), 2);
        finish(shared);
        writer.join().unwrap();
        let late = shared.inbox.flush(Instant::now() + FOR_EVER);
        assert_eq!(late, None, "nobody would come");
    });
}

#[test]
fn who_flushes_when_the_run_ends_is_let_go() {
    in_every_order(3, |shared| {
        let writer = writer(shared);
        let other = {
            let shared = Arc::clone(shared);
            thread::spawn(move || shared.inbox.flush(Instant::now() + FOR_EVER))
        };
        finish(shared);
        assert_ne!(other.join().unwrap(), Some(false));
        writer.join().unwrap();
    });
}

#[test]
fn a_writer_that_sleeps_is_woken_by_each_kind_of_value() {
    in_every_order(3, |shared| {
        let writer = writer(shared);
        shared.inbox.push_key(KeyId(0), Key::new("loss").unwrap());
        let record = || Record::Summary(serde_json::Map::default());
        assert_eq!(shared.inbox.push_record(record(), 10), Left::Waits);
        let other = {
            let shared = Arc::clone(shared);
            thread::spawn(move || shared.inbox.push_record(record(), 10) == Left::Waits)
        };
        let is_kept = other.join().unwrap();
        finish(shared);
        let written = writer.join().unwrap();
        assert!(is_kept);
        assert_eq!((written.keys, written.records), (1, 2));
    });
}

#[test]
fn a_full_inbox_drops_the_newest_and_counts_it() {
    in_every_order(3, |shared| {
        let writer = writer(shared);
        let logger = logger(shared, 0..4, &WIDE, Overflow::DropNewest);
        let kept = logger.join().unwrap();
        finish(shared);
        let written = writer.join().unwrap();
        assert!(kept.starts_with(&[0, 1]), "there was room: {kept:?}");
        assert_eq!(written.steps, kept, "in order, each once");
        let dropped = (4 - kept.len()) * WIDE.len();
        let late = shared.losses.take(Timestamp(0)).into_iter();
        let late: u64 = late.map(|lost| lost.points).sum();
        assert_eq!(written.lost + late, dropped as u64);
        assert_eq!(shared.losses.total(), dropped as u64);
    });
}

#[test]
fn who_waits_for_room_gets_it_and_nothing_is_dropped() {
    in_every_order(3, |shared| {
        let writer = writer(shared);
        let logger = logger(shared, 0..4, &WIDE, Overflow::Wait(FOR_EVER));
        let kept = logger.join().unwrap();
        finish(shared);
        assert_eq!(kept, [0, 1, 2, 3]);
        assert_eq!(writer.join().unwrap().steps, kept);
        assert_eq!(shared.losses.total(), 0);
    });
}

#[test]
fn who_waits_for_room_when_the_run_ends_is_let_go() {
    in_every_order(2, |shared| {
        let writer = writer(shared);
        let logger = logger(shared, 0..3, &WIDE, Overflow::Wait(FOR_EVER));
        finish(shared);
        assert_eq!(writer.join().unwrap().steps, logger.join().unwrap());
    });
}

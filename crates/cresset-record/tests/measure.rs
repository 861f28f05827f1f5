//! Bytes a point, and how fast a log is read.
//!
//! The sizes are asserted where they were promised. To see all figures:
//! `cargo test --release -p cresset-record --test measure -- --include-ignored --nocapture --test-threads 1`

mod common;

use std::time::Duration;

use common::{append, samples};
use cresset_record::*;

const KEYS: usize = 5;

/// A source of noise that is the same everywhere: xorshift64*.
struct Noise(u64);

impl Noise {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// In `0..1`.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How a value comes from its step and the noise.
#[derive(Clone, Copy, Debug)]
enum Values {
    /// Nothing but noise in every bit.
    NoisyF64,
    /// The same, as it comes from a network.
    NoisyF32,
    /// A decaying loss with a little noise, as it comes from a network.
    LossF32,
    /// A value that never changes, such as a learning rate.
    Constant,
}

impl Values {
    fn at(self, step: u64, noise: &mut Noise) -> f64 {
        let i = step as f64;
        match self {
            Self::NoisyF64 => noise.unit() + i * 1e-3,
            Self::NoisyF32 => f64::from((noise.unit() + i * 1e-3) as f32),
            Self::LossF32 => f64::from((2.0 / (1.0 + i / 1000.0) + 0.05 * noise.unit()) as f32),
            Self::Constant => 1e-3,
        }
    }
}

/// Writes `steps` rows of five keys, a millisecond and a little apart, in frames of so many rows; gives bytes a point.
fn bytes_a_point(dir: &RunDir, values: Values, steps: u64, rows_a_frame: u64) -> f64 {
    let mut log = LogWriter::create(dir, Rank(0)).unwrap();
    let keys: Vec<Record> = (0..)
        .zip(["a", "b", "c", "d", "e"])
        .map(|(id, name)| samples::key(id, name))
        .collect();
    append(&mut log, &keys);
    let mut frame = FrameBuilder::default();
    let mut noise = Noise(42);
    let mut time = samples::T0;
    for step in 0..steps {
        time += 1000 + (noise.bits() % 40) as i64;
        let points = [0, 1, 2, 3, 4].map(|id| (KeyId(id), values.at(step, &mut noise)));
        frame.push_row(step, Timestamp(time), &points);
        if step % rows_a_frame == rows_a_frame - 1 {
            log.append(&mut frame).unwrap();
            if log.is_full() {
                log.rotate().unwrap();
                append(&mut log, &keys);
            }
        }
    }
    log.append(&mut frame).unwrap();
    let size =
        |&(rank, index): &(Rank, u32)| std::fs::metadata(dir.segment(rank, index)).unwrap().len();
    let bytes: u64 = dir.segments().unwrap().iter().map(size).sum();
    bytes as f64 / (steps * KEYS as u64) as f64
}

#[test]
fn a_point_takes_few_bytes() {
    println!("bytes a point, 5 keys:");
    for values in [
        Values::NoisyF64,
        Values::NoisyF32,
        Values::LossF32,
        Values::Constant,
    ] {
        let measure = |rows| {
            let temp = tempfile::tempdir().unwrap();
            bytes_a_point(&RunDir::new(temp.path()), values, 20_000, rows)
        };
        let [one, five, fifty, large] = [1, 5, 50, 2000].map(measure);
        println!(
            "{values:?}: {one:.2} in frames of 1 row, {five:.2} of 5, {fifty:.2} of 50, {large:.2} of 2,000"
        );
        assert!(large <= 8.0 && five <= 9.5, "{values:?}");
        let expected = match values {
            Values::NoisyF64 => 8.0,
            Values::NoisyF32 => 4.5,
            Values::LossF32 => 4.0,
            Values::Constant => 0.8,
        };
        assert!(large <= expected, "{values:?}: {large}");
    }
}

/// The processor time of this thread.
#[cfg(target_os = "linux")]
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a measurement; see the head of this file"]
fn how_fast_a_log_is_read() {
    for (values, rows) in [
        (Values::NoisyF64, 5),
        (Values::NoisyF64, 2000),
        (Values::NoisyF32, 5),
        (Values::NoisyF32, 2000),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let before = processor_time();
        bytes_a_point(&dir, values, 1_000_000, rows);
        let written = processor_time() - before;
        let points = 5e6;
        let mut best = [f64::MAX; 2];
        for _ in 0..3 {
            let before = processor_time();
            let mut follower = Follower::new(dir.clone());
            while follower.next_batch().unwrap().is_some() {}
            let followed = processor_time() - before;
            let before = processor_time();
            let view = RunView::open(dir.clone()).unwrap();
            let viewed = processor_time() - before;
            assert_eq!(view.series_of("a").unwrap().points().len(), 1_000_000);
            best = [
                best[0].min(followed.as_secs_f64()),
                best[1].min(viewed.as_secs_f64()),
            ];
        }
        println!(
            "{values:?}, {rows} rows a frame: {:.1} M points/s written (values made), {:.1} followed, {:.1} viewed",
            points / written.as_secs_f64() / 1e6,
            points / best[0] / 1e6,
            points / best[1] / 1e6,
        );
    }
}

/// What it costs to ask a live run whether there is anything new when there is not.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a measurement; see the head of this file"]
fn what_an_idle_look_costs() {
    for ranks in [1, 64] {
        let temp = tempfile::tempdir().unwrap();
        let dir = RunDir::new(temp.path());
        let holder = Holder {
            pid: 1,
            host: String::new(),
            since: Timestamp(0),
        };
        let held: Vec<WriterLock> = (0..ranks)
            .map(|rank| {
                let lock = WriterLock::acquire(&dir, Rank(rank), &holder).unwrap();
                drop(LogWriter::create(&dir, Rank(rank)).unwrap());
                lock
            })
            .collect();
        let mut follower = Follower::new(dir);
        let looks = 2000;
        let before = processor_time();
        for _ in 0..looks {
            assert_eq!(follower.next_batch().unwrap(), None);
        }
        let spent = processor_time() - before;
        assert!(follower.is_live());
        println!(
            "{} live ranks: {:.1} µs a look",
            held.len(),
            spent.as_secs_f64() * 1e6 / f64::from(looks)
        );
    }
}

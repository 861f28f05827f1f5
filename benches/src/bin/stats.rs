//! What one pass of statistics over a tensor costs, by the CPU time of the thread.
//!
//! `cargo run --release -p cresset-benches --bin stats`
//!
//! Each line gives the least and the median of many repetitions. Other programs' load shows in the median and, through
//! shared caches and memory, a little in the least; compare lines of one run.

use cresset_run::stats::Accumulator;
use half::{bf16, f16};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut table = Table {
        out: io::stdout().lock(),
    };
    table.header()?;

    let million = 1 << 20;
    let large = 1 << 26;
    for (name, n) in [("1 Mi", million), ("64 Mi", large)] {
        let values = normal(n);
        table.f32(&format!("normal f32, {name}"), &values)?;
        let halves: Vec<f16> = values.iter().map(|&v| f16::from_f32(v)).collect();
        table.row(
            &format!("normal f16, {name}"),
            &halves,
            Accumulator::add_f16,
        )?;
        let halves: Vec<bf16> = values.iter().map(|&v| bf16::from_f32(v)).collect();
        table.row(
            &format!("normal bf16, {name}"),
            &halves,
            Accumulator::add_bf16,
        )?;
    }
    let values: Vec<f64> = normal(million).into_iter().map(f64::from).collect();
    table.row("normal f64, 1 Mi", &values, Accumulator::add_f64)?;

    table.f32("uniform f32, 1 Mi", &uniform(million))?;
    table.f32("constant f32, 1 Mi", &vec![0.5; million])?;
    table.f32("zeros f32, 1 Mi", &vec![0.0; million])?;
    let mut values = normal(million);
    for value in values.iter_mut().step_by(2) {
        *value = 0.0;
    }
    table.f32("half zeros f32, 1 Mi", &values)?;
    values[million / 2] = f32::NAN;
    table.f32("one NaN f32, 1 Mi", &values)?;
    table.f32("all NaN f32, 1 Mi", &vec![f32::NAN; million])?;
    let values: Vec<f32> = normal(million).into_iter().map(|v| v * 1e-38).collect();
    table.f32("subnormal f32, 1 Mi", &values)?;
    for n in [16, 64, 512, 4608] {
        table.f32(&format!("normal f32, {n}"), &normal(n))?;
    }
    Ok(())
}

struct Table<W> {
    out: W,
}

impl<W: Write> Table<W> {
    fn header(&mut self) -> io::Result<()> {
        writeln!(
            self.out,
            "{:36} {:>12} {:>12} {:>12} {:>8}",
            "", "least µs", "median µs", "ns/element", "GB/s"
        )
    }

    /// The kernel of this machine, then the portable one.
    fn f32(&mut self, name: &str, values: &[f32]) -> io::Result<()> {
        self.row(name, values, Accumulator::add_f32)?;
        self.with(
            &format!("{name}, portable"),
            values,
            Accumulator::portable(),
            Accumulator::add_f32,
        )
    }

    fn row<T>(
        &mut self,
        name: &str,
        values: &[T],
        add: fn(&mut Accumulator, &[T]),
    ) -> io::Result<()> {
        self.with(name, values, Accumulator::new(), add)
    }

    fn with<T>(
        &mut self,
        name: &str,
        values: &[T],
        mut accumulator: Accumulator,
        add: fn(&mut Accumulator, &[T]),
    ) -> io::Result<()> {
        let (least, median) = measure(values.len(), || {
            add(&mut accumulator, black_box(values));
            black_box(accumulator.finish());
        });
        let per_element = least / values.len() as f64;
        let rate = size_of::<T>() as f64 / per_element;
        writeln!(
            self.out,
            "{name:36} {:12.2} {:12.2} {per_element:12.3} {rate:8.2}",
            least / 1e3,
            median / 1e3
        )
    }
}

/// Least and median CPU time, in nanoseconds, of a pass over so many elements.
fn measure(elements: usize, mut pass: impl FnMut()) -> (f64, f64) {
    let passes = (200_000 / elements).max(1);
    let mut times: Vec<f64> = (0..(400_000_000 / elements).clamp(5, 200))
        .map(|_| {
            let start = cpu_time();
            for _ in 0..passes {
                pass();
            }
            (cpu_time() - start) / passes as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Values as weights and gradients have them: normal with standard deviation 0.01.
fn normal(n: usize) -> Vec<f32> {
    let uniforms: Vec<f32> = uniform(2 * n);
    let polar = |pair: &[f32]| {
        let radius = (-2.0 * (1.0 - f64::from(pair[0])).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(pair[1])).cos() * 0.01) as f32
    };
    uniforms.chunks_exact(2).map(polar).collect()
}

/// Values in [0, 1), by a xorshift generator.
fn uniform(n: usize) -> Vec<f32> {
    let mut state = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..n).map(|_| next()).collect()
}

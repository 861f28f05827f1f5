//! What SIGKILL costs: a process logs 1,000 steps a second, tells of each that was logged, and is killed.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cresset_record::{Root, RunView};
use cresset_run::{Durability, init};

use crate::figures::Figures;
use crate::parts::Part;
use crate::workplace::Workplace;

/// The worst loss of so many kills, in ms of logging, by durability.
pub(crate) fn measure(workplace: &Workplace, kills: u64) -> Result<Figures> {
    let worst = |part: Part| -> Result<f64> {
        let mut worst: f64 = 0.0;
        for kill in 0..kills {
            // Spread over the writer's rhythm: a prime number of µs is no multiple of it.
            let alive = Duration::from_micros(150_000 + kill * 7_919);
            let folder = workplace.fresh_folder()?;
            let mut process = workplace.process(part, folder.path());
            worst = worst.max(loss_ms(&mut process, alive, || kept(folder.path()))?);
        }
        Ok(worst)
    };
    Ok([
        ("kill.buffered_ms".to_owned(), worst(Part::Killed)?),
        ("kill.written_ms".to_owned(), worst(Part::KilledWritten)?),
    ]
    .into())
}

/// Logs until it is killed. Each step that a call has returned for goes to stdout, with its time in µs.
pub(crate) fn log_until_killed(dir: &Path, durability: Durability) -> Result<Figures> {
    let run = init("bench").dir(dir).durability(durability).start()?;
    let series = ["a", "b", "c", "d", "e"].map(|key| run.series(key));
    let began = Instant::now();
    let mut stdout = std::io::stdout();
    for step in 0u64.. {
        let time = began.elapsed().as_micros() as u64;
        run.log(step, series.each_ref().map(|series| (series, time as f64)));
        let told = [step.to_le_bytes(), time.to_le_bytes()].concat();
        stdout.write_all(&told)?;
        stdout.flush()?;
        let next = Duration::from_millis(step + 1);
        std::thread::sleep(next.saturating_sub(began.elapsed()));
    }
    Ok(Figures::new())
}

/// Kills a process after it has logged for so long, and compares what it told of with the steps that `kept` finds then, in ms of logging.
pub(crate) fn loss_ms(
    process: &mut Command,
    alive: Duration,
    kept: impl FnOnce() -> Result<usize>,
) -> Result<f64> {
    let mut child = process
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().context("no pipe")?;
    let mut told = vec![0; 16];
    let begun = stdout.read_exact(&mut told);
    std::thread::sleep(alive);
    child.kill()?;
    child.wait()?;
    begun.context("the process ended before it logged")?;
    stdout.read_to_end(&mut told)?;

    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
    let times: Vec<u64> = told
        .chunks_exact(16)
        .map(|told| number(&told[8..]))
        .collect();
    // From the first step that is not there to the last that was logged, and the time until the next would have come.
    let lost = match (times.get(kept()?), times.last()) {
        (Some(first), Some(last)) => (last - first) as f64 / 1e3 + 1.0,
        _ => 0.0,
    };
    Ok(lost)
}

/// Steps in the one run of a folder.
fn kept(dir: &Path) -> Result<usize> {
    let runs = Root::new(dir).runs()?;
    ensure!(runs.len() == 1, "{} runs after a kill", runs.len());
    let view = RunView::open(runs[0].clone())?;
    Ok(view
        .series_of("e")
        .map_or(0, |series| series.points().len()))
}

//! A run that is really being recorded.

use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use cresset_run::{Definition, Level, SummaryRule, init};
use cresset_telemetry::Telemetry;
use serde_json::json;

use crate::rng::Rng;

/// Prints `run <id>` and then, for every step, `step <n> <microseconds since 1970 at which it was logged>`.
pub(crate) fn write(
    out: &Path,
    seed: u64,
    project: &str,
    rate: f64,
    steps: Option<u64>,
    telemetry: bool,
) -> Result<()> {
    if !(rate > 0.0 && rate.is_finite()) {
        bail!("{rate} steps a second; give a number above 0");
    }
    let run = init(project)
        .dir(out)
        .config(&json!({"lr": 3e-3, "rate": rate, "seed": seed}))
        .tags(["live"])
        .define(
            Definition::new("*/auc")
                .maximize()
                .summary(SummaryRule::Best),
        )
        .define(Definition::new("*/loss").minimize())
        .telemetry(if telemetry {
            Telemetry::new()
        } else {
            Telemetry::off()
        })
        .start()?;
    let mut rng = Rng::new(seed, 0x5000);
    let mut stdout = io::stdout();
    writeln!(stdout, "run {}", run.id())?;
    stdout.flush()?;
    let pause = Duration::from_secs_f64(1.0 / rate);
    let began = Instant::now();
    for step in 0..steps.unwrap_or(u64::MAX) {
        if let Some(reason) = run.stop_requested() {
            run.stop(reason);
            println!("stopped {reason}");
            break;
        }
        let loss = 0.2 + 1.8 * (-(step as f64) / 300.0).exp() + 0.02 * rng.normal();
        run.log(step, [("train/loss", loss), ("train/lr", 3e-3)]);
        let logged = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        if step % 20 == 19 {
            run.log(
                step,
                [("val/auc", 0.99 - 0.4 * (-(step as f64) / 200.0).exp())],
            );
            let weights: Vec<f32> = (0..512).map(|_| (0.1 * rng.normal()) as f32).collect();
            run.log_histogram(step, "gradients/fc.weight", &weights);
        }
        if step == 100 {
            run.alert_at(step, Level::Warn, "loss went up", "for 20 steps in a row");
        }
        // A caller that went away ends us: nobody else would.
        writeln!(stdout, "step {step} {logged}")?;
        stdout.flush()?;
        let next = pause.mul_f64(step as f64 + 1.0);
        thread::sleep(next.saturating_sub(began.elapsed()));
    }
    run.finish();
    Ok(())
}

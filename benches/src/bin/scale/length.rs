//! Resident memory of a run that goes on and on.

use anyhow::{Context, Result};
use cresset_benches::{Curve, PeakMemory, finish};
use cresset_run::{Image, Series};

use crate::start;

/// Steps of an hour, at ten a second.
const HOUR: u64 = 36_000;
const SERIES: u64 = 20;

/// Logs so many hours without their pauses: 20 scalars a step, at every hundredth a histogram of 10,000 values, at every thousandth an
/// image of 64 × 64 pixels. What is resident at most is more than if there were pauses, as all that can queue does.
pub(crate) fn measure(hours: u64) -> Result<Curve> {
    let mut curve = Curve::new("resident memory added, at most", "simulated hours", "MiB");
    let dir = tempfile::tempdir()?;
    let weights: Vec<f32> = (0..10_000u16).map(|i| f32::from(i).sin()).collect();
    let memory = PeakMemory::begin().context("the system does not tell memory")?;
    let run = start(dir.path())?;
    let series: Vec<Series> = (0..SERIES)
        .map(|i| run.series(&format!("train/value-{i}")))
        .collect();
    for hour in 0..hours {
        for step in hour * HOUR..(hour + 1) * HOUR {
            let value = (step as f64 * 0.37).sin();
            run.log(step, series.iter().map(|series| (series, value)));
            if step.is_multiple_of(100) {
                run.log_histogram(step, "weights", &weights[..]);
            }
            if step.is_multiple_of(1000) {
                let pixels: Vec<u8> = (0..64 * 64 * 3).map(|i| (i + step) as u8).collect();
                run.log_value(step, "picture", Image::from_hwc_u8(pixels, 64, 64, 3)?);
            }
        }
        if [1, 2, 4, 8, 16, 24].contains(&(hour + 1)) {
            let added = memory.added_mib().context("the system does not tell")?;
            curve.push((hour + 1) as f64, added);
        }
    }
    finish(run)?;
    Ok(curve)
}

//! Many long series at once.

use std::path::Path;

use anyhow::Result;
use cresset_record::{Definition, Outcome, Timestamp};
use serde_json::json;

use crate::book::{self, Book, HOUR, MONDAY, SECOND};
use crate::rng::{Rng, rounded};

pub(crate) fn write(out: &Path, seed: u64, runs: u64, points: u64) -> Result<()> {
    for run in 0..runs {
        let mut rng = Rng::new(seed, 0x3000 + run);
        let time = Timestamp(MONDAY + run as i64 * HOUR / 4);
        let mut start = book::start(
            "wide",
            &book::id(time, &mut rng),
            &book::name(&mut rng, run + 1),
            time,
        )?;
        let lr = rounded(rng.log_between(1e-4, 1e-1), 2);
        start.config = json!({"lr": lr, "seed": run})
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mut book = Book::begin(out, start, &[Definition::new("*/loss").minimize()])?;
        let (loss, floor) = (book.key("train/loss")?, rng.between(0.05, 0.6));
        let (pace, noise) = (rng.between(300.0, 3000.0), rng.between(0.01, 0.08));
        let mut drift = 0.0;
        for step in 0..points {
            drift = 0.97 * drift + noise * rng.normal();
            let value = floor + 2.0 * (-(step as f64) / pace).exp() + 0.3 * drift.abs();
            // A spike that must be seen at any zoom.
            let value = if step == points / 2 {
                value + 3.0
            } else {
                value
            };
            book.row_of(step, &[(loss, value)])?;
            book.now.0 += SECOND / 20;
        }
        book.end(Outcome::Finished)?;
    }
    println!("{runs} runs of {points} points in {}", out.display());
    Ok(())
}

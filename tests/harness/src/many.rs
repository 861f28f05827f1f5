//! Many small runs, with as many fields as wide tables have.

use std::path::Path;

use anyhow::Result;
use cresset_record::{Definition, Outcome, Timestamp};
use cresset_run::SummaryRule;
use serde_json::{Map, Value as Json, json};

use crate::book::{self, Book, HOUR, MONDAY, SECOND};
use crate::rng::{Rng, rounded};

/// Numbers that come from series, the rest of 100 fields from config and the summary.
const SERIES: usize = 12;
const CONFIG: usize = 44;
const SUMMARY: usize = 44;

pub(crate) fn write(out: &Path, seed: u64, runs: u64) -> Result<()> {
    let definitions = [
        Definition::new("*/auc")
            .maximize()
            .summary(SummaryRule::Best),
        Definition::new("*/loss").minimize(),
        Definition::new("metric/*").summary(SummaryRule::Last),
    ];
    let first = MONDAY - runs as i64 * HOUR / 6;
    for run in 0..runs {
        let mut rng = Rng::new(seed, 0x2000_0000 + run);
        let time = Timestamp(first + run as i64 * HOUR / 6 + rng.below(300) as i64 * SECOND);
        let mut start = book::start(
            "sweep",
            &book::id(time, &mut rng),
            &book::name(&mut rng, run + 1),
            time,
        )?;
        let lr = rounded(rng.log_between(1e-5, 1e-1), 3);
        let batch = *rng.pick(&[16, 32, 64, 128, 256]);
        let optimizer = *rng.pick(&["adamw", "sgd", "lion"]);
        let skill =
            0.93 - 0.03 * (lr / 3e-3).log10().powi(2) - 0.01 * f64::from(batch).log2().abs() / 8.0;
        start.group = Some(format!("sweep-{}", run / 100));
        start.tags = vec![optimizer.to_owned(), format!("week-{}", run / 250)];
        start.config = config(&mut rng, lr, batch, optimizer, run);
        let mut book = Book::begin(out, start, &definitions)?;
        let reached = (skill + 0.01 * rng.normal()).clamp(0.5, 0.999);
        for step in 0..12u64 {
            let done = 1.0 - (-(step as f64) / 3.0).exp();
            let mut row = vec![
                (
                    "train/loss".to_owned(),
                    1.8 - 1.6 * done * reached + 0.02 * rng.normal(),
                ),
                (
                    "val/loss".to_owned(),
                    1.8 - 1.5 * done * reached + 0.03 * rng.normal(),
                ),
                (
                    "val/auc".to_owned(),
                    (0.5 + (reached - 0.5) * done + 0.005 * rng.normal()).min(1.0),
                ),
            ];
            row.extend((0..SERIES - 3).map(|i| (format!("metric/{i:02}"), rng.normal())));
            book.row(step, &row)?;
            book.now.0 += 20 * SECOND;
        }
        let summary = (0..SUMMARY).map(|i| {
            (
                format!("result/{i:02}"),
                json!(rng.normal() * (i + 1) as f64),
            )
        });
        book.summary(summary.collect())?;
        match rng.below(20) {
            0 => book.end(Outcome::Failed {
                reason: "out of memory: 4.0 GiB asked for, 1.2 GiB free".to_owned(),
            })?,
            1 => book.end(Outcome::Stopped {
                reason: "no better than the median after 6 epochs".to_owned(),
            })?,
            // Killed.
            2 => book.flush()?,
            _ => book.end(Outcome::Finished)?,
        }
    }
    println!("{runs} runs in {}", out.display());
    Ok(())
}

fn config(rng: &mut Rng, lr: f64, batch: i32, optimizer: &str, run: u64) -> Map<String, Json> {
    let mut config = Map::new();
    config.insert("seed".to_owned(), json!(run));
    config.insert(
        "optimizer".to_owned(),
        json!({"name": optimizer, "lr": lr, "weight_decay": rounded(rng.log_between(1e-4, 1e-1), 2), "betas": [0.9, 0.999]}),
    );
    config.insert(
        "data".to_owned(),
        json!({"batch_size": batch, "augment": *rng.pick(&["none", "light", "medium", "heavy"]), "shuffle": rng.below(2) == 0}),
    );
    config.insert(
        "model".to_owned(),
        json!({"arch": *rng.pick(&["resnet8", "resnet14", "resnet20"]), "width": *rng.pick(&[8, 16, 32]), "dropout": rounded(rng.between(0.0, 0.5), 2)}),
    );
    // The nested ones are eleven fields.
    for i in 0..CONFIG - 11 {
        let value = match i % 3 {
            0 => json!(rounded(rng.between(0.0, 1.0), 3)),
            1 => json!(rng.below(1000)),
            _ => json!(format!("choice-{}", rng.below(5))),
        };
        config.insert(format!("option_{i:02}"), value);
    }
    config
}

//! Evaluation passes of a classifier that does not exist: its logits follow from how far training has come.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cresset_record::{Content, ImageDetail, Media, MediaDetail};
use cresset_run::samples::{Batch, Evaluation, Report, Scores};

use crate::book::Book;
use crate::rng::Rng;

pub(super) const CLASSES: [&str; 6] = [
    "bridge",
    "cold",
    "good",
    "insufficient",
    "tombstone",
    "void",
];
/// Share of each class, in percent.
const SHARES: [usize; 6] = [12, 9, 45, 15, 7, 12];
/// How alike classes look: the row's true class taken for the column's.
const ALIKE: [[f64; 6]; 6] = [
    [1.0, 0.1, 0.1, 0.2, 0.1, 0.0],
    [0.0, 1.0, 0.6, 0.4, 0.1, 0.2],
    [0.1, 0.3, 1.0, 0.2, 0.0, 0.4],
    [0.1, 0.5, 0.2, 1.0, 0.3, 0.1],
    [0.2, 0.1, 0.1, 0.5, 1.0, 0.0],
    [0.0, 0.2, 0.7, 0.1, 0.0, 1.0],
];
const ROWS: usize = 900;

/// The committed sample of the data set, by class.
pub(super) struct Images(Vec<Vec<Vec<u8>>>);

impl Images {
    pub(super) fn read() -> Result<Self> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/solder-joints/sample");
        let of_class = |class: &&str| {
            let folder = folder.join(class);
            let mut paths: Vec<_> = fs::read_dir(&folder)
                .with_context(|| format!("cannot read {}", folder.display()))?
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<_>>()?;
            paths.sort();
            if paths.is_empty() {
                bail!("{} is empty", folder.display());
            }
            let read = |path: PathBuf| {
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
            };
            paths.into_iter().map(read).collect()
        };
        Ok(Self(CLASSES.iter().map(of_class).collect::<Result<_>>()?))
    }

    /// A PNG of an image of the class with number `class`.
    pub(super) fn of(&self, class: usize, index: u64) -> &[u8] {
        let images = &self.0[class];
        &images[index as usize % images.len()]
    }
}

/// A pass by a model that tells classes apart by `strength` standard deviations.
pub(super) fn evaluate(strength: f64, confidence: f64, rng: &mut Rng) -> Result<Report<()>> {
    let mut targets = Vec::with_capacity(ROWS);
    let mut logits = Vec::with_capacity(ROWS * CLASSES.len());
    for row in 0..ROWS {
        let place = (row * 37) % 100;
        let mut bound = 0;
        let class = SHARES.iter().position(|share| {
            bound += share;
            place < bound
        });
        let class = class.unwrap_or(2);
        targets.push(class as u32);
        // Hard images are hard in every epoch.
        let mut own = Rng::new(row as u64, 0x77);
        let ease = 0.35 + 1.1 * own.uniform();
        let taste: Vec<f64> = (0..CLASSES.len()).map(|_| own.normal()).collect();
        for other in 0..CLASSES.len() {
            let alike = ALIKE[class][other];
            let mean = strength * if other == class { ease } else { 0.55 * alike };
            let logit = mean + 0.75 * taste[other] + 0.45 * rng.normal();
            logits.push((confidence * logit) as f32);
        }
    }
    let indices: Vec<u64> = (0..ROWS as u64).map(|row| 4200 + row).collect();
    let mut evaluation = Evaluation::new(CLASSES);
    let kept = evaluation.push(&Batch {
        scores: Scores::Logits(&logits),
        targets: &targets,
        indices: &indices,
    })?;
    for kept in kept {
        evaluation.attach(&kept, ());
    }
    Ok(evaluation.report())
}

/// Records a pass as `Run::log_evaluation` does.
pub(super) fn record(
    book: &mut Book,
    step: u64,
    prefix: &str,
    report: &Report<()>,
    images: &Images,
) -> Result<()> {
    book.row(step, &report.scalars(prefix))?;
    for (key, figure) in report.figures(prefix) {
        book.figure(step, &key, &figure)?;
    }
    for mistake in &report.mistakes {
        let sample = mistake.sample.clone();
        let class = CLASSES.iter().position(|class| *class == sample.true_class);
        let png = images.of(class.unwrap_or(0), sample.dataset_index);
        let blob = book.blob(png, "image/png")?;
        let caption = format!(
            "{} taken for {} ({:.0} %)",
            sample.true_class,
            sample.predicted_class,
            100.0 * sample.confidence
        );
        let media = Media {
            content: Content::Blob(blob),
            caption: Some(caption),
            detail: MediaDetail::Image(ImageDetail {
                width: 64,
                height: 64,
                sample: Some(sample),
                ..ImageDetail::default()
            }),
        };
        book.media(step, &format!("{prefix}/mistakes"), media)?;
    }
    Ok(())
}

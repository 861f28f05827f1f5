//! Takes an evaluation pass in, batch by batch.

use std::collections::{BTreeMap, HashSet};

use super::batch::{Batch, BatchError, Kind};
use super::mistakes::{Kept, Mistakes, Pair};
use super::report::Report;
use super::row::{BadRow, Fault, RowScores};
use super::scores::{MAX_EXACT, ScoreStore};

/// Most bad rows that are named; all are counted.
const MAX_NAMED_BAD_ROWS: usize = 16;

/// One pass of a classifier over a data set, as it goes on. `I` is what the caller uses as images.
///
/// Memory is bounded: up to 8 Mi scores (rows times classes, 32 MiB) are kept one by one and make exact rankings. Above
/// that, histograms of the log-odds take their place, with about 800 bins a unit near even odds while there are few
/// classes, and the report says `approximate`; counts and losses are exact always.
pub struct Evaluation<I> {
    classes: Vec<String>,
    kind: Option<Kind>,
    scores: ScoreStore,
    mistakes: Mistakes<I>,
    counts: BTreeMap<Pair, u64>,
    rows: u64,
    loss_sum: f64,
    bad_rows: u64,
    first_bad_rows: Vec<BadRow>,
    row: RowScores,
}

impl<I> Evaluation<I> {
    /// A pass over these classes, in the order of the model's outputs. A name that is empty or was given before gets its
    /// number, so that no two are the same.
    pub fn new(classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::with_max_exact(classes, MAX_EXACT)
    }

    pub(super) fn with_max_exact(
        classes: impl IntoIterator<Item = impl Into<String>>,
        max_exact: usize,
    ) -> Self {
        let classes = distinct(classes.into_iter().map(Into::into));
        Self {
            scores: ScoreStore::new(classes.len(), max_exact),
            classes,
            kind: None,
            mistakes: Mistakes::new(4, 64),
            counts: BTreeMap::new(),
            rows: 0,
            loss_sum: 0.0,
            bad_rows: 0,
            first_bad_rows: Vec::new(),
            row: RowScores::default(),
        }
    }

    /// How many mistakes are kept of each pair of true and predicted class; 4 if not set.
    #[must_use]
    pub fn mistakes_per_pair(mut self, n: usize) -> Self {
        self.mistakes.per_pair = n;
        self
    }

    /// How many mistakes are kept at all; 64 if not set.
    #[must_use]
    pub fn max_mistakes(mut self, n: usize) -> Self {
        self.mistakes.total = n;
        self
    }

    /// Takes a batch in, and says which of its rows are mistakes to keep: copy their images and
    /// [`attach`](Self::attach) them, at once or later. Nobody needs the images of other rows.
    ///
    /// A row with a target that is no class or with bad scores is left out of all metrics, counted and named in
    /// the report.
    ///
    /// # Errors
    /// If lengths do not agree, or the kind of scores changes within a pass; nothing of the batch is taken in then.
    pub fn push(&mut self, batch: &Batch<'_>) -> Result<Vec<Kept>, BatchError> {
        let (scores, columns) = batch.rows(self.classes.len())?;
        let kind = batch.scores.kind();
        if *self.kind.get_or_insert(kind) != kind {
            return Err(BatchError::MixedScores);
        }
        let mut kept = Vec::new();
        for (row, (&target, &dataset_index)) in batch.targets.iter().zip(batch.indices).enumerate()
        {
            let scores = &scores[row * columns..(row + 1) * columns];
            match self.read_row(kind, scores, target) {
                Ok(()) => kept.extend(self.take_row(row, target, dataset_index)),
                Err(fault) => self.count_bad_row(dataset_index, fault),
            }
        }
        // Later rows of the batch may have displaced earlier ones.
        kept.retain(|kept| self.mistakes.is_kept(&kept.rank));
        Ok(kept)
    }

    /// Gives a kept mistake its image. False if a more confident mistake has displaced it since, which is no error.
    pub fn attach(&mut self, kept: &Kept, image: I) -> bool {
        self.mistakes.attach(&kept.rank, image)
    }

    /// Everything of the whole pass. Takes time in the order of sorting all scores.
    #[must_use]
    pub fn report(self) -> Report<I> {
        let mistakes = self.mistakes.finish(&self.classes);
        let mut report = Report::new(self.classes, self.counts, &self.scores);
        report.loss = (self.rows > 0).then(|| self.loss_sum / self.rows as f64);
        report.mistakes = mistakes;
        report.bad_rows = self.bad_rows;
        report.first_bad_rows = self.first_bad_rows;
        report
    }

    fn read_row(&mut self, kind: Kind, scores: &[f32], target: u32) -> Result<(), Fault> {
        let classes = self.classes.len();
        if target as usize >= classes {
            return Err(Fault::Target { target, classes });
        }
        self.row.read(kind, scores)?;
        self.scores.push(kind, scores, &self.row.log_odds, target);
        Ok(())
    }

    /// Counts the row that was just read.
    fn take_row(&mut self, row: usize, target: u32, dataset_index: u64) -> Option<Kept> {
        let predicted = self.row.predicted;
        let pair = Pair {
            truth: target,
            predicted: predicted as u32,
        };
        *self.counts.entry(pair).or_default() += 1;
        self.rows += 1;
        self.loss_sum += self.row.loss(target as usize);
        if pair.truth == pair.predicted {
            return None;
        }
        let (log_odds, confidence) = (self.row.log_odds[predicted], self.row.confidence());
        let rank = self
            .mistakes
            .offer(pair, dataset_index, log_odds, confidence)?;
        Some(Kept::new(row, rank))
    }

    fn count_bad_row(&mut self, dataset_index: u64, fault: Fault) {
        self.bad_rows += 1;
        if self.first_bad_rows.len() < MAX_NAMED_BAD_ROWS {
            self.first_bad_rows.push(BadRow {
                dataset_index,
                fault,
            });
        }
    }
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names
        .enumerate()
        .map(|(class, mut name)| {
            if name.is_empty() {
                name = format!("class {class}");
            }
            while !seen.insert(name.clone()) {
                name = format!("{name} ({class})");
            }
            name
        })
        .collect()
}

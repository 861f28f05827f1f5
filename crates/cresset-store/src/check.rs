//! Compares the index with the logs that it is made of.

use std::path::Path;

use cresset_record::State;

use crate::chart::{Axis, Chart, ChartQuery, ChartSeries, RankChoice};
use crate::document::{RunDocument, RunKey, SeriesKind};
use crate::error::StoreError;
use crate::index::run_key;
use crate::people;
use crate::store::Store;

/// Buckets of the charts that are compared.
const BUCKETS: usize = 4_000;
/// Means may differ by rounding: sums are made in another order. Relative.
const ROUNDING: f64 = 1e-9;

/// What a comparison of the index with the logs found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Runs that were compared.
    pub runs: u64,
    /// Runs that are being written, and so were not.
    pub running: u64,
    /// Where the index is not what the logs say.
    pub differences: Vec<Difference>,
}

/// Something that the index has otherwise than the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of which run.
    pub key: RunKey,
    /// What.
    pub what: String,
}

impl Store {
    /// Reads all logs anew, into an index in `folder`, and compares this index with it: runs, their heads, series, and a
    /// chart of every scalar series. What people say is no part of it. Takes as long as [`Self::rebuild`] and more.
    ///
    /// # Errors
    /// If either index cannot be read, or the new one not be written.
    pub fn check(&self, folder: &Path) -> Result<Checked, StoreError> {
        let fresh = Self::open_apart(self.root().clone(), folder)?;
        fresh.refresh()?;
        let (ours, theirs) = (keys(self)?, keys(&fresh)?);
        let mut checked = Checked::default();
        let mut differ = |key: &RunKey, what: String| {
            checked.differences.push(Difference {
                key: key.clone(),
                what,
            });
        };
        for key in ours.iter().filter(|key| !theirs.contains(key)) {
            differ(key, "it has no log".into());
        }
        for key in &theirs {
            if !ours.contains(key) {
                differ(key, "it is not in the index".into());
                continue;
            }
            let (old, new) = (self.run(key)?, fresh.run(key)?);
            if old.state == State::Running || new.state == State::Running {
                checked.running += 1;
                continue;
            }
            checked.runs += 1;
            let labels = self.engine().read(|tx| people::labels_of(tx, key))?;
            for what in different_heads(&old, &new, &labels) {
                differ(key, format!("{what} differs"));
            }
            for what in different_series(self, &fresh, key)? {
                differ(key, what);
            }
        }
        Ok(checked)
    }
}

/// All runs of an index, in the trash or not.
fn keys(store: &Store) -> Result<Vec<RunKey>, StoreError> {
    store.engine().read(|tx| {
        tx.all(
            "SELECT project, run FROM runs ORDER BY project, run",
            &[],
            |row| run_key(row.text(0)?, row.text(1)?),
        )
    })
}

/// Parts of a run's head that differ, but for what a person set.
fn different_heads(
    old: &RunDocument,
    new: &RunDocument,
    labels: &people::LabelPatch,
) -> Vec<&'static str> {
    let parts = [
        ("its name", labels.name.is_some() || old.name == new.name),
        (
            "its group",
            labels.group.is_some() || old.group == new.group,
        ),
        (
            "its notes",
            labels.notes.is_some() || old.notes == new.notes,
        ),
        ("its tags", labels.tags.is_some() || old.tags == new.tags),
        ("its state", old.state == new.state),
        ("when it began", old.created == new.created),
        ("when it was last active", old.active == new.active),
        ("its job type", old.job_type == new.job_type),
        ("its config", old.config == new.config),
        (
            "the history of its config",
            old.config_history == new.config_history,
        ),
        ("its summary", old.summary == new.summary),
        ("its environment", old.environment == new.environment),
        (
            "the meaning of its series",
            old.definitions == new.definitions,
        ),
        ("its writers", old.writers == new.writers),
        ("who took it up again", old.resumed == new.resumed),
        ("what was lost", old.lost == new.lost),
        ("what is damaged", old.damage == new.damage),
        ("the count of alerts", old.alerts == new.alerts),
        (
            "the count of console lines",
            old.console_lines == new.console_lines,
        ),
        ("its last step", old.last_step == new.last_step),
    ];
    let differing = parts.into_iter().filter(|(_, same)| !same);
    differing.map(|(what, _)| what).collect()
}

fn different_series(old: &Store, new: &Store, key: &RunKey) -> Result<Vec<String>, StoreError> {
    let run = [key.run.clone()];
    let ours = old.series(&key.project, Some(&run))?;
    let theirs = new.series(&key.project, Some(&run))?;
    let mut found = Vec::new();
    for series in ours.iter().filter(|series| !theirs.contains(series)) {
        found.push(format!("the series {} differs", series.key));
    }
    for series in theirs.iter().filter(|series| !ours.contains(series)) {
        if !ours
            .iter()
            .any(|ours| ours.key == series.key && ours.kind == series.kind)
        {
            found.push(format!("the series {} is missing", series.key));
        }
    }
    for series in ours
        .iter()
        .filter(|s| s.kind == SeriesKind::Scalar && theirs.contains(s))
    {
        let query = ChartQuery {
            project: key.project.clone(),
            runs: run.to_vec(),
            key: series.key.clone(),
            axis: Axis::Step,
            from: None,
            to: None,
            buckets: BUCKETS,
            ranks: RankChoice::All,
        };
        if !is_same_chart(&old.chart(&query)?, &new.chart(&query)?) {
            found.push(format!("the values of {} differ", series.key));
        }
    }
    Ok(found)
}

fn is_same_chart(a: &Chart, b: &Chart) -> bool {
    let is_same = |(a, b): (&ChartSeries, &ChartSeries)| {
        let exact = [
            (&a.count, &b.count),
            (&a.last, &b.last),
            (&a.first, &b.first),
            (&a.min, &b.min),
            (&a.max, &b.max),
        ];
        let mut means = a.mean.iter().zip(&b.mean);
        a.rank == b.rank
            && (a.start, a.total, a.points) == (b.start, b.total, b.points)
            && a.nonfinite == b.nonfinite
            && exact.into_iter().all(|(a, b)| is_same_column(a, b))
            && a.mean.len() == b.mean.len()
            && means.all(|(a, b)| is_near(*a, *b))
    };
    is_same_column(&a.grid.x, &b.grid.x)
        && a.series.len() == b.series.len()
        && a.series.iter().zip(&b.series).all(is_same)
}

fn is_same_column(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn is_near(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a - b).abs() <= ROUNDING * a.abs().max(b.abs())
}

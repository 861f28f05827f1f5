//! Runs that belong together.

use std::collections::HashMap;
use std::sync::Arc;

use cresset_record::Timestamp;
use serde_json::Value as Json;

use super::columns::Columns;
use crate::row::{FieldPath, Row};
use crate::values::{Names, Value};

/// Ids of so many runs of a group are given.
const MAX_IDS: usize = 1_000;

/// Runs that agree in the fields that were grouped by.
#[derive(Clone, Debug, PartialEq)]
pub struct RunGroup {
    /// A value for each field; null where the runs have none.
    pub key: Vec<Json>,
    /// How many.
    pub runs: usize,
    /// Ids of up to 1,000 of them, in the order of the table.
    pub ids: Vec<String>,
    /// Of the chosen columns with finite numbers.
    pub numbers: Vec<Spread>,
}

/// How the finite numbers of one column spread over a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The column.
    pub path: Arc<str>,
    /// Runs with a finite number.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation; NaN of a single number.
    pub std: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

/// The groups of runs, in the order of their first run.
pub(super) fn group(
    runs: &[&Row],
    fields: &[FieldPath],
    columns: &mut Columns,
    names: &Names,
    now: Timestamp,
) -> Vec<RunGroup> {
    let mut places: HashMap<Vec<Value<'_>>, usize> = HashMap::new();
    let mut groups: Vec<(RunGroup, Vec<Moments>)> = Vec::new();
    for run in runs {
        let key: Vec<Value<'_>> = fields
            .iter()
            .map(|field| run.value(field, now).unwrap_or(Value::Null))
            .collect();
        let place = *places.entry(key).or_insert_with_key(|key| {
            let group = RunGroup {
                key: key.iter().map(|value| value.to_json(names)).collect(),
                runs: 0,
                ids: Vec::new(),
                numbers: Vec::new(),
            };
            groups.push((group, Vec::new()));
            groups.len() - 1
        });
        let Some((group, moments)) = groups.get_mut(place) else {
            continue;
        };
        group.runs += 1;
        if group.ids.len() < MAX_IDS {
            group.ids.push(run.head.key.run.as_str().to_owned());
        }
        columns.each(run, names, now, |column, value| {
            if let Some(number) = value.number().filter(|n| n.is_finite()) {
                if moments.len() <= column {
                    moments.resize(column + 1, Moments::default());
                }
                moments[column].add(number);
            }
        });
    }
    let finish = |(group, moments): (RunGroup, Vec<Moments>)| {
        let numbers = moments.iter().enumerate();
        let numbers = numbers
            .filter(|(_, moments)| moments.count > 0)
            .map(|(column, moments)| moments.spread(columns.path(column)))
            .collect();
        RunGroup { numbers, ..group }
    };
    groups.into_iter().map(finish).collect()
}

/// Mean and variance in one pass, after Welford (1962), Technometrics 4(3), 419–420.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: u64,
    mean: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Moments {
    fn add(&mut self, number: f64) {
        self.count += 1;
        let before = number - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (number - self.mean);
        if self.count == 1 {
            (self.min, self.max) = (number, number);
        }
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }

    fn spread(&self, path: Arc<str>) -> Spread {
        let variance = match self.count {
            0 | 1 => f64::NAN,
            n => self.squares / (n - 1) as f64,
        };
        Spread {
            path,
            count: self.count,
            mean: self.mean,
            std: variance.sqrt(),
            min: self.min,
            max: self.max,
        }
    }
}

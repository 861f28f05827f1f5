//! The order of runs in a table.

use std::borrow::Cow;
use std::cmp::Ordering;

use cresset_record::Timestamp;

use crate::error::StoreError;
use crate::row::{FieldPath, Row};
use crate::values::{Names, Value};

/// Fields to sort by, in turn.
pub(super) struct Order(Vec<SortField>);

struct SortField {
    field: FieldPath,
    descending: bool,
}

impl Order {
    /// Reads fields such as `name` and `-val/auc`.
    pub(super) fn new(fields: &[String], names: &Names) -> Result<Self, StoreError> {
        let read = |text: &String| {
            let (path, descending) = match text.strip_prefix('-') {
                Some(path) => (path, true),
                None => (text.as_str(), false),
            };
            if path.is_empty() || path.starts_with('-') {
                return Err(StoreError::invalid(format!(
                    "runs are sorted by fields such as name or -val/auc, not by `{text}`"
                )));
            }
            Ok(SortField {
                field: FieldPath::new(path, names),
                descending,
            })
        };
        fields.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Sorts: by the fields in turn, then newest first. Runs without the field come last, either way, and NaN just
    /// before them.
    pub(super) fn sort(&self, runs: &mut [&Row], names: &Names, now: Timestamp) {
        let keys: Vec<Vec<SortKey<'_>>> = self
            .0
            .iter()
            .map(|by| {
                runs.iter()
                    .map(|run| SortKey::of(run, by, names, now))
                    .collect()
            })
            .collect();
        let mut order: Vec<usize> = (0..runs.len()).collect();
        order.sort_unstable_by(|&a, &b| {
            let by_field = self.0.iter().zip(&keys);
            by_field
                .map(|(by, keys)| keys[a].compare(&keys[b], by.descending))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| newest_first(runs[a], runs[b]))
        });
        let sorted: Vec<&Row> = order.into_iter().map(|i| runs[i]).collect();
        drop(keys);
        runs.copy_from_slice(&sorted);
    }
}

fn newest_first(a: &Row, b: &Row) -> Ordering {
    let (a, b) = (&a.head, &b.head);
    let by_time = b.created.cmp(&a.created);
    by_time
        .then_with(|| b.key.run.cmp(&a.key.run))
        .then_with(|| a.key.project.cmp(&b.key.project))
}

enum SortKey<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    NaN,
    Missing,
}

impl<'a> SortKey<'a> {
    fn of(run: &'a Row, by: &SortField, names: &Names, now: Timestamp) -> Self {
        match run.value(&by.field, now) {
            None | Some(Value::Null) => Self::Missing,
            // Of one length, so that their texts have the same order.
            Some(Value::Time(time)) => Self::Number(time.0 as f64),
            Some(value) => match value.number() {
                Some(number) if number.is_nan() => Self::NaN,
                Some(number) => Self::Number(number),
                None => Self::Text(value.text(names)),
            },
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let by_value = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => return self.place().cmp(&other.place()),
        };
        if descending {
            by_value.reverse()
        } else {
            by_value
        }
    }

    fn place(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::NaN => 2,
            Self::Missing => 3,
        }
    }
}

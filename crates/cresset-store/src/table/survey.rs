//! Looks at all values of all fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use cresset_record::{Definition, Timestamp, resolve};
use rustc_hash::FxHashMap;

use super::columns::Leaves;
use super::field::{Field, FieldKind, FieldSource};
use crate::row::{BuiltIn, Kind, Row};
use crate::values::{Names, Value};

/// Distinct values are counted so far.
const MAX_DISTINCT: usize = 1_000;
/// So many of the most frequent values are given.
const MAX_VALUES: usize = 20;
/// Definitions are looked at until so many different sets of them were seen.
const MAX_DEFINITIONS: usize = 64;

/// The fields of these runs: built-in ones in their order, then config, summary and environment by path.
pub(super) fn survey(runs: &[&Row], names: &Names, now: Timestamp) -> Vec<Field> {
    let mut fields: Vec<Field> = BuiltIn::ALL
        .into_iter()
        .map(|field| built_in(field, runs, names, now))
        .collect();
    let mut leaves = Leaves::default();
    let mut tallies: Vec<Tally<'_>> = Vec::new();
    for run in runs {
        for source in [FieldSource::Config, FieldSource::Summary] {
            leaves.each(source, run, names, |leaf, value| {
                tally(&mut tallies, leaf, value, 1);
            });
        }
    }
    for (run, weight) in distinct_environments(runs) {
        leaves.each(FieldSource::Environment, run, names, |leaf, value| {
            tally(&mut tallies, leaf, value, weight);
        });
    }
    let meanings = Meanings::new(runs);
    let mut found: Vec<Field> = tallies
        .into_iter()
        .enumerate()
        .filter(|(_, tally)| tally.runs > 0)
        .map(|(leaf, tally)| {
            let source = leaves.source(leaf);
            let mut field = tally.field(leaves.path(leaf), source, None, names);
            if source == FieldSource::Summary {
                let key = field.path.strip_prefix("summary.").unwrap_or(&field.path);
                let meaning = meanings.of(key);
                (field.goal, field.unit) = (meaning.goal, meaning.unit);
            }
            field
        })
        .collect();
    let place = |field: &Field| match field.source {
        FieldSource::Run => 0,
        FieldSource::Config => 1,
        FieldSource::Summary => 2,
        FieldSource::Environment => 3,
    };
    found.sort_by(|a, b| (place(a), &a.path).cmp(&(place(b), &b.path)));
    // A path that can be read in two ways is one field.
    found.dedup_by(|a, b| a.path == b.path);
    fields.extend(found);
    fields
}

fn built_in(field: BuiltIn, runs: &[&Row], names: &Names, now: Timestamp) -> Field {
    let mut tally = Tally::default();
    for run in runs {
        if let Some(value) = run.head.value(field, now) {
            tally.add(value, 1);
        }
    }
    let kind = match field.kind() {
        Kind::Seconds => Some(FieldKind::Seconds),
        Kind::Time => Some(FieldKind::Time),
        _ if field == BuiltIn::Tags => Some(FieldKind::List),
        _ if tally.runs == 0 => Some(FieldKind::Text),
        _ => None,
    };
    tally.field(field.name(), FieldSource::Run, kind, names)
}

fn tally<'a>(tallies: &mut Vec<Tally<'a>>, leaf: usize, value: Value<'a>, weight: u64) {
    if tallies.len() <= leaf {
        tallies.resize_with(leaf + 1, Tally::default);
    }
    tallies[leaf].add(value, weight);
}

/// Runs with different environments, and how many have each: most runs share theirs.
fn distinct_environments<'a>(runs: &[&'a Row]) -> Vec<(&'a Row, u64)> {
    let mut found: FxHashMap<usize, (&Row, u64)> = FxHashMap::default();
    for run in runs {
        let address = Arc::as_ptr(&run.environment) as usize;
        found.entry(address).or_insert((run, 0)).1 += 1;
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|(run, _)| run.head.ordinal);
    found
}

/// What was seen of one field.
#[derive(Default)]
struct Tally<'a> {
    runs: u64,
    kind: Option<FieldKind>,
    range: Option<(f64, f64)>,
    values: FxHashMap<Value<'a>, u64>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, value: Value<'a>, weight: u64) {
        self.runs += weight;
        let kind = match value {
            Value::Null => self.kind,
            _ if value.number().is_some() => Some(FieldKind::Number),
            Value::Bool(_) => Some(FieldKind::Bool),
            Value::Time(_) => Some(FieldKind::Time),
            Value::Texts(_) | Value::List(_) => Some(FieldKind::List),
            Value::Object(_) => Some(FieldKind::Object),
            _ => Some(FieldKind::Text),
        };
        self.kind = match (self.kind, kind) {
            (Some(known), Some(kind)) if known != kind => Some(FieldKind::Mixed),
            (known, kind) => known.or(kind),
        };
        if let Some(number) = value.number().filter(|n| n.is_finite()) {
            let (min, max) = self.range.unwrap_or((number, number));
            self.range = Some((min.min(number), max.max(number)));
        }
        // Of more values than these, none is frequent enough to be offered.
        if self.values.len() < MAX_DISTINCT {
            *self.values.entry(value).or_default() += weight;
        }
    }

    fn field(
        self,
        path: &str,
        source: FieldSource,
        kind: Option<FieldKind>,
        names: &Names,
    ) -> Field {
        let distinct = self.values.len() as u64;
        let mut values: Vec<(Value<'_>, u64)> = self.values.into_iter().collect();
        values.sort_by_cached_key(|(value, count)| {
            let text = value.text(names).into_owned();
            (std::cmp::Reverse(*count), value.number().map(Ordered), text)
        });
        Field {
            path: path.to_owned(),
            source,
            kind: kind.or(self.kind).unwrap_or(FieldKind::Mixed),
            runs: self.runs,
            goal: None,
            unit: None,
            range: self.range,
            distinct,
            values: values
                .into_iter()
                .take(MAX_VALUES)
                .map(|(value, _)| value.to_json(names))
                .collect(),
        }
    }
}

/// A number with the order of all floats.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What the newest runs say of their series.
struct Meanings(Vec<Arc<[Definition]>>);

impl Meanings {
    fn new(runs: &[&Row]) -> Self {
        let mut newest: BTreeMap<u64, &Row> = BTreeMap::new();
        newest.extend(runs.iter().map(|run| (run.head.ordinal, *run)));
        let mut sets: Vec<Arc<[Definition]>> = Vec::new();
        for run in newest.into_values().rev() {
            let set = &run.definitions;
            if !set.is_empty() && !sets.iter().any(|known| Arc::ptr_eq(known, set)) {
                sets.push(Arc::clone(set));
            }
            if sets.len() == MAX_DEFINITIONS {
                break;
            }
        }
        Self(sets)
    }

    /// Goal and unit as the newest run gives them that gives any.
    fn of(&self, key: &str) -> Definition {
        let says = self.0.iter().map(|set| resolve(set, key));
        let mut saying = says.filter(|said| said.goal.is_some() || said.unit.is_some());
        saying.next().unwrap_or_default()
    }
}

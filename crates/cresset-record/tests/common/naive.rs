//! A run folded the simple way: everything is kept, and every question is answered by going through all of it.

use cresset_record::*;
use serde_json::{Map, Value as Json};

/// Records in order of arrival, each with its writer.
#[derive(Default)]
pub struct Naive {
    all: Vec<(Rank, Record)>,
}

/// One value of a series, with where it came from.
#[derive(Clone)]
struct Value<T> {
    key: String,
    rank: Rank,
    step: u64,
    time: i64,
    value: T,
}

impl Naive {
    pub fn add(&mut self, batch: &Batch) {
        self.all
            .extend(batch.records.iter().map(|r| (batch.rank, r.clone())));
    }

    /// The name of a key number at a place in the arrivals.
    fn name(&self, before: usize, rank: Rank, id: KeyId) -> String {
        let declared = self.all[..before]
            .iter()
            .rev()
            .find_map(|(r, record)| match record {
                Record::Key { id: i, key } if *r == rank && *i == id => Some(key.to_string()),
                _ => None,
            });
        declared.unwrap_or_else(|| format!("cresset/undeclared/{}", id.0))
    }

    /// Whether a later process logs the step again.
    fn is_superseded(&self, at: usize, rank: Rank, step: u64) -> bool {
        self.all[at..].iter().any(|(r, record)| match record {
            Record::Resume(resume) => {
                *r == rank && resume.from_step.is_some_and(|from| step >= from)
            }
            _ => false,
        })
    }

    fn values<T>(&self, of: impl Fn(&Record) -> Vec<(KeyId, u64, Timestamp, T)>) -> Vec<Value<T>> {
        let mut values = Vec::new();
        for (at, (rank, record)) in self.all.iter().enumerate() {
            for (key, step, time, value) in of(record) {
                if !self.is_superseded(at, *rank, step) {
                    let key = self.name(at, *rank, key);
                    values.push(Value {
                        key,
                        rank: *rank,
                        step,
                        time: time.0,
                        value,
                    });
                }
            }
        }
        values
    }

    fn scalars(&self) -> Vec<Value<f64>> {
        self.values(|record| match record {
            Record::Rows(rows) => {
                let points = rows
                    .iter()
                    .flat_map(|r| r.points.iter().map(|p| (p.0, r.step, r.time, p.1)));
                points.collect()
            }
            _ => vec![],
        })
    }

    /// Everything that a view shows, as lines of text: by key and rank, then in order of arrival.
    pub fn shown(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(shown("scalar", self.scalars(), |v| v.to_bits().to_string()));
        let histograms = self.values(|record| match record {
            Record::Histogram {
                key,
                step,
                time,
                stats,
            } => vec![(*key, *step, *time, stats.clone())],
            _ => vec![],
        });
        lines.extend(shown("histogram", histograms, |stats| format!("{stats:?}")));
        let media = self.values(|record| match record {
            Record::Media {
                key,
                step,
                time,
                media,
            } => vec![(*key, *step, *time, media.clone())],
            _ => vec![],
        });
        lines.extend(shown("media", media, |media| format!("{media:?}")));
        for (_, record) in &self.all {
            match record {
                Record::Console(line) => lines.push(format!("{line:?}")),
                Record::Alert(alert) => lines.push(format!("{alert:?}")),
                _ => {}
            }
        }
        lines.push(format!("{:?}", self.lost()));
        lines.push(format!("{:?}", self.start()));
        lines.push(format!("{:?}", self.environment()));
        lines
    }

    /// The same of a view.
    pub fn shown_by(view: &RunView) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, rank, series) in view.series() {
            let points = series.points().iter();
            lines.extend(points.map(|p| {
                line(
                    "scalar",
                    key.as_str(),
                    rank,
                    p.step,
                    p.time.0,
                    &p.value.to_bits().to_string(),
                )
            }));
        }
        for (key, rank, logged) in view.histograms() {
            let values = logged.iter();
            lines.extend(values.map(|l| {
                line(
                    "histogram",
                    key.as_str(),
                    rank,
                    l.step,
                    l.time.0,
                    &format!("{:?}", l.value),
                )
            }));
        }
        for (key, rank, logged) in view.media() {
            let values = logged.iter();
            lines.extend(values.map(|l| {
                line(
                    "media",
                    key.as_str(),
                    rank,
                    l.step,
                    l.time.0,
                    &format!("{:?}", l.value),
                )
            }));
        }
        lines.extend(view.console().iter().map(|line| format!("{line:?}")));
        // Console lines and alerts have an order of their own each.
        lines.extend(view.alerts().iter().map(|alert| format!("{alert:?}")));
        let lost: Vec<(LossReason, u64, u64)> = view
            .lost()
            .iter()
            .map(|(r, l)| (*r, l.points, l.values))
            .collect();
        lines.push(format!("{lost:?}"));
        lines.push(format!("{:?}", view.start().cloned()));
        lines.push(format!("{:?}", view.environment()));
        lines
    }

    fn lost(&self) -> Vec<(LossReason, u64, u64)> {
        let mut lost = Vec::new();
        for reason in LossReason::ALL {
            let of_reason = self.all.iter().filter_map(|(_, record)| match record {
                Record::Lost(lost) if lost.reason == reason => Some((lost.points, lost.values)),
                _ => None,
            });
            let of_reason: Vec<(u64, u64)> = of_reason.collect();
            if !of_reason.is_empty() {
                let cap = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
                let sum = |f: fn(&(u64, u64)) -> u64| {
                    cap(of_reason.iter().map(|l| u128::from(f(l))).sum())
                };
                lost.push((reason, sum(|l| l.0), sum(|l| l.1)));
            }
        }
        lost
    }

    fn start(&self) -> Option<Start> {
        let mut current: Option<Start> = None;
        for (_, record) in &self.all {
            match (record, &mut current) {
                (Record::Start(start), None) => current = Some((**start).clone()),
                (Record::Start(start), Some(known)) if start.rank < known.rank => {
                    current = Some((**start).clone());
                }
                (Record::Config(update), Some(start)) => {
                    for (key, value) in &update.values {
                        start.config.insert(key.clone(), value.clone());
                    }
                }
                (Record::Label(update), Some(start)) => {
                    start.name = update.name.clone().unwrap_or(start.name.clone());
                    start.notes = update.notes.clone().unwrap_or(start.notes.clone());
                    start.tags = update.tags.clone().unwrap_or(start.tags.clone());
                    start.group = update.group.clone().or(start.group.clone());
                }
                _ => {}
            }
        }
        current
    }

    fn environment(&self) -> Map<String, Json> {
        let environments = self.all.iter().filter_map(|(rank, record)| match record {
            Record::Environment(map) => Some((*rank, map)),
            _ => None,
        });
        let mut known = Map::new();
        for (rank, map) in environments {
            if rank == Rank(0) || known.is_empty() {
                known = map.clone();
            }
        }
        known
    }

    /// The definition of a key: the last word on each field.
    pub fn definition(&self, key: &str) -> Definition {
        let mut merged = Definition::new(key);
        for (_, record) in &self.all {
            let Record::Define(d) = record else { continue };
            if matches(&d.pattern, key) {
                merged.unit = d.unit.clone().or(merged.unit);
                merged.goal = d.goal.or(merged.goal);
                merged.step_metric = d.step_metric.clone().or(merged.step_metric);
                merged.summary = d.summary.or(merged.summary);
                merged.hidden = d.hidden.or(merged.hidden);
            }
        }
        merged
    }

    /// The summary as pairs, sorted by key.
    pub fn summary(&self) -> Vec<(String, Json)> {
        let mut summary: Vec<(String, Json)> = Vec::new();
        let mut set = |key: &str, value: Json| {
            summary.retain(|(k, _)| k != key);
            summary.push((key.to_owned(), value));
        };
        let scalars = self.scalars();
        for value in &scalars {
            let lowest = scalars
                .iter()
                .filter(|v| v.key == value.key)
                .map(|v| v.rank)
                .min();
            let of_key = scalars
                .iter()
                .filter(|v| v.key == value.key && Some(v.rank) == lowest);
            let points: Vec<(u64, f64)> = of_key.map(|v| (v.step, v.value)).collect();
            if let Some(number) = summarise(&points, &self.definition(&value.key)) {
                let json = serde_json::Number::from_f64(number);
                set(
                    &value.key,
                    json.map_or_else(|| number.to_string().into(), Json::Number),
                );
            }
        }
        let lost = self
            .lost()
            .iter()
            .map(|(_, p, v)| u128::from(*p) + u128::from(*v))
            .sum::<u128>();
        if lost > 0 {
            set(
                "cresset/lost",
                u64::try_from(lost).unwrap_or(u64::MAX).into(),
            );
        }
        for (_, record) in &self.all {
            if let Record::Summary(values) = record {
                values
                    .iter()
                    .for_each(|(key, value)| set(key, value.clone()));
            }
        }
        summary.sort_by(|a, b| a.0.cmp(&b.0));
        summary
    }
}

fn summarise(points: &[(u64, f64)], definition: &Definition) -> Option<f64> {
    let numbers: Vec<f64> = points.iter().map(|p| p.1).filter(|v| !v.is_nan()).collect();
    let highest_step = points.iter().map(|p| p.0).max()?;
    let last = points.iter().rev().find(|p| p.0 == highest_step)?.1;
    let best_of =
        |better: fn(f64, f64) -> f64| numbers.iter().copied().reduce(better).unwrap_or(f64::NAN);
    match (definition.summary.unwrap_or_default(), definition.goal) {
        (SummaryRule::None, _) => None,
        (SummaryRule::Last, _) | (SummaryRule::Best, None) => Some(last),
        (SummaryRule::Min, _) | (SummaryRule::Best, Some(Goal::Minimize)) => {
            Some(best_of(f64::min))
        }
        (SummaryRule::Max, _) | (SummaryRule::Best, Some(Goal::Maximize)) => {
            Some(best_of(f64::max))
        }
        (SummaryRule::Mean, _) => {
            let sum = numbers.iter().fold(0.0, |sum, v| sum + v);
            Some(sum / numbers.len() as f64)
        }
    }
}

/// Whether a pattern with `*` matches, by trying everything.
fn matches(pattern: &str, key: &str) -> bool {
    match pattern.chars().next() {
        None => key.is_empty(),
        Some('*') => {
            (0..=key.len()).any(|n| key.is_char_boundary(n) && matches(&pattern[1..], &key[n..]))
        }
        Some(c) => key
            .strip_prefix(c)
            .is_some_and(|rest| matches(&pattern[c.len_utf8()..], rest)),
    }
}

fn shown<T>(what: &str, mut values: Vec<Value<T>>, show: impl Fn(&T) -> String) -> Vec<String> {
    // Stable: arrival order within a series.
    values.sort_by(|a, b| (&a.key, a.rank).cmp(&(&b.key, b.rank)));
    let lines = values
        .iter()
        .map(|v| line(what, &v.key, v.rank, v.step, v.time, &show(&v.value)));
    lines.collect()
}

fn line(what: &str, key: &str, rank: Rank, step: u64, time: i64, value: &str) -> String {
    format!("{what} {key:?} {rank} step {step} at {time}: {value}")
}

//! The one value that stands for each key, as W&B's client works it out.

use std::collections::{BTreeMap, BTreeSet};

use cresset_record::{Definition, Goal, SummaryRule, resolve};
use serde::{Deserialize, Serialize};

use super::value;

/// What is known of each key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    keys: BTreeMap<String, Values>,
    /// Keys whose value has changed since it was last told.
    #[serde(skip)]
    changed: BTreeSet<String>,
}

/// What is known of one key's values.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Values {
    /// The highest step.
    step: u64,
    /// The latest value of that step, as JSON.
    last: String,
    /// Of the numbers that are not NaN; as bits, because JSON has no infinities.
    min: u64,
    max: u64,
    sum: u64,
    count: u64,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            step: 0,
            last: String::new(),
            min: f64::INFINITY.to_bits(),
            max: f64::NEG_INFINITY.to_bits(),
            sum: 0,
            count: 0,
        }
    }
}

impl Summary {
    /// Takes a value that is no number, as JSON; whether the key is new.
    pub(crate) fn take(&mut self, key: &str, step: u64, text: &str) -> bool {
        let is_new = !self.keys.contains_key(key);
        let values = self.keys.entry(key.to_owned()).or_default();
        if step >= values.step {
            values.step = step;
            values.last = text.to_owned();
        }
        self.changed.insert(key.to_owned());
        is_new
    }

    /// Takes a number; whether the key is new.
    pub(crate) fn take_number(&mut self, key: &str, step: u64, number: f64) -> bool {
        let is_new = self.take(key, step, &value::number(number));
        if let Some(values) = self.keys.get_mut(key).filter(|_| !number.is_nan()) {
            values.min = f64::from_bits(values.min).min(number).to_bits();
            values.max = f64::from_bits(values.max).max(number).to_bits();
            values.sum = (f64::from_bits(values.sum) + number).to_bits();
            values.count += 1;
        }
        is_new
    }

    /// The keys so far.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// The values of keys that match the pattern are to be told anew.
    pub(crate) fn redefined(&mut self, pattern: &str) {
        let keys = self.keys.keys();
        let matching = keys.filter(|key| cresset_record::pattern_matches(pattern, key));
        self.changed.extend(matching.cloned());
    }

    /// What has changed since the last call, as JSON.
    pub(crate) fn changes(&mut self, definitions: &[Definition]) -> Vec<(String, String)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let told = changed.filter_map(|key| {
            let text = self.keys.get(&key)?.told(&resolve(definitions, &key))?;
            Some((key, text))
        });
        told.collect()
    }

    /// All of it, as JSON.
    pub(crate) fn all(&self, definitions: &[Definition]) -> Vec<(String, String)> {
        let keys = self.keys.iter();
        let told = keys.filter_map(|(key, values)| {
            let text = values.told(&resolve(definitions, key))?;
            Some((key.clone(), text))
        });
        told.collect()
    }
}

impl Values {
    /// As W&B has it: the last value itself, anything else by its name.
    fn told(&self, definition: &Definition) -> Option<String> {
        let (word, number) = match (definition.summary, definition.goal) {
            (Some(SummaryRule::None), _) => return None,
            (Some(SummaryRule::Min), _) | (Some(SummaryRule::Best), Some(Goal::Minimize)) => {
                ("min", f64::from_bits(self.min))
            }
            (Some(SummaryRule::Max), _) | (Some(SummaryRule::Best), Some(Goal::Maximize)) => {
                ("max", f64::from_bits(self.max))
            }
            (Some(SummaryRule::Mean), _) => ("mean", f64::from_bits(self.sum) / self.count as f64),
            (None | Some(SummaryRule::Last | SummaryRule::Best), _) => {
                return Some(self.last.clone());
            }
        };
        if self.count == 0 {
            return Some(self.last.clone());
        }
        Some(value::object([(word, value::number(number).as_str())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_the_form_that_wandb_gives_it() {
        let mut summary = Summary::default();
        for (step, number) in [(0, 2.0), (2, 1.0), (1, 6.0), (3, f64::NAN)] {
            for key in ["last", "min", "best", "mean", "none"] {
                summary.take_number(key, step, number);
            }
        }
        let definitions = [
            Definition::new("min").summary(SummaryRule::Min),
            Definition::new("best")
                .summary(SummaryRule::Best)
                .maximize(),
            Definition::new("mean").summary(SummaryRule::Mean),
            Definition::new("none").summary(SummaryRule::None),
        ];
        let told = summary.changes(&definitions);
        let told: Vec<_> = told.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("best", r#"{"max":6.0}"#),
            ("last", "NaN"),
            ("mean", r#"{"mean":3.0}"#),
            ("min", r#"{"min":1.0}"#),
        ];
        assert_eq!(told, expected);
        assert!(summary.changes(&definitions).is_empty());
        assert_eq!(summary.all(&definitions).len(), 4);
    }
}

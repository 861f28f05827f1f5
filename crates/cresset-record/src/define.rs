//! What a series means: unit, goal, x axis and summary rule.

use serde::{Deserialize, Serialize};

use crate::key::pattern_matches;

/// What the user says of the series whose keys match a pattern. Fields that are `None` leave earlier definitions standing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Definition {
    /// A key, or a pattern in which `*` stands for any run of characters, such as `val/*`.
    pub pattern: String,
    /// Unit of the values, such as `ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Which way is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// The key of the series that is the x axis instead of the step, such as `epoch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_metric: Option<String>,
    /// Which value of the series stands in the summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryRule>,
    /// Whether charts leave the series out unless asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

impl Definition {
    /// A definition of nothing yet, for one key or for all that match a pattern such as `val/*`.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            ..Self::default()
        }
    }

    /// Gives the values a unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Says that lower is better.
    #[must_use]
    pub fn minimize(mut self) -> Self {
        self.goal = Some(Goal::Minimize);
        self
    }

    /// Says that higher is better.
    #[must_use]
    pub fn maximize(mut self) -> Self {
        self.goal = Some(Goal::Maximize);
        self
    }

    /// Names the series that is the x axis instead of the step.
    #[must_use]
    pub fn step_metric(mut self, key: impl Into<String>) -> Self {
        self.step_metric = Some(key.into());
        self
    }

    /// Chooses which value stands in the summary.
    #[must_use]
    pub fn summary(mut self, rule: SummaryRule) -> Self {
        self.summary = Some(rule);
        self
    }

    /// Leaves the series out of charts unless asked for.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = Some(true);
        self
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Lower is better.
    Minimize,
    /// Higher is better.
    Maximize,
}

/// Which value of a series stands in the summary. NaN is skipped by all but `Last`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryRule {
    /// The value of the highest step, the latest to arrive of those.
    #[default]
    Last,
    /// The lowest.
    Min,
    /// The highest.
    Max,
    /// The arithmetic mean.
    Mean,
    /// The lowest or highest, by the goal; `Last` where no goal is given.
    Best,
    /// None: the series is left out of the summary.
    None,
}

/// The definitions that apply to `key`, merged: later ones win, field by field.
#[must_use]
pub fn resolve(definitions: &[Definition], key: &str) -> Definition {
    merge(definitions.iter(), key)
}

pub(crate) fn merge<'a>(
    definitions: impl Iterator<Item = &'a Definition>,
    key: &str,
) -> Definition {
    let mut merged = Definition {
        pattern: key.to_owned(),
        ..Definition::default()
    };
    for d in definitions.filter(|d| pattern_matches(&d.pattern, key)) {
        merged.unit = d.unit.clone().or(merged.unit);
        merged.goal = d.goal.or(merged.goal);
        merged.step_metric = d.step_metric.clone().or(merged.step_metric);
        merged.summary = d.summary.or(merged.summary);
        merged.hidden = d.hidden.or(merged.hidden);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_definitions_win_field_by_field() {
        let all = [
            Definition {
                pattern: "val/*".into(),
                unit: Some("1".into()),
                goal: Some(Goal::Minimize),
                ..Definition::default()
            },
            Definition {
                pattern: "val/auc".into(),
                goal: Some(Goal::Maximize),
                summary: Some(SummaryRule::Best),
                ..Definition::default()
            },
        ];
        let auc = resolve(&all, "val/auc");
        assert_eq!(
            (auc.unit.as_deref(), auc.goal, auc.summary),
            (Some("1"), Some(Goal::Maximize), Some(SummaryRule::Best))
        );
        assert_eq!(resolve(&all, "val/loss").goal, Some(Goal::Minimize));
        assert_eq!(resolve(&all, "train/loss").goal, None);
    }
}

//! A figure as a report keeps it: a line of a table, an object of JSON.

use serde::{Deserialize, Serialize};

use crate::{Budget, budget, number};

/// A figure, what it must keep to, and the best of others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// In `unit`.
    pub value: f64,
    /// Empty for a ratio.
    pub unit: String,
    /// The budget's bound, if there is one.
    budget: Option<f64>,
    /// On which side of it figures are; `None` means the lower.
    bound: Option<String>,
    /// Who does best of others, and how well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// In `unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_value: Option<f64>,
    holds: Option<bool>,
}

impl Row {
    /// A figure that nobody else has.
    #[must_use]
    pub fn new(name: String, value: f64, unit: &str, budget: Budget) -> Self {
        Self {
            name,
            value,
            unit: unit.to_owned(),
            budget: budget.limit(),
            bound: budget.bound().map(str::to_owned),
            peer: None,
            peer_value: None,
            holds: budget.holds(value),
        }
    }

    /// What it must keep to.
    #[must_use]
    pub fn budget(&self) -> Budget {
        match (self.budget, self.bound.as_deref()) {
            (None, _) => Budget::None,
            (Some(limit), Some("at least")) => Budget::AtLeast(limit),
            (Some(limit), _) => Budget::AtMost(limit),
        }
    }

    /// Whether it does; `None` without a budget.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        self.budget().holds(self.value)
    }

    /// The figure with its unit.
    #[must_use]
    pub fn measured(&self) -> String {
        let text = format!("{} {}", number(self.value), self.unit);
        text.trim_end().to_owned()
    }

    /// Whether it keeps to its budget, as a cell of a table.
    #[must_use]
    pub fn word(&self) -> &'static str {
        budget::word(self.holds())
    }

    /// The best of others, as a cell of a table.
    #[must_use]
    pub fn best(&self) -> String {
        match (&self.peer, self.peer_value) {
            (Some(peer), Some(value)) => format!("{} ({peer})", number(value)),
            _ => String::new(),
        }
    }
}

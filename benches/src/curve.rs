//! How a figure grows with the size of what it is measured on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::number;

/// Points of a curve, by growing size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Curve {
    name: String,
    /// What grows, and what is measured.
    size: String,
    unit: String,
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve without points.
    #[must_use]
    pub fn new(name: impl Into<String>, size: &str, unit: &str) -> Self {
        Self {
            name: name.into(),
            size: size.to_owned(),
            unit: unit.to_owned(),
            points: Vec::new(),
        }
    }

    /// What was measured at one size, the next greater one.
    pub fn push(&mut self, size: f64, value: f64) {
        eprintln!(
            "{}: {} {}: {} {}",
            self.name,
            number(size),
            self.size,
            number(value),
            self.unit
        );
        self.points.push((size, value));
    }
}

/// A table of two lines.
impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, size, .. } = self;
        write!(f, "| {size} |")?;
        for (size, _) in &self.points {
            write!(f, " {} |", number(*size))?;
        }
        writeln!(f)?;
        writeln!(f, "|---|{}", "--:|".repeat(self.points.len()))?;
        write!(f, "| {name}, {} |", self.unit)?;
        for (_, value) in &self.points {
            write!(f, " {} |", number(*value))?;
        }
        writeln!(f)
    }
}

//! What was measured: a table for people, JSON for programs.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use serde_json::json;

use crate::{Budget, Curve, Row, machine};

/// Figures in the order in which they were measured.
#[derive(Debug, Default)]
pub struct Figures {
    device: Option<String>,
    figures: Vec<Row>,
    curves: Vec<Curve>,
}

impl Figures {
    /// Of a device, which is named beside the machine.
    #[must_use]
    pub fn of_device(name: String) -> Self {
        Self {
            device: Some(name),
            ..Self::default()
        }
    }

    /// One that must keep to a budget.
    pub fn add(&mut self, name: String, value: f64, unit: &'static str, budget: Budget) {
        // What is beyond a hundredth is noise.
        let value = (value * 100.0).round() / 100.0;
        self.figures.push(Row::new(name, value, unit, budget));
    }

    /// One that has no budget.
    pub fn note(&mut self, name: String, value: f64, unit: &'static str) {
        self.add(name, value, unit, Budget::None);
    }

    /// One that depends on a size.
    pub fn draw(&mut self, curve: Curve) {
        self.curves.push(curve);
    }

    /// Prints the table; writes it to `file` as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn show(&self, file: Option<&Path>) -> Result<()> {
        let machine = match &self.device {
            Some(device) => format!("{device}; {}", machine()),
            None => machine(),
        };
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "\n{machine}\n\n| what | measured | budget | |\n|---|--:|--:|---|"
        )?;
        for row in &self.figures {
            let (name, measured, budget) = (&row.name, row.measured(), row.budget());
            writeln!(out, "| {name} | {measured} | {budget} | {} |", row.word())?;
        }
        let holds: Vec<bool> = self.figures.iter().filter_map(Row::holds).collect();
        let held = holds.iter().filter(|held| **held).count();
        writeln!(out, "\n{held} of {} budgets hold", holds.len())?;
        for curve in &self.curves {
            writeln!(out, "\n{curve}")?;
        }
        if let Some(file) = file {
            let report = json!({"machine": machine, "rows": self.figures, "curves": self.curves});
            let text = serde_json::to_string_pretty(&report)? + "\n";
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

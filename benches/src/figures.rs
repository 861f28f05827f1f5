//! What was measured: a table for people, JSON for programs.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use serde_json::{Value as Json, json};

use crate::{Budget, Curve, budget, machine, number};

/// Figures in the order in which they were measured.
#[derive(Debug, Default)]
pub struct Figures {
    figures: Vec<Figure>,
    curves: Vec<Curve>,
}

#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    budget: Budget,
}

impl Figures {
    /// One that must keep to a budget.
    pub fn add(&mut self, name: String, value: f64, unit: &'static str, budget: Budget) {
        // What is beyond a hundredth is noise.
        let value = (value * 100.0).round() / 100.0;
        self.figures.push(Figure {
            name,
            value,
            unit,
            budget,
        });
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
        let machine = machine();
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "\n{machine}\n\n| what | measured | budget | |\n|---|--:|--:|---|"
        )?;
        for figure in &self.figures {
            let Figure {
                name,
                value,
                unit,
                budget,
            } = figure;
            let holds = budget::word(budget.holds(*value));
            writeln!(
                out,
                "| {name} | {} {unit} | {budget} | {holds} |",
                number(*value)
            )?;
        }
        let holds: Vec<bool> = self.holds().collect();
        let held = holds.iter().filter(|held| **held).count();
        writeln!(out, "\n{held} of {} budgets hold", holds.len())?;
        for curve in &self.curves {
            writeln!(out, "\n{curve}")?;
        }
        if let Some(file) = file {
            let rows: Vec<Json> = self.figures.iter().map(Figure::row).collect();
            let curves: Vec<Json> = self.curves.iter().map(Curve::json).collect();
            let report = json!({"machine": machine, "rows": rows, "curves": curves});
            let text = serde_json::to_string_pretty(&report)? + "\n";
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    fn holds(&self) -> impl Iterator<Item = bool> {
        self.figures
            .iter()
            .filter_map(|figure| figure.budget.holds(figure.value))
    }
}

impl Figure {
    fn row(&self) -> Json {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "budget": self.budget.limit(),
            "bound": self.budget.bound(),
            "holds": self.budget.holds(self.value),
        })
    }
}

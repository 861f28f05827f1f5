//! What was kept of measurements.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

/// The newest file of each kind.
pub(crate) struct Results(BTreeMap<String, Kept>);

/// A file.
pub(crate) struct Kept {
    /// Its name.
    pub(crate) file: String,
    pub(crate) json: Json,
}

/// A figure of one.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) budget: Option<f64>,
    pub(crate) bound: Option<String>,
    pub(crate) peer: Option<String>,
    pub(crate) peer_value: Option<f64>,
}

/// How one grows.
#[derive(Deserialize)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) size: String,
    pub(crate) unit: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Results {
    /// Those in a folder: files such as `2026-11-26-store.json`.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut newest = BTreeMap::new();
        for file in files {
            let kind = file
                .strip_suffix(".json")
                .and_then(|name| name.get(11..))
                .unwrap_or_else(|| panic!("{file} has no date and kind in its name"));
            let text = fs::read_to_string(folder.join(&file)).unwrap();
            let json = serde_json::from_str(&text).unwrap();
            newest.insert(kind.to_owned(), Kept { file, json });
        }
        Self(newest)
    }

    pub(crate) fn of(&self, kind: &str) -> &Kept {
        let kept = self.0.get(kind);
        kept.unwrap_or_else(|| panic!("benches/results has nothing of {kind}"))
    }
}

impl Kept {
    /// Where it was measured, if it says so.
    pub(crate) fn machine(&self) -> Option<&str> {
        self.json.get("machine")?.as_str()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let rows = self.json.get("rows").unwrap_or(&self.json);
        serde_json::from_value(rows.clone()).unwrap()
    }

    pub(crate) fn curves(&self) -> Vec<Curve> {
        let curves = self.json.get("curves").cloned();
        curves.map_or_else(Vec::new, |curves| serde_json::from_value(curves).unwrap())
    }
}

impl Row {
    pub(crate) fn holds(&self) -> Option<bool> {
        let limit = self.budget?;
        // A file of burn's benchmark says no side: all its budgets are upper ones.
        match self.bound.as_deref() {
            Some("at least") => Some(self.value >= limit),
            _ => Some(self.value <= limit),
        }
    }

    pub(crate) fn sign(&self) -> &'static str {
        match self.bound.as_deref() {
            Some("at least") => "≥",
            _ => "≤",
        }
    }

    /// How many times better than the best of the others.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let ratio = match self.bound.as_deref() {
            Some("at least") => self.value / self.peer_value?,
            _ => self.peer_value? / self.value,
        };
        ratio.is_finite().then_some(ratio)
    }
}

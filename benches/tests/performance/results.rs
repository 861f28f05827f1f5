//! What was kept of measurements.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cresset_benches::{Curve, Row};
use serde_json::Value as Json;

/// The newest file of each kind.
pub(crate) struct Results(BTreeMap<String, Kept>);

/// A file.
pub(crate) struct Kept {
    /// Its name.
    pub(crate) file: String,
    pub(crate) json: Json,
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

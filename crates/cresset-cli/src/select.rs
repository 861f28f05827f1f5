//! Which series of a run are shown, in which order, and over which x axis.

use std::collections::BTreeMap;

use cresset_record::{Definition, Point, Rank, RunView, Series, pattern_matches};

/// A key and its series, one a rank.
pub(crate) struct Selected<'a> {
    pub(crate) key: &'a str,
    pub(crate) ranks: Vec<(Rank, &'a Series)>,
    pub(crate) definition: Definition,
}

/// Beginnings of the keys that Cresset gives to what it records by itself.
const RESERVED: [&str; 5] = [
    "system/",
    "gradients/",
    "parameters/",
    "update_ratio/",
    "cresset/",
];

/// The beginning by which a key is one of those that Cresset gives to what it records by itself.
pub(crate) fn reserved(key: &str) -> Option<&'static str> {
    RESERVED.into_iter().find(|prefix| key.starts_with(prefix))
}

/// Whether the key is one of those that Cresset gives to what it records by itself.
pub(crate) fn is_reserved(key: &str) -> bool {
    reserved(key).is_some()
}

/// Whether the key matches one of the patterns, in which `*` stands for anything.
pub(crate) fn is_chosen(patterns: &[String], key: &str) -> bool {
    patterns.iter().any(|pattern| pattern_matches(pattern, key))
}

/// The scalar series that match the patterns; without patterns, those that a person logged and did not hide. Those
/// with a goal come first, then by key.
pub(crate) fn scalars<'a>(view: &'a RunView, patterns: &[String]) -> Vec<Selected<'a>> {
    let mut by_key: BTreeMap<&str, Vec<(Rank, &Series)>> = BTreeMap::new();
    for (key, rank, series) in view.series() {
        by_key.entry(key.as_str()).or_default().push((rank, series));
    }
    let mut selected: Vec<Selected> = by_key
        .into_iter()
        .map(|(key, ranks)| (view.definition(key), key, ranks))
        .filter(|(definition, key, _)| {
            if patterns.is_empty() {
                !is_reserved(key) && definition.hidden != Some(true)
            } else {
                is_chosen(patterns, key)
            }
        })
        .map(|(definition, key, ranks)| Selected {
            key,
            ranks,
            definition,
        })
        .collect();
    // The sort keeps keys in order within both groups.
    selected.sort_by_key(|s| s.definition.goal.is_none());
    selected
}

/// The values that stand for steps on an x axis, such as `epoch`.
pub(crate) struct StepMetric {
    pub(crate) key: String,
    by_step: Vec<Point>,
}

impl StepMetric {
    /// What stands on the x axis of this series instead of the step, if anything does.
    pub(crate) fn of(view: &RunView, series: &Selected) -> Option<Self> {
        let key = series.definition.step_metric.as_deref()?;
        // A series over itself would be a diagonal.
        if key == series.key {
            return None;
        }
        let mut by_step = view.series_of(key)?.by_step();
        by_step.retain(|p| p.value.is_finite());
        (!by_step.is_empty()).then(|| Self {
            key: key.to_owned(),
            by_step,
        })
    }

    /// The value that held at a step: that of the step itself or of the nearest one before it; before the first, the
    /// first.
    pub(crate) fn at(&self, step: u64) -> f64 {
        let after = self.by_step.partition_point(|p| p.step <= step);
        self.by_step[after.saturating_sub(1)].value
    }
}

//! Definitions as W&B's metrics.

use cresset_record::{Definition, pattern_matches, resolve};

use super::{Known, Told};
use crate::wandb::entry::Entry;
use crate::wandb::system;

impl Known {
    pub(super) fn define(&mut self, definition: &Definition, told: &mut Told) {
        self.definitions.push(definition.clone());
        if system::is_system(&definition.pattern) {
            // W&B defines no metrics of the machine.
            return;
        }
        self.summary.redefined(&definition.pattern);
        if is_wandbs_to_expand(&definition.pattern) {
            self.metric(resolve(&self.definitions, &definition.pattern), told);
            return;
        }
        let keys = self.summary.keys();
        let matching = keys.filter(|key| pattern_matches(&definition.pattern, key));
        let metrics: Vec<_> = matching
            .map(|key| resolve(&self.definitions, key))
            .collect();
        for metric in metrics {
            self.metric(metric, told);
        }
    }

    pub(super) fn metric(&mut self, definition: Definition, told: &mut Told) {
        self.metrics.retain(|m| m.pattern != definition.pattern);
        self.metrics.push(definition.clone());
        told.entries.push(Entry::Metric(definition));
    }
}

/// W&B's patterns have one `*`, at their end.
fn is_wandbs_to_expand(pattern: &str) -> bool {
    pattern.find('*').is_none_or(|at| at + 1 == pattern.len())
}

pub(super) fn is_ours_to_expand(definition: &Definition, key: &str) -> bool {
    let pattern = &definition.pattern;
    !is_wandbs_to_expand(pattern) && pattern_matches(pattern, key)
}

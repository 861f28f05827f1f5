//! Values in the row of their step, and the machine's figures.

use cresset_record::{Key, Rank, Timestamp, resolve};
use serde_json::Map;

use super::definitions::is_ours_to_expand;
use super::{Known, LEFT_OUT, Told};
use crate::wandb::entry::Entry;
use crate::wandb::media::Shown;
use crate::wandb::{system, value};

impl Known {
    pub(super) fn scalars(
        &mut self,
        rank: Rank,
        step: u64,
        time: Timestamp,
        points: &[(Key, f64)],
        told: &mut Told,
    ) {
        let figures = points.iter().map(|(key, value)| (key.as_str(), *value));
        let (figures, values): (Vec<_>, Vec<_>) =
            figures.partition(|(key, _)| system::is_system(key));
        if !figures.is_empty() {
            let mut items = system::rename(&figures);
            if rank.0 > 0 {
                // W&B's own way to tell processes of one run apart.
                for (name, _) in &mut items {
                    name.push_str(&format!("/l:rank_{}", rank.0));
                }
            }
            let time = time.0;
            told.entries.push(Entry::Stats { time, items });
        }
        for (key, value) in values {
            let name = prefixed(rank, key);
            self.number(step, time, name, value, told);
        }
    }

    pub(super) fn shown(&mut self, step: u64, time: Timestamp, shown: Shown, told: &mut Told) {
        for file in shown.files {
            told.file(file);
        }
        for (group, name, json) in shown.config {
            let all = self.wandb.entry(group);
            let all = all.or_insert_with(|| Map::new().into());
            // Each image of a series brings the same names.
            if all.get(&name) != Some(&json) {
                let path = vec!["_wandb".to_owned(), group.to_owned(), name.clone()];
                let item = (path, json.to_string());
                told.entries.push(Entry::Config(vec![item]));
                all[name] = json;
            }
        }
        for (key, text) in shown.values {
            self.value(step, time, key, &text, told);
        }
    }

    pub(super) fn number(
        &mut self,
        step: u64,
        time: Timestamp,
        key: String,
        number: f64,
        told: &mut Told,
    ) {
        let is_new = self.summary.take_number(&key, step, number);
        self.put(step, time, key, value::number(number), is_new, told);
    }

    pub(super) fn value(
        &mut self,
        step: u64,
        time: Timestamp,
        key: String,
        text: &str,
        told: &mut Told,
    ) {
        let is_new = self.summary.take(&key, step, text);
        self.put(step, time, key, text.to_owned(), is_new, told);
    }

    /// Puts a value into the row of its step.
    fn put(
        &mut self,
        step: u64,
        time: Timestamp,
        key: String,
        text: String,
        is_new: bool,
        told: &mut Told,
    ) {
        if is_new && self.definitions.iter().any(|d| is_ours_to_expand(d, &key)) {
            self.metric(resolve(&self.definitions, &key), told);
        }
        if (step, time.0) > self.latest {
            self.latest = (step, time.0);
        }
        let runtime = self.runtime(time);
        let is_first = self.rows.left_out() == 0;
        if !self.rows.put(step, time.0, runtime, key, text) && is_first {
            let text = format!("cresset: a value of step {step} {LEFT_OUT}");
            told.say(time.0, true, text);
        }
        told.entries.extend(self.rows.ready().map(Entry::History));
    }
}

/// Keys of other ranks than the first stand under their rank: W&B has one row a step.
fn prefixed(rank: Rank, key: &str) -> String {
    match rank.0 {
        0 => key.to_owned(),
        rank => format!("rank_{rank}/{key}"),
    }
}

pub(super) fn key_of(rank: Rank, key: &Key) -> String {
    prefixed(rank, key.as_str())
}

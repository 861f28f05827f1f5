//! What was found in the course of a run.

use std::collections::BTreeMap;

use cresset_record::Timestamp;
use serde_json::{Value as Json, json};

use super::{Finding, Kind};
use crate::keys::GpuId;

/// More findings than this are not kept: a machine has a handful of GPUs, and a kind is kept once for each.
const MOST: usize = 256;

/// Findings, one for each kind and GPU.
#[derive(Debug, Default)]
pub(crate) struct Findings(BTreeMap<(Kind, Option<GpuId>), Held>);

#[derive(Debug)]
struct Held {
    finding: Finding,
    from: Timestamp,
    to: Timestamp,
    seconds: f64,
    /// Whether it held the last time it was looked for.
    holds: bool,
}

impl Findings {
    /// Takes what was found now, `passed` seconds after the last time. Gives what is new.
    pub(crate) fn update(
        &mut self,
        found: Vec<Finding>,
        now: Timestamp,
        passed: f64,
    ) -> Vec<Finding> {
        let mut new = Vec::new();
        for held in self.0.values_mut() {
            let kept = |f: &Finding| f.kind == held.finding.kind && f.gpu == held.finding.gpu;
            // Events hold until they are taken back.
            held.holds &= is_event(held.finding.kind) || found.iter().any(kept);
            if held.holds && is_event(held.finding.kind) {
                held.seconds += passed;
                held.to = now;
            }
        }
        for finding in found {
            let key = (finding.kind, finding.gpu);
            if let Some(held) = self.0.get_mut(&key) {
                if held.holds {
                    held.seconds += passed;
                }
                held.holds = true;
                held.to = now;
                held.finding = finding;
            } else if self.0.len() < MOST {
                new.push(finding.clone());
                let held = Held {
                    finding,
                    from: now,
                    to: now,
                    seconds: 0.0,
                    holds: true,
                };
                self.0.insert(key, held);
            }
        }
        new
    }

    /// Takes a single event, which holds until [`Self::over`]; `true` if it is the first of its kind and GPU.
    pub(crate) fn event(&mut self, finding: Finding, now: Timestamp) -> bool {
        let key = (finding.kind, finding.gpu);
        let new = !self.0.contains_key(&key);
        if new && self.0.len() >= MOST {
            return false;
        }
        let held = self.0.entry(key).or_insert_with(|| Held {
            finding: finding.clone(),
            from: now,
            to: now,
            seconds: 0.0,
            holds: false,
        });
        held.holds = true;
        held.to = now;
        held.finding = finding;
        new
    }

    /// An event does not hold any more; `true` if it did until now.
    pub(crate) fn over(&mut self, kind: Kind, gpu: Option<GpuId>) -> bool {
        let held = self.0.get_mut(&(kind, gpu));
        held.is_some_and(|held| std::mem::take(&mut held.holds))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As recorded under `system/diagnosis`.
    pub(crate) fn to_json(&self) -> Json {
        let list = self.0.values().map(|held| {
            json!({
                "kind": held.finding.kind.name(),
                "gpu": held.finding.gpu.map(|gpu| gpu.to_string()),
                "title": held.finding.title,
                "evidence": held.finding.evidence,
                "seconds": held.seconds.round(),
                "from_us": held.from.0,
                "to_us": held.to.0,
            })
        });
        list.collect()
    }
}

fn is_event(kind: Kind) -> bool {
    matches!(kind, Kind::GpuLost | Kind::GpuSilent)
}

//! The first value of a loss that is not a finite number.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use cresset_record::{Alert, KeyId, Level, Timestamp};

use crate::sync::lock;

/// Most series of which a run tells by itself.
const MAX_TOLD: usize = 32;

/// Series of which people were told, by whoever saw it first: the writer, or a callback that may know before it.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashSet<String>>);

impl Told {
    /// The alert of a series, unless there was one already.
    pub(crate) fn first(&self, key: &str, step: u64, value: f64, time: Timestamp) -> Option<Alert> {
        lock(&self.0).insert(key.to_owned()).then(|| Alert {
            time,
            level: Level::Error,
            title: format!("{key} is {value} at step {step}"),
            text: "The first value of this series that is not a finite number.".to_owned(),
            step: Some(step),
        })
    }
}

/// Looks at all values on the writer's thread.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    told: Arc<Told>,
    /// By the number of the key: its first bad value was seen.
    seen: Vec<bool>,
    found: usize,
}

impl Lookout {
    pub(crate) fn new(told: Arc<Told>) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// The alerts that a row gives rise to. `name` is asked once a series.
    pub(crate) fn look<'a>(
        &mut self,
        step: u64,
        time: Timestamp,
        points: &[(KeyId, f64)],
        name: impl Fn(KeyId) -> Option<&'a str>,
    ) -> Vec<Alert> {
        let bad = points.iter().filter(|(_, value)| !value.is_finite());
        let alerts = bad.filter_map(|&(id, value)| {
            if !self.is_new(id) || self.found >= MAX_TOLD {
                return None;
            }
            let key = name(id).filter(|key| says_loss(key))?;
            self.found += 1;
            self.told.first(key, step, value, time)
        });
        alerts.collect()
    }

    fn is_new(&mut self, id: KeyId) -> bool {
        let index = id.0 as usize;
        if index >= self.seen.len() {
            self.seen.resize(index + 1, false);
        }
        !std::mem::replace(&mut self.seen[index], true)
    }
}

/// Whether the name says that it is a loss: `train/loss`, `nll_loss`, `valLoss`, `losses/total`. Metrics may be NaN for good
/// reasons, such as the recall of a class that is not there, and the best loss so far begins as infinite.
fn says_loss(key: &str) -> bool {
    let built_in = ["system/", "gradients/", "parameters/", "update_ratio/"];
    if built_in.iter().any(|prefix| key.starts_with(prefix)) {
        return false;
    }
    let lower = key.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphabetic());
    let is_best = words.clone().any(|word| matches!(word, "best" | "min"));
    !is_best && words.any(|word| word.ends_with("loss") || word.ends_with("losses"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_loss() {
        for (key, expected) in [
            ("loss", true),
            ("train/loss", true),
            ("train/epoch_loss", true),
            ("valLoss", true),
            ("losses/total", true),
            ("Loss-1", true),
            ("val/auc", false),
            ("best_loss", false),
            ("val/loss/min", false),
            ("gradients/loss_head.weight", false),
            ("lossless/ratio", false),
        ] {
            assert_eq!(says_loss(key), expected, "{key}");
        }
    }

    #[test]
    fn each_series_is_told_of_once_and_no_more_than_a_bounded_number() {
        let names: Vec<String> = (0..100).map(|i| format!("{i}/loss")).collect();
        let mut lookout = Lookout::default();
        let points: Vec<(KeyId, f64)> = (0..100).map(|i| (KeyId(i), f64::NAN)).collect();
        let mut look = |step, points: &[(KeyId, f64)]| {
            let name = |id: KeyId| names.get(id.0 as usize).map(String::as_str);
            lookout.look(step, Timestamp(0), points, name)
        };
        assert!(look(0, &[(KeyId(0), 1.0)]).is_empty());
        let first = look(1, &points[..1]);
        assert_eq!(first[0].title, "0/loss is NaN at step 1");
        assert!(look(2, &points[..1]).is_empty());
        assert_eq!(look(3, &points).len(), MAX_TOLD - 1);
        assert!(look(4, &points).is_empty());
    }
}

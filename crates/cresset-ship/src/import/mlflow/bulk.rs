//! Metrics of many runs at once: an experiment of a thousand short runs is asked for in a fiftieth of the requests.

use std::collections::{BTreeMap, HashMap};

use super::super::ImportError;
use super::head::Head;
use crate::mlflow::reader::{POINTS_A_PAGE, Point, Reader};

/// So many points wait at most.
const MAX_POINTS: usize = 1 << 20;
/// After so many failures in a row the server is not asked any more.
const MAX_FAILURES: u32 = 3;
/// Not quite a page: how many points there are is only guessed.
const ABOUT_A_PAGE: u64 = (POINTS_A_PAGE as u64) * 4 / 5;

/// Metrics of several runs that came together.
#[derive(Debug, Default)]
pub(super) struct Bulk {
    /// By run and name.
    points: HashMap<(String, String), Vec<Point>>,
    failures: u32,
}

impl Bulk {
    /// Brings what comes together of the next runs; what does not is to be asked for by itself.
    pub(super) fn next<'a>(
        &self,
        reader: &Reader,
        heads: impl Iterator<Item = &'a Head>,
    ) -> Result<Self, ImportError> {
        let mut next = Self {
            points: HashMap::new(),
            failures: self.failures,
        };
        let mut wanted: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for head in heads {
            for metric in &head.metrics {
                // Most log once a step.
                let about = u64::try_from(metric.step).unwrap_or(0).saturating_add(1);
                wanted
                    .entry(&metric.name)
                    .or_default()
                    .push((&head.id, about));
            }
        }
        let mut count = 0;
        for (metric, runs) in wanted {
            for together in pages(&runs) {
                if next.failures >= MAX_FAILURES || count >= MAX_POINTS {
                    return Ok(next);
                }
                let found = match reader.histories(&together, metric) {
                    Ok(found) => found,
                    Err(error) if error.is_temporary() => return Err(error.into()),
                    // Such as for a NaN, which stands in no JSON.
                    Err(_) => {
                        next.failures += 1;
                        continue;
                    }
                };
                next.failures = 0;
                for (run, points) in found.into_iter().flatten() {
                    count += points.len();
                    next.points.insert((run, metric.to_owned()), points);
                }
            }
        }
        Ok(next)
    }

    /// All points of a run's metric, if they came.
    pub(super) fn take(&mut self, run: &str, metric: &str) -> Option<Vec<Point>> {
        self.points.remove(&(run.to_owned(), metric.to_owned()))
    }
}

/// Runs, with how many points each has about, that make a page together. One by itself gains nothing.
fn pages<'a>(runs: &[(&'a str, u64)]) -> Vec<Vec<&'a str>> {
    let mut pages = vec![Vec::new()];
    let mut sum = 0u64;
    for (run, about) in runs {
        sum = sum.saturating_add(*about);
        if sum > ABOUT_A_PAGE {
            pages.push(Vec::new());
            sum = *about;
        }
        if let Some(page) = pages.last_mut() {
            page.push(*run);
        }
    }
    pages.retain(|page| page.len() > 1);
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_together_as_long_as_they_are_short() {
        let runs = [
            ("a", 10_000),
            ("b", 9_000),
            ("c", 30_000),
            ("d", 1),
            ("e", u64::MAX),
            ("f", 2),
        ];
        assert_eq!(pages(&runs), [["a", "b"]]);
        assert_eq!(pages(&[("a", 1), ("b", 1), ("c", 1)]), [["a", "b", "c"]]);
    }
}

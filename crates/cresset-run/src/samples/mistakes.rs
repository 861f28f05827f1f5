//! Which mistakes are kept: the most confident ones, a few for each pair of true and predicted class.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use cresset_record::Sample;

/// A row that is kept as a mistake, for now: a later batch may have more confident ones.
#[derive(Clone, Debug)]
pub struct Kept {
    row: usize,
    pub(super) rank: Rank,
}

/// One of the most confident mistakes of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake<I> {
    /// Which row it was and what the model said of it.
    pub sample: Sample,
    /// Its image, if one was attached.
    pub image: Option<I>,
}

/// The order of mistakes: most confident first, then as in the data set. It does not depend on the order of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Log-odds of the prediction, as an integer of the same order.
    confidence: Reverse<i64>,
    dataset_index: u64,
    pair: Pair,
    /// Tells rows apart that are the same in everything above.
    arrival: u64,
}

/// True and predicted class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair {
    pub(super) truth: u32,
    pub(super) predicted: u32,
}

/// The mistakes kept so far.
pub(super) struct Mistakes<I> {
    pub(super) per_pair: usize,
    pub(super) total: usize,
    kept: BTreeMap<Rank, Entry<I>>,
    by_pair: HashMap<Pair, BTreeSet<Rank>>,
    arrivals: u64,
}

struct Entry<I> {
    confidence: f32,
    image: Option<I>,
}

impl Kept {
    pub(super) fn new(row: usize, rank: Rank) -> Self {
        Self { row, rank }
    }

    /// Which row of the batch it is.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }
}

impl<I> Mistakes<I> {
    pub(super) fn new(per_pair: usize, total: usize) -> Self {
        Self {
            per_pair,
            total,
            kept: BTreeMap::new(),
            by_pair: HashMap::new(),
            arrivals: 0,
        }
    }

    /// Takes a mistake in if it is among the most confident ones, and drops those that it displaces.
    ///
    /// Taking the least confident of a full pair, and then of all, leaves what sorting the whole pass would: whoever is
    /// dropped has enough more confident ones above, and they can only be displaced by still more confident ones.
    pub(super) fn offer(
        &mut self,
        pair: Pair,
        dataset_index: u64,
        log_odds: f64,
        confidence: f32,
    ) -> Option<Rank> {
        self.arrivals += 1;
        let rank = Rank {
            confidence: Reverse(ordered(log_odds)),
            dataset_index,
            pair,
            arrival: self.arrivals,
        };
        let of_pair = self.by_pair.entry(pair).or_default();
        of_pair.insert(rank);
        if of_pair.len() > self.per_pair
            && let Some(last) = of_pair.pop_last()
        {
            if last == rank {
                return None;
            }
            self.kept.remove(&last);
        }
        let image = None;
        self.kept.insert(rank, Entry { confidence, image });
        if self.kept.len() > self.total
            && let Some((last, _)) = self.kept.pop_last()
        {
            if let Some(of_pair) = self.by_pair.get_mut(&last.pair) {
                of_pair.remove(&last);
            }
            if last == rank {
                return None;
            }
        }
        Some(rank)
    }

    pub(super) fn is_kept(&self, rank: &Rank) -> bool {
        self.kept.contains_key(rank)
    }

    /// Gives a mistake its image; false if it has been displaced.
    pub(super) fn attach(&mut self, rank: &Rank, image: I) -> bool {
        match self.kept.get_mut(rank) {
            Some(entry) => {
                entry.image = Some(image);
                true
            }
            None => false,
        }
    }

    /// The mistakes, most confident first.
    pub(super) fn finish(self, classes: &[String]) -> Vec<Mistake<I>> {
        let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_default();
        self.kept
            .into_iter()
            .map(|(rank, entry)| Mistake {
                sample: Sample {
                    dataset_index: rank.dataset_index,
                    true_class: name(rank.pair.truth),
                    predicted_class: name(rank.pair.predicted),
                    confidence: entry.confidence,
                },
                image: entry.image,
            })
            .collect()
    }
}

/// An integer with the order of [`f64::total_cmp`].
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    // Negative numbers are stored as sign and magnitude: larger magnitude, smaller number.
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against sorting everything and taking from the top.
        #[test]
        fn the_kept_ones_are_those_of_a_full_sort(
            rows in prop::collection::vec((0u32..3, 0u32..3, 0u64..40, -4i32..4), 0..80),
            per_pair in 0usize..4,
            total in 0usize..12,
        ) {
            let mut mistakes = Mistakes::<()>::new(per_pair, total);
            let mut all = Vec::new();
            for (truth, predicted, index, odds) in rows {
                let odds = f64::from(odds) / 2.0;
                mistakes.offer(Pair { truth, predicted }, index, odds, odds as f32);
                all.push((truth, predicted, index, odds));
            }
            all.sort_by(|a, b| b.3.total_cmp(&a.3).then((a.2, a.0, a.1).cmp(&(b.2, b.0, b.1))));
            let mut taken = HashMap::new();
            all.retain(|row| {
                let n = taken.entry((row.0, row.1)).or_insert(0);
                *n += 1;
                *n <= per_pair
            });
            all.truncate(total);
            let names: Vec<String> = (0..3).map(|class| class.to_string()).collect();
            let found: Vec<_> = mistakes
                .finish(&names)
                .into_iter()
                .map(|Mistake { sample: s, .. }| (s.true_class, s.predicted_class, s.dataset_index, s.confidence))
                .collect();
            let expected: Vec<_> = all
                .into_iter()
                .map(|(t, p, index, odds)| (t.to_string(), p.to_string(), index, odds as f32))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_order_of_integers_is_that_of_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            -2.0,
            -1.0,
            -0.0,
            0.0,
            1e-300,
            1.0,
            f64::INFINITY,
        ];
        assert!(
            numbers
                .windows(2)
                .all(|pair| ordered(pair[0]) < ordered(pair[1]))
        );
    }
}

//! What the index keeps of a series beside its values.

use std::collections::BTreeSet;

use cresset_record::{Goal, Key, Rank, SummaryRule};

use crate::chunk::Block;
use crate::document::SeriesKind;
use crate::error::StoreError;
use crate::varint::{self, Taker};

const VERSION: u8 = 1;
/// Kinds of media that are remembered of one series.
const MAX_MEDIA_KINDS: usize = 16;

/// Aggregates over all values that were not superseded, and counters of what is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SeriesState {
    /// How many values; `first` and `last` of the block are not kept.
    pub(crate) block: Block,
    /// The highest step, and of that the value that arrived last.
    pub(crate) last: Option<(u64, f64)>,
    /// How many values ever came: the place of the next one.
    pub(crate) arrivals: u64,
    /// Scalars that are in the tail.
    pub(crate) unsealed: u64,
    /// The number of the next chunk.
    pub(crate) chunks: u64,
    /// For media: `image`, `figure:roc`, …
    pub(crate) media: BTreeSet<String>,
}

impl SeriesState {
    /// Takes in a scalar.
    #[inline]
    pub(crate) fn push(&mut self, step: u64, value: f64) {
        self.block.count_value(value);
        if self.last.is_none_or(|(last, _)| step >= last) {
            self.last = Some((step, value));
        }
    }

    /// Takes in a value that is no scalar.
    pub(crate) fn push_other(&mut self, step: u64) {
        self.block.count += 1;
        self.last = Some((self.last.map_or(step, |(last, _)| last.max(step)), f64::NAN));
    }

    pub(crate) fn push_media(&mut self, step: u64, kind: &str) {
        self.push_other(step);
        if self.media.len() < MAX_MEDIA_KINDS && !self.media.contains(kind) {
            self.media.insert(kind.to_owned());
        }
    }

    /// Forgets the aggregates, so that they can be made anew.
    pub(crate) fn reset(&mut self) {
        self.block = Block::default();
        self.last = None;
    }

    /// The value that stands for the series in a summary; as `cresset_record::Series::summarise`.
    pub(crate) fn summarise(&self, rule: SummaryRule, goal: Option<Goal>) -> Option<f64> {
        let (_, last) = self.last?;
        let b = &self.block;
        Some(match (rule, goal) {
            (SummaryRule::None, _) => return None,
            (SummaryRule::Last, _) | (SummaryRule::Best, None) => last,
            (SummaryRule::Min, _) | (SummaryRule::Best, Some(Goal::Minimize)) => {
                extreme(b.neg_inf, f64::NEG_INFINITY, b.min, b.pos_inf)
            }
            (SummaryRule::Max, _) | (SummaryRule::Best, Some(Goal::Maximize)) => {
                extreme(b.pos_inf, f64::INFINITY, b.max, b.neg_inf)
            }
            (SummaryRule::Mean, _) => {
                let infinite = |n: u64, value: f64| if n > 0 { value } else { 0.0 };
                let sum = b.sum
                    + infinite(b.pos_inf, f64::INFINITY)
                    + infinite(b.neg_inf, f64::NEG_INFINITY);
                sum / (b.count - b.nan) as f64
            }
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        let b = &self.block;
        for n in [
            b.count,
            b.nan,
            b.pos_inf,
            b.neg_inf,
            self.arrivals,
            self.unsealed,
            self.chunks,
        ] {
            varint::put(&mut out, n);
        }
        for x in [b.min, b.max, b.sum] {
            varint::put_f64(&mut out, x);
        }
        out.push(u8::from(self.last.is_some()));
        if let Some((step, value)) = self.last {
            varint::put(&mut out, step);
            varint::put_f64(&mut out, value);
        }
        for kind in &self.media {
            varint::put(&mut out, kind.len() as u64);
            out.extend_from_slice(kind.as_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut taker = Taker::new(bytes, "a series");
        if taker.byte()? != VERSION {
            return Err(taker.damaged());
        }
        let mut state = Self::default();
        let b = &mut state.block;
        for n in [
            &mut b.count,
            &mut b.nan,
            &mut b.pos_inf,
            &mut b.neg_inf,
            &mut state.arrivals,
            &mut state.unsealed,
            &mut state.chunks,
        ] {
            *n = taker.number()?;
        }
        for x in [&mut b.min, &mut b.max, &mut b.sum] {
            *x = taker.f64()?;
        }
        if taker.byte()? != 0 {
            state.last = Some((taker.number()?, taker.f64()?));
        }
        while !taker.is_empty() {
            let length = taker.count()?;
            let kind = std::str::from_utf8(taker.bytes(length)?).map_err(|_| taker.damaged())?;
            state.media.insert(kind.to_owned());
        }
        Ok(state)
    }
}

/// The extreme among numbers: an infinity on that side, else a finite one, else the other infinity, else NaN.
fn extreme(infinite: u64, infinity: f64, finite: f64, opposite: u64) -> f64 {
    if infinite > 0 {
        infinity
    } else if finite.is_nan() && opposite > 0 {
        -infinity
    } else {
        finite
    }
}

/// A series of a run that is being indexed.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) rank: Rank,
    pub(crate) kind: SeriesKind,
    /// In the database; 0 while it is not there.
    pub(crate) id: i64,
    pub(crate) state: SeriesState,
    /// What the definitions say, as far as the summary needs it.
    pub(crate) rule: (SummaryRule, Option<Goal>),
    /// Whether the database has an older state.
    pub(crate) changed: bool,
}

impl Slot {
    pub(crate) fn new(key: Key, rank: Rank, kind: SeriesKind) -> Self {
        Self {
            key,
            rank,
            kind,
            id: 0,
            state: SeriesState::default(),
            rule: (SummaryRule::default(), None),
            changed: true,
        }
    }
}

/// As the database numbers kinds.
pub(crate) fn kind_to_sql(kind: SeriesKind) -> i64 {
    match kind {
        SeriesKind::Scalar => 0,
        SeriesKind::Histogram => 1,
        SeriesKind::Media => 2,
    }
}

/// See [`kind_to_sql`].
pub(crate) fn kind_from_sql(number: i64) -> Result<SeriesKind, StoreError> {
    match number {
        0 => Ok(SeriesKind::Scalar),
        1 => Ok(SeriesKind::Histogram),
        2 => Ok(SeriesKind::Media),
        _ => Err(varint::damaged("a series")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back() {
        let mut state = SeriesState::default();
        for (step, value) in [(3, 0.5), (1, f64::NAN), (3, f64::INFINITY)] {
            state.push(step, value);
        }
        state.push_media(9, "figure:roc");
        state.block.sum = 0.5;
        let back = SeriesState::decode(&state.encode()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{state:?}"));
        assert!(SeriesState::decode(&state.encode()[..5]).is_err());
    }
}

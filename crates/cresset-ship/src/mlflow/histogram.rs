//! Histograms as JSON files, fewer the longer a series gets: MLflow has no chart of them, and a file costs a request.

use cresset_record::TensorStats;
use serde_json::json;

use super::media::Place;
use super::names;
use super::visit::Visit;
use crate::error::ShipError;

/// So many at each spacing.
const MANY: u64 = 32;

impl Visit<'_> {
    pub(super) fn histogram(
        &mut self,
        place: Place<'_>,
        stats: &TensorStats,
    ) -> Result<(), ShipError> {
        let series = names::metric(place.rank, place.key.as_str());
        let seen = self.carried.histograms.entry(series).or_default();
        let index = *seen;
        *seen += 1;
        if !is_kept(index) {
            self.carried
                .leave_out("histograms, which are thinned out the longer a series gets");
            return Ok(());
        }
        let buckets = stats.histogram.buckets();
        let buckets: Vec<_> = buckets
            .map(|b| json!([b.lower, b.upper, b.count]))
            .collect();
        let histogram = json!({
            "key": place.key,
            "step": place.step,
            "time_us": place.time.0,
            "count": stats.count,
            "zeros": stats.zeros,
            "nan": stats.nan,
            "pos_inf": stats.pos_inf,
            "neg_inf": stats.neg_inf,
            "min": stats.min,
            "max": stats.max,
            "mean": stats.mean(),
            "std": stats.std(),
            "l2_norm": stats.l2_norm(),
            "buckets": buckets,
        });
        let text = histogram.to_string();
        self.put(&place.path("histograms", ".json"), text.as_bytes())
    }
}

/// Whether the value of this number in its series is kept: all of the first 32, then 32 of every second, then 32 of every fourth, …; of a
/// million about 500.
fn is_kept(index: u64) -> bool {
    let level = (index / MANY).saturating_add(1).ilog2();
    let first = MANY * ((1 << level) - 1);
    (index - first).is_multiple_of(1 << level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_is_thinned_out_evenly() {
        let kept: Vec<u64> = (0..1_000_000).filter(|&i| is_kept(i)).collect();
        assert_eq!(kept[..34], [(0..=32).collect(), vec![34]].concat());
        assert_eq!(kept[64..66], [96, 100]);
        assert!(kept.len() < 500, "{}", kept.len());
        let widest = kept.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(widest <= Some(1 << 14), "{widest:?}");
    }
}

//! Histograms as W&B has them: edges and counts, in a row without gaps.

use cresset_record::TensorStats;
use serde_json::json;

/// The most bins that W&B takes.
const MAX_BINS: usize = 512;

/// W&B's histogram. Zeros have no bin of their own there: they are counted in the bin that begins at zero.
pub(crate) fn of(stats: &TensorStats) -> String {
    let mut histogram = stats.histogram.clone();
    loop {
        let (bins, values) = rows(&histogram);
        if values.len() <= MAX_BINS {
            return json!({"_type": "histogram", "bins": bins, "values": values}).to_string();
        }
        histogram.downscale(1);
    }
}

/// How many values had no place in it, where there were any.
pub(crate) fn bad_values(stats: &TensorStats) -> impl Iterator<Item = (&'static str, u64)> {
    let all = [
        ("nan", stats.nan),
        ("positive_infinity", stats.pos_inf),
        ("negative_infinity", stats.neg_inf),
    ];
    all.into_iter().filter(|(_, count)| *count > 0)
}

fn rows(histogram: &cresset_record::ExpHistogram) -> (Vec<f64>, Vec<u64>) {
    let (mut bins, mut values): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut zeros = 0;
    for bucket in histogram.buckets() {
        if bucket.lower == bucket.upper {
            zeros = bucket.count;
            continue;
        }
        if bucket.lower >= 0.0 && bins.last().is_none_or(|last| *last <= 0.0) {
            // From the smallest negative bin, or from nothing, to zero and on to the smallest positive one.
            gap(&mut bins, &mut values, zeros, bucket.lower);
            zeros = 0;
        }
        if bins.is_empty() {
            bins.push(bucket.lower);
        }
        bins.push(bucket.upper);
        values.push(bucket.count);
    }
    if zeros > 0 {
        let end = bins.first().map_or(1.0, |first| -first);
        gap(&mut bins, &mut values, zeros, end);
    }
    (bins, values)
}

/// Goes on to zero, and from zero to `end`, with zeros in between; only where there is something.
fn gap(bins: &mut Vec<f64>, values: &mut Vec<u64>, zeros: u64, end: f64) {
    if bins.is_empty() && zeros == 0 {
        return;
    }
    if bins.last().is_some_and(|last| *last < 0.0) {
        values.push(0);
    }
    if bins.last() != Some(&0.0) {
        bins.push(0.0);
    }
    if end > 0.0 {
        bins.push(end);
        values.push(zeros);
    } else if let Some(first) = values.last_mut() {
        *first += zeros;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(values: &[f64]) -> (Vec<f64>, Vec<u64>) {
        rows(&TensorStats::from_values(values.iter().copied()).histogram)
    }

    #[test]
    fn edges_rise_and_everything_is_counted() {
        for values in [
            &[1.0, 2.0, 3.0][..],
            &[0.0],
            &[-1.0],
            &[-1.0, 0.0],
            &[0.0, 0.0, 4.0],
            &[-3.0, 0.0, 0.0, 5.0],
            &[-3.0, 5.0],
            &[],
        ] {
            let (bins, counts) = rows_of(values);
            let rising = bins.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(rising, "{values:?}: {bins:?}");
            assert_eq!(
                counts.iter().sum::<u64>(),
                values.len() as u64,
                "{values:?}: {bins:?} {counts:?}"
            );
            if !values.is_empty() {
                assert_eq!(bins.len(), counts.len() + 1, "{values:?}");
            }
        }
    }

    #[test]
    fn wandb_takes_no_more_than_so_many_bins() {
        let wide = (0..600).map(|i| 2f64.powi(i - 300));
        let text = of(&TensorStats::from_values(wide));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let counts = json["values"].as_array().unwrap();
        assert!(counts.len() <= MAX_BINS && counts.len() > 200);
    }
}

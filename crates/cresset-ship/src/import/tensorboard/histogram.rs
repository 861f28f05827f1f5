//! Histograms with edges of their own as ours, whose edges are fixed: all of a bucket's count is put at its middle.

use cresset_record::{Buckets, ExpHistogram, TensorStats};

use crate::proto::{Fields, Malformed};

/// A histogram of more buckets is refused.
const MAX_BUCKETS: usize = 1 << 20;

/// A `HistogramProto`: extremes, sums and counts are known exactly.
pub(super) fn message(bytes: &[u8]) -> Result<TensorStats, Malformed> {
    // What is zero is not written.
    let mut stats = TensorStats {
        min: 0.0,
        max: 0.0,
        ..TensorStats::default()
    };
    let (mut limits, mut counts) = (Vec::new(), Vec::new());
    for field in Fields::of(bytes) {
        let (number, value) = field?;
        match number {
            1 => stats.min = value.double()?,
            2 => stats.max = value.double()?,
            4 => stats.sum = value.double()?,
            5 => stats.sum_sq = value.double()?,
            6 => value.doubles(&mut limits)?,
            7 => value.doubles(&mut counts)?,
            _ => {}
        }
    }
    if limits.len() != counts.len() || counts.len() > MAX_BUCKETS {
        return Err(Malformed);
    }
    let mut left = f64::NEG_INFINITY;
    for (right, count) in limits.into_iter().zip(counts) {
        add(&mut stats, left, right, count)?;
        left = right;
    }
    Ok(settled(stats))
}

/// The histograms plugin's rows of left edge, right edge and count. Sums follow from the middles.
pub(in crate::import) fn buckets(rows: &[f64]) -> Result<TensorStats, Malformed> {
    let (rows, rest) = rows.as_chunks::<3>();
    if !rest.is_empty() || rows.len() > MAX_BUCKETS {
        return Err(Malformed);
    }
    let counted = || rows.iter().filter(|row| row[2] > 0.0);
    let mut stats = TensorStats {
        min: counted().next().map_or(f64::NAN, |row| row[0]),
        max: counted().next_back().map_or(f64::NAN, |row| row[1]),
        ..TensorStats::default()
    };
    for [left, right, count] in rows {
        let middle = add(&mut stats, *left, *right, *count)?;
        stats.sum += middle * count;
        stats.sum_sq += middle * middle * count;
    }
    Ok(settled(stats))
}

/// Counts values at the middle of their bucket, as far as it lies between the extremes, and returns that.
fn add(stats: &mut TensorStats, left: f64, right: f64, count: f64) -> Result<f64, Malformed> {
    // No negative counts, and none that is no number.
    if !(0.0..=u64::MAX as f64).contains(&count) {
        return Err(Malformed);
    }
    let (left, right) = (left.max(stats.min), right.min(stats.max));
    let middle = left / 2.0 + right / 2.0;
    let count = count.round() as u64;
    if count == 0 {
        return Ok(0.0);
    }
    if !middle.is_finite() {
        return Err(Malformed);
    }
    let mut bucket = ExpHistogram::from_values([middle]);
    bucket.zero_count *= count;
    for side in [&mut bucket.positive, &mut bucket.negative] {
        *side = Buckets::new(side.offset, side.counts.iter().map(|c| c * count).collect());
    }
    stats.count = stats.count.saturating_add(count);
    stats.zeros = stats.zeros.saturating_add(bucket.zero_count);
    stats.histogram.merge(&bucket);
    Ok(middle)
}

/// An empty one has no extremes, whatever was said of them.
fn settled(stats: TensorStats) -> TensorStats {
    match stats.count {
        0 => TensorStats::default(),
        _ => stats,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Message;

    fn old_style(limits: &[f64], counts: &[f64], min: f64, max: f64) -> Vec<u8> {
        let packed =
            |values: &[f64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        Message::default()
            .double(1, min)
            .double(2, max)
            .double(4, 12.0)
            .double(5, 50.0)
            .bytes(6, packed(limits))
            .bytes(7, packed(counts))
            .into_bytes()
    }

    #[test]
    fn an_old_histogram_keeps_counts_extremes_and_sums() {
        let bytes = old_style(&[-1.0, 1.0, f64::MAX], &[1.0, 2.0, 1e9], -2.0, 3.0);
        let stats = message(&bytes).unwrap();
        assert_eq!(stats.count, 1_000_000_003);
        assert_eq!(
            (stats.min, stats.max, stats.sum, stats.sum_sq),
            (-2.0, 3.0, 12.0, 50.0)
        );
        assert_eq!(stats.zeros, 2, "the middle of -1 and 1");
        let last = stats.histogram.buckets().last().unwrap();
        assert!(last.lower < 2.0 && last.upper >= 2.0 && last.count == 1_000_000_000);
    }

    #[test]
    fn a_hostile_histogram_is_an_error() {
        assert!(message(&old_style(&[1.0], &[-1.0], 0.0, 1.0)).is_err());
        assert!(message(&old_style(&[1.0], &[f64::NAN], 0.0, 1.0)).is_err());
        assert!(message(&old_style(&[1.0, 2.0], &[1.0], 0.0, 1.0)).is_err());
        assert!(buckets(&[0.0, 1.0]).is_err());
        assert!(buckets(&[f64::NAN, f64::NAN, 1.0]).is_err());
        assert_eq!(buckets(&[]).unwrap().count, 0);
        assert_eq!(buckets(&[0.0, 1.0, 1e30]).map(|s| s.count), Err(Malformed));
    }
}

//! The body of a `Histogram` record.

use super::varint;
use crate::histogram::{Buckets, ExpHistogram, TensorStats};
use crate::key::KeyId;
use crate::time::Timestamp;

/// Offsets further out than this no `f64` has at any scale.
const MAX_OFFSET: u32 = 1 << 30;

/// Whether [`decode`] takes what [`encode`] makes of it.
pub(super) fn is_readable(histogram: &ExpHistogram) -> bool {
    histogram.scale <= ExpHistogram::MAX_SCALE
        && [&histogram.positive, &histogram.negative].iter().all(|b| {
            b.offset.unsigned_abs() < MAX_OFFSET && b.counts.len() <= ExpHistogram::MAX_BUCKETS
        })
}

pub(super) fn encode(
    out: &mut Vec<u8>,
    key: KeyId,
    step: u64,
    time: Timestamp,
    stats: &TensorStats,
) {
    varint::put(out, u64::from(key.0));
    varint::put(out, step);
    varint::put_signed(out, time.0);
    for n in [
        stats.count,
        stats.zeros,
        stats.nan,
        stats.pos_inf,
        stats.neg_inf,
    ] {
        varint::put(out, n);
    }
    for x in [stats.min, stats.max, stats.sum, stats.sum_sq] {
        out.extend_from_slice(&x.to_le_bytes());
    }
    let histogram = &stats.histogram;
    varint::put_signed(out, i64::from(histogram.scale));
    varint::put(out, histogram.zero_count);
    for buckets in [&histogram.positive, &histogram.negative] {
        varint::put_signed(out, i64::from(buckets.offset));
        varint::put(out, buckets.counts.len() as u64);
        for &n in &buckets.counts {
            varint::put(out, n);
        }
    }
}

pub(super) fn decode(mut body: &[u8]) -> Option<(KeyId, u64, Timestamp, TensorStats)> {
    let input = &mut body;
    let key = KeyId(u32::try_from(varint::take(input)?).ok()?);
    let step = varint::take(input)?;
    let time = Timestamp(varint::take_signed(input)?);
    let mut stats = TensorStats {
        count: varint::take(input)?,
        zeros: varint::take(input)?,
        nan: varint::take(input)?,
        pos_inf: varint::take(input)?,
        neg_inf: varint::take(input)?,
        min: take_f64(input)?,
        max: take_f64(input)?,
        sum: take_f64(input)?,
        sum_sq: take_f64(input)?,
        histogram: ExpHistogram::default(),
    };
    stats.histogram = ExpHistogram {
        scale: i8::try_from(varint::take_signed(input)?)
            .ok()
            .filter(|s| *s <= ExpHistogram::MAX_SCALE)?,
        zero_count: varint::take(input)?,
        positive: take_buckets(input)?,
        negative: take_buckets(input)?,
    };
    Some((key, step, time, stats))
}

fn take_buckets(input: &mut &[u8]) -> Option<Buckets> {
    let offset = i32::try_from(varint::take_signed(input)?)
        .ok()
        .filter(|o| o.unsigned_abs() < MAX_OFFSET)?;
    let n = varint::take(input)?;
    if n > ExpHistogram::MAX_BUCKETS as u64 || n > input.len() as u64 {
        return None;
    }
    let counts = (0..n)
        .map(|_| varint::take(input))
        .collect::<Option<Vec<u64>>>()?;
    Some(Buckets::new(offset, counts))
}

fn take_f64(input: &mut &[u8]) -> Option<f64> {
    let (bytes, rest) = input.split_first_chunk::<8>()?;
    *input = rest;
    Some(f64::from_le_bytes(*bytes))
}

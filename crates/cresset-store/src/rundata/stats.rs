//! Statistics of a tensor as bytes.

use cresset_record::{Buckets, ExpHistogram, TensorStats};

use crate::error::StoreError;
use crate::varint::{self, Taker};

const VERSION: u8 = 1;

pub(crate) fn encode(stats: &TensorStats) -> Vec<u8> {
    let mut out = vec![VERSION];
    for n in [
        stats.count,
        stats.zeros,
        stats.nan,
        stats.pos_inf,
        stats.neg_inf,
    ] {
        varint::put(&mut out, n);
    }
    for x in [stats.min, stats.max, stats.sum, stats.sum_sq] {
        varint::put_f64(&mut out, x);
    }
    let histogram = &stats.histogram;
    varint::put_signed(&mut out, i64::from(histogram.scale));
    varint::put(&mut out, histogram.zero_count);
    for buckets in [&histogram.positive, &histogram.negative] {
        varint::put_signed(&mut out, i64::from(buckets.offset));
        varint::put(&mut out, buckets.counts.len() as u64);
        for &n in &buckets.counts {
            varint::put(&mut out, n);
        }
    }
    out
}

/// What [`encode`] made.
pub(crate) fn decode(bytes: &[u8]) -> Result<TensorStats, StoreError> {
    decode_parts(bytes, true)
}

/// The same, with the histogram left empty.
pub(crate) fn decode_moments(bytes: &[u8]) -> Result<TensorStats, StoreError> {
    decode_parts(bytes, false)
}

fn decode_parts(bytes: &[u8], with_histogram: bool) -> Result<TensorStats, StoreError> {
    let mut taker = Taker::new(bytes, "a histogram");
    if taker.byte()? != VERSION {
        return Err(taker.damaged());
    }
    let mut stats = TensorStats {
        count: taker.number()?,
        zeros: taker.number()?,
        nan: taker.number()?,
        pos_inf: taker.number()?,
        neg_inf: taker.number()?,
        min: taker.f64()?,
        max: taker.f64()?,
        sum: taker.f64()?,
        sum_sq: taker.f64()?,
        histogram: ExpHistogram::default(),
    };
    if with_histogram {
        let scale = i8::try_from(taker.signed()?).map_err(|_| taker.damaged())?;
        stats.histogram = ExpHistogram {
            scale: scale.min(ExpHistogram::MAX_SCALE),
            zero_count: taker.number()?,
            positive: take_buckets(&mut taker)?,
            negative: take_buckets(&mut taker)?,
        };
    }
    Ok(stats)
}

fn take_buckets(taker: &mut Taker<'_>) -> Result<Buckets, StoreError> {
    let offset = i32::try_from(taker.signed()?).map_err(|_| taker.damaged())?;
    let n = taker.count()?;
    let counts = (0..n).map(|_| taker.number()).collect::<Result<_, _>>()?;
    Ok(Buckets::new(offset, counts))
}

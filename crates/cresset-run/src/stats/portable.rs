//! Scans in plain Rust. Short loops over one thing each, as compilers turn these into vector instructions and the
//! obvious single loop not.

use super::scan::{LANES, Lanes, Scan, Slots};
use super::table::{SLOT_MAGNITUDE, slot_f32, slot_f64};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use std::array::from_fn;

pub(super) fn scan_f32(groups: &[[f32; LANES]], slots: &mut [Slots]) -> Scan {
    scan(groups, slots, slot_f32, f32::INFINITY, f32::NEG_INFINITY)
}

pub(super) fn scan_f64(groups: &[[f64; LANES]], slots: &mut [Slots]) -> Scan {
    scan(groups, slots, slot_f64, f64::INFINITY, f64::NEG_INFINITY)
}

pub(super) fn widen_f16(values: &[f16], widened: &mut [f32]) {
    values.convert_to_f32_slice(widened);
}

/// A `bf16` is the upper half of an `f32`.
pub(super) fn widen_bf16(values: &[bf16], widened: &mut [f32]) {
    for (value, wide) in values.iter().zip(widened) {
        *wide = f32::from_bits(u32::from(value.to_bits()) << 16);
    }
}

#[inline(always)]
fn scan<T>(
    groups: &[[T; LANES]],
    slots: &mut [Slots],
    slot: impl Fn(T) -> u16,
    infinity: T,
    neg_infinity: T,
) -> Scan
where
    T: Copy + Into<f64> + PartialOrd,
{
    let mut lowest = [u16::MAX; LANES];
    for (group, slots) in groups.iter().zip(slots) {
        *slots = from_fn(|lane| slot(group[lane]));
        lowest = from_fn(|lane| lowest[lane].min(slots[lane] & SLOT_MAGNITUDE));
    }
    let mut min = [infinity; LANES];
    for group in groups {
        min = from_fn(|lane| {
            if group[lane] < min[lane] {
                group[lane]
            } else {
                min[lane]
            }
        });
    }
    let mut max = [neg_infinity; LANES];
    for group in groups {
        max = from_fn(|lane| {
            if group[lane] > max[lane] {
                group[lane]
            } else {
                max[lane]
            }
        });
    }
    let mut sum = [0.0; LANES];
    let mut sum_sq = [0.0; LANES];
    for group in groups {
        let wide: [f64; LANES] = from_fn(|lane| group[lane].into());
        sum = from_fn(|lane| sum[lane] + wide[lane]);
        sum_sq = from_fn(|lane| sum_sq[lane] + wide[lane] * wide[lane]);
    }
    Lanes {
        sum,
        sum_sq,
        min,
        max,
        lowest,
    }
    .into()
}

use super::scan::{BLOCK, Kernel, LANES};
use super::{Accumulator, tensor_stats_bf16, tensor_stats_f16, tensor_stats_f32, tensor_stats_f64};
use cresset_record::TensorStats;
use half::{bf16, f16};
use proptest::prelude::*;
use std::f32::consts::SQRT_2;

/// The element types, so that one test covers all four.
trait Element: Copy + std::fmt::Debug + 'static {
    const SPECIAL: &'static [fn() -> Self];
    fn stats(values: &[Self]) -> TensorStats;
    fn add(accumulator: &mut Accumulator, values: &[Self]);
    fn wide(self) -> f64;
    fn from_f64(value: f64) -> Self;
    fn from_random_bits(bits: u64) -> Self;
}

macro_rules! element {
    ($type:ty, $bits:ty, $stats:ident, $add:ident, $to_f64:expr, $from_f64:expr, $special:expr) => {
        impl Element for $type {
            const SPECIAL: &'static [fn() -> Self] = $special;
            fn stats(values: &[Self]) -> TensorStats {
                $stats(values)
            }
            fn add(accumulator: &mut Accumulator, values: &[Self]) {
                accumulator.$add(values);
            }
            fn wide(self) -> f64 {
                $to_f64(self)
            }
            fn from_f64(value: f64) -> Self {
                $from_f64(value)
            }
            fn from_random_bits(bits: u64) -> Self {
                <$type>::from_bits(bits as $bits)
            }
        }
    };
}

element!(
    f32,
    u32,
    tensor_stats_f32,
    add_f32,
    f64::from,
    |v: f64| v as f32,
    &[
        || SQRT_2,
        || SQRT_2.next_up(),
        || SQRT_2.next_down(),
        || -SQRT_2 * 1024.0,
        || f32::MAX,
        || f32::MIN,
        || f32::MIN_POSITIVE,
        || f32::MIN_POSITIVE.next_up(),
        || f32::MIN_POSITIVE * SQRT_2,
    ]
);
element!(
    f64,
    u64,
    tensor_stats_f64,
    add_f64,
    |v| v,
    |v| v,
    &[
        || std::f64::consts::SQRT_2,
        || std::f64::consts::SQRT_2.next_down(),
        || f64::from(f32::MAX).next_up(),
        || f64::from(f32::MIN_POSITIVE).next_down(),
        || f64::from(f32::MIN_POSITIVE).next_up(),
        || 2f64.powi(128),
        || 1e150,
        || -1e-300,
    ]
);
element!(
    f16,
    u16,
    tensor_stats_f16,
    add_f16,
    f64::from,
    f16::from_f64,
    &[
        || f16::MAX,
        || f16::MIN_POSITIVE,
        || f16::MIN_POSITIVE_SUBNORMAL,
        || f16::SQRT_2,
        || f16::from_bits(f16::SQRT_2.to_bits() + 1),
    ]
);
element!(
    bf16,
    u16,
    tensor_stats_bf16,
    add_bf16,
    f64::from,
    bf16::from_f64,
    &[
        || bf16::MAX,
        || bf16::MIN_POSITIVE,
        || bf16::MIN_POSITIVE_SUBNORMAL,
        || bf16::SQRT_2,
        || bf16::from_bits(bf16::SQRT_2.to_bits() - 1),
    ]
);

/// A small generator, so that a million normal values cost nothing to keep.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn normal<T: Element>(n: usize) -> Vec<T> {
    let mut random = Random(n as u64);
    (0..n)
        .map(|_| T::from_f64(random.normal() * 0.01))
        .collect()
}

/// All that can go wrong in one list: what `SPECIAL` holds, non-finite numbers, zeros, subnormals, powers of two.
fn special<T: Element>() -> Vec<T> {
    let general = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1e-40,
        -1e-45,
        1.0,
        2.0,
        -0.5,
        0.25,
    ];
    T::SPECIAL
        .iter()
        .map(|value| value())
        .chain(general.map(T::from_f64))
        .collect()
}

/// Sum by Neumaier's compensated algorithm, and the sum of magnitudes that errors are relative to.
fn exact_sum(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut sum, mut correction, mut scale) = (0.0f64, 0.0, 0.0);
    for value in values {
        let next = sum + value;
        correction += if sum.abs() >= value.abs() {
            (sum - next) + value
        } else {
            (value - next) + sum
        };
        sum = next;
        scale += value.abs();
    }
    (sum + correction, scale)
}

fn bits(stats: &TensorStats) -> [u64; 4] {
    [stats.min, stats.max, stats.sum, stats.sum_sq].map(f64::to_bits)
}

/// The same down to the last bit; `==` would take NaN extremes for a difference.
fn assert_same(a: &TensorStats, b: &TensorStats) {
    assert_eq!(bits(a), bits(b));
    assert_counts_same(a, b);
}

fn assert_counts_same(a: &TensorStats, b: &TensorStats) {
    let counts = |s: &TensorStats| [s.count, s.zeros, s.nan, s.pos_inf, s.neg_inf];
    assert_eq!(counts(a), counts(b));
    assert_eq!(a.histogram, b.histogram);
}

/// Against one value at a time with compensated sums, and the portable path against the best one.
fn check<T: Element>(values: &[T]) {
    let stats = T::stats(values);
    let reference = TensorStats::from_values(values.iter().map(|v| v.wide()));
    assert_counts_same(&stats, &reference);
    assert_eq!(stats.min.to_bits(), reference.min.to_bits());
    assert_eq!(stats.max.to_bits(), reference.max.to_bits());

    let finite = || values.iter().map(|v| v.wide()).filter(|v| v.is_finite());
    for (sum, (exact, scale)) in [
        (stats.sum, exact_sum(finite())),
        (stats.sum_sq, exact_sum(finite().map(|v| v * v))),
    ] {
        if exact.is_finite() {
            let error = (sum - exact).abs();
            assert!(
                error <= 1e-12 * exact.abs() || error <= 1e-15 * scale,
                "{sum:e} instead of {exact:e}"
            );
        }
    }

    let mut portable = Accumulator::portable();
    T::add(&mut portable, values);
    assert_same(&portable.finish(), &stats);
}

fn check_every_size<T: Element>() {
    let values = normal::<T>(3 * BLOCK + 1);
    for n in (0..70).chain(BLOCK - LANES - 1..=BLOCK + LANES + 1).chain([
        2 * BLOCK - 1,
        2 * BLOCK,
        3 * BLOCK + 1,
    ]) {
        check(&values[..n]);
    }
}

fn check_special_values_in_every_lane<T: Element>() {
    let specials = special::<T>();
    check(&specials);
    for special in &specials {
        for place in [0, 1, 7, 8, BLOCK - 1, BLOCK, BLOCK + 5] {
            let mut values = normal::<T>(2 * BLOCK + 3);
            values[place] = *special;
            check(&values);
        }
        check(&[*special; BLOCK + 9]);
    }
}

fn check_a_million<T: Element>() {
    let mut values = normal::<T>(1_000_000);
    check(&values);
    for (k, special) in special::<T>().into_iter().enumerate() {
        values[k * 40_009] = special;
    }
    check(&values);
}

fn check_random_bits<T: Element>() {
    let mut random = Random(1);
    for _ in 0..200 {
        let n = (random.bits() % 3000) as usize;
        let values: Vec<T> = (0..n).map(|_| T::from_random_bits(random.bits())).collect();
        check(&values);
    }
}

macro_rules! for_every_type {
    ($($test:ident = $check:ident;)*) => {$(
        mod $test {
            use super::*;
            #[test] fn f32() { $check::<f32>(); }
            #[test] fn f64() { $check::<f64>(); }
            #[test] fn f16() { $check::<half::f16>(); }
            #[test] fn bf16() { $check::<half::bf16>(); }
        }
    )*};
}

for_every_type! {
    every_size = check_every_size;
    special_values_in_every_lane = check_special_values_in_every_lane;
    a_million = check_a_million;
    random_bits = check_random_bits;
}

#[test]
fn every_16_bit_number_has_its_bucket() {
    let all_f16: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let all_bf16: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
    check(&all_f16);
    check(&all_bf16);
    for value in all_f16 {
        check(&[value; LANES]);
    }
    for value in all_bf16 {
        check(&[value; LANES]);
    }
}

/// Every exponent with mantissas around every edge, in blocks that stay regular.
#[test]
fn every_edge_of_normal_f32() {
    for exponent in 2..=254u32 {
        for sign in [0, 1 << 31] {
            let group: [f32; LANES] = [
                0, 1, 2, 0x35_04F2, 0x35_04F3, 0x35_04F4, 0x7F_FFFE, 0x7F_FFFF,
            ]
            .map(|mantissa| f32::from_bits(sign | (exponent << 23) | mantissa));
            check(&group);
            check(&group.map(f64::from));
        }
    }
}

#[test]
fn this_machine_tests_what_it_has() {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        assert!(matches!(Kernel::detect(), Kernel::Avx2(_)));
        return;
    }
    assert!(matches!(Kernel::detect(), Kernel::Portable));
}

#[test]
fn finish_starts_afresh() {
    let mut accumulator = Accumulator::new();
    let first = normal::<f32>(5000);
    accumulator.add_f32(&first);
    let once = accumulator.finish();
    assert_same(&accumulator.finish(), &TensorStats::default());
    accumulator.add_f32(&first);
    assert_same(&accumulator.finish(), &once);
}

#[test]
fn counters_are_emptied_before_they_overflow() {
    let values = vec![0.5f32; 20 * BLOCK];
    let mut accumulator = Accumulator::new();
    for _ in 0..3 {
        accumulator.pretend_nearly_full();
        accumulator.add_f32(&values);
    }
    let stats = accumulator.finish();
    assert_eq!(stats.count, 60 * BLOCK as u64);
    assert_eq!(stats.histogram.positive.counts, [60 * BLOCK as u64]);
}

#[test]
fn one_accumulator_takes_all_types() {
    let mut accumulator = Accumulator::new();
    accumulator.add_f32(&normal(3000));
    accumulator.add_f64(&normal(2000));
    accumulator.add_f16(&normal(1500));
    accumulator.add_bf16(&normal(100));
    let stats = accumulator.finish();
    let mut parts = tensor_stats_f32(&normal(3000));
    parts.merge(&tensor_stats_f64(&normal(2000)));
    parts.merge(&tensor_stats_f16(&normal(1500)));
    parts.merge(&tensor_stats_bf16(&normal(100)));
    assert_counts_same(&stats, &parts);
    assert_eq!((stats.min, stats.max), (parts.min, parts.max));
}

fn any_f32() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -2.0..2.0f32, 1 => any::<u32>().prop_map(f32::from_bits), 1 => prop::sample::select(special::<f32>())]
}

proptest! {
    #[test]
    fn any_values(values in prop::collection::vec(any_f32(), 0..2500)) {
        check(&values);
    }

    #[test]
    fn parts_merge_into_the_whole(values in prop::collection::vec(any_f32(), 0..2500), cut in 0.0..1.0f64) {
        let (a, b) = values.split_at((cut * values.len() as f64) as usize);
        let whole = tensor_stats_f32(&values);
        let mut merged = tensor_stats_f32(a);
        merged.merge(&tensor_stats_f32(b));
        assert_counts_same(&merged, &whole);

        let mut accumulator = Accumulator::new();
        accumulator.add_f32(a);
        accumulator.add_f32(b);
        assert_counts_same(&accumulator.finish(), &whole);
    }
}

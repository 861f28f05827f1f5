use super::{Bucket, Buckets, ExpHistogram, TensorStats};
use proptest::prelude::*;

/// Values that sit on, next to, and far from every kind of edge.
fn tricky() -> Vec<f64> {
    let mut values = vec![
        0.0,
        -0.0,
        1.0,
        1.5,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        3e-320,
    ];
    for exponent in [-1074, -1040, -1022, -149, -126, -1, 0, 1, 127, 1023] {
        let power = 2f64.powi(exponent);
        let root = power * std::f64::consts::SQRT_2;
        for edge in [power, root] {
            values.extend([edge, edge.next_up(), edge.next_down()]);
        }
    }
    values.retain(|value| value.is_finite());
    let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
    values.extend(mirrored);
    values
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |v| v.is_finite()),
        prop::sample::select(tricky()),
        -4.0..4.0f64
    ]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(finite(), 0..60)
}

/// Whether `value > 2^(half_steps / 2)`, in integers: value² = m² · 2^(2e) against 2^half_steps.
fn exceeds(value: f64, half_steps: i32) -> bool {
    let bits = value.to_bits();
    let field = (bits >> 52) as i32;
    let fraction = u128::from(bits & ((1 << 52) - 1));
    let (m, e) = if field == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, field - 1075)
    };
    let square = m * m;
    match half_steps - 2 * e {
        ..0 => true,
        shift @ 0..=127 => square > 1 << shift,
        _ => false,
    }
}

fn at_scale(scale: i8, values: &[f64]) -> ExpHistogram {
    let mut histogram = ExpHistogram::new(scale);
    for &value in values {
        histogram.insert(value);
    }
    histogram
}

fn index_of(scale: i8, value: f64) -> i32 {
    at_scale(scale, &[value]).positive.offset
}

#[test]
fn powers_of_two_close_the_bucket_below() {
    assert_eq!(index_of(0, 1.0), -1);
    assert_eq!(index_of(0, 1.0f64.next_up()), 0);
    assert_eq!(index_of(0, 2.0), 0);
    assert_eq!(index_of(1, 1.0), -1);
    assert_eq!(index_of(1, 1.4), 0);
    assert_eq!(index_of(1, 1.5), 1);
    assert_eq!(index_of(-1, 4.0), 0);
    assert_eq!(index_of(-1, 4.1), 1);
    assert_eq!(index_of(3, 1.0), -1);
    assert_eq!(index_of(3, 1.99), 7);
    assert_eq!(index_of(1, f64::from_bits(1)), -2149);
    assert_eq!(index_of(1, f64::MAX), 2047);
}

#[test]
fn tricky_values_obey_the_definition() {
    for value in tricky().into_iter().filter(|&value| value > 0.0) {
        obeys_the_definition(value);
    }
}

fn obeys_the_definition(value: f64) {
    let index = index_of(1, value);
    assert!(
        exceeds(value, index),
        "{value:e} must be above 2^({index}/2)"
    );
    assert!(
        !exceeds(value, index + 1),
        "{value:e} must not be above 2^({index}/2 + 1/2)"
    );
}

#[test]
fn all_of_f64_fits_at_the_tensor_scale() {
    let histogram = ExpHistogram::from_values(tricky());
    assert_eq!(histogram.scale, ExpHistogram::TENSOR_SCALE);
    assert_eq!(histogram.positive.counts.len(), 4197);
    assert_eq!(histogram.count(), tricky().len() as u64);
}

#[test]
fn a_wide_range_at_a_fine_scale_is_downscaled() {
    let histogram = at_scale(20, &[1e-300, 1e300, -1.0]);
    assert!(
        histogram.scale < 20 && histogram.scale >= 1,
        "scale {}",
        histogram.scale
    );
    assert!(histogram.positive.counts.len() <= ExpHistogram::MAX_BUCKETS);
    assert_eq!(histogram.count(), 3);
}

#[test]
fn buckets_run_from_most_negative_to_most_positive() {
    let histogram = ExpHistogram::from_values([-3.0, -0.0, 0.0, 1.0, 1.0, 2.0]);
    let root = std::f64::consts::SQRT_2;
    let expected = [
        (-4.0, -2.0 * root, 1),
        (0.0, 0.0, 2),
        (root / 2.0, 1.0, 2),
        (1.0, root, 0),
        (root, 2.0, 1),
    ];
    let expected = expected.map(|(lower, upper, count)| Bucket {
        lower,
        upper,
        count,
    });
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-15 * b.abs();
    let buckets: Vec<Bucket> = histogram.buckets().collect();
    assert_eq!(buckets.len(), expected.len(), "{buckets:?}");
    for (bucket, expected) in buckets.iter().zip(&expected) {
        assert!(
            close(bucket.lower, expected.lower) && close(bucket.upper, expected.upper),
            "{bucket:?} {expected:?}"
        );
        assert_eq!(bucket.count, expected.count);
    }
}

#[test]
fn edges_of_extreme_buckets_are_finite_and_powers_exact() {
    let buckets: Vec<Bucket> = ExpHistogram::from_values([f64::MAX, f64::from_bits(1)])
        .buckets()
        .collect();
    assert_eq!(buckets.first().unwrap().upper, f64::from_bits(1));
    assert_eq!(buckets.last().unwrap().upper, f64::MAX);
    for bucket in at_scale(0, &[f64::from_bits(1), f64::MAX]).buckets() {
        let half = if bucket.lower == 0.0 {
            f64::from_bits(1)
        } else {
            bucket.lower * 2.0
        };
        assert_eq!(half.min(f64::MAX), bucket.upper);
    }
}

#[test]
fn nothing_gives_nothing() {
    let histogram = ExpHistogram::from_values([f64::NAN, f64::INFINITY]);
    assert!(histogram.is_empty());
    assert_eq!(histogram.buckets().count(), 0);
    assert_eq!(histogram.quantile(0.5), None);
    assert_eq!(histogram, ExpHistogram::default());
    let stats = TensorStats::default();
    assert!(stats.mean().is_nan() && stats.std().is_nan() && stats.min.is_nan());
    assert_eq!(stats.l2_norm(), 0.0);
}

#[test]
fn quantile_needs_a_share() {
    let histogram = ExpHistogram::from_values([1.0, 2.0]);
    for q in [-0.1, 1.1, f64::NAN] {
        assert_eq!(histogram.quantile(q), None);
    }
}

#[test]
fn buckets_are_trimmed_when_made() {
    let buckets = Buckets::new(-2, vec![0, 0, 3, 0, 1, 0]);
    assert_eq!(
        buckets,
        Buckets {
            offset: 0,
            counts: vec![3, 0, 1]
        }
    );
    assert_eq!(Buckets::new(7, vec![0, 0]), Buckets::default());
}

#[test]
fn moments_of_known_values() {
    let stats = TensorStats::from_values([
        1.0,
        2.0,
        3.0,
        4.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
    ]);
    assert_eq!(
        (stats.count, stats.finite(), stats.non_finite(), stats.zeros),
        (8, 5, 3, 1)
    );
    assert_eq!((stats.nan, stats.pos_inf, stats.neg_inf), (1, 1, 1));
    assert_eq!((stats.min, stats.max, stats.mean()), (0.0, 4.0, 2.0));
    assert!((stats.std() - 2f64.sqrt()).abs() < 1e-15);
    assert!((stats.l2_norm() - 30f64.sqrt()).abs() < 1e-15);
    assert_eq!(TensorStats::from_values([0.1; 1000]).std(), 0.0);
}

proptest! {
    #[test]
    fn every_bucket_obeys_the_definition(value in finite().prop_filter("not zero", |&v| v != 0.0)) {
        obeys_the_definition(value.abs());
    }

    #[test]
    fn downscaling_is_sorting_at_the_lower_scale(values in values(), scale in -9i8..=1, by in 0u8..4) {
        let mut histogram = at_scale(scale, &values);
        histogram.downscale(by);
        prop_assert_eq!(histogram, at_scale(scale - by as i8, &values));
    }

    #[test]
    fn downscaling_fine_scales_too(value in 1e-3..1e3f64, scale in 1i8..=20, by in 0u8..=20) {
        let mut histogram = at_scale(scale, &[value]);
        histogram.downscale(by);
        prop_assert_eq!(histogram, at_scale(scale - by as i8, &[value]));
    }

    #[test]
    fn merging_parts_gives_the_whole(a in values(), b in values()) {
        let mut merged = TensorStats::from_values(a.iter().copied());
        merged.merge(&TensorStats::from_values(b.iter().copied()));
        let whole = TensorStats::from_values(a.into_iter().chain(b));
        prop_assert_eq!(merged.histogram, whole.histogram);
        prop_assert_eq!((merged.count, merged.zeros), (whole.count, whole.zeros));
        prop_assert_eq!(merged.min.to_bits(), whole.min.to_bits());
        prop_assert_eq!(merged.max.to_bits(), whole.max.to_bits());
    }

    #[test]
    fn merging_two_scales_gives_the_coarser(a in values(), b in values(), s in -4i8..=1, t in -4i8..=1) {
        prop_assume!(!a.is_empty() && !b.is_empty());
        let mut merged = at_scale(s, &a);
        merged.merge(&at_scale(t, &b));
        let all: Vec<f64> = a.into_iter().chain(b).collect();
        prop_assert_eq!(merged, at_scale(s.min(t), &all));
    }

    #[test]
    fn buckets_hold_the_values(values in values()) {
        let buckets: Vec<Bucket> = ExpHistogram::from_values(values.iter().copied()).buckets().collect();
        prop_assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), values.len() as u64);
        prop_assert!(buckets.is_sorted_by(|a, b| a.upper <= b.lower));
        if let (Some(first), Some(last)) = (buckets.first(), buckets.last()) {
            prop_assert!(first.count > 0 && last.count > 0);
        }
        for value in values {
            prop_assert!(buckets.iter().any(|b| b.count > 0 && b.lower <= value && value <= b.upper), "{}", value);
        }
    }

    #[test]
    fn quantiles_are_in_the_right_bucket(mut values in prop::collection::vec(-4.0..4.0f64, 1..200), q in 0.0..=1.0f64) {
        let estimate = TensorStats::from_values(values.iter().copied()).quantile(q).unwrap();
        values.sort_by(f64::total_cmp);
        let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
        let exact = values[rank - 1];
        let base = std::f64::consts::SQRT_2 * (1.0 + 1e-12);
        prop_assert!(estimate * exact > 0.0 && estimate / exact < base && exact / estimate < base,
            "{} for {}", estimate, exact);
    }

    /// As a damaged file could hold: nothing panics, hangs, or allocates without bound.
    #[test]
    fn any_content_is_safe(a in any_histogram(), b in any_histogram(), value in any::<f64>(), by in any::<u8>()) {
        let _ = (a.count(), a.quantile(0.3), a.buckets().count());
        let mut merged = a.clone();
        merged.merge(&b);
        prop_assert!(a.is_empty() || b.is_empty() || merged.positive.counts.len() <= ExpHistogram::MAX_BUCKETS);
        merged.insert(value);
        merged.downscale(by);
        let _ = (merged.count(), merged.quantile(0.7), merged.buckets().count());
    }
}

fn any_histogram() -> impl Strategy<Value = ExpHistogram> {
    let offset = || prop_oneof![any::<i32>(), -10..10i32, Just(i32::MIN), Just(i32::MAX)];
    let counts = || prop::collection::vec(prop_oneof![Just(0), Just(1), any::<u64>()], 0..20);
    let buckets =
        move || (offset(), counts()).prop_map(|(offset, counts)| Buckets { offset, counts });
    (any::<i8>(), any::<u64>(), buckets(), buckets()).prop_map(
        |(scale, zero_count, positive, negative)| ExpHistogram {
            scale,
            zero_count,
            positive,
            negative,
        },
    )
}

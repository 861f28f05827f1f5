//! Order statistics.

/// The value below which the share `q` of `values` lies, by nearest rank; NaN of nothing. Sorts `values`.
#[must_use]
pub fn percentile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (q * values.len() as f64) as usize;
    let rank = rank.min(values.len().saturating_sub(1));
    values.get(rank).copied().unwrap_or(f64::NAN)
}

/// The middle of `values`, the mean of the two in the middle of an even number; NaN of nothing. Sorts `values`.
#[must_use]
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => f64::NAN,
        _ => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics() {
        let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut values, 0.99), 99.0);
        assert_eq!(percentile(&mut values, 1.0), 99.0);
        assert_eq!(median(&mut values), 49.5);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert!(median(&mut []).is_nan() && percentile(&mut [], 0.5).is_nan());
    }
}

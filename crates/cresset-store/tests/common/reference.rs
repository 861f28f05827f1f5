//! Charts made the dull way, from all points of a `RunView`.

use cresset_record::*;
use cresset_store::*;

/// A point with its x, and its place in the order of arrival.
#[derive(Clone, Copy, Debug)]
struct At {
    x: f64,
    arrival: usize,
    value: f64,
}

/// Compares the answer to a question with the points of the run.
pub fn check_chart(view: &RunView, store: &Store, query: &ChartQuery) {
    let chart = store.chart(query).unwrap();
    let mut expected: Vec<(Rank, Vec<At>, usize)> = Vec::new();
    for (key, rank, series) in view.series() {
        if key.as_str() == query.key && !series.points().is_empty() {
            let mut points = place(view, rank, series, &query.axis);
            points.retain(|p| {
                query.from.is_none_or(|f| p.x >= f) && query.to.is_none_or(|t| p.x <= t)
            });
            points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.arrival.cmp(&b.arrival)));
            expected.push((rank, points, series.points().len()));
        }
    }
    let mut distinct: Vec<f64> = expected.iter().flat_map(|e| &e.1).map(|p| p.x).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    assert_eq!(
        chart.grid.exact,
        distinct.len() <= 2 * query.buckets,
        "{query:?}"
    );
    expected.retain(|e| !e.1.is_empty());
    assert_eq!(
        chart.series.iter().map(|s| s.rank).collect::<Vec<_>>(),
        expected.iter().map(|e| e.0).collect::<Vec<_>>(),
        "{query:?}"
    );
    let grid = &chart.grid;
    if grid.exact {
        assert_eq!(grid.x, distinct);
    } else {
        assert!(!grid.x.is_empty() && grid.x.len() <= query.buckets);
        let n = grid.x.len() as f64;
        let (low, high) = (distinct[0], distinct[distinct.len() - 1]);
        let rounding = 1e-9 * grid.width + 1e-15 * high.abs();
        assert!(grid.from <= low && grid.from + n * grid.width >= high - rounding);
    }
    for (series, (_, points, total)) in chart.series.iter().zip(&expected) {
        assert_eq!(
            (series.total, series.points),
            (*total as u64, points.len() as u64)
        );
        check_series(series, grid, points, &format!("{query:?}"));
    }
}

fn check_series(series: &ChartSeries, grid: &Grid, points: &[At], what: &str) {
    let bucket = |x: f64| {
        if grid.exact {
            grid.x.partition_point(|&g| g < x)
        } else {
            (((x - grid.from) / grid.width) as usize).min(grid.x.len() - 1)
        }
    };
    let several = points
        .chunk_by(|a, b| bucket(a.x) == bucket(b.x))
        .any(|g| g.len() > 1);
    assert_eq!(several, !series.mean.is_empty(), "{what}");
    let mut nonfinite = Vec::new();
    let mut seen = vec![false; series.count.len()];
    for group in points.chunk_by(|a, b| bucket(a.x) == bucket(b.x)) {
        let index = bucket(group[0].x);
        let at = index - series.start;
        seen[at] = true;
        assert_eq!(series.count[at], group.len() as f64, "{what}");
        same(series.last[at], group[group.len() - 1].value, what);
        let values = || group.iter().map(|p| p.value);
        let finite: Vec<f64> = values().filter(|v| v.is_finite()).collect();
        if several {
            same(series.first[at], group[0].value, what);
            same(
                series.min[at],
                finite.iter().copied().reduce(f64::min).unwrap_or(f64::NAN),
                what,
            );
            same(
                series.max[at],
                finite.iter().copied().reduce(f64::max).unwrap_or(f64::NAN),
                what,
            );
            let scale: f64 = finite.iter().map(|v| v.abs()).sum();
            let mean = finite.iter().sum::<f64>() / finite.len() as f64;
            let close = (series.mean[at] - mean).abs() <= 1e-12 * scale;
            assert!(
                close || (mean.is_nan() && series.mean[at].is_nan()),
                "{what}: {mean} {}",
                series.mean[at]
            );
        }
        let n = |f: fn(f64) -> bool| values().filter(|v| f(*v)).count() as u64;
        let found = NonFinite {
            index,
            nan: n(f64::is_nan),
            pos_inf: n(|v| v == f64::INFINITY),
            neg_inf: n(|v| v == f64::NEG_INFINITY),
        };
        if found.nan + found.pos_inf + found.neg_inf > 0 {
            nonfinite.push(found);
        }
    }
    assert_eq!(series.nonfinite, nonfinite, "{what}");
    for (at, _) in seen.iter().enumerate().filter(|(_, seen)| !**seen) {
        assert_eq!(series.count[at], 0.0);
        assert!(series.last[at].is_nan() && series.mean.get(at).is_none_or(|m| m.is_nan()));
    }
}

fn same(a: f64, b: f64, what: &str) {
    assert!(
        a == b || (a.is_nan() && b.is_nan()),
        "{a} instead of {b}: {what}"
    );
}

fn place(view: &RunView, rank: Rank, series: &Series, axis: &Axis) -> Vec<At> {
    let points = series.points().iter().enumerate();
    match axis {
        Axis::Step => points
            .map(|(arrival, p)| At {
                x: p.step as f64,
                arrival,
                value: p.value,
            })
            .collect(),
        Axis::Wall | Axis::Relative => {
            let origin = match axis {
                Axis::Wall => 0,
                _ => view.start().unwrap().time.0,
            };
            points
                .map(|(arrival, p)| At {
                    x: (p.time.0 as f64 - origin as f64) / 1e6,
                    arrival,
                    value: p.value,
                })
                .collect()
        }
        Axis::Metric(metric) => {
            let of = |r: Option<Rank>| {
                let mut all = view
                    .series()
                    .filter(|(k, _, s)| k.as_str() == metric && !s.points().is_empty());
                all.find(|(_, rank, _)| r.is_none_or(|r| r == *rank))
                    .map(|(_, _, s)| s)
            };
            let Some(xs) = of(Some(rank)).or_else(|| of(None)) else {
                return Vec::new();
            };
            let xs = xs.by_step();
            points
                .filter_map(|(arrival, p)| {
                    let at = xs.partition_point(|x| x.step <= p.step).checked_sub(1)?;
                    let x = xs[at].value + 0.0;
                    x.is_finite().then_some(At {
                        x,
                        arrival,
                        value: p.value,
                    })
                })
                .collect()
        }
    }
}

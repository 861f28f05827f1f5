//! Charts of few enough different x: every x is a place.

use super::Grid;
use super::columns::{Aggregate, Columns};
use super::source::{Source, XPoint};
use crate::engine::Transaction;
use crate::engine::chunks::Chunks;
use crate::error::StoreError;

/// The grid and the columns of each source, if all together have at most `limit` different x.
pub(super) fn columns(
    tx: &mut dyn Transaction,
    chunks: &dyn Chunks,
    sources: &mut [Source],
    limit: usize,
) -> Result<Option<(Grid, Vec<Columns>)>, StoreError> {
    if sources.iter().any(|source| surely_more(source, limit)) {
        return Ok(None);
    }
    let mut union: Vec<f64> = Vec::new();
    let mut all = Vec::new();
    let mut points = Vec::new();
    for source in sources.iter_mut() {
        let mut groups: Vec<(f64, Aggregate)> = Vec::new();
        for chunk in 0..source.chunks.len() {
            points.clear();
            source.decode(tx, chunks, chunk, &mut points)?;
            add(&mut groups, &points);
            if groups.len() > limit {
                return Ok(None);
            }
        }
        add(&mut groups, &source.loose);
        unite(&mut union, &groups);
        if union.len() > limit {
            return Ok(None);
        }
        all.push(groups);
    }
    let columns = all.into_iter().map(|groups| place(&union, groups));
    let columns = columns.collect();
    Ok(Some((
        Grid {
            exact: true,
            from: union.first().copied().unwrap_or(0.0),
            to: union.last().copied().unwrap_or(0.0),
            width: 0.0,
            x: union,
        },
        columns,
    )))
}

/// Whether chunks that do not overlap have more different steps than that in the window.
fn surely_more(source: &Source, limit: usize) -> bool {
    if !matches!(source.x, super::source::Place::Step) {
        return false;
    }
    let (mut distinct, mut end) = (0u64, None);
    for chunk in &source.chunks {
        let steps = chunk.head.steps();
        let inside = source.window.holds((steps.0 as f64, steps.1 as f64));
        // Steps beyond 2⁵³ may fall together as numbers.
        if inside && end.is_none_or(|end| steps.0 > end) && steps.1 < 1 << 53 {
            distinct += chunk.head.distinct;
            end = Some(steps.1);
        }
    }
    distinct > limit as u64
}

/// Adds points, which are sorted, to groups of the same x, which are sorted.
fn add(groups: &mut Vec<(f64, Aggregate)>, points: &[XPoint]) {
    let sorted = match (groups.last(), points.first()) {
        (Some(last), Some(first)) => last.0 <= first.x,
        _ => true,
    };
    let from = groups.len().saturating_sub(1);
    for &point in points {
        match groups.last_mut() {
            Some((x, group)) if *x == point.x => group.insert(point),
            _ => {
                let mut group = Aggregate::default();
                group.insert(point);
                groups.push((point.x, group));
            }
        }
    }
    if !sorted {
        groups[..].sort_by(|a, b| a.0.total_cmp(&b.0));
        groups.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.merge(&later.1);
            }
            same
        });
    }
    debug_assert!(
        groups
            .get(from..)
            .unwrap_or_default()
            .is_sorted_by(|a, b| a.0 <= b.0)
    );
}

/// Adds the x of groups to those that are there.
fn unite(union: &mut Vec<f64>, groups: &[(f64, Aggregate)]) {
    let mut known = union.iter().peekable();
    let is_new = |x: f64, known: &mut std::iter::Peekable<std::slice::Iter<'_, f64>>| {
        while known.next_if(|k| **k < x).is_some() {}
        known.peek() != Some(&&x)
    };
    let new: Vec<f64> = groups
        .iter()
        .map(|g| g.0)
        .filter(|&x| is_new(x, &mut known))
        .collect();
    if new.is_empty() {
        return;
    }
    union.extend(new);
    // Two sorted runs: what the standard sort is fastest at.
    union.sort_by(f64::total_cmp);
}

fn place(union: &[f64], groups: Vec<(f64, Aggregate)>) -> Columns {
    let Some(first) = groups.first() else {
        return Columns::default();
    };
    let start = union.partition_point(|&x| x < first.0);
    let mut columns = Columns {
        start,
        places: Vec::with_capacity(groups.len()),
    };
    let mut at = start;
    for (x, group) in groups {
        while union.get(at).is_some_and(|&known| known < x) {
            columns.places.push(Aggregate::default());
            at += 1;
        }
        columns.places.push(group);
        at += 1;
    }
    columns
}

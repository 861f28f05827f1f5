//! Which open scalars become chunks.

use std::collections::HashMap;
use std::ops::Range;

use crate::chunk::CHUNK;
use crate::open::Open;

/// A series that has fewer open points than this when another has a chunk full waits for more.
const WORTH: usize = CHUNK / 2;
/// Open points of one writer. With thousands of series there would be too many before the first has a chunk full.
pub(crate) const MAX_OPEN: usize = 1 << 20;

/// Points of series that were logged together: they share an axis.
#[derive(Debug)]
pub(crate) struct Group {
    /// The rows, as the column of the first member has them.
    pub(crate) rows: (i64, Range<usize>),
    /// Series, and which of their points.
    pub(crate) members: Vec<(i64, Range<usize>)>,
}

/// Cuts chunks off the beginning of columns; the cut points are to be removed by [`remove`].
///
/// All series are cut at the row at which the first of them has a chunk full, so that those that are logged together
/// stay together whenever they began. With `all`, nothing is left.
pub(crate) fn cut(open: &Open, all: bool) -> Vec<Group> {
    let mut cut = Cut {
        open,
        starts: open.columns.keys().map(|&series| (series, 0)).collect(),
        groups: Vec::new(),
    };
    while let Some(end) = cut.next_full() {
        cut.window(end, WORTH);
    }
    let everything = open.steps.len() as u32;
    if all {
        while cut.left() > 0 {
            cut.window(everything, 1);
        }
    } else if cut.left() > MAX_OPEN {
        let worth = cut.longest().div_ceil(2);
        cut.window(everything, worth);
        if cut.left() > MAX_OPEN / 2 {
            cut.window(everything, 1);
        }
    }
    cut.groups
}

/// Removes what was cut.
pub(crate) fn remove(open: &mut Open, groups: &[Group]) {
    let mut ends: HashMap<i64, usize> = HashMap::new();
    for (series, range) in groups.iter().flat_map(|g| &g.members) {
        let end = ends.entry(*series).or_default();
        *end = range.end.max(*end);
    }
    for (series, end) in ends {
        if let Some(column) = open.columns.get_mut(&series) {
            column.rows.drain(..end);
            column.values.drain(..end);
            if column.rows.is_empty() {
                open.columns.remove(&series);
            }
        }
    }
    open.compact();
}

struct Cut<'a> {
    open: &'a Open,
    /// How many points of each series are cut.
    starts: HashMap<i64, usize>,
    groups: Vec<Group>,
}

impl Cut<'_> {
    /// The row after the one at which the first series has a chunk full.
    fn next_full(&self) -> Option<u32> {
        let fulls = self.open.columns.iter().filter_map(|(series, column)| {
            let start = self.starts.get(series)?;
            column.rows.get(start + CHUNK - 1).map(|row| row + 1)
        });
        fulls.min()
    }

    fn left(&self) -> usize {
        self.open.points() - self.starts.values().sum::<usize>()
    }

    fn longest(&self) -> usize {
        let lengths = self.open.columns.iter();
        lengths
            .map(|(series, c)| c.rows.len() - self.starts.get(series).copied().unwrap_or_default())
            .max()
            .unwrap_or_default()
    }

    /// Cuts one chunk off each series that has at least `worth` points before row `end`.
    fn window(&mut self, end: u32, worth: usize) {
        let first_group = self.groups.len();
        let mut by_shape: HashMap<(u32, u32, usize), Vec<usize>> = HashMap::new();
        for (&series, column) in &self.open.columns {
            let start = self.starts.get(&series).copied().unwrap_or_default();
            let open = column.rows.get(start..).unwrap_or_default();
            let n = open.partition_point(|&row| row < end).min(CHUNK);
            if n < worth.max(1) {
                continue;
            }
            let range = start..start + n;
            self.starts.insert(series, range.end);
            let rows = &open[..n];
            let shape = (rows[0], rows[n - 1], n);
            let alike = by_shape.entry(shape).or_default();
            let same = alike.iter().copied().find(|&group| {
                let (other, range) = &self.groups[group].rows;
                let column = self.open.columns.get(other);
                column.and_then(|c| c.rows.get(range.clone())) == Some(rows)
            });
            match same {
                Some(group) => self.groups[group].members.push((series, range)),
                None => {
                    alike.push(self.groups.len());
                    self.groups.push(Group {
                        rows: (series, range.clone()),
                        members: vec![(series, range)],
                    });
                }
            }
        }
        debug_assert!(
            first_group < self.groups.len(),
            "every window cuts something"
        );
    }
}

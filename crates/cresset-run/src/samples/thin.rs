//! Fewer points for the same line.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Points closer than this to the line through their neighbours add nothing.
const NEGLIGIBLE: f64 = 1e-9;

/// At most `limit` of the points, first and last among them: those whose absence would show most.
///
/// It always adds the point farthest from the line so far. Such a point is a corner of the convex hull of the stretch that
/// it divides, so corners and extremes come first. (The greedy, best-first form of D. H. Douglas and T. K. Peucker,
/// "Algorithms for the reduction of the number of points required to represent a digitized line or its caricature",
/// Cartographica 10 (1973), 112–122.)
pub(super) fn thin(points: &[(f64, f64)], limit: usize) -> Vec<(f64, f64)> {
    let last = points.len().saturating_sub(1);
    if points.len() <= 2 {
        return points.to_vec();
    }
    let mut chosen = vec![0, last];
    let mut stretches = BinaryHeap::from([Stretch::new(points, 0, last)]);
    while chosen.len() < limit
        && let Some(stretch) = stretches.pop()
        && stretch.distance > NEGLIGIBLE
    {
        chosen.push(stretch.farthest);
        stretches.push(Stretch::new(points, stretch.first, stretch.farthest));
        stretches.push(Stretch::new(points, stretch.farthest, stretch.last));
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|i| points[i]).collect()
}

/// The points between two chosen ones, and which of them is farthest from the line between these.
struct Stretch {
    first: usize,
    last: usize,
    farthest: usize,
    distance: f64,
}

impl Stretch {
    fn new(points: &[(f64, f64)], first: usize, last: usize) -> Self {
        let line = Line::new(points[first], points[last]);
        let mut farthest = first;
        let mut largest = 0.0;
        for (i, point) in points.iter().enumerate().take(last).skip(first + 1) {
            let distance = line.squared_distance(*point);
            if distance > largest {
                largest = distance;
                farthest = i;
            }
        }
        Self {
            first,
            last,
            farthest,
            distance: largest.sqrt(),
        }
    }
}

/// The farthest first; earlier stretches before later ones that are as far.
impl Ord for Stretch {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance
            .total_cmp(&other.distance)
            .then(other.first.cmp(&self.first))
    }
}

impl PartialOrd for Stretch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stretch {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Stretch {}

/// The straight line between two points.
struct Line {
    from: (f64, f64),
    to: (f64, f64),
    direction: (f64, f64),
    squared_length: f64,
}

impl Line {
    fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        let direction = (to.0 - from.0, to.1 - from.1);
        Self {
            from,
            to,
            direction,
            squared_length: squared(direction.0, direction.1),
        }
    }

    /// The square of how far a point is from the nearest point of the line.
    fn squared_distance(&self, (x, y): (f64, f64)) -> f64 {
        let (dx, dy) = (x - self.from.0, y - self.from.1);
        let along = dx * self.direction.0 + dy * self.direction.1;
        if along <= 0.0 {
            squared(dx, dy)
        } else if along >= self.squared_length {
            squared(x - self.to.0, y - self.to.1)
        } else {
            let across = dx * self.direction.1 - dy * self.direction.0;
            across * across / self.squared_length
        }
    }
}

fn squared(x: f64, y: f64) -> f64 {
    x * x + y * y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_line_are_left_out_and_corners_stay() {
        let steps = [
            (0.0, 0.0),
            (0.0, 0.25),
            (0.0, 0.5),
            (0.5, 0.5),
            (0.75, 0.5),
            (1.0, 1.0),
        ];
        assert_eq!(
            thin(&steps, 200),
            [(0.0, 0.0), (0.0, 0.5), (0.75, 0.5), (1.0, 1.0)]
        );
        let line: Vec<_> = (0..1000).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!(thin(&line, 200), [(0.0, 0.0), (999.0, 999.0)]);
        assert_eq!(thin(&[], 200), []);
        assert_eq!(thin(&[(0.5, 0.5)], 200), [(0.5, 0.5)]);
        assert_eq!(thin(&[(0.5, 0.5); 3], 200), [(0.5, 0.5); 2]);
    }

    #[test]
    fn a_lone_spike_survives() {
        let mut points: Vec<_> = (0..10_000)
            .map(|i| (f64::from(i) / 1e4, (f64::from(i) / 50.0).sin() / 100.0))
            .collect();
        points[7_777].1 = 1.0;
        let kept = thin(&points, 200);
        assert_eq!(kept.len(), 200);
        assert!(kept.contains(&points[7_777]));
        assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}

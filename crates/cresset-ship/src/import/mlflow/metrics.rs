//! Points of metrics as rows.

use cresset_record::Timestamp;

use super::super::ImportError;
use super::super::writer::RunWriter;
use super::bulk::Bulk;
use super::head::Head;
use super::time;
use crate::error::ShipError;
use crate::mlflow::reader::{Point, Reader};
use crate::mlflow::system::{self, Ours};

/// So many points are put in order together: of a run with more, what was logged together is together in parts.
const TOGETHER: usize = 1 << 20;
/// No metric has more points.
const MAX_POINTS: u64 = 1 << 28;

/// Takes over all metrics; the time of the last point.
pub(super) fn take(
    reader: &Reader,
    head: &Head,
    bulk: &mut Bulk,
    run: &mut RunWriter,
) -> Result<Timestamp, ImportError> {
    let came_from_here = head.came_from_here();
    let mut rows = Rows::default();
    for metric in &head.metrics {
        // Such a run has a file that says them whole.
        if came_from_here && metric.name.starts_with("summary/") {
            continue;
        }
        let mut series = match system::ours(&metric.name, came_from_here) {
            Ours::Series(key, factor) => Series::new(key, factor, false),
            Ours::Rate(key, factor) => Series::new(key, factor, true),
            Ours::Derived => continue,
        };
        if let Some(points) = bulk.take(&head.id, &metric.name) {
            rows.series(&mut series, points, run)?;
            continue;
        }
        let (mut place, mut count) = (None, 0);
        loop {
            let page = reader.history(&head.id, &metric.name, place.as_deref())?;
            count += page.items.len() as u64;
            let is_last = page.items.is_empty() || page.next.is_none();
            rows.series(&mut series, page.items, run)?;
            if is_last {
                break;
            }
            if count > MAX_POINTS {
                let why = format!("the points of {} do not end", metric.name);
                return Err(ShipError::Refused(why).into());
            }
            place = page.next;
        }
    }
    rows.write(run)?;
    Ok(rows.latest)
}

/// Points of several metrics, until they are put in order.
#[derive(Default)]
struct Rows {
    keys: Vec<String>,
    /// By time and step, and by the place of the key.
    points: Vec<((Timestamp, u64, usize), f64)>,
    latest: Timestamp,
}

/// What becomes of a metric.
struct Series {
    key: String,
    factor: f64,
    is_rate: bool,
    /// Of a rate, the point before.
    last: Option<Point>,
}

impl Series {
    fn new(key: String, factor: f64, is_rate: bool) -> Self {
        Self {
            key,
            factor,
            is_rate,
            last: None,
        }
    }

    fn value(&mut self, point: Point) -> Option<f64> {
        if !self.is_rate {
            // What has another unit here is whole there: bytes.
            return Some(match self.factor {
                1.0 => point.value,
                factor => (point.value * factor).round(),
            });
        }
        let last = self.last.replace(point)?;
        let seconds = point.time.saturating_sub(last.time) as f64 / 1e3;
        let grown = (point.value - last.value) * self.factor;
        // It began anew.
        (seconds > 0.0 && grown >= 0.0).then(|| grown / seconds)
    }
}

impl Rows {
    fn series(
        &mut self,
        series: &mut Series,
        points: Vec<Point>,
        run: &mut RunWriter,
    ) -> Result<(), ImportError> {
        if self.keys.last() != Some(&series.key) {
            self.keys.push(series.key.clone());
        }
        for point in points {
            let at = time(point.time);
            self.latest = self.latest.max(at);
            let step = u64::try_from(point.step).unwrap_or(0);
            if let Some(value) = series.value(point) {
                let key = self.keys.len() - 1;
                self.points.push(((at, step, key), value));
            }
            if self.points.len() >= TOGETHER {
                self.write(run)?;
                self.keys.push(series.key.clone());
            }
        }
        Ok(())
    }

    /// Writes what was logged at one time and step as one row, in the order of time.
    fn write(&mut self, run: &mut RunWriter) -> Result<(), ImportError> {
        // Equal points stay in the order that they came in.
        self.points.sort_by_key(|(place, _)| *place);
        for row in self
            .points
            .chunk_by(|(a, _), (b, _)| (a.0, a.1) == (b.0, b.1))
        {
            let Some(&((time, step, _), _)) = row.first() else {
                continue;
            };
            // A key that comes twice has a row for each.
            let (mut points, mut last) = (Vec::with_capacity(row.len()), None);
            for ((_, _, key), value) in row {
                let nth: usize = match last {
                    Some((before, nth)) if before == *key => nth + 1,
                    _ => 0,
                };
                last = Some((*key, nth));
                points.push((nth, *key, *value));
            }
            points.sort_by_key(|(nth, key, _)| (*nth, *key));
            for points in points.chunk_by(|(a, ..), (b, ..)| a == b) {
                let points = points.iter();
                let points = points
                    .filter_map(|(_, key, value)| Some((self.keys.get(*key)?.as_str(), *value)));
                run.scalars(step, time, points)?;
            }
        }
        self.points.clear();
        self.keys.clear();
        Ok(())
    }
}

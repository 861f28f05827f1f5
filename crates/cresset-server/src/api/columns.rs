//! Charts as binary columns: `CRSC`, a u32 (little-endian) with the length of a JSON header, the header (padded with spaces
//! so that what follows begins at a multiple of 8), then one array of little-endian f64, into which every `offset` counts.

use cresset_store::{Chart, ChartSeries};
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::Goal;
use crate::error::Failure;

/// The media type of the format.
pub(super) const MEDIA_TYPE: &str = "application/vnd.cresset.columns";
/// Rises when the format changes so that old readers would misread it.
const VERSION: u32 = 1;
const MAGIC: [u8; 4] = *b"CRSC";
/// Largest array, in numbers: 96 MB.
const MAX_NUMBERS: usize = 12_000_000;

/// The header of the columns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ColumnsHeader {
    version: u32,
    charts: Vec<ChartColumns>,
}

/// The series of one key.
#[derive(Debug, Serialize, ToSchema)]
struct ChartColumns {
    key: String,
    #[schema(required)]
    unit: Option<String>,
    #[schema(required)]
    goal: Option<Goal>,
    #[schema(required)]
    step_metric: Option<String>,
    x: GridColumn,
    series: Vec<SeriesColumns>,
}

/// The x of a chart.
#[derive(Debug, Serialize, ToSchema)]
struct GridColumn {
    mode: GridMode,
    from: f64,
    to: f64,
    /// Of a bucket; 0 for points.
    width: f64,
    /// Ascending x of all series of the chart.
    offset: usize,
    length: usize,
}

/// How x are chosen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GridMode {
    /// Every x is there exactly, and a value that shares its x with others of its series is the last.
    Points,
    /// Equal intervals of x; bucket i is [from + i·width, from + (i+1)·width), the last one closed; x is its middle.
    Buckets,
}

/// One series on the grid of its chart.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesColumns {
    run: String,
    rank: u32,
    /// Columns cover x[start .. start+length].
    start: usize,
    length: usize,
    /// Points of the whole series.
    total: u64,
    /// Points within the window.
    points: u64,
    /// By x, then arrival; may be NaN or infinite.
    last: usize,
    /// The other columns are absent, all five, where each bucket has one point at most; then all are equal to `last`, and
    /// an x with `last` NaN that is not in `nonfinite` has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first: Option<usize>,
    /// Over finite values; NaN where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mean: Option<usize>,
    /// Where it is 0 the series has nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    count: Option<usize>,
    /// Index into x, NaN, +inf, −inf: buckets with values that are not finite.
    nonfinite: Vec<(usize, u64, u64, u64)>,
    #[schema(required)]
    last_step: Option<u64>,
}

/// Gathers charts into one body.
#[derive(Debug, Default)]
pub(super) struct ColumnsBuilder {
    charts: Vec<ChartColumns>,
    /// As they came, one after the other in the body.
    columns: Vec<Vec<f64>>,
    /// Numbers in all of them.
    length: usize,
}

impl ColumnsBuilder {
    /// Takes in one chart.
    ///
    /// # Errors
    /// 400 if the body becomes too large.
    pub(super) fn push(&mut self, chart: Chart) -> Result<(), Failure> {
        let grid = chart.grid;
        let x = GridColumn {
            mode: if grid.exact {
                GridMode::Points
            } else {
                GridMode::Buckets
            },
            from: finite(grid.from),
            to: finite(grid.to),
            width: finite(grid.width),
            length: grid.x.len(),
            offset: self.column(grid.x)?,
        };
        let mut series = Vec::with_capacity(chart.series.len());
        for one in chart.series {
            series.push(self.series(one)?);
        }
        self.charts.push(ChartColumns {
            key: chart.key,
            unit: chart.definition.unit,
            goal: chart.definition.goal.map(Goal::from),
            step_metric: chart.definition.step_metric,
            x,
            series,
        });
        Ok(())
    }

    fn series(&mut self, series: ChartSeries) -> Result<SeriesColumns, Failure> {
        let length = series.last.len();
        let full = !series.mean.is_empty();
        let mut optional = |column| full.then(|| self.column(column)).transpose();
        let nonfinite = series
            .nonfinite
            .iter()
            .map(|n| (n.index, n.nan, n.pos_inf, n.neg_inf));
        Ok(SeriesColumns {
            run: series.run.to_string(),
            rank: series.rank.0,
            start: series.start,
            length,
            total: series.total,
            points: series.points,
            first: optional(series.first)?,
            min: optional(series.min)?,
            max: optional(series.max)?,
            mean: optional(series.mean)?,
            count: optional(series.count)?,
            last: self.column(series.last)?,
            nonfinite: nonfinite.collect(),
            last_step: series.last_step,
        })
    }

    /// Takes in a column, which begins at the number that is given back.
    fn column(&mut self, values: Vec<f64>) -> Result<usize, Failure> {
        let offset = self.length;
        self.length += values.len();
        if self.length > MAX_NUMBERS {
            return Err(Failure::too_much(
                "the answer would be larger than 96 MB; ask for fewer runs, keys or buckets",
            ));
        }
        self.columns.push(values);
        Ok(offset)
    }

    /// The body.
    ///
    /// # Errors
    /// 400 if its header becomes too large.
    pub(super) fn finish(self) -> Result<Vec<u8>, Failure> {
        let header = ColumnsHeader {
            version: VERSION,
            charts: self.charts,
        };
        let mut header = serde_json::to_vec(&header).map_err(|e| Failure::internal(&e))?;
        while !(MAGIC.len() + 4 + header.len()).is_multiple_of(8) {
            header.push(b' ');
        }
        let length = u32::try_from(header.len())
            .map_err(|_| Failure::too_much("too many series; ask for fewer runs or keys"))?;
        let mut body = Vec::with_capacity(8 + header.len() + 8 * self.length);
        body.extend_from_slice(&MAGIC);
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(&header);
        // Each column is let go as soon as it is written.
        for column in self.columns {
            body.extend(column.into_iter().flat_map(f64::to_le_bytes));
        }
        Ok(body)
    }
}

/// The header is JSON, and an empty chart has no edges.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

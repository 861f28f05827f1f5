//! Scalar series as columns on one grid.

mod buckets;
mod columns;
mod exact;
mod metric;
mod source;

use cresset_record::{Definition, Project, Rank, RunId};

use crate::error::StoreError;
use crate::store::Store;

/// Most buckets that can be asked for.
const MAX_BUCKETS: usize = 100_000;

/// What stands on the x axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The training step.
    Step,
    /// Seconds since the run's start.
    Relative,
    /// Seconds since 1970-01-01 UTC.
    Wall,
    /// The value of another series at the same step, or at the nearest step before.
    Metric(String),
}

/// Which ranks' series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum RankChoice {
    /// That of the lowest rank that has the key.
    #[default]
    Lowest,
    /// All.
    All,
    /// These.
    Only(Vec<Rank>),
}

/// A question for the values of one key in many runs.
#[derive(Clone, Debug)]
pub struct ChartQuery {
    /// The project.
    pub project: Project,
    /// The runs, in the order in which their series come.
    pub runs: Vec<RunId>,
    /// The key.
    pub key: String,
    /// The x axis.
    pub axis: Axis,
    /// Window on x, both ends inclusive, in the unit of the axis: steps, seconds, or that of the metric. `None` is open.
    pub from: Option<f64>,
    /// See `from`.
    pub to: Option<f64>,
    /// At most so many buckets (1 to 100,000); where the distinct x are at most twice as many, they are given as they are.
    pub buckets: usize,
    /// Which ranks.
    pub ranks: RankChoice,
}

/// All series of a chart on one grid.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The key.
    pub key: String,
    /// What the user said of it (of the first run that says anything).
    pub definition: Definition,
    /// The grid.
    pub grid: Grid,
    /// Series with a point in the window, by run in the order asked for, then rank.
    pub series: Vec<ChartSeries>,
}

/// The x of a chart.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Every distinct x (points), or the middles of equal intervals (buckets). Ascending.
    pub x: Vec<f64>,
    /// Whether x are exact.
    pub exact: bool,
    /// First edge.
    pub from: f64,
    /// Last edge, part of the last bucket.
    pub to: f64,
    /// Of a bucket; 0 where x are exact.
    pub width: f64,
}

/// One series on the grid; all columns are as long as `count`.
#[derive(Clone, Debug)]
pub struct ChartSeries {
    /// Whose.
    pub run: RunId,
    /// Which rank.
    pub rank: Rank,
    /// Index in the grid of the first entry of the columns.
    pub start: usize,
    /// Points in the bucket; 0 where there is none, and then the other columns are NaN.
    pub count: Vec<f64>,
    /// By x, then arrival; may be NaN or infinite. `first`, `min`, `max` and `mean` are empty if no bucket has two points.
    pub last: Vec<f64>,
    /// See `last`.
    pub first: Vec<f64>,
    /// Over finite values; NaN where there is none.
    pub min: Vec<f64>,
    /// See `min`.
    pub max: Vec<f64>,
    /// See `min`.
    pub mean: Vec<f64>,
    /// Buckets with values that are not finite.
    pub nonfinite: Vec<NonFinite>,
    /// Points of the series.
    pub total: u64,
    /// Points in the window.
    pub points: u64,
    /// Its highest step.
    pub last_step: Option<u64>,
}

/// Values of a bucket that are not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// Index in the grid.
    pub index: usize,
    /// How many are NaN.
    pub nan: u64,
    /// How many are +∞.
    pub pos_inf: u64,
    /// How many are −∞.
    pub neg_inf: u64,
}

impl Store {
    /// The values of one key in many runs. Runs and ranks that do not have it are left out.
    ///
    /// Everything in a bucket is exact, whatever the zoom: whole blocks of 128 points answer for themselves, blocks across
    /// an edge are decoded. Steps are put into buckets of a whole number of steps, of times and metrics into equal ones.
    /// On a metric axis, points before the metric's first value, and those at which it is not finite, are left out.
    ///
    /// # Errors
    /// `Invalid` for a question that makes no sense, or if the index cannot be read.
    pub fn chart(&self, query: &ChartQuery) -> Result<Chart, StoreError> {
        if query.buckets == 0 || query.buckets > MAX_BUCKETS {
            return Err(StoreError::invalid(format!(
                "buckets must be 1 to {MAX_BUCKETS}"
            )));
        }
        if query.from.is_some_and(f64::is_nan) || query.to.is_some_and(f64::is_nan) {
            return Err(StoreError::invalid("a window ends at a number"));
        }
        self.engine().read(|tx| {
            let found = source::find(tx, self.chunks(), query)?;
            let definition = source::definition(tx, query)?;
            let mut sources = found;
            let (grid, columns) =
                match exact::columns(tx, self.chunks(), &mut sources, 2 * query.buckets)? {
                    Some(exact) => exact,
                    None => buckets::columns(tx, self.chunks(), &mut sources, query.buckets)?,
                };
            let series = sources.into_iter().zip(columns);
            Ok(Chart {
                key: query.key.clone(),
                definition,
                grid,
                series: series
                    .filter_map(|(source, columns)| columns.finish(source))
                    .collect(),
            })
        })
    }
}

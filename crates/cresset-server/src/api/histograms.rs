//! One histogram series over time.

use axum::extract::State;
use axum::response::Response;
use cresset_record::{Buckets, Rank};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::RunPath;
use super::reply;
use super::tensors::TensorStats;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InRun, Query, Read, short, within};

/// Which series, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistogramsQuery {
    /// Its key.
    #[param(min_length = 1, max_length = 512)]
    key: String,
    /// Whose.
    #[param(maximum = 4294967295i64, default = 0)]
    rank: Option<u32>,
    /// At most so many columns.
    #[param(minimum = 1, maximum = 2000, default = 200)]
    columns: Option<u64>,
    /// The lowest step, inclusive.
    from: Option<u64>,
    /// The highest step, inclusive.
    to: Option<u64>,
}

/// Histograms over time.
#[derive(Debug, Serialize, ToSchema)]
struct HistogramSeries {
    key: String,
    rank: u32,
    /// At one scale for all columns; edges are powers of 2^(2^-scale).
    scale: i8,
    columns: Vec<HistogramColumn>,
}

/// Observations that were merged into one.
#[derive(Debug, Serialize, ToSchema)]
struct HistogramColumn {
    observations: u64,
    first_step: u64,
    last_step: u64,
    stats: TensorStats,
    /// Elements that are zero.
    zero: u64,
    positive: Side,
    negative: Side,
}

/// Bucket offset+k counts magnitudes in (base^(offset+k), base^(offset+k+1)].
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistogramSide)]
struct Side {
    offset: i64,
    counts: Vec<u64>,
}

impl From<&Buckets> for Side {
    fn from(buckets: &Buckets) -> Self {
        Self {
            offset: i64::from(buckets.offset),
            counts: buckets.counts.clone(),
        }
    }
}

impl From<cresset_store::HistogramSeries> for HistogramSeries {
    fn from(series: cresset_store::HistogramSeries) -> Self {
        let scale = series.columns.first().map(|c| c.stats.histogram.scale);
        let column = |column: &cresset_store::HistogramColumn| HistogramColumn {
            observations: column.observations,
            first_step: column.steps.0,
            last_step: column.steps.1,
            stats: (&column.stats).into(),
            zero: column.stats.histogram.zero_count,
            positive: (&column.stats.histogram.positive).into(),
            negative: (&column.stats.histogram.negative).into(),
        };
        Self {
            rank: series.rank.0,
            scale: scale.unwrap_or_default(),
            columns: series.columns.iter().map(column).collect(),
            key: series.key,
        }
    }
}

/// One histogram series over time
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/histograms",
    tag = "run",
    params(RunPath, HistogramsQuery),
    responses((status = 200, body = HistogramSeries)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn histograms(
    State(app): State<App>,
    run: InRun<Read>,
    Query(query): Query<HistogramsQuery>,
) -> Result<Response, Failure> {
    let key = short("key", query.key, 512)?;
    let rank = Rank(query.rank.unwrap_or_default());
    let columns = within("columns", query.columns, 200, 1..=2_000)?;
    let steps = (query.from.unwrap_or(0), query.to.unwrap_or(u64::MAX));
    reply::json(&app, move |store| {
        let series = store.histograms(&run.key, &key, rank, steps, columns)?;
        Ok(HistogramSeries::from(series))
    })
    .await
}

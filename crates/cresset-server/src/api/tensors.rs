//! Histogram series in brief, what looks wrong first.

use axum::extract::State;
use axum::response::Response;
use cresset_store::TensorSummary as Stored;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::RunPath;
use super::reply;
use super::wire::Num;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InRun, Query, Read, short};

/// Which tensors.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TensorsQuery {
    /// What their keys begin with, such as `gradients/`.
    #[serde(default)]
    #[param(max_length = 512, required = false)]
    prefix: String,
}

/// A histogram series in brief.
#[derive(Debug, Serialize, ToSchema)]
struct TensorSummary {
    key: String,
    rank: u32,
    observations: u64,
    first_step: u64,
    last_step: u64,
    last: TensorStats,
    /// NaN and infinities in all observations.
    nonfinite: u64,
    #[schema(required)]
    first_nonfinite_step: Option<u64>,
    /// 0 is unsuspicious; higher is worse.
    suspicion: f64,
    /// Such as `3 NaN since step 120`.
    reasons: Vec<String>,
    /// The L2 norm over time, at most 60 values.
    norms: Vec<Num>,
}

/// What a tensor looked like; over finite elements but for the counts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TensorStats {
    count: u64,
    zeros: u64,
    nan: u64,
    pos_inf: u64,
    neg_inf: u64,
    min: Num,
    max: Num,
    mean: Num,
    std: Num,
    /// L2.
    norm: Num,
}

impl From<&cresset_record::TensorStats> for TensorStats {
    fn from(stats: &cresset_record::TensorStats) -> Self {
        Self {
            count: stats.count,
            zeros: stats.zeros,
            nan: stats.nan,
            pos_inf: stats.pos_inf,
            neg_inf: stats.neg_inf,
            min: Num(stats.min),
            max: Num(stats.max),
            mean: Num(stats.mean()),
            std: Num(stats.std()),
            norm: Num(stats.l2_norm()),
        }
    }
}

/// As a number of JSON.
fn finite(suspicion: f64) -> f64 {
    if suspicion.is_nan() {
        0.0
    } else {
        suspicion.clamp(0.0, f64::MAX)
    }
}

impl From<Stored> for TensorSummary {
    fn from(tensor: Stored) -> Self {
        Self {
            rank: tensor.rank.0,
            observations: tensor.observations,
            first_step: tensor.steps.0,
            last_step: tensor.steps.1,
            last: (&tensor.last).into(),
            nonfinite: tensor.nonfinite,
            first_nonfinite_step: tensor.first_nonfinite_step,
            suspicion: finite(tensor.suspicion),
            norms: tensor.norms.into_iter().map(Num).collect(),
            key: tensor.key,
            reasons: tensor.reasons,
        }
    }
}

/// Histogram series in brief, what looks wrong first
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/tensors",
    tag = "run",
    params(RunPath, TensorsQuery),
    responses((status = 200, body = Vec<TensorSummary>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn tensors(
    State(app): State<App>,
    run: InRun<Read>,
    Query(query): Query<TensorsQuery>,
) -> Result<Response, Failure> {
    let prefix = short("prefix", query.prefix, 512)?;
    reply::json(&app, move |store| {
        let tensors = store.tensors(&run.key, &prefix)?;
        Ok(tensors
            .into_iter()
            .map(TensorSummary::from)
            .collect::<Vec<_>>())
    })
    .await
}

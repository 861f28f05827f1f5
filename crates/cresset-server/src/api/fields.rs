//! What can be shown, filtered and sorted.

use axum::extract::State;
use axum::response::Response;
use cresset_record::Project;
use cresset_store::{FieldKind, FieldSource, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use super::paths::ProjectPath;
use super::reply;
use super::runs::MAX_FILTER;
use super::wire::Goal;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Anywhere, InProject, Query, Read, short};

/// A field that runs of a project have.
#[derive(Debug, Serialize, ToSchema)]
struct Field {
    /// As filters write it: `state`, `config.lr`, `val/auc`.
    path: String,
    source: Source,
    kind: Kind,
    /// Runs that have it.
    runs: u64,
    #[schema(required)]
    goal: Option<Goal>,
    #[schema(required)]
    unit: Option<String>,
    /// Of finite numbers.
    #[schema(required)]
    min: Option<f64>,
    #[schema(required)]
    max: Option<f64>,
    /// Distinct values, counted up to 1,000.
    distinct: u64,
    /// The most frequent values, at most 20.
    values: Vec<Json>,
}

/// Where a field is from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FieldSource)]
enum Source {
    Run,
    Config,
    Summary,
    Environment,
}

/// What values a field has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FieldKind)]
enum Kind {
    Number,
    Text,
    Bool,
    List,
    Object,
    Time,
    Seconds,
    Mixed,
}

impl From<cresset_store::Field> for Field {
    fn from(field: cresset_store::Field) -> Self {
        Self {
            path: field.path,
            source: match field.source {
                FieldSource::Run => Source::Run,
                FieldSource::Config => Source::Config,
                FieldSource::Summary => Source::Summary,
                FieldSource::Environment => Source::Environment,
            },
            kind: match field.kind {
                FieldKind::Number => Kind::Number,
                FieldKind::Text => Kind::Text,
                FieldKind::Bool => Kind::Bool,
                FieldKind::List => Kind::List,
                FieldKind::Object => Kind::Object,
                FieldKind::Time => Kind::Time,
                FieldKind::Seconds => Kind::Seconds,
                FieldKind::Mixed => Kind::Mixed,
            },
            runs: field.runs,
            goal: field.goal.map(Goal::from),
            unit: field.unit,
            min: field.range.map(|(min, _)| min),
            max: field.range.map(|(_, max)| max),
            distinct: field.distinct,
            values: field.values,
        }
    }
}

/// What can be shown, filtered and sorted
#[utoipa::path(
    get,
    path = "/projects/{project}/fields",
    tag = "runs",
    params(ProjectPath),
    responses((status = 200, body = Vec<Field>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn fields(
    State(app): State<App>,
    project: InProject<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let fields = store.fields(&project.project)?;
        Ok(fields.into_iter().map(Field::from).collect::<Vec<_>>())
    })
    .await
}

/// A filter to check.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterQuery {
    /// The project whose fields it may name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The filter.
    #[serde(default)]
    #[param(max_length = 16384, required = false)]
    filter: String,
}

/// Whether a filter can be read.
#[derive(Debug, Serialize, ToSchema)]
struct FilterCheck {
    ok: bool,
    #[schema(required)]
    message: Option<String>,
    /// The character at which the trouble begins, counted from 1.
    #[schema(required)]
    column: Option<usize>,
    /// Fields that it names and no run of the project has.
    unknown: Vec<String>,
}

/// Check a filter
#[utoipa::path(
    get,
    path = "/filter",
    tag = "runs",
    params(FilterQuery),
    responses((status = 200, body = FilterCheck)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn check_filter(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
    Query(query): Query<FilterQuery>,
) -> Result<Response, Failure> {
    let project = Project::try_from(query.project)
        .map_err(|e| Failure::bad_request(format!("no such project: {e}")))?;
    caller.need(cresset_store::Role::Read, Some(&project))?;
    let filter = short("filter", query.filter, MAX_FILTER)?;
    reply::json(&app, move |store| {
        match store.check_filter(&project, &filter) {
            Ok(unknown) => Ok(FilterCheck {
                ok: true,
                message: None,
                column: None,
                unknown,
            }),
            Err(StoreError::Invalid { message, column }) => Ok(FilterCheck {
                ok: false,
                message: Some(message),
                column,
                unknown: Vec::new(),
            }),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

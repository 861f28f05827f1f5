//! Console lines of a run.

use axum::extract::State;
use axum::response::Response;
use cresset_record::Rank;
use cresset_store::{ConsoleEntry, ConsoleQuery as StoreQuery};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::{IntoParams, ToSchema};

use super::paths::RunPath;
use super::reply;
use super::wire::{Level, Time};
use crate::app::App;
use crate::error::Failure;
use crate::extract::{InRun, Query, Read, short, within};

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConsoleQuery {
    /// Lines with a higher number; the first ones.
    after: Option<u64>,
    /// Lines with a lower number; the last ones.
    before: Option<u64>,
    /// At most so many.
    #[param(maximum = 5000, default = 500)]
    limit: Option<u64>,
    /// At least this level.
    #[param(inline)]
    level: Option<Level>,
    /// Text that the message or target contains; case does not matter.
    #[serde(default)]
    #[param(max_length = 256, required = false)]
    search: String,
    /// Only this rank.
    #[param(maximum = 4294967295i64)]
    rank: Option<u32>,
}

/// Console lines, in order.
#[derive(Debug, Serialize, ToSchema)]
struct ConsolePage {
    /// Lines that match.
    matched: u64,
    /// All lines.
    total: u64,
    lines: Vec<ConsoleLine>,
}

/// One console line.
#[derive(Debug, Serialize, ToSchema)]
struct ConsoleLine {
    /// Its place in the run, from 0, in order of arrival.
    number: u64,
    rank: u32,
    time: Time,
    level: Level,
    /// The module that spoke; empty for plain output.
    target: String,
    message: String,
    #[schema(value_type = BTreeMap<String, Json>)]
    fields: Map<String, Json>,
}

impl From<ConsoleEntry> for ConsoleLine {
    fn from(entry: ConsoleEntry) -> Self {
        Self {
            number: entry.number,
            rank: entry.rank.0,
            time: Time(entry.line.time),
            level: entry.line.level.into(),
            target: entry.line.target,
            message: entry.line.message,
            fields: entry.line.fields,
        }
    }
}

/// Console lines of a run
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/console",
    tag = "run",
    params(RunPath, ConsoleQuery),
    responses((status = 200, body = ConsolePage)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn console(
    State(app): State<App>,
    run: InRun<Read>,
    Query(query): Query<ConsoleQuery>,
) -> Result<Response, Failure> {
    let query = StoreQuery {
        after: query.after,
        before: query.before,
        limit: within("limit", query.limit, 500, 0..=5_000)?,
        level: query.level.map(Into::into),
        search: short("search", query.search, 256)?,
        rank: query.rank.map(Rank),
    };
    reply::json(&app, move |store| {
        let page = store.console(&run.key, &query)?;
        Ok(ConsolePage {
            matched: page.matched,
            total: page.total,
            lines: page.lines.into_iter().map(ConsoleLine::from).collect(),
        })
    })
    .await
}

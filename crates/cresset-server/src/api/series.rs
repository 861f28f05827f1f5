//! Scalar series of many runs as columns.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cresset_record::{MAX_KEY, Rank, RunId};
use cresset_store::{Axis, ChartQuery, RankChoice};
use flate2::Compression;
use serde::Deserialize;
use utoipa::IntoParams;

use super::columns::{ColumnsBuilder, MEDIA_TYPE};
use super::keys::run_ids;
use super::paths::{ProjectPath, key_list, run_list};
use crate::app::App;
use crate::assets::{compress, is_known, takes_gzip};
use crate::error::Failure;
use crate::extract::{InProject, Query, Read, within};

/// Most keys of one answer.
const MAX_KEYS: usize = 100;
/// Most series of one answer, counted as keys × runs.
const MAX_SERIES: usize = 20_000;
/// Most buckets of one answer, counted as keys × runs × buckets.
const MAX_CELLS: usize = 4_000_000;

/// Which series, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesQuery {
    /// Ids separated by commas; runs that are not there are left out. Keys × runs are at most 20,000, and keys × runs ×
    /// buckets at most 4,000,000.
    #[serde(default)]
    #[param(schema_with = run_list, required = false)]
    runs: Vec<String>,
    /// Keys, one a parameter; at most 100.
    #[serde(default)]
    #[param(schema_with = key_list, required = false)]
    key: Vec<String>,
    /// `step`, `relative` (seconds since the run's start), `wall` (seconds since 1970), or `metric:KEY`.
    #[serde(default)]
    #[param(
        default = "step",
        pattern = "^(step|relative|wall|metric:[^\\x00-\\x1f]{1,512})$",
        required = false
    )]
    x: Option<String>,
    /// The lowest x, inclusive; without it the first.
    from: Option<f64>,
    /// The highest x, inclusive; without it the last.
    to: Option<f64>,
    /// At most so many buckets. Where the distinct x are at most twice as many, they are given as they are.
    #[param(minimum = 1, maximum = 10000, default = 1000)]
    buckets: Option<u64>,
    /// `lowest` (default: that of the lowest rank that has the series), `all`, or numbers separated by commas.
    #[serde(default)]
    #[param(
        default = "lowest",
        pattern = "^(lowest|all|[0-9]{1,9}(,[0-9]{1,9})*)$",
        required = false
    )]
    ranks: Option<String>,
}

/// Scalar series of many runs as columns
///
/// Few points come as they are; more are put into buckets that keep every extreme. All runs of a key share one grid.
#[utoipa::path(
    get,
    path = "/projects/{project}/series",
    tag = "series",
    params(ProjectPath, SeriesQuery),
    responses(
        (
            status = 200,
            content_type = MEDIA_TYPE,
            body = inline(super::document::Binary),
            description = "`CRSC`, a u32 (little-endian) with the length of the JSON header (`ColumnsHeader`), the header, then \
                one array of little-endian f64, into which every `offset` counts.",
            headers(("etag" = String, description = "Of the query and the versions of the runs."))
        ),
        (status = 304, description = "As before.")
    ),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn series(
    State(app): State<App>,
    project: InProject<Read>,
    headers: HeaderMap,
    Query(query): Query<SeriesQuery>,
) -> Result<Response, Failure> {
    let asked = Asked::new(query)?;
    let project = project.project;
    let answer = app
        .ask(move |store| {
            // Versions first: what comes in meanwhile makes a newer tag the next time, never an older answer under a newer one.
            let mut asked = asked;
            let heads = store.heads(&project, &asked.runs)?;
            let mut hasher = DefaultHasher::new();
            (env!("CARGO_PKG_VERSION"), &project, &asked).hash(&mut hasher);
            for head in &heads {
                head.as_ref().map(|h| h.version).hash(&mut hasher);
            }
            let there = heads.iter().map(Option::is_some);
            asked.runs = std::mem::take(&mut asked.runs)
                .into_iter()
                .zip(there)
                .filter_map(|(run, there)| there.then_some(run))
                .collect();
            let tag = HeaderValue::from_str(&format!("W/\"{:016x}\"", hasher.finish()))
                .map_err(|e| Failure::internal(&e))?;
            if is_known(&headers, &tag) {
                return Ok((tag, None));
            }
            let mut columns = ColumnsBuilder::default();
            for key in &asked.keys {
                columns.push(store.chart(&asked.chart(&project, key))?)?;
            }
            Ok((
                tag,
                Some(Packed::new(columns.finish()?, takes_gzip(&headers))),
            ))
        })
        .await?;
    let (tag, body) = answer;
    let headers = [
        (header::ETAG, tag),
        // Kept, and asked about each time.
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ),
        (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    Ok(match body {
        Some(Packed { bytes, gzip: false }) => (headers, bytes).into_response(),
        Some(Packed { bytes, gzip: true }) => {
            (headers, [(header::CONTENT_ENCODING, "gzip")], bytes).into_response()
        }
        None => (StatusCode::NOT_MODIFIED, headers).into_response(),
    })
}

/// A body, compressed where that makes it smaller.
#[derive(Debug)]
struct Packed {
    bytes: Vec<u8>,
    gzip: bool,
}

impl Packed {
    /// Noise becomes little smaller, at a cost of 10 ms and more a megabyte, which a fast line is quicker than. So a piece
    /// from the middle is tried first.
    fn new(bytes: Vec<u8>, takes_gzip: bool) -> Self {
        let middle = bytes.len() / 2;
        let piece = &bytes[middle..bytes.len().min(middle + (32 << 10))];
        let level = Compression::fast();
        let helps = takes_gzip
            && bytes.len() > 4096
            && compress(piece, level).is_some_and(|small| small.len() < piece.len() / 3 * 2);
        match helps.then(|| compress(&bytes, level)).flatten() {
            Some(bytes) => Self { bytes, gzip: true },
            None => Self { bytes, gzip: false },
        }
    }
}

/// The question, checked.
#[derive(Debug, Hash)]
struct Asked {
    runs: Vec<RunId>,
    keys: Vec<String>,
    axis: Axis,
    /// As bits, which can be hashed.
    from: Option<u64>,
    to: Option<u64>,
    buckets: usize,
    ranks: RankChoice,
}

impl Asked {
    fn new(query: SeriesQuery) -> Result<Self, Failure> {
        let runs = run_ids(&query.runs)?;
        let mut keys = query.key;
        keys.dedup();
        if keys.len() > MAX_KEYS {
            let message = format!("at most {MAX_KEYS} keys are taken at once");
            return Err(Failure::too_much(message));
        }
        if keys.iter().any(|key| key.is_empty() || key.len() > MAX_KEY) {
            let message = format!("key: keys have 1 to {MAX_KEY} bytes");
            return Err(Failure::bad_request(message));
        }
        let buckets = within("buckets", query.buckets, 1000, 1..=10_000)?;
        let series = runs.len().saturating_mul(keys.len());
        if series > MAX_SERIES || series.saturating_mul(buckets) > MAX_CELLS {
            return Err(Failure::too_much(format!(
                "{} runs × {} keys with {buckets} buckets are too much at once; at most {MAX_SERIES} series \
                 and {MAX_CELLS} buckets of them are answered",
                runs.len(),
                keys.len()
            )));
        }
        Ok(Self {
            runs,
            keys,
            axis: axis(query.x.as_deref())?,
            from: bound("from", query.from)?,
            to: bound("to", query.to)?,
            buckets,
            ranks: ranks(query.ranks.as_deref())?,
        })
    }

    fn chart(&self, project: &cresset_record::Project, key: &str) -> ChartQuery {
        ChartQuery {
            project: project.clone(),
            runs: self.runs.clone(),
            key: key.to_owned(),
            axis: self.axis.clone(),
            from: self.from.map(f64::from_bits),
            to: self.to.map(f64::from_bits),
            buckets: self.buckets,
            ranks: self.ranks.clone(),
        }
    }
}

fn bound(name: &str, value: Option<f64>) -> Result<Option<u64>, Failure> {
    match value {
        Some(value) if !value.is_finite() => Err(Failure::bad_request(format!(
            "{name} is no finite number; leave it out for no bound"
        ))),
        value => Ok(value.map(f64::to_bits)),
    }
}

fn axis(text: Option<&str>) -> Result<Axis, Failure> {
    match text {
        None | Some("step") => Ok(Axis::Step),
        Some("relative") => Ok(Axis::Relative),
        Some("wall") => Ok(Axis::Wall),
        Some(text) => match text.strip_prefix("metric:") {
            Some(key) if !key.is_empty() && key.len() <= MAX_KEY => {
                Ok(Axis::Metric(key.to_owned()))
            }
            _ => Err(Failure::bad_request(
                "x is `step`, `relative`, `wall`, or `metric:KEY`",
            )),
        },
    }
}

fn ranks(text: Option<&str>) -> Result<RankChoice, Failure> {
    match text {
        None | Some("lowest") => Ok(RankChoice::Lowest),
        Some("all") => Ok(RankChoice::All),
        Some(text) => {
            let ranks = text.split(',').map(|rank| rank.trim().parse().map(Rank));
            let ranks: Result<Vec<Rank>, _> = ranks.take(10_000).collect();
            ranks.map(RankChoice::Only).map_err(|_| {
                Failure::bad_request("ranks is `lowest`, `all`, or numbers separated by commas")
            })
        }
    }
}

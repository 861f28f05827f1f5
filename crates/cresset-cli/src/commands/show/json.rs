//! `cresset show --json`: the overview and everything about the series but their points.

use cresset_record::{
    Alert, Damage, Definition, Logged, LossReason, Media, Rank, RunView, Series, SummaryRule,
    TensorStats,
};
use cresset_store::Trashed;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::human;
use crate::overview::Overview;
use crate::select::is_chosen;

/// The JSON object.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    overview: &'a Overview,
    /// When it was put into the trash, where it is.
    deleted: Option<String>,
    environment: &'a Map<String, Json>,
    series: Vec<SeriesJson<'a>>,
    histograms: Vec<HistogramJson<'a>>,
    media: Vec<MediaJson<'a>>,
    alert_list: Vec<AlertJson<'a>>,
    lost_list: Vec<LostJson>,
    damage_list: &'a [Damage],
}

#[derive(Serialize)]
struct SeriesJson<'a> {
    key: &'a str,
    rank: Rank,
    #[serde(skip_serializing_if = "is_plain")]
    definition: Definition,
    points: u64,
    superseded: u64,
    last_step: Option<u64>,
    last: Json,
    min: Json,
    max: Json,
    mean: Json,
    /// Values that are NaN or infinite.
    not_finite: u64,
}

#[derive(Serialize)]
struct HistogramJson<'a> {
    key: &'a str,
    rank: Rank,
    histograms: u64,
    last_step: Option<u64>,
    last: Option<StatsJson>,
}

#[derive(Serialize)]
struct StatsJson {
    count: u64,
    zeros: u64,
    nan: u64,
    pos_inf: u64,
    neg_inf: u64,
    min: Json,
    max: Json,
    mean: Json,
    std: Json,
    l2_norm: Json,
    median: Json,
}

#[derive(Serialize)]
struct MediaJson<'a> {
    key: &'a str,
    rank: Rank,
    step: u64,
    time: String,
    #[serde(flatten)]
    media: &'a Media,
}

#[derive(Serialize)]
struct AlertJson<'a> {
    time: String,
    level: cresset_record::Level,
    title: &'a str,
    text: &'a str,
    step: Option<u64>,
}

#[derive(Serialize)]
struct LostJson {
    reason: LossReason,
    description: &'static str,
    points: u64,
    values: u64,
}

fn is_plain(definition: &Definition) -> bool {
    *definition == Definition::new(definition.pattern.as_str())
}

impl<'a> Shown<'a> {
    /// The JSON of a run; with patterns, only of the series that match.
    pub(super) fn of(
        view: &'a RunView,
        overview: &'a Overview,
        trashed: Option<&Trashed>,
        patterns: &[String],
    ) -> Self {
        let chosen = |key: &str| patterns.is_empty() || is_chosen(patterns, key);
        let lost = |(&reason, loss): (&LossReason, &cresset_record::Loss)| LostJson {
            reason,
            description: reason.describe(),
            points: loss.points,
            values: loss.values,
        };
        Self {
            overview,
            deleted: trashed.map(|run| human::rfc3339(run.deleted)),
            environment: &overview.environment,
            series: view
                .series()
                .filter(|(key, _, _)| chosen(key.as_str()))
                .map(|(key, rank, s)| SeriesJson::of(view, key.as_str(), rank, s))
                .collect(),
            histograms: view
                .histograms()
                .filter(|(key, _, _)| chosen(key.as_str()))
                .map(|(key, rank, h)| HistogramJson::of(key.as_str(), rank, h))
                .collect(),
            media: view
                .media()
                .filter(|(key, _, _)| chosen(key.as_str()))
                .flat_map(|(key, rank, values)| {
                    values
                        .iter()
                        .map(move |v| MediaJson::of(key.as_str(), rank, v))
                })
                .collect(),
            alert_list: view.alerts().iter().map(AlertJson::of).collect(),
            lost_list: view.lost().iter().map(lost).collect(),
            damage_list: view.damage(),
        }
    }
}

impl<'a> SeriesJson<'a> {
    fn of(view: &RunView, key: &'a str, rank: Rank, series: &Series) -> Self {
        let last = series.last();
        let by = |rule| json_number(series.summarise(rule, None));
        let not_finite = series.points().iter().filter(|p| !p.value.is_finite());
        Self {
            key,
            rank,
            definition: view.definition(key),
            points: series.points().len() as u64,
            superseded: series.superseded(),
            last_step: last.map(|p| p.step),
            last: json_number(last.map(|p| p.value)),
            min: by(SummaryRule::Min),
            max: by(SummaryRule::Max),
            mean: by(SummaryRule::Mean),
            not_finite: not_finite.count() as u64,
        }
    }
}

impl<'a> HistogramJson<'a> {
    fn of(key: &'a str, rank: Rank, history: &[Logged<TensorStats>]) -> Self {
        let last = history.iter().max_by_key(|h| h.step);
        Self {
            key,
            rank,
            histograms: history.len() as u64,
            last_step: last.map(|h| h.step),
            last: last.map(|h| StatsJson::of(&h.value)),
        }
    }
}

impl StatsJson {
    fn of(stats: &TensorStats) -> Self {
        let number = |v: f64| json_number(Some(v));
        Self {
            count: stats.count,
            zeros: stats.zeros,
            nan: stats.nan,
            pos_inf: stats.pos_inf,
            neg_inf: stats.neg_inf,
            min: number(stats.min),
            max: number(stats.max),
            mean: number(stats.mean()),
            std: number(stats.std()),
            l2_norm: number(stats.l2_norm()),
            median: json_number(stats.quantile(0.5)),
        }
    }
}

impl<'a> MediaJson<'a> {
    fn of(key: &'a str, rank: Rank, logged: &'a Logged<Media>) -> Self {
        Self {
            key,
            rank,
            step: logged.step,
            time: human::rfc3339(logged.time),
            media: &logged.value,
        }
    }
}

impl<'a> AlertJson<'a> {
    fn of(alert: &'a Alert) -> Self {
        Self {
            time: human::rfc3339(alert.time),
            level: alert.level,
            title: &alert.title,
            text: &alert.text,
            step: alert.step,
        }
    }
}

/// A number; one that JSON lacks as the text `NaN`, `inf` or `-inf`; `null` where there is none.
fn json_number(value: Option<f64>) -> Json {
    value.map_or(Json::Null, cresset_record::json_number)
}

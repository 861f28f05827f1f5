//! Metrics, params and tags on their way, in requests as large as MLflow takes.

use cresset_record::Timestamp;
use serde_json::{Value as Json, json};

use super::api::Api;
use super::names;
use crate::error::ShipError;

/// MLflow takes 1,000 metrics, or 100 params, or 100 tags, in one request of at most 1 MB (`mlflow/utils/validation.py`).
const MAX_METRICS: usize = 1000;
const MAX_PAIRS: usize = 100;
const MAX_BYTES: usize = 900_000;
/// Longest value of a tag, in characters: of the versions in use, the shorter limit.
const MAX_TAG: usize = 5000;

/// What is sent together.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    metrics: Vec<Json>,
    params: Vec<Json>,
    tags: Vec<Json>,
}

impl Outgoing {
    /// A point; `name` must be one that MLflow takes.
    pub(super) fn metric(&mut self, name: &str, value: f64, step: u64, time: Timestamp) {
        self.metrics.push(json!({
            "key": name,
            "value": number(value),
            "timestamp": millis(time),
            "step": i64::try_from(step).unwrap_or(i64::MAX),
        }));
    }

    /// A param; name and value must be such that MLflow takes.
    pub(super) fn param(&mut self, name: &str, value: &str) {
        self.params.push(json!({"key": name, "value": value}));
    }

    /// A tag, in place of one of the same name.
    pub(super) fn tag(&mut self, name: &str, value: &str) {
        let name = names::entity(name);
        let value = names::cut(value, MAX_TAG);
        self.tags.retain(|tag| tag["key"] != *name);
        self.tags.push(json!({"key": name, "value": value}));
    }

    /// Tags alone, for a run that is made with them.
    pub(super) fn take_tags(&mut self) -> Vec<Json> {
        std::mem::take(&mut self.tags)
    }

    /// Sends everything.
    pub(super) fn send(&mut self, api: &Api, run: &str) -> Result<(), ShipError> {
        for (kind, most, items) in [
            ("params", MAX_PAIRS, std::mem::take(&mut self.params)),
            ("metrics", MAX_METRICS, std::mem::take(&mut self.metrics)),
            ("tags", MAX_PAIRS, std::mem::take(&mut self.tags)),
        ] {
            for piece in pieces(items, most) {
                api.log_batch(&json!({"run_id": run, kind: piece}))?;
            }
        }
        Ok(())
    }
}

/// Pieces of at most so many items and [`MAX_BYTES`].
fn pieces(items: Vec<Json>, most: usize) -> Vec<Vec<Json>> {
    let (mut pieces, mut piece, mut bytes) = (Vec::new(), Vec::new(), 0);
    for item in items {
        let len = item.to_string().len() + 1;
        if piece.len() == most || bytes + len > MAX_BYTES && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        bytes += len;
        piece.push(item);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// A number as protocol buffers write it in JSON, which has no NaN.
fn number(value: f64) -> Json {
    match value {
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        value if value.is_nan() => "NaN".into(),
        value => value.into(),
    }
}

/// MLflow's clock: milliseconds since 1970, none before.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.0.div_euclid(1000).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_is_larger_than_mlflow_takes() {
        let mut out = Outgoing::default();
        for i in 0..2500 {
            out.metric("a", f64::from(i), 0, Timestamp(0));
        }
        let sizes = |pieces: Vec<Vec<Json>>| pieces.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(pieces(out.metrics, MAX_METRICS)), [1000, 1000, 500]);
        for i in 0..150 {
            out.params
                .push(json!({"key": format!("p{i}"), "value": "\u{1}".repeat(6000)}));
        }
        let pieces = pieces(out.params, MAX_PAIRS);
        for piece in &pieces {
            assert!(Json::from(piece.clone()).to_string().len() < 1_000_000);
        }
        assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 150);
    }

    #[test]
    fn a_tag_is_cut_and_takes_the_place_of_its_elder() {
        let mut out = Outgoing::default();
        out.tag("t", "1");
        out.tag("t", &"ü".repeat(MAX_TAG + 1));
        let tags = out.take_tags();
        let value = tags[0]["value"].as_str().unwrap();
        assert!(tags.len() == 1 && value.ends_with('…') && value.chars().count() == MAX_TAG);
    }
}

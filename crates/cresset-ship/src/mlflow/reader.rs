//! What an MLflow server has, page by page. Nothing that it says is trusted: not its types, not its sizes, not that its pages end.

use std::collections::HashMap;
use std::path::Path;
use std::thread;

use serde_json::{Value as Json, json};

use super::Credentials;
use super::api::{Api, PROXY, encoded, encoded_path, text};
use crate::error::ShipError;
use crate::shipment;

/// A request that nobody answers is made so often.
const TRIES: u32 = 4;
/// Runs on a page: with all their params and tags a page must fit an answer.
pub(crate) const RUNS_A_PAGE: usize = 50;
/// Points on a page, the most that MLflow gives (`GET_METRIC_HISTORY_MAX_RESULTS` in `mlflow/store/tracking/__init__.py`).
pub(crate) const POINTS_A_PAGE: usize = 25_000;
const EXPERIMENTS_A_PAGE: usize = 500;

/// Reads what an MLflow server has.
#[derive(Debug)]
pub(crate) struct Reader {
    api: Api,
}

/// Some of what there is.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `None` if this is the last.
    pub(crate) next: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Experiment {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A point of a metric, as the server has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) step: i64,
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    pub(crate) value: f64,
}

/// A file or a folder among a run's artifacts.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// From the run's own folder on.
    pub(crate) path: String,
    pub(crate) is_folder: bool,
    /// In bytes, where the server knows.
    pub(crate) size: Option<u64>,
}

impl Reader {
    /// # Errors
    /// If `address` is no address of a web server.
    pub(crate) fn new(address: &str, credentials: &Credentials) -> Result<Self, ShipError> {
        Ok(Self {
            api: Api::new(credentials.http(address)?),
        })
    }

    /// The server's address, for people.
    pub(crate) fn base(&self) -> &str {
        self.api.base()
    }

    /// The experiments that were not deleted.
    pub(crate) fn experiments(&self, page: Option<&str>) -> Result<Page<Experiment>, ShipError> {
        let mut wanted = json!({"max_results": EXPERIMENTS_A_PAGE});
        turn_to(page, &mut wanted);
        let answer = again(|| self.api.post("experiments/search", &wanted))?;
        let items = items(&answer, "experiments").map(experiment);
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: next(&answer, page)?,
        })
    }

    pub(crate) fn experiment(&self, name: &str) -> Result<Experiment, ShipError> {
        experiment(&again(|| self.api.find_experiment(name))?)
    }

    /// The runs of an experiment that were not deleted, the oldest first.
    pub(crate) fn runs(
        &self,
        experiment: &str,
        page: Option<&str>,
    ) -> Result<Page<Json>, ShipError> {
        let mut wanted = json!({
            "experiment_ids": [experiment],
            "max_results": RUNS_A_PAGE,
            // Those that begin meanwhile come last.
            "order_by": ["attributes.start_time ASC"],
        });
        turn_to(page, &mut wanted);
        let answer = again(|| self.api.post("runs/search", &wanted))?;
        Ok(Page {
            items: items(&answer, "runs").cloned().collect(),
            next: next(&answer, page)?,
        })
    }

    /// What a run is called.
    pub(crate) fn name_of(&self, run: &str) -> Result<String, ShipError> {
        let path = format!("runs/get?run_id={}", encoded(run));
        let answer = again(|| self.api.get(&path))?;
        text(&answer["run"]["info"]["run_name"], "run_name")
    }

    /// Points of a metric, the earliest first.
    pub(crate) fn history(
        &self,
        run: &str,
        metric: &str,
        page: Option<&str>,
    ) -> Result<Page<Point>, ShipError> {
        let mut path = format!(
            "metrics/get-history?run_id={}&metric_key={}&max_results={POINTS_A_PAGE}",
            encoded(run),
            encoded(metric)
        );
        if let Some(page) = page {
            path.push_str(&format!("&page_token={}", encoded(page)));
        }
        let answer = again(|| self.api.get(&path))?;
        Ok(Page {
            items: items(&answer, "metrics").filter_map(point).collect(),
            next: next(&answer, page)?,
        })
    }

    /// All points of a metric of several runs, by run; `None` if there are more than the server gives at once. It is what MLflow's own page
    /// asks, which not every server lets others ask, and has no word for NaN.
    pub(crate) fn histories(
        &self,
        runs: &[&str],
        metric: &str,
    ) -> Result<Option<HashMap<String, Vec<Point>>>, ShipError> {
        let mut path = format!(
            "/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key={}&max_results={POINTS_A_PAGE}",
            encoded(metric)
        );
        for run in runs {
            path.push_str(&format!("&run_id={}", encoded(run)));
        }
        let answer = again(|| self.api.get_at(&path))?;
        let Some(points) = answer["metrics"].as_array() else {
            return Err(ShipError::Refused(format!(
                "{} does not answer with points",
                self.base()
            )));
        };
        if points.len() >= POINTS_A_PAGE {
            return Ok(None);
        }
        let mut by_run: HashMap<String, Vec<Point>> = HashMap::new();
        for found in points {
            let run = found["run_id"].as_str();
            let run = run.filter(|run| runs.contains(run));
            if let (Some(run), Some(point)) = (run, point(found)) {
                by_run.entry(run.to_owned()).or_default().push(point);
            }
        }
        Ok(Some(by_run))
    }

    /// What is in a folder of a run's artifacts.
    pub(crate) fn artifacts(
        &self,
        run: &str,
        folder: &str,
        page: Option<&str>,
    ) -> Result<Page<Artifact>, ShipError> {
        let mut path = format!("artifacts/list?run_id={}", encoded(run));
        if !folder.is_empty() {
            path.push_str(&format!("&path={}", encoded(folder)));
        }
        if let Some(page) = page {
            path.push_str(&format!("&page_token={}", encoded(page)));
        }
        let answer = again(|| self.api.get(&path))?;
        let items = items(&answer, "files").filter_map(|file| {
            Some(Artifact {
                path: file["path"].as_str()?.to_owned(),
                is_folder: file["is_dir"] == true,
                size: whole(&file["file_size"]).and_then(|size| u64::try_from(size).ok()),
            })
        });
        Ok(Page {
            items: items.collect(),
            next: next(&answer, page)?,
        })
    }

    /// Brings an artifact of a run, whose artifacts are at `uri`, into a file: at most so many bytes. Whether that was all.
    pub(crate) fn fetch(
        &self,
        (run, uri): (&str, &str),
        path: &str,
        into: &Path,
        limit: u64,
    ) -> Result<bool, ShipError> {
        let path = match self.api.proxied(uri) {
            Some(root) => format!("{PROXY}/{}", encoded_path(&format!("{root}/{path}"))),
            // The server gets it from a bucket, if it may.
            None => format!(
                "/get-artifact?run_uuid={}&path={}",
                encoded(run),
                encoded(path)
            ),
        };
        again(|| self.api.fetch(&path, into, limit))
    }
}

/// Asks anew where that may help, each time after a longer pause.
fn again<T>(ask: impl Fn() -> Result<T, ShipError>) -> Result<T, ShipError> {
    let mut failures = 0;
    loop {
        match ask() {
            Err(error) if error.is_temporary() && failures + 1 < TRIES => {
                thread::sleep(shipment::pause(failures, &error));
                failures += 1;
            }
            answer => return answer,
        }
    }
}

fn turn_to(page: Option<&str>, wanted: &mut Json) {
    if let Some(page) = page {
        wanted["page_token"] = page.into();
    }
}

fn items<'a>(answer: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    answer[name].as_array().into_iter().flatten()
}

/// Where the next page begins.
fn next(answer: &Json, page: Option<&str>) -> Result<Option<String>, ShipError> {
    let next = answer["next_page_token"].as_str();
    let next = next.filter(|next| !next.is_empty());
    if next.is_some() && next == page {
        return Err(ShipError::Refused(
            "the server gives the same page again and again: is this MLflow?".to_owned(),
        ));
    }
    Ok(next.map(str::to_owned))
}

fn experiment(json: &Json) -> Result<Experiment, ShipError> {
    Ok(Experiment {
        id: text(&json["experiment_id"], "experiment_id")?,
        name: text(&json["name"], "name")?,
    })
}

fn point(json: &Json) -> Option<Point> {
    let value = match &json["value"] {
        Json::String(word) => match word.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            other => other.parse().ok()?,
        },
        // What is zero has no value in some versions.
        Json::Null => 0.0,
        // MLflow's SQL stores have no infinities, and keep these in their place.
        number => match number.as_f64()? {
            f64::MAX => f64::INFINITY,
            f64::MIN => f64::NEG_INFINITY,
            value => value,
        },
    };
    Some(Point {
        step: whole(&json["step"]).unwrap_or(0),
        time: whole(&json["timestamp"]).unwrap_or(0),
        value,
    })
}

/// A whole number, which protocol buffers write as a text.
pub(crate) fn whole(json: &Json) -> Option<i64> {
    match json {
        Json::String(digits) => digits.parse().ok(),
        number => number.as_i64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_stores_and_protocols_write_them() {
        let read = |value: Json| point(&json!({"value": value, "step": "3", "timestamp": 4}));
        assert_eq!(read(json!(0.1)).unwrap().value, 0.1);
        assert_eq!(read(json!(f64::MAX)).unwrap().value, f64::INFINITY);
        assert_eq!(read(json!("-Infinity")).unwrap().value, f64::NEG_INFINITY);
        assert!(read(json!("NaN")).unwrap().value.is_nan());
        assert_eq!(read(json!([])), None);
        let point = read(json!(1)).unwrap();
        assert_eq!((point.step, point.time), (3, 4));
    }

    #[test]
    fn pages_that_do_not_end_are_an_error() {
        let answer = json!({"next_page_token": "a"});
        assert_eq!(next(&answer, None).unwrap().as_deref(), Some("a"));
        assert!(next(&answer, Some("a")).is_err());
        assert_eq!(next(&json!({"next_page_token": ""}), None).unwrap(), None);
        assert_eq!(next(&json!([]), None).unwrap(), None);
    }
}

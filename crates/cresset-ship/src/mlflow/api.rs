//! MLflow's REST API, as much of it as carrying runs needs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use ureq::http::Method;

use crate::error::ShipError;
use crate::http::Http;

/// A server that passes a large file on to a bucket answers only once it is there.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(600);
/// Where the server takes artifacts of runs that it keeps itself.
pub(super) const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// By which MLflow's page chooses what to show of an experiment, where the reader does not.
const KIND: (&str, &str) = ("mlflow.experimentKind", "custom_model_development");

/// A tracking server.
#[derive(Clone, Debug)]
pub(super) struct Api {
    http: Http,
    uploads: Http,
}

/// A run as the server knows it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) artifact_uri: String,
    /// Name and value.
    pub(super) params: Vec<(String, String)>,
    /// Name and value.
    pub(super) tags: Vec<(String, String)>,
}

impl Api {
    pub(super) fn new(http: Http) -> Self {
        Self {
            uploads: http.with_patience(UPLOAD_PATIENCE),
            http,
        }
    }

    /// The server's address, for people.
    pub(super) fn base(&self) -> &str {
        self.http.base()
    }

    /// The id of the experiment `name`, which is made if there is none.
    pub(super) fn experiment(&self, name: &str) -> Result<String, ShipError> {
        let found = match self.find_experiment(name) {
            Err(ShipError::Refused(_)) => {
                // There is none, or somebody else makes it at this moment.
                let kind = json!({"key": KIND.0, "value": KIND.1});
                let experiment = json!({"name": name, "tags": [kind]});
                let made = self.post("experiments/create", &experiment);
                match made {
                    Ok(made) => return text(&made["experiment_id"], "experiment_id"),
                    Err(error) => self.find_experiment(name).map_err(|_| error)?,
                }
            }
            found => found?,
        };
        if found["lifecycle_stage"] == "deleted" {
            return Err(ShipError::Refused(format!(
                "the experiment `{name}` was deleted at {}; restore it there or give another name",
                self.base()
            )));
        }
        text(&found["experiment_id"], "experiment_id")
    }

    pub(super) fn find_experiment(&self, name: &str) -> Result<Json, ShipError> {
        let path = format!("experiments/get-by-name?experiment_name={}", encoded(name));
        Ok(part(self.get(&path)?, "experiment"))
    }

    /// The run with this tag, if there is one.
    pub(super) fn find_run(
        &self,
        experiment: &str,
        tag: &str,
        value: &str,
    ) -> Result<Option<Found>, ShipError> {
        let wanted = json!({
            "experiment_ids": [experiment],
            "filter": format!("tags.`{tag}` = '{value}'"),
            "max_results": 1,
            "order_by": ["attributes.start_time ASC"],
        });
        let mut runs = part(self.post("runs/search", &wanted)?, "runs");
        let run = runs.get_mut(0).map(Json::take);
        run.map(found).transpose()
    }

    /// Makes a run.
    pub(super) fn create_run(&self, run: &Json) -> Result<Found, ShipError> {
        found(part(self.post("runs/create", run)?, "run"))
    }

    /// The run as it is now.
    pub(super) fn run(&self, id: &str) -> Result<Found, ShipError> {
        found(part(
            self.get(&format!("runs/get?run_id={}", encoded(id)))?,
            "run",
        ))
    }

    /// Changes a run's name, status or end.
    pub(super) fn update_run(&self, change: &Json) -> Result<(), ShipError> {
        self.post("runs/update", change).map(drop)
    }

    pub(super) fn log_batch(&self, batch: &Json) -> Result<(), ShipError> {
        self.post("runs/log-batch", batch).map(drop)
    }

    /// Puts an artifact where the proxy keeps `path`; what is there is replaced.
    pub(super) fn put(&self, path: &str, body: impl ureq::AsSendBody) -> Result<(), ShipError> {
        let path = format!("{PROXY}/{}", encoded_path(path));
        // An empty answer is no JSON in some versions.
        self.uploads.send(Method::PUT, &path, &[], body).map(drop)
    }

    /// Where below the proxy the artifacts at `uri` are; `None` if they are somewhere else.
    pub(super) fn proxied(&self, uri: &str) -> Option<String> {
        let path = match uri.strip_prefix("mlflow-artifacts:") {
            Some(rest) => match rest.strip_prefix("//") {
                Some(rest) => {
                    let (host, path) = rest.split_once('/')?;
                    let ours = self.base().split_once("://")?.1;
                    let ours = ours.split('/').next()?;
                    (host.is_empty() || host == ours).then_some(path)?
                }
                None => rest,
            },
            None => uri.strip_prefix(self.base())?.strip_prefix(PROXY)?,
        };
        Some(path.trim_matches('/').to_owned())
    }

    /// Brings what is at `path` of the server into a file: at most so many bytes. Whether that was all.
    pub(super) fn fetch(&self, path: &str, into: &Path, limit: u64) -> Result<bool, ShipError> {
        self.uploads.fetch(path, into, limit)
    }

    /// JSON from a path of the server's own.
    pub(super) fn get_at(&self, path: &str) -> Result<Json, ShipError> {
        self.http.json(Method::GET, path, &Json::Null)
    }

    pub(super) fn get(&self, path: &str) -> Result<Json, ShipError> {
        let path = format!("/api/2.0/mlflow/{path}");
        self.http.json(Method::GET, &path, &Json::Null)
    }

    pub(super) fn post(&self, path: &str, body: &Json) -> Result<Json, ShipError> {
        let path = format!("/api/2.0/mlflow/{path}");
        self.http.json(Method::POST, &path, body)
    }
}

/// A part of an answer; `null` if it has none, or is no object at all.
fn part(mut answer: Json, name: &str) -> Json {
    answer.get_mut(name).map(Json::take).unwrap_or_default()
}

fn found(run: Json) -> Result<Found, ShipError> {
    let pairs = |kind: &str| {
        let pairs = run["data"][kind].as_array();
        let pairs = pairs.into_iter().flatten().filter_map(|pair| {
            let value = pair["value"].as_str().unwrap_or_default();
            Some((pair["key"].as_str()?.to_owned(), value.to_owned()))
        });
        pairs.collect()
    };
    Ok(Found {
        id: text(&run["info"]["run_id"], "run_id")?,
        artifact_uri: text(&run["info"]["artifact_uri"], "artifact_uri").unwrap_or_default(),
        params: pairs("params"),
        tags: pairs("tags"),
    })
}

pub(super) fn text(value: &Json, name: &str) -> Result<String, ShipError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| ShipError::Refused(format!("the answer has no `{name}`: is this MLflow?")))
}

/// Percent-encoded, as one part of a URL.
pub(super) fn encoded(text: &str) -> String {
    encoded_but(text, b"-_.~")
}

pub(super) fn encoded_path(text: &str) -> String {
    encoded_but(text, b"-_.~/+")
}

fn encoded_but(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_keeps_goes_through_its_proxy() {
        let http = Http::new("https://tracking.example.org/ml/", Vec::new()).unwrap();
        let api = Api::new(http);
        for (uri, path) in [
            ("mlflow-artifacts:/1/ab/artifacts", Some("1/ab/artifacts")),
            ("mlflow-artifacts:///1/ab", Some("1/ab")),
            ("mlflow-artifacts://tracking.example.org/1/ab", Some("1/ab")),
            ("mlflow-artifacts://elsewhere.example.org/1/ab", None),
            (
                "https://tracking.example.org/ml/api/2.0/mlflow-artifacts/artifacts/1/ab",
                Some("1/ab"),
            ),
            ("s3://bucket/1/ab", None),
            ("/srv/mlruns/1/ab", None),
        ] {
            assert_eq!(api.proxied(uri).as_deref(), path, "{uri}");
        }
    }
}

//! The requests.

use std::fs::{self, File};
use std::path::Path;

use cresset_record::{BlobRef, Digest, Holder, Rank, RunDir};
use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use crate::error::ShipError;
use crate::http::{Answer, Http};

/// Digests that are asked for at once; the server takes a thousand.
const DIGESTS: usize = 500;

#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    /// `/api/v1/projects/PROJECT/runs/RUN`
    run: String,
}

/// What the server says after a piece.
#[derive(Debug, Deserialize)]
pub(super) struct Taken {
    pub(super) last: Option<u64>,
    pub(super) stop: Option<Stop>,
}

/// That somebody asked the run to stop.
#[derive(Debug, Deserialize)]
pub(super) struct Stop {
    /// By the server's clock.
    pub(super) time: i64,
    pub(super) reason: String,
}

impl Api {
    pub(super) fn new(address: &str, key: Option<&str>, run: &RunDir) -> Result<Self, ShipError> {
        let project = run.path().parent().and_then(|parent| parent.file_name());
        let project = project.and_then(|name| name.to_str()).ok_or_else(|| {
            let path = run.path().display();
            ShipError::Refused(format!(
                "{path} is not the folder of a run in a project's folder"
            ))
        })?;
        // A project's folder has its name as a path has it: percent-encoded.
        let id = run.id_text();
        Ok(Self {
            http: connect(address, key)?,
            run: format!("/api/v1/projects/{project}/runs/{id}"),
        })
    }

    /// The last frame that the server has of each writer.
    pub(super) fn state(&self) -> Result<Vec<(Rank, Option<u64>)>, ShipError> {
        #[derive(Deserialize)]
        struct State {
            writers: Vec<Writer>,
        }
        #[derive(Deserialize)]
        struct Writer {
            rank: u32,
            last: Option<u64>,
        }
        let path = format!("{}/intake", self.run);
        let answer = self.http.send(Method::GET, &path, &[], ())?;
        let state: State = self.read(&answer)?;
        let writers = state.writers.into_iter();
        Ok(writers
            .map(|writer| (Rank(writer.rank), writer.last))
            .collect())
    }

    pub(super) fn piece(
        &self,
        run: &RunDir,
        rank: Rank,
        index: u32,
        bytes: &[u8],
    ) -> Result<Taken, ShipError> {
        let path = format!("{}/intake/{}/{index}", self.run, rank.0);
        let host = host(run, rank);
        let headers = [
            ("content-type", "application/octet-stream"),
            ("x-cresset-host", host.as_str()),
        ];
        let answer = self.http.send(Method::POST, &path, &headers, bytes)?;
        self.read(&answer)
    }

    pub(super) fn let_go(&self, rank: Rank) -> Result<(), ShipError> {
        let path = format!("{}/intake/{}", self.run, rank.0);
        self.http.send(Method::DELETE, &path, &[], ()).map(drop)
    }

    /// Sends those of the blobs that the server does not have.
    pub(super) fn send_blobs(&self, run: &RunDir, blobs: &[&BlobRef]) -> Result<(), ShipError> {
        #[derive(Deserialize)]
        struct Missing {
            missing: Vec<Digest>,
        }
        for some in blobs.chunks(DIGESTS) {
            let digests: Vec<String> = some.iter().map(|blob| blob.digest.to_string()).collect();
            let path = format!("{}/intake/blobs", self.run);
            let body = json!({ "digests": digests }).to_string();
            let headers = [("content-type", "application/json")];
            let answer = self.http.send(Method::POST, &path, &headers, body)?;
            let missing: Missing = self.read(&answer)?;
            for digest in missing.missing {
                self.send_blob(run, &digest)?;
            }
        }
        Ok(())
    }

    fn send_blob(&self, run: &RunDir, digest: &Digest) -> Result<(), ShipError> {
        // One that was damaged or deleted here cannot be had anywhere; the log says what it was.
        let path = run.blobs().path(digest);
        let Ok(file) = File::open(&path) else {
            return Ok(());
        };
        let to = format!("{}/blobs/{digest}", self.run);
        let headers = [("content-type", "application/octet-stream")];
        match self.http.send(Method::PUT, &to, &headers, file) {
            Err(ShipError::Refused(_)) if !is_intact(&path, digest) => Ok(()),
            sent => sent.map(drop),
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&self, answer: &Answer) -> Result<T, ShipError> {
        serde_json::from_slice(&answer.body).map_err(|e| {
            ShipError::Refused(format!(
                "{} does not answer as a Cresset server of this version does ({e})",
                self.http.base()
            ))
        })
    }
}

/// Asks a server whether it knows a key.
///
/// # Errors
/// If it does not, or cannot be asked.
pub fn check_key(address: &str, key: &str) -> Result<(), ShipError> {
    let http = connect(address, Some(key))?;
    http.send(Method::GET, "/api/v1/projects", &[], ())
        .map(drop)
}

fn connect(address: &str, key: Option<&str>) -> Result<Http, ShipError> {
    // What changes something says so: a page elsewhere cannot make a browser send this.
    let mut headers = vec![("x-cresset", "1".to_owned())];
    headers.extend(key.map(|key| ("authorization", format!("Bearer {key}"))));
    Http::new(address, headers)
}

/// The host where the writer lives or lived.
fn host(run: &RunDir, rank: Rank) -> String {
    let signed = fs::read(run.lock(rank)).ok();
    let holder: Option<Holder> = signed.and_then(|text| serde_json::from_slice(&text).ok());
    let host = holder.map(|holder| holder.host).unwrap_or_default();
    host.chars().filter(char::is_ascii_graphic).collect()
}

fn is_intact(path: &Path, digest: &Digest) -> bool {
    Digest::of_file(path).is_ok_and(|(found, _)| found == *digest)
}

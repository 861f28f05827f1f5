//! The requests.

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;

use cresset_record::{BlobRef, Digest, Rank, RunDir};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::json;
use ureq::SendBody;
use ureq::http::Method;

use super::blobs::Missing;
use crate::error::ShipError;
use crate::http::{Answer, Http};

/// Digests that are asked for at once; the server takes a thousand.
const DIGESTS: usize = 500;
/// What is shorter goes as it is, in bytes.
const PACKED: usize = 1 << 10;

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

    /// Sends a piece of a segment, or nothing to say that the writer lives, to a server that has the frames up to `known`.
    pub(super) fn piece(
        &self,
        rank: Rank,
        index: u32,
        known: Option<u64>,
        host: &str,
        bytes: &[u8],
    ) -> Result<Taken, ShipError> {
        let path = format!("{}/intake/{}/{index}", self.run, rank.0);
        let mut headers = vec![
            ("content-type", "application/octet-stream"),
            ("x-cresset-host", host),
        ];
        let known = known.map(|last| last.to_string());
        if let Some(known) = &known {
            headers.push(("x-cresset-known", known));
        }
        let packed = packed(bytes);
        if packed.is_some() {
            headers.push(("content-encoding", "gzip"));
        }
        let body = packed.as_deref().unwrap_or(bytes);
        let answer = self.http.send(Method::POST, &path, &headers, body)?;
        self.read(&answer)
    }

    pub(super) fn let_go(&self, rank: Rank) -> Result<(), ShipError> {
        let path = format!("{}/intake/{}", self.run, rank.0);
        self.http.send(Method::DELETE, &path, &[], ()).map(drop)
    }

    /// Which of the blobs the server does not have.
    pub(super) fn missing(&self, blobs: &[&BlobRef]) -> Result<Vec<Missing>, ShipError> {
        #[derive(Deserialize)]
        struct Lacks {
            missing: Vec<Digest>,
            #[serde(default)]
            begun: HashMap<Digest, u64>,
        }
        let mut found = Vec::new();
        for some in blobs.chunks(DIGESTS) {
            let digests: Vec<String> = some.iter().map(|blob| blob.digest.to_string()).collect();
            let path = format!("{}/intake/blobs", self.run);
            let body = json!({ "digests": digests }).to_string();
            let headers = [("content-type", "application/json")];
            let answer = self.http.send(Method::POST, &path, &headers, body)?;
            let Lacks { missing, begun } = self.read(&answer)?;
            found.extend(missing.into_iter().map(|digest| Missing {
                digest,
                begun: begun.get(&digest).copied().unwrap_or_default(),
            }));
        }
        found.sort_unstable_by_key(|blob| blob.digest);
        found.dedup_by_key(|blob| blob.digest);
        Ok(found)
    }

    /// Sends a blob's bytes from the range's beginning to the blob's end.
    pub(super) fn put_blob(
        &self,
        digest: &Digest,
        range: Range<u64>,
        body: SendBody<'_>,
    ) -> Result<(), ShipError> {
        let path = format!("{}/blobs/{digest}", self.run);
        let Range { start, end } = range;
        let length = (end - start).to_string();
        let range = format!("bytes {start}-{}/{end}", end.saturating_sub(1));
        let mut headers = vec![
            ("content-type", "application/octet-stream"),
            ("content-length", length.as_str()),
        ];
        if start > 0 {
            headers.push(("content-range", range.as_str()));
        }
        self.http.send(Method::PUT, &path, &headers, body).map(drop)
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

/// The bytes in a shorter form, if there is one worth the work.
fn packed(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < PACKED {
        return None;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).ok()?;
    let packed = packed.finish().ok()?;
    (packed.len() < bytes.len()).then_some(packed)
}

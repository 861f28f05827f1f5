//! Logs and blobs that somebody sends: see `docs/shipping.md`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use cresset_record::{Digest, Rank};
use cresset_store::{IncomingBlob, StoreError, Taken};
use flate2::bufread::GzDecoder;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paths::{BlobPath, RunPath};
use super::reply;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Body, InRun, Write};

/// Largest piece of a log, in bytes: the largest frame and some more.
pub(crate) const MAX_PIECE: usize = 12 << 20;
/// Largest blob, in bytes.
pub(crate) const MAX_BLOB: u64 = 16 << 30;
/// A blob may take long to come, as long as it comes.
const SILENCE: Duration = Duration::from_secs(30);
/// Most blobs that are asked for at once.
const MAX_DIGESTS: usize = 1000;

/// A segment of a writer's log.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
struct SegmentPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The run's id.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: String,
    /// The writer.
    rank: u32,
    /// The segment's number.
    index: u32,
}

/// A writer of a run.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
struct WriterPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The run's id.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: String,
    /// The writer.
    rank: u32,
}

/// What is here of a run's logs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IntakeState {
    writers: Vec<WriterState>,
}

/// What is here of a writer's log.
#[derive(Debug, Serialize, ToSchema)]
struct WriterState {
    rank: u32,
    /// The number of the last frame; null if there is none.
    last: Option<u64>,
}

/// What the server has after a piece.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PieceTaken {
    /// The number of the last frame; null if there is none.
    last: Option<u64>,
    /// Somebody asked the run to stop.
    stop: Option<StopAsked>,
}

/// That somebody asked a run to stop.
#[derive(Debug, Serialize, ToSchema)]
struct StopAsked {
    /// When, in microseconds since 1970-01-01 UTC.
    time: i64,
    reason: String,
}

/// Which blobs there are at the sender.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlobList {
    /// Their BLAKE3 digests, of 64 hexadecimal digits.
    #[schema(max_items = 1000)]
    digests: Vec<String>,
}

/// Which of them are not here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlobsMissing {
    missing: Vec<String>,
    /// Of those whose beginning is here, how many bytes: they may be sent from there on.
    begun: BTreeMap<String, u64>,
}

/// What is here of a run's logs
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/intake",
    tag = "intake",
    params(RunPath),
    responses((status = 200, body = IntakeState)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn state(State(app): State<App>, run: InRun<Write>) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let writers = store.taken_in(&run.key)?.into_iter();
        let writers = writers.map(|(rank, last)| WriterState { rank: rank.0, last });
        Ok(IntakeState {
            writers: writers.collect(),
        })
    })
    .await
}

/// Take in a piece of a log
///
/// A segment's head and whole frames, also with `Content-Encoding: gzip`. Frames that are here already are passed over, so a piece may be sent any number of times. An
/// empty one says that the writer lives. The header `x-cresset-host` says where. `x-cresset-known` is the number of the last frame that the sender knows to be here:
/// if less is, nothing is taken, and what is lost must be sent again.
#[utoipa::path(
    post,
    path = "/projects/{project}/runs/{run}/intake/{rank}/{index}",
    tag = "intake",
    params(SegmentPath),
    request_body(content = inline(super::document::Binary), content_type = "application/octet-stream"),
    responses((status = 200, body = PieceTaken), (status = 507, description = "The disk is full.")),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn piece(
    State(app): State<App>,
    run: InRun<Write>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let is_packed = is_packed(&headers)?;
    let (rank, index) = (
        rank(run.param("rank"))?,
        number("index", run.param("index"))?,
    );
    let host = headers
        .get("x-cresset-host")
        .and_then(|value| value.to_str().ok());
    let host: String = host.unwrap_or_default().chars().take(256).collect();
    let known = known(&headers)?;
    reply::json(&app, move |store| {
        let bytes = if is_packed { unpack(&bytes)? } else { bytes };
        let Taken { last, stop } = store.take_in(&run.key, rank, index, known, &bytes, &host)?;
        let stop = stop.map(|stop| StopAsked {
            time: stop.time.0,
            reason: stop.reason,
        });
        Ok(PieceTaken { last, stop })
    })
    .await
}

/// Let go of a log
///
/// Its writer has come to its end or sends no more for now: the run is no longer running, as far as this server knows.
#[utoipa::path(
    delete,
    path = "/projects/{project}/runs/{run}/intake/{rank}",
    tag = "intake",
    params(WriterPath),
    responses((status = 204, description = "It is on the disk.")),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn let_go(
    State(app): State<App>,
    run: InRun<Write>,
) -> Result<StatusCode, Failure> {
    let rank = rank(run.param("rank"))?;
    app.ask(move |store| Ok(store.let_go(&run.key, rank)?))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which blobs are missing here
#[utoipa::path(
    post,
    path = "/projects/{project}/runs/{run}/intake/blobs",
    tag = "intake",
    params(RunPath),
    request_body = BlobList,
    responses((status = 200, body = BlobsMissing)),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn missing(
    State(app): State<App>,
    run: InRun<Write>,
    Body(list): Body<BlobList>,
) -> Result<Response, Failure> {
    if list.digests.len() > MAX_DIGESTS {
        return Err(Failure::too_much(format!(
            "{} digests at once are too many; at most {MAX_DIGESTS} are taken",
            list.digests.len()
        )));
    }
    let digests = list.digests.into_iter().map(Digest::try_from);
    let digests: Vec<Digest> = digests
        .collect::<Result<_, _>>()
        .map_err(|e| Failure::bad_request(format!("digests: {e}")))?;
    reply::json(&app, move |store| {
        let missing = store.missing_blobs(&run.key, &digests);
        let begun = missing.iter().filter(|blob| blob.begun > 0);
        Ok(BlobsMissing {
            begun: begun
                .map(|blob| (blob.digest.to_string(), blob.begun))
                .collect(),
            missing: missing.iter().map(|blob| blob.digest.to_string()).collect(),
        })
    })
    .await
}

/// Take in a blob
///
/// Its digest is checked once all of it has come. If it is cut off, what has come stays for a day; `Content-Range: bytes 600-999/1000` goes on
/// at byte 600.
#[utoipa::path(
    put,
    path = "/projects/{project}/runs/{run}/blobs/{digest}",
    tag = "intake",
    params(BlobPath),
    request_body(content = inline(super::document::Binary), content_type = "application/octet-stream"),
    responses((status = 204, description = "It is kept."), (status = 409, description = "Less of it is here than was said."), (status = 507, description = "The disk is full.")),
    extensions(("x-role" = json!("write")))
)]
pub(super) async fn put_blob(
    State(app): State<App>,
    run: InRun<Write>,
    headers: HeaderMap,
    body: HttpBody,
) -> Result<StatusCode, Failure> {
    let from = first_byte(&headers)?;
    let digest = Digest::try_from(run.param("digest").to_owned())
        .map_err(|e| Failure::not_found(format!("no such blob: {e}")))?;
    let key = run.key.clone();
    let has_run = app
        .ask(move |store| Ok(!store.taken_in(&key)?.is_empty()))
        .await?;
    if !has_run {
        return Err(Failure::not_found(
            "there is no such run here; send the first piece of its log before its blobs",
        ));
    }
    let begun = app
        .ask(move |store| Ok(store.receive_blob(&run.key, digest, from)?))
        .await?;
    let blob = receive(begun, from, body).await?;
    app.ask(move |_| Ok(blob.keep()?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes a body into a file, as it comes.
async fn receive(
    mut blob: IncomingBlob,
    from: u64,
    body: HttpBody,
) -> Result<IncomingBlob, Failure> {
    let (pieces, mut waiting) = tokio::sync::mpsc::channel::<Bytes>(4);
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(piece) = waiting.blocking_recv() {
            blob.write(&piece)?;
        }
        Ok::<_, StoreError>(blob)
    });
    let mut stream = body.into_data_stream();
    let mut total = from;
    let mut trouble = None;
    loop {
        let Ok(next) = tokio::time::timeout(SILENCE, stream.next()).await else {
            let message = format!(
                "nothing came for {} s; send the blob again",
                SILENCE.as_secs()
            );
            trouble = Some(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                message,
            ));
            break;
        };
        let Some(piece) = next else {
            break;
        };
        let Ok(piece) = piece else {
            trouble = Some(Failure::bad_request(
                "the blob ended before its end; send it again",
            ));
            break;
        };
        total += piece.len() as u64;
        if total > MAX_BLOB {
            let message = format!("the blob is larger than {MAX_BLOB} bytes");
            trouble = Some(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                message,
            ));
            break;
        }
        // The writer has ended: it says why below.
        if pieces.send(piece).await.is_err() {
            break;
        }
    }
    drop(pieces);
    let written = writing.await.map_err(|e| Failure::internal(&e))?;
    let blob = written?;
    trouble.map_or(Ok(blob), Err)
}

/// Whether a body comes in a shorter form.
fn is_packed(headers: &HeaderMap) -> Result<bool, Failure> {
    match headers
        .get(header::CONTENT_ENCODING)
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "pieces are taken as they are or with Content-Encoding: gzip",
        )),
    }
}

/// The piece that was packed: no more than one may have, whatever it would become.
fn unpack(packed: &[u8]) -> Result<Bytes, Failure> {
    let mut unpacked = Vec::new();
    let mut gzip = GzDecoder::new(packed);
    let read = (&mut gzip)
        .take(MAX_PIECE as u64 + 1)
        .read_to_end(&mut unpacked);
    if unpacked.len() > MAX_PIECE {
        let message = format!("the piece becomes larger than {MAX_PIECE} bytes; send smaller ones");
        return Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            message,
        ));
    }
    let is_all = gzip.into_inner().is_empty();
    match read {
        Ok(_) if is_all => Ok(unpacked.into()),
        _ => Err(Failure::bad_request(
            "the piece is no whole gzip; send it again",
        )),
    }
}

/// The last frame that the sender knows to be here.
fn known(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let known = headers.get("x-cresset-known");
    let number = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    known
        .map(|value| number(value).ok_or(value))
        .transpose()
        .map_err(|value| {
            Failure::bad_request(format!(
                "x-cresset-known is {value:?}; give the number of a frame"
            ))
        })
}

/// From where on a body is its blob: what `Content-Range` says, or its beginning.
fn first_byte(headers: &HeaderMap) -> Result<u64, Failure> {
    let Some(range) = headers.get(header::CONTENT_RANGE) else {
        return Ok(0);
    };
    let range = range.to_str().ok();
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    let first = first.and_then(|(first, _)| first.parse().ok());
    first.ok_or_else(|| {
        Failure::bad_request("Content-Range says nothing; write it as in bytes 600-999/1000")
    })
}

fn rank(text: &str) -> Result<Rank, Failure> {
    number("rank", text).map(Rank)
}

fn number(name: &str, text: &str) -> Result<u32, Failure> {
    text.parse()
        .map_err(|_| Failure::not_found(format!("`{text}` is no {name}; give a number")))
}

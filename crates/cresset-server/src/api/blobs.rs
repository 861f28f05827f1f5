//! Bytes of media. Whoever logged them is not trusted: a page among them must not act as the dashboard.

use std::fs::File;
use std::io::{Read as _, Seek, SeekFrom};
use std::ops::RangeInclusive;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cresset_record::{BlobRef, Digest, sniff};
use cresset_store::RunKey;
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::PREFIX;
use super::paths::BlobPath;
use crate::app::App;
use crate::assets::is_known;
use crate::base_path::BasePath;
use crate::error::Failure;
use crate::extract::{InRun, Query, Read, short};

/// Types that a browser may show by itself; all else is saved.
const SHOWN: [&str; 22] = [
    "application/json",
    "audio/flac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/webp",
    "text/csv",
    "text/html",
    "text/markdown",
    "text/plain",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
];
const UNKNOWN: &str = "application/octet-stream";

/// A page of a run may use what is in it and nothing else: no scripts, no forms, no addresses, no origin.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; font-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

/// Blobs up to this size are read at once, larger ones in pieces of this size.
const PIECE: u64 = 256 << 10;

/// What path components and parameters keep as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Where a blob of a run is, with its type, which the blob itself does not know.
pub(super) fn blob_url(base: &BasePath, run: &RunKey, blob: &BlobRef) -> String {
    format!(
        "{base}{PREFIX}/projects/{}/runs/{}/blobs/{}?type={}",
        utf8_percent_encode(run.project.as_str(), PLAIN),
        run.run,
        blob.digest,
        utf8_percent_encode(&blob.media_type, PLAIN)
    )
}

/// How a blob is to be sent.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BlobQuery {
    /// Its media type. What browsers should not show becomes `application/octet-stream`; without it common types of images
    /// and sound are found out.
    #[serde(rename = "type")]
    #[param(max_length = 256)]
    media_type: Option<String>,
    /// A name to save it under.
    #[param(max_length = 256)]
    download: Option<String>,
}

/// The bytes of a blob
///
/// Ranges work. Pages and SVG come with a policy that makes them inert.
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/blobs/{digest}",
    tag = "run",
    params(BlobPath, BlobQuery),
    responses(
        (status = 200, content_type = "*/*", body = inline(super::document::Binary)),
        (status = 206, content_type = "*/*", body = inline(super::document::Binary), description = "The range asked for."),
        (status = 304, description = "As before."),
        (status = 416, description = "The blob has no such range.")
    ),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn blob(
    State(app): State<App>,
    run: InRun<Read>,
    headers: HeaderMap,
    Query(query): Query<BlobQuery>,
) -> Result<Response, Failure> {
    let digest = Digest::try_from(run.param("digest").to_owned())
        .map_err(|e| Failure::not_found(format!("no such blob: {e}")))?;
    let download = query
        .download
        .map(|name| short("download", name, 256))
        .transpose()?;
    let media_type = query
        .media_type
        .map(|name| short("type", name, 256))
        .transpose()?;
    let tag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(|e| Failure::internal(&e))?;
    let (opened, chosen, head) = {
        let headers = headers.clone();
        let tag = tag.clone();
        app.ask(move |store| {
            let (file, length) = store.blob(&run.key, &digest)?;
            let chosen = range(&headers, &tag, length);
            let (file, head) = read_head(file).map_err(|e| Failure::internal(&e))?;
            Ok(((file, length), chosen, head))
        })
        .await?
    };
    let (file, length) = opened;
    let mut answer = described(&tag, media_type.as_deref(), download.as_deref(), &head);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    let (status, bytes) = match chosen {
        Range::All => (StatusCode::OK, 0..length),
        Range::Part(part) => {
            let text = format!("bytes {}-{}/{length}", part.start(), part.end());
            answer.insert(header::CONTENT_RANGE, text_value(&text)?);
            (StatusCode::PARTIAL_CONTENT, *part.start()..part.end() + 1)
        }
        Range::Nowhere => return no_such_range(length),
    };
    let count = bytes.end - bytes.start;
    answer.insert(header::CONTENT_LENGTH, HeaderValue::from(count));
    Ok((status, answer, body(app, file, bytes.start, count)).into_response())
}

/// What is said of a blob, however much of it is sent.
fn described(
    tag: &HeaderValue,
    media_type: Option<&str>,
    download: Option<&str>,
    head: &[u8],
) -> HeaderMap {
    let kind = shown_type(media_type, head);
    HeaderMap::from_iter([
        (header::ETAG, tag.clone()),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=31536000, immutable"),
        ),
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
        (header::CONTENT_DISPOSITION, disposition(download, kind)),
    ])
}

fn no_such_range(length: u64) -> Result<Response, Failure> {
    let message = format!("the blob has {length} bytes, and none of the range asked for");
    let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, "no_range", message);
    let mut response = failure.into_response();
    let text = text_value(&format!("bytes */{length}"))?;
    response.headers_mut().insert(header::CONTENT_RANGE, text);
    Ok(response)
}

fn text_value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|e| Failure::internal(&e))
}

/// The first bytes, by which types are told apart.
fn read_head(mut file: File) -> std::io::Result<(File, Vec<u8>)> {
    let mut head = Vec::new();
    (&mut file).take(16).read_to_end(&mut head)?;
    Ok((file, head))
}

/// The file from `start` on, read piece by piece as the client takes it.
fn body(app: App, file: File, start: u64, count: u64) -> Body {
    let state = Some((app, file, start, count));
    Body::from_stream(stream::try_unfold(state, |state| async move {
        let Some((app, file, at, left)) = state.filter(|(.., left)| *left > 0) else {
            return Ok::<_, std::io::Error>(None);
        };
        let size = left.min(PIECE);
        let read = app.ask(move |_| {
            let mut file = file;
            let mut piece = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            let read = file
                .seek(SeekFrom::Start(at))
                .and_then(|_| (&mut file).take(size).read_to_end(&mut piece));
            match read {
                Ok(read) if read as u64 == size => Ok((file, piece)),
                Ok(_) => Err(Failure::internal(
                    &"a blob became shorter while it was read",
                )),
                Err(error) => Err(Failure::internal(&error)),
            }
        });
        match read.await {
            Ok((file, piece)) => {
                let next = Some((app, file, at + size, left - size));
                Ok(Some((Bytes::from(piece), next)))
            }
            // The head is sent already; hanging up is what tells the client.
            Err(failure) => Err(std::io::Error::other(failure.message().to_owned())),
        }
    }))
}

fn shown_type(said: Option<&str>, head: &[u8]) -> &'static str {
    let Some(said) = said else {
        return sniff(head).unwrap_or(UNKNOWN);
    };
    let essence = said.split(';').next().unwrap_or_default().trim();
    let shown = SHOWN
        .into_iter()
        .find(|shown| shown.eq_ignore_ascii_case(essence));
    match shown {
        // What is text is UTF-8; without a word browsers guess.
        Some("text/plain") => "text/plain; charset=utf-8",
        Some("text/html") => "text/html; charset=utf-8",
        Some("text/csv") => "text/csv; charset=utf-8",
        Some("text/markdown") => "text/markdown; charset=utf-8",
        Some(shown) => shown,
        None if essence.eq_ignore_ascii_case("audio/x-wav") => "audio/wav",
        None => UNKNOWN,
    }
}

fn disposition(download: Option<&str>, kind: &str) -> HeaderValue {
    let inline = kind != UNKNOWN;
    let Some(name) = download else {
        return HeaderValue::from_static(if inline { "inline" } else { "attachment" });
    };
    // The last part of a path, in the encoding that has no odd characters (RFC 6266, RFC 8187).
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = utf8_percent_encode(name, PLAIN);
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

/// Which bytes are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Range {
    All,
    Part(RangeInclusive<u64>),
    Nowhere,
}

/// The range of a request. Several at once, which nobody needs, and what cannot be read are all bytes (RFC 9110 §14.2).
fn range(headers: &HeaderMap, tag: &HeaderValue, length: u64) -> Range {
    let if_range = headers.get(header::IF_RANGE);
    let text = headers
        .get(header::RANGE)
        .filter(|_| if_range.is_none_or(|known| known == tag))
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().strip_prefix("bytes="));
    let Some((from, to)) = text.and_then(|text| text.split_once('-')) else {
        return Range::All;
    };
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text if text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Some(text.parse().unwrap_or(u64::MAX)))
        }
        _ => Err(()),
    };
    let (Ok(from), Ok(to)) = (number(from), number(to)) else {
        return Range::All;
    };
    let last = length.saturating_sub(1);
    match (from, to) {
        (None, None) => Range::All,
        (Some(from), Some(to)) if from > to => Range::All,
        (None, Some(0)) => Range::Nowhere,
        (Some(from), _) if from >= length => Range::Nowhere,
        (None, Some(_)) if length == 0 => Range::Nowhere,
        (Some(from), to) => Range::Part(from..=to.unwrap_or(last).min(last)),
        (None, Some(count)) => Range::Part(length.saturating_sub(count)..=last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, length, expected) in [
            ("", 10, Range::All),
            ("bytes=0-3", 10, Range::Part(0..=3)),
            ("bytes=4-", 10, Range::Part(4..=9)),
            ("bytes=-4", 10, Range::Part(6..=9)),
            ("bytes=-40", 10, Range::Part(0..=9)),
            ("bytes=2-400", 10, Range::Part(2..=9)),
            ("bytes=10-", 10, Range::Nowhere),
            ("bytes=-0", 10, Range::Nowhere),
            ("bytes=0-", 0, Range::Nowhere),
            ("bytes=3-2", 10, Range::All),
            ("bytes=0-1,3-4", 10, Range::All),
            ("bytes=a-", 10, Range::All),
            ("bytes=99999999999999999999-", 10, Range::Nowhere),
            ("lines=1-2", 10, Range::All),
        ] {
            let tag = HeaderValue::from_static("\"x\"");
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, text.parse().unwrap());
            assert_eq!(range(&headers, &tag, length), expected, "{text}");
            headers.insert(header::IF_RANGE, HeaderValue::from_static("\"older\""));
            assert_eq!(range(&headers, &tag, length), Range::All);
        }
    }

    #[test]
    fn only_known_types_are_shown() {
        for (said, head, expected) in [
            (Some("image/png"), &b""[..], "image/png"),
            (
                Some("Text/HTML; charset=latin1"),
                b"",
                "text/html; charset=utf-8",
            ),
            (Some("text/javascript"), b"", UNKNOWN),
            (Some("application/xhtml+xml"), b"", UNKNOWN),
            (Some("image/png\r\nx: y"), b"", UNKNOWN),
            (None, b"<html>", UNKNOWN),
            (None, b"\x89PNG\r\n\x1a\n", "image/png"),
        ] {
            assert_eq!(shown_type(said, head), expected, "{said:?}");
        }
    }

    #[test]
    fn names_to_save_under_cannot_leave_the_header_or_the_folder() {
        for (name, expected) in [
            ("model.bin", "attachment; filename*=UTF-8''model.bin"),
            ("../../x", "attachment; filename*=UTF-8''x"),
            (
                "a\"\r\nset-cookie: b",
                "attachment; filename*=UTF-8''a%22%0D%0Aset-cookie%3A%20b",
            ),
            ("Löt", "attachment; filename*=UTF-8''L%C3%B6t"),
        ] {
            assert_eq!(disposition(Some(name), "image/png"), expected);
        }
        assert_eq!(disposition(None, UNKNOWN), "attachment");
    }
}

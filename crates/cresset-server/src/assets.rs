//! The dashboard's files, which are part of the program.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{Embed, EmbeddedFile};

use crate::app::App;
use crate::error::Failure;

/// What the build of `ui/` left. Builds without optimisation read the folder whenever a file is asked for.
#[derive(Embed)]
#[folder = "assets/"]
struct Files;

const INDEX: &str = "index.html";
/// What the build leaves in the page for the server to fill in: where its files are, and where the dashboard itself is.
const FILES_HERE: &str = "=\"./assets/";
const BASE_HERE: &str = "name=\"cresset-base\" content=\"\"";

/// What the dashboard may do: nothing that is not its own. Style attributes are allowed, since components set them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
    img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; \
    worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the dashboard, or its page, which finds out by itself what the address means.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Err(Failure::not_found(format!(
            "the API has no {}; /api/v1/openapi.json lists what it has",
            path.chars().take(200).collect::<String>()
        )));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = "the dashboard's files can only be read";
        let failure = Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            message,
        );
        let mut response = failure.into_response();
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allow);
        return Ok(response);
    }
    let name = path.trim_start_matches('/');
    let file = find(name).filter(|_| name != INDEX);
    let hashed = name.starts_with("assets/");
    let (name, file) = match file {
        Some(file) => (name, file),
        // A page of an older version asks for what is not there any more: its own page is no answer to that.
        None if hashed => return Err(Failure::not_found("the dashboard has no such file")),
        None => (
            INDEX,
            page(app.options().base_path.as_str())
                .ok_or_else(|| Failure::internal(&"the dashboard has no index.html"))?,
        ),
    };
    Ok(answer(name, &file, hashed, request.headers()))
}

fn find(name: &str) -> Option<Arc<Asset>> {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '~');
    let inside = name.chars().all(plain) && !name.split('/').any(|part| part.starts_with('.'));
    inside.then(|| Files::get(name).map(|file| Asset::of(name, &file, "", |bytes| bytes)))?
}

/// The page, for a dashboard that is at `base`: its address may be any of those that the dashboard knows, so that it
/// cannot name its files relative to it.
fn page(base: &str) -> Option<Arc<Asset>> {
    let file = Files::get(INDEX)?;
    let fill = |bytes: Bytes| {
        let text = String::from_utf8_lossy(&bytes)
            .replace(FILES_HERE, &format!("=\"{base}/assets/"))
            .replace(
                BASE_HERE,
                &format!("name=\"cresset-base\" content=\"{base}\""),
            );
        Bytes::from(text)
    };
    // A base path has no characters that mean something in a page or a tag.
    Some(Asset::of(&format!("{base}/{INDEX}"), &file, base, fill))
}

/// A file as it is sent.
#[derive(Debug)]
struct Asset {
    hash: [u8; 32],
    tag: HeaderValue,
    bytes: Bytes,
    /// Compressed, where that makes it smaller.
    gzip: Option<Bytes>,
}

impl Asset {
    /// The file, compressed only the first time that it is asked for.
    ///
    /// `fill` may change it, in a way that `variant` tells from others.
    fn of(
        name: &str,
        file: &EmbeddedFile,
        variant: &str,
        fill: impl FnOnce(Bytes) -> Bytes,
    ) -> Arc<Self> {
        static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Asset>>>> = LazyLock::new(Mutex::default);
        let hash = file.metadata.sha256_hash();
        // An entry is put in whole, so a panic elsewhere leaves the table valid.
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asset) = known.get(name)
            && asset.hash == hash
        {
            return Arc::clone(asset);
        }
        let asset = Arc::new(Self::new(file, hash, variant, fill));
        known.insert(name.to_owned(), Arc::clone(&asset));
        asset
    }

    fn new(
        file: &EmbeddedFile,
        hash: [u8; 32],
        variant: &str,
        fill: impl FnOnce(Bytes) -> Bytes,
    ) -> Self {
        let digits: String = hash[..12].iter().map(|b| format!("{b:02x}")).collect();
        let bytes = match &file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
        };
        let bytes = fill(bytes);
        let gzip = compress(&bytes, Compression::best())
            .filter(|gzip| gzip.len() < bytes.len() / 10 * 9)
            .map(Bytes::from);
        Self {
            hash,
            tag: HeaderValue::from_str(&format!("W/\"{digits}{variant}\""))
                .unwrap_or(HeaderValue::from_static("\"\"")),
            bytes,
            gzip,
        }
    }
}

/// The bytes in gzip's format.
pub(crate) fn compress(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn answer(name: &str, asset: &Asset, hashed: bool, asked: &HeaderMap) -> Response {
    let cache = if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, asset.tag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    for (key, value) in [
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_TYPE, media_type(name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ] {
        headers.insert(key, HeaderValue::from_static(value));
    }
    if is_known(asked, &asset.tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let body = match &asset.gzip {
        Some(gzip) if takes_gzip(asked) => {
            let gzip_name = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip_name);
            gzip.clone()
        }
        _ => asset.bytes.clone(),
    };
    (headers, Body::from(body)).into_response()
}

/// Whether the client reads gzip.
pub(crate) fn takes_gzip(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(header::ACCEPT_ENCODING).iter();
    codings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            (name.trim() == "gzip").then(|| weight.replace(' ', ""))
        })
        .any(|weight| !matches!(weight.as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
}

/// Whether the client has the version with this tag.
pub(crate) fn is_known(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let weak = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(weak) else {
        return false;
    };
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|known| known.trim() == "*" || weak(known) == tag)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

//! Every request has an id, a span, a count and a latency; every answer the headers that browsers should see.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::access::address;
use crate::app::App;
use crate::error::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long an answer may take until its head; what streams may go on for longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Counts, times and names a request, and gives up on it after half a minute.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = next_id();
    let method = known(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "dashboard".to_owned(), |path| path.as_str().to_owned());
    let path = request.uri().path().to_owned();
    // A large blob takes its time, and its handler sees to it that it comes.
    let patience = match method == "PUT" && route.ends_with("/blobs/{digest}") {
        true => Duration::MAX,
        false => TIMEOUT,
    };
    let client = address(&request);
    let span = tracing::info_span!("request", id, method, path, %client);
    let begin = Instant::now();
    let answer = async {
        let answer = tokio::time::timeout(patience, next.run(request)).await;
        let mut response = answer.unwrap_or_else(|_| too_slow().into_response());
        let (status, took) = (response.status().as_u16(), begin.elapsed());
        app.metrics().request(&route, method, status, took);
        tracing::debug!(status, milliseconds = took.as_millis() as u64, "answered");
        decorate(&mut response, &id);
        response
    };
    answer.instrument(span).await
}

fn too_slow() -> Failure {
    let message = format!(
        "this took longer than {} seconds; ask for less at once",
        TIMEOUT.as_secs()
    );
    Failure::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
}

fn decorate(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What does not say otherwise is not to be kept: it may be gone or forbidden the next time.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // A page of the API that was opened by itself shows nothing but text.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
}

/// The method as a word of ours: clients can send any.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Unique in this process, and most likely among processes.
fn next_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = u64::from(std::process::id());
    format!("{process:x}-{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

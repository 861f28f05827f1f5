//! Puts the parts together. A request passes, from outside: counting and timing, the net for panics, the limit of how
//! many are answered at once, the guard, compression; and for the API the question who asks.

use std::any::Any;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cresset_record::Timestamp;
use cresset_store::Role;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::app::App;
use crate::error::Failure;
use crate::extract::{Anywhere, Read};
use crate::metrics::Gauges;
use crate::{access, api, assets, guard, observe, oidc};

/// Requests that are answered at once. Streams do not count once they have begun.
const MAX_AT_ONCE: usize = 512;

/// Everything that the server answers.
pub(crate) fn router(app: App) -> Router {
    let at_once = Arc::new(Semaphore::new(MAX_AT_ONCE));
    let own = Router::new()
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            access::authenticate,
        ))
        .route("/healthz", get(healthy));
    let of_issuer = match app.oidc() {
        Some(_) => oidc::router(),
        None => Router::new(),
    };
    Router::new()
        .merge(api::router(app.clone()))
        .merge(own)
        .merge(of_issuer)
        .fallback(assets::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(guard::MAX_BODY))
        .layer(compression())
        .layer(middleware::from_fn_with_state(app.clone(), guard::check))
        .layer(middleware::from_fn_with_state(at_once, admit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            observe::observe,
        ))
        .with_state(app)
}

fn compression() -> CompressionLayer<And<SizeAbove, Compressible>> {
    // What text gains, it gains at the lowest level. Columns are compressed where they are made, if that helps them.
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(1024).and(Compressible))
}

/// Whether an answer is of a kind that becomes smaller.
#[derive(Clone, Copy, Debug)]
struct Compressible;

impl Predicate for Compressible {
    fn should_compress<B: axum::body::HttpBody>(&self, response: &axum::http::Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default();
        kind.starts_with("application/json")
            || kind.starts_with("text/plain")
            || kind.starts_with("text/html")
    }
}

/// Lets a request pass, if there is room.
pub(crate) async fn admit(
    State(at_once): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Ok(_permit) = at_once.try_acquire() else {
        return Err(Failure::busy());
    };
    Ok(next.run(request).await)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    Failure::internal(&text.unwrap_or("a panic without words")).into_response()
}

async fn method_not_allowed(request: Request) -> Failure {
    let message = format!("this address does not take {}", request.method());
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
}

async fn healthy() -> Json<&'static str> {
    Json("ok")
}

async fn metrics(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
) -> Result<Response, Failure> {
    caller.need_everywhere(Role::Read)?;
    let mut gauges = app
        .ask(|store| {
            let index = store.index_status();
            let age = index
                .last_refresh
                .map(|end| Timestamp::now().seconds_since(end));
            let mut gauges = Gauges {
                version: store.version()?,
                index_points: index.points,
                index_refused: index.refused.len(),
                // What is logged now is shown after the wait for the next look and that look.
                index_lag_seconds: age.map(|age| age.max(0.0) + index.seconds),
                ..Gauges::default()
            };
            for project in store.projects()? {
                for (state, runs) in project.states {
                    *gauges.runs.entry(state).or_default() += runs;
                }
            }
            Ok(gauges)
        })
        .await?;
    gauges.clients = app.hub().clients();
    let text = app.metrics().render(&gauges);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

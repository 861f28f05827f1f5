//! Answers.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cresset_store::Store;
use serde::Serialize;

use crate::app::App;
use crate::error::Failure;

/// Asks the store and answers with JSON, which is written on the store's thread: it can be long.
pub(super) async fn json<T, F>(app: &App, work: F) -> Result<Response, Failure>
where
    T: Serialize,
    F: FnOnce(&Store) -> Result<T, Failure> + Send + 'static,
{
    let text = app
        .ask(move |store| {
            let answer = work(store)?;
            serde_json::to_vec(&answer).map_err(|e| Failure::internal(&e))
        })
        .await?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

//! What an answer says when it is not the one that was asked for.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cresset_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// An answer that is an error, with what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    column: Option<usize>,
    retry_after_seconds: Option<u64>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiError {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// A word for programs, such as `bad_filter`.
    #[schema(example = "bad_filter")]
    code: &'static str,
    /// What was wrong, where, and what to do.
    message: String,
    /// For `bad_filter`: the character at which the trouble begins, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    column: Option<usize>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            column: None,
            retry_after_seconds: None,
        }
    }

    /// The question makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// The question makes sense and the answer would be too large.
    pub(crate) fn too_much(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "too_much", message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// Whoever asks may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// No key, or a wrong one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "key_needed", message)
    }

    /// Too many wrong keys.
    pub(crate) fn rate_limited(seconds: u64) -> Self {
        let message =
            format!("too many wrong keys from this address; try again in {seconds} seconds");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).retry_after(seconds)
    }

    /// More is being asked at once than the server can answer.
    pub(crate) fn busy() -> Self {
        let message = "the server has too many requests to answer; try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(1)
    }

    /// Our own fault. The cause is in the log only: it may hold paths.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        let message =
            "the server could not answer; its log says why, beside this answer's x-request-id";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            message.to_owned(),
        )
    }

    /// There is no room for what came.
    fn disk_full(error: &std::io::Error) -> Self {
        tracing::warn!(%error, "what was sent could not be kept");
        let message = "the server's disk is full; nothing was taken, send it again later";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", message).retry_after(30)
    }

    /// What the store said, as an answer without words for the case.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(message) => Self::not_found(message),
            StoreError::Invalid {
                message,
                column: None,
            } => Self::bad_request(message),
            StoreError::Invalid { message, column } => Self {
                column,
                ..Self::new(StatusCode::BAD_REQUEST, "bad_filter", message)
            },
            StoreError::Full(message) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "quota_exceeded", message)
                    .retry_after(60)
            }
            StoreError::Conflict(message) => Self::new(StatusCode::CONFLICT, "conflict", message),
            StoreError::Io { source, .. } if is_full(&source) => Self::disk_full(&source),
            StoreError::Newer { .. } | StoreError::Io { .. } | StoreError::Engine(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = ApiError {
            error: ErrorDetail {
                code: self.code,
                message: self.message,
                column: self.column,
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"cresset\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

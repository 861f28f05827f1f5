//! Browsers log in with a key and keep it in a cookie that scripts cannot read.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{address, keep, let_out, needs_key, note_login, verify};
use crate::app::App;
use crate::cookie::is_secure;
use crate::error::Failure;
use crate::extract::Body;
use crate::oidc;

/// How long a browser stays logged in, in seconds.
const MAX_AGE: u64 = 30 * 24 * 3600;

/// How one logs in, beside with a key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoginWays {
    /// By OpenID Connect; null where that is not set up.
    #[schema(required)]
    oidc: Option<OidcWay>,
}

/// Who vouches for people.
#[derive(Debug, Serialize, ToSchema)]
struct OidcWay {
    /// What people know it by.
    name: String,
    /// Where a browser begins; `?to=` names the page to come back to, below where the dashboard is.
    path: String,
    /// Whether it did not answer when it was last asked.
    down: bool,
}

/// How one logs in
#[utoipa::path(
    get,
    path = "/login",
    tag = "session",
    responses((status = 200, body = LoginWays))
)]
pub(super) async fn ways(State(app): State<App>) -> Json<LoginWays> {
    let oidc = app.oidc().map(|provider| OidcWay {
        name: provider.options().shown().to_owned(),
        path: format!("{}{}", app.options().base_path, oidc::BEGIN),
        down: provider.is_down(),
    });
    Json(LoginWays { oidc })
}

/// A key to log in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The key, as `cresset key create` showed it.
    #[schema(max_length = 256)]
    key: String,
}

/// Log in
///
/// Sets a cookie. Where no key is needed it does nothing.
#[utoipa::path(
    post,
    path = "/login",
    tag = "session",
    request_body = Login,
    responses((status = 204, description = "The cookie is set."))
)]
pub(super) async fn login(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let address = address(&request);
    let secure = is_secure(&app, &request);
    let Body(Login { key }) = Body::from_request(request, &app).await?;
    if !needs_key(&app).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let key = key.trim().to_owned();
    let caller = verify(&app, address, key.clone()).await?;
    note_login(&app, &caller, address).await?;
    Ok(with_cookie(&app, &key, secure))
}

/// Log out
///
/// Takes the cookie back. A key stays good; a login by OpenID Connect is over.
#[utoipa::path(
    post,
    path = "/logout",
    tag = "session",
    responses((status = 204, description = "The cookie is gone."))
)]
pub(super) async fn logout(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let_out(&app, request.headers(), address(&request)).await?;
    Ok(with_cookie(&app, "", is_secure(&app, &request)))
}

fn with_cookie(app: &App, key: &str, secure: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    // The key was found in the store, so it has no odd characters.
    keep(key, MAX_AGE).set(app, secure, response.headers_mut());
    response
}

//! Browsers log in with a key and keep it in a cookie that scripts cannot read.

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{COOKIE, address, needs_key, note_login, verify};
use crate::app::App;
use crate::connection::Via;
use crate::error::Failure;
use crate::extract::Body;

/// How long a browser stays logged in, in seconds.
const MAX_AGE: u64 = 30 * 24 * 3600;

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
    Ok(with_cookie(&app, &key, MAX_AGE, secure))
}

/// Log out
///
/// Takes the cookie back. The key stays good.
#[utoipa::path(
    post,
    path = "/logout",
    tag = "session",
    responses((status = 204, description = "The cookie is gone."))
)]
pub(super) async fn logout(State(app): State<App>, request: Request) -> Response {
    with_cookie(&app, "", 0, is_secure(&app, &request))
}

fn with_cookie(app: &App, value: &str, max_age: u64, secure: bool) -> Response {
    let secure = if secure { "; Secure" } else { "" };
    // What else the proxy has under other paths does not get the key.
    let path = match app.options().base_path.as_str() {
        "" => "/",
        base => base,
    };
    let cookie = format!(
        "{COOKIE}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}"
    );
    let mut response = StatusCode::NO_CONTENT.into_response();
    // The key was found in the store, so it has no odd characters.
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn is_secure(app: &App, request: &Request) -> bool {
    let via = request.extensions().get::<Via>();
    app.options().secure_cookie || via.is_some_and(|via| via.https)
}

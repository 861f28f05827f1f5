//! People log in by OpenID Connect: the authorization code flow with PKCE.
//!
//! `begin` sends a browser to the issuer, `callback` takes it back: it checks that the answer is to what this browser began
//! (`attempt.rs`), asks the issuer (`provider.rs`, over `client.rs`) whom it vouches for (`token.rs`, `jwk.rs`), and lets in who is a user
//! here. `target.rs` says where they go then.
//!
//! Browsers come to `callback` from the issuer, so it is outside of what the guard keeps for pages of ours, and sees neither the cookie of
//! the key, which is for those pages alone, nor a header that only they can send. What stands in for the guard is the state: who
//! has no attempt of this very browser to show gets nothing.

mod attempt;
mod client;
mod jwk;
mod page;
mod provider;
mod settings;
mod target;
mod token;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serde::Deserialize;
use tokio::sync::Semaphore;

use self::attempt::Attempt;
use self::client::{Exchange, Trouble};
use self::page::Page;
use self::token::Refused;
use crate::access::{self, address};
use crate::api::MAX_LOGINS;
use crate::app::App;
use crate::cookie::{self, Cookie, SameSite};
use crate::error::Failure;
use crate::guard::Host;
use crate::router::admit;

pub(crate) use provider::{Provider, follow};
pub use settings::{ClientSecret, ClientSecretError, Issuer, IssuerError, OidcOptions};

/// Where a browser begins.
pub(crate) const BEGIN: &str = "/login/oidc";
/// Where the issuer sends it back to.
const CALLBACK: &str = "/login/oidc/callback";
/// The cookie of an attempt.
const ATTEMPT: &str = "cresset_login";
/// What the issuer is asked to tell.
const SCOPE: &str = "openid email profile";

/// The addresses that let people in by way of the issuer.
pub(crate) fn router() -> Router<App> {
    let logins = Arc::new(Semaphore::new(MAX_LOGINS));
    Router::new()
        .route(BEGIN, get(begin))
        .route(CALLBACK, get(callback))
        .layer(middleware::from_fn_with_state(logins, admit))
}

/// What the issuer's part of a query says. Issuers add what they like.
#[derive(Default, Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

#[derive(Default, Deserialize)]
struct Begin {
    /// The page to come back to.
    #[serde(default)]
    to: String,
}

/// Why somebody is not let in.
enum Stop {
    /// The answer is to nothing that this browser began.
    Lost,
    /// They did not agree at the issuer, or it did not.
    Declined,
    /// The issuer vouches for somebody who is no user.
    Unknown(String),
    Trouble(Trouble),
    Failure(Failure),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Stop {
    /// Tells whoever runs the server.
    fn tell(&self) {
        match self {
            Self::Lost => {
                tracing::info!("an answer of the issuer's is to nothing that its browser began");
            }
            Self::Declined => tracing::info!("a login was not finished at the issuer"),
            Self::Unknown(user) => {
                tracing::info!(%user, "the issuer vouches for somebody who is no user here");
            }
            Self::Trouble(Trouble::Refused(why)) => tracing::warn!(%why, "a login was refused"),
            Self::Trouble(Trouble::Issuer(why)) => tracing::warn!(%why, "a login failed"),
            Self::Failure(_) => {}
        }
    }
}

/// Sends a browser to the issuer.
async fn begin(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let provider = provider(&app)?;
    let redirect_uri = redirect_uri(&app, &request)?;
    let Begin { to } = query(&request).unwrap_or_default();
    let document = match provider.document().await {
        Ok(document) => document,
        Err(trouble) => return Ok(stopped(&app, provider, Stop::Trouble(trouble))),
    };
    let attempt = Attempt::begin(&to).map_err(|_| Failure::internal(&"no random bytes"))?;
    let parameters: [(&str, &str); 8] = [
        ("response_type", "code"),
        ("client_id", &provider.options().client_id),
        ("redirect_uri", &redirect_uri),
        ("scope", SCOPE),
        ("state", &attempt.state()),
        ("nonce", &attempt.nonce()),
        ("code_challenge", &attempt.challenge()),
        ("code_challenge_method", "S256"),
    ];
    let parameters =
        serde_html_form::to_string(&parameters[..]).map_err(|e| Failure::internal(&e))?;
    let endpoint = &document.authorization_endpoint;
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    let location = format!("{endpoint}{separator}{parameters}");
    let location = HeaderValue::from_str(&location).map_err(|e| Failure::internal(&e))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, location);
    let secure = cookie::is_secure(&app, &request);
    keep(&attempt.cookie()).set(&app, secure, &mut headers);
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The cookie of an attempt. It has to come with the issuer's answer, which is a way from elsewhere.
fn keep(value: &str) -> Cookie<'_> {
    Cookie {
        name: ATTEMPT,
        value,
        path: BEGIN,
        seconds: attempt::LIFE.as_secs(),
        same_site: SameSite::Lax,
    }
}

/// Takes a browser back from the issuer.
async fn callback(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let provider = provider(&app)?;
    let address = address(&request);
    // An answer that is none counts as a wrong key does.
    if let Err(seconds) = app.throttle().admit(address, "") {
        let failure = Failure::rate_limited(seconds);
        return Ok(stopped(&app, provider, Stop::Failure(failure)));
    }
    let redirect_uri = redirect_uri(&app, &request)?;
    let secure = cookie::is_secure(&app, &request);
    let (attempt, answer) = match answered(&request) {
        Ok(found) => found,
        Err(stop) => {
            app.throttle().note(address, "", false);
            stop.tell();
            return Ok(stopped(&app, provider, stop));
        }
    };
    let let_in = async {
        let user = vouched(provider, &attempt, answer, redirect_uri).await?;
        let life = provider.options().life;
        let secret = access::let_in(&app, &user, life, address).await;
        secret.map_err(Stop::Failure)?.ok_or(Stop::Unknown(user))
    };
    let mut response = match let_in.await {
        Ok(secret) => {
            let mut response = welcome(&app, attempt.target());
            let life = provider.options().life.as_secs();
            access::keep(&secret, life).set(&app, secure, response.headers_mut());
            response
        }
        Err(stop) => {
            app.throttle().note(address, "", false);
            stop.tell();
            stopped(&app, provider, stop)
        }
    };
    // One answer is all that an attempt gets.
    keep("").set(&app, secure, response.headers_mut());
    Ok(response)
}

/// What this browser began, and the answer to it.
fn answered(request: &Request) -> Result<(Attempt, Answer), Stop> {
    let answer: Answer = query(request).ok_or(Stop::Lost)?;
    let kept = cookie::value(request.headers(), ATTEMPT);
    let attempt = kept.and_then(Attempt::of).ok_or(Stop::Lost)?;
    let state = answer.state.as_deref().unwrap_or_default();
    match attempt.is_answered_by(state) {
        true => Ok((attempt, answer)),
        false => Err(Stop::Lost),
    }
}

/// Whom the issuer vouches for.
async fn vouched(
    provider: &Provider,
    attempt: &Attempt,
    answer: Answer,
    redirect_uri: String,
) -> Result<String, Stop> {
    let document = provider.document().await?;
    // Else another issuer that somebody chose might be answering (RFC 9207).
    let names_issuer = match answer.iss {
        Some(issuer) => issuer == document.issuer,
        None => !document.authorization_response_iss_parameter_supported,
    };
    if !names_issuer {
        return Err(Trouble::from(Refused("the answer is of another issuer")).into());
    }
    let code = match (answer.error, answer.code) {
        (None, Some(code)) => code,
        _ => return Err(Stop::Declined),
    };
    let exchange = Exchange {
        code,
        redirect_uri,
        verifier: attempt.verifier(),
    };
    Ok(provider.vouch(exchange, &attempt.nonce()).await?)
}

/// A step on the way to the page that was asked for. The cookie of the key is for pages of ours alone: a browser that was sent straight
/// on from the issuer would not bring it, and one that comes from this page does.
fn welcome(app: &App, target: &str) -> Response {
    let address = format!("{}{target}", app.options().base_path);
    Page {
        status: StatusCode::OK,
        title: "Signed in",
        text: "Your browser goes on by itself.",
        command: None,
        link: (&address, "Go on"),
        goes_on: true,
    }
    .into_response()
}

/// Says to somebody why they are not let in.
fn stopped(app: &App, provider: &Provider, stop: Stop) -> Response {
    let name = provider.options().shown();
    let mut command = None;
    let mut headers = HeaderMap::new();
    let (status, title, text) = match stop {
        Stop::Lost => (
            StatusCode::BAD_REQUEST,
            "Log in again",
            "This login was not begun in this browser, took longer than ten minutes, or was answered before.".to_owned(),
        ),
        Stop::Declined => (
            StatusCode::FORBIDDEN,
            "Not logged in",
            format!("The login at {name} was not finished."),
        ),
        Stop::Unknown(user) => {
            // The name comes from elsewhere, and the command is there to be copied.
            let word = shlex::try_quote(&user).ok();
            command = word.map(|word| format!("cresset user set {word} --role read"));
            (
                StatusCode::FORBIDDEN,
                "You are not known here",
                format!(
                    "{name} says that you are {user}, and nobody has said yet what {user} may do here. Whoever runs this server does so with:"
                ),
            )
        }
        Stop::Trouble(Trouble::Refused(why)) => (
            StatusCode::UNAUTHORIZED,
            "Not logged in",
            format!("What {name} says is not taken: {why}."),
        ),
        Stop::Trouble(Trouble::Issuer(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not logged in",
            format!("{name} does not answer as it should. Keys still work; the server's log says more."),
        ),
        Stop::Failure(failure) => {
            let text = format!("{}.", failure.message());
            let answer = failure.into_response();
            let wait = answer.headers().get(header::RETRY_AFTER);
            headers.extend(wait.map(|wait| (header::RETRY_AFTER, wait.clone())));
            (answer.status(), "Not logged in", text)
        }
    };
    let address = format!("{}/login", app.options().base_path);
    let page = Page {
        status,
        title,
        text: &text,
        command: command.as_deref(),
        link: (&address, "Back to the login"),
        goes_on: false,
    };
    (headers, page).into_response()
}

/// Only servers with an issuer have these addresses.
fn provider(app: &App) -> Result<&Provider, Failure> {
    let provider = app.oidc();
    provider.ok_or_else(|| Failure::not_found("nobody logs in by OpenID Connect here"))
}

/// Where the issuer sends browsers back to: the name that this one asked for, which the guard knows to be ours.
fn redirect_uri(app: &App, request: &Request) -> Result<String, Failure> {
    let host = request.extensions().get::<Host>();
    let Host(host) =
        host.ok_or_else(|| Failure::internal(&"a request passed the guard without a host"))?;
    let scheme = if cookie::is_secure(app, request) {
        "https"
    } else {
        "http"
    };
    Ok(format!(
        "{scheme}://{host}{}{CALLBACK}",
        app.options().base_path
    ))
}

fn query<'a, T: Deserialize<'a>>(request: &'a Request) -> Option<T> {
    serde_html_form::from_str(request.uri().query().unwrap_or_default()).ok()
}

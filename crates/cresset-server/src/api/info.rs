//! What the server says of itself.

use axum::extract::State;
use axum::response::Response;
use cresset_record::Timestamp;
use cresset_store::Role;
use serde::Serialize;
use utoipa::ToSchema;

use super::reply;
use super::wire::{RoleWord, Time};
use crate::access::Caller;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Anywhere, Read};

/// The server, and who asks.
#[derive(Debug, Serialize, ToSchema)]
struct ServerInfo {
    /// The version of Cresset.
    version: &'static str,
    /// The folder of runs, for a dashboard on the own machine; null for a server with keys.
    #[schema(required)]
    root: Option<String>,
    /// The highest that whoever asks has somewhere.
    role: RoleWord,
    /// What they have in all projects that there are and will be; null: they have none there.
    #[schema(required)]
    role_everywhere: Option<RoleWord>,
    /// The name of the key that is used; null where no key is needed.
    #[schema(required)]
    key: Option<String>,
    /// Whose key it is; null where it is nobody's.
    #[schema(required)]
    user: Option<String>,
    /// Whether they logged in by OpenID Connect; `key` is the user's name then.
    login: bool,
    now: Time,
    /// Seconds that what is deleted stays in the trash.
    trash_seconds: f64,
}

/// The server, and who asks
#[utoipa::path(
    get,
    path = "/server",
    tag = "server",
    responses((status = 200, body = ServerInfo)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn server(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let open = matches!(caller, Caller::Open);
        let root = store.root().path();
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Ok(ServerInfo {
            version: env!("CARGO_PKG_VERSION"),
            root: open.then(|| root.display().to_string()),
            // Who may do nothing has been turned away.
            role: caller.role().unwrap_or(Role::Read).into(),
            role_everywhere: caller.role_everywhere().map(Into::into),
            key: caller.name().map(str::to_owned),
            user: caller.user().map(str::to_owned),
            login: caller.is_login(),
            now: Time(Timestamp::now()),
            trash_seconds: store.trash_delay().as_secs_f64(),
        })
    })
    .await
}

//! Who asks, and what they may.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use cresset_record::Project;
use cresset_store::{AccessKey, KeyScope, Role};

use crate::app::App;
use crate::error::Failure;
use crate::options;

/// The cookie that holds the key of a browser that logged in.
pub(crate) const COOKIE: &str = "cresset_key";
/// Longest key that is looked at, in bytes.
const MAX_SECRET: usize = 256;

/// Where a request comes from: who made the connection, or who asked a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Somebody on this machine, where no key is needed.
    Open,
    /// The holder of a key.
    Key {
        key: AccessKey,
        /// To see later whether it is still good.
        secret: String,
    },
}

impl Caller {
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::Open => Role::Admin,
            Self::Key { key, .. } => key.role,
        }
    }

    /// The name of the key.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Key { key, .. } => Some(&key.name),
        }
    }

    /// Whether a project may be seen at all.
    pub(crate) fn sees(&self, project: &Project) -> bool {
        match self {
            Self::Open => true,
            Self::Key { key, .. } => match &key.scope {
                KeyScope::All => true,
                KeyScope::Project(own) => own == project,
            },
        }
    }

    /// Whether everything may be seen.
    pub(crate) fn sees_all(&self) -> bool {
        match self {
            Self::Open => true,
            Self::Key { key, .. } => key.scope == KeyScope::All,
        }
    }

    /// # Errors
    /// 403 if the key does not reach so far.
    pub(crate) fn need(&self, role: Role, project: Option<&Project>) -> Result<(), Failure> {
        let Self::Key { key, .. } = self else {
            return Ok(());
        };
        if let (KeyScope::Project(own), Some(project)) = (&key.scope, project)
            && own != project
        {
            return Err(Failure::forbidden(format!(
                "the key `{}` is for the project `{own}` only",
                key.name
            )));
        }
        if key.role < role {
            return Err(Failure::forbidden(format!(
                "this needs a key with the role {}, and `{}` has {}; `cresset key create` makes one",
                role.word(),
                key.name,
                key.role.word()
            )));
        }
        Ok(())
    }
}

/// Finds out who asks, and turns away who may not ask at all.
pub(crate) async fn authenticate(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let access = match app.options().access {
        options::Access::Open => Caller::Open,
        options::Access::Keys => {
            let secret = secret(request.headers()).ok_or_else(|| {
                Failure::unauthorized(
                    "this server needs a key: log in, or send `Authorization: Bearer KEY`",
                )
            })?;
            verify(&app, address(&request), secret).await?
        }
    };
    request.extensions_mut().insert(access);
    Ok(next.run(request).await)
}

/// The address that a request comes from.
pub(crate) fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |Peer(peer)| *peer)
}

/// Who holds this key.
///
/// # Errors
/// 401 if nobody, 429 after too many of these.
pub(crate) async fn verify(app: &App, address: IpAddr, secret: String) -> Result<Caller, Failure> {
    app.throttle()
        .admit(address, &secret)
        .map_err(Failure::rate_limited)?;
    let found = look_up(app, &secret).await?;
    app.throttle().note(address, &secret, found.is_some());
    match found {
        Some(key) => Ok(Caller::Key { key, secret }),
        None => Err(Failure::unauthorized(
            "there is no such key; ask whoever runs this server for one (`cresset key create`)",
        )),
    }
}

/// Whether whoever asked is still known: a key may have been taken back.
pub(crate) async fn still_good(app: &App, access: &Caller) -> bool {
    match access {
        Caller::Open => true,
        // What cannot be found out is no reason to hang up.
        Caller::Key { secret, .. } => !matches!(look_up(app, secret).await, Ok(None)),
    }
}

async fn look_up(app: &App, secret: &str) -> Result<Option<AccessKey>, Failure> {
    let plausible = !secret.is_empty()
        && secret.len() <= MAX_SECRET
        && secret.bytes().all(|b| b.is_ascii_graphic() && b != b';');
    if !plausible {
        return Ok(None);
    }
    let secret = secret.to_owned();
    app.ask(move |store| Ok(store.verify_key(&secret)?)).await
}

/// The key of a request: of its header, else of its cookie.
fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| secret.trim().to_owned());
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

//! Who asks, and what they may.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use cresset_record::Project;
use cresset_store::{Access, AccessKey, Actor, Role, StoreError, Via};

use crate::app::App;
use crate::cookie::{self, Cookie, SameSite};
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
        access: Access,
        /// To see later whether it is still good.
        secret: String,
    },
}

impl Caller {
    /// The highest role that they have somewhere; `None` if they may do nothing anywhere.
    pub(crate) fn role(&self) -> Option<Role> {
        match self {
            Self::Open => Some(Role::Admin),
            Self::Key { access, .. } => access.role(),
        }
    }

    /// The role that they have in all projects that there are and will be.
    pub(crate) fn role_everywhere(&self) -> Option<Role> {
        match self {
            Self::Open => Some(Role::Admin),
            Self::Key { access, .. } => access.role_everywhere(),
        }
    }

    /// The name of the key.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Key { access, .. } => Some(&access.key.name),
        }
    }

    /// The key.
    pub(crate) fn key(&self) -> Option<&AccessKey> {
        match self {
            Self::Open => None,
            Self::Key { access, .. } => Some(&access.key),
        }
    }

    /// Whose key it is.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Key { access, .. } => access.key.owner.as_deref(),
        }
    }

    /// Whether they logged in by OpenID Connect, so that the key is one that nobody made.
    pub(crate) fn is_login(&self) -> bool {
        matches!(self, Self::Key { access, .. } if access.is_login)
    }

    /// What they show, in words.
    fn shows(&self) -> String {
        let what = if self.is_login() {
            "the login of"
        } else {
            "the key"
        };
        format!("{what} `{}`", self.name().unwrap_or_default())
    }

    fn role_in(&self, project: &Project) -> Option<Role> {
        match self {
            Self::Open => Some(Role::Admin),
            Self::Key { access, .. } => access.role_in(project),
        }
    }

    /// Whether a project may be seen at all.
    pub(crate) fn sees(&self, project: &Project) -> bool {
        self.role_in(project).is_some()
    }

    /// # Errors
    /// 403 if the key does not reach so far.
    pub(crate) fn need(&self, role: Role, project: Option<&Project>) -> Result<(), Failure> {
        let own = match project {
            Some(project) => self.role_in(project),
            None => self.role(),
        };
        self.compare(own, role, project)
    }

    /// # Errors
    /// 403 if the key does not reach so far in all projects.
    pub(crate) fn need_everywhere(&self, role: Role) -> Result<(), Failure> {
        let own = self.role_everywhere();
        if own.is_none() {
            return Err(Failure::forbidden(format!(
                "this is about all projects, and {} is not for all of them",
                self.shows()
            )));
        }
        self.compare(own, role, None)
    }

    fn compare(
        &self,
        own: Option<Role>,
        needed: Role,
        project: Option<&Project>,
    ) -> Result<(), Failure> {
        if own >= Some(needed) {
            return Ok(());
        }
        let Self::Key { access, .. } = self else {
            return Ok(());
        };
        let key = self.shows();
        Err(Failure::forbidden(
            match (own, project, access.projects()) {
                (None, Some(_), Some(projects)) if !projects.is_empty() => {
                    let names: Vec<String> = projects.iter().map(|p| format!("`{p}`")).collect();
                    format!("{key} is for {} only", names.join(", "))
                }
                (None, Some(project), _) => {
                    format!("{key} does not reach project `{project}`")
                }
                (None, None, _) => {
                    format!("{key} has no role here yet; ask an admin for one")
                }
                (Some(own), ..) => format!(
                    "this needs the role {}, and {key} has {} here; ask an admin for more",
                    needed.word(),
                    own.word()
                ),
            },
        ))
    }

    /// Who the audit log says it was.
    fn actor(&self, address: IpAddr) -> Actor {
        Actor {
            name: self.name().unwrap_or("somebody").to_owned(),
            via: match self {
                Self::Open => Via::Open,
                Self::Key { access, .. } if access.is_login => Via::Login,
                Self::Key { .. } => Via::Key,
            },
            address: Some(address),
        }
    }
}

tokio::task_local! {
    /// Who asks, for what is changed while a request is answered.
    static ACTOR: Actor;
}

/// Who asks, where somebody does.
pub(crate) fn actor() -> Option<Actor> {
    ACTOR.try_with(Clone::clone).ok()
}

/// Finds out who asks, and turns away who may not ask at all.
pub(crate) async fn authenticate(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let address = address(&request);
    let access = if needs_key(&app).await? {
        let secret = secret(request.headers()).ok_or_else(|| {
            Failure::unauthorized(
                "this server needs a key: log in, or send `Authorization: Bearer KEY`",
            )
        })?;
        verify(&app, address, secret).await?
    } else {
        Caller::Open
    };
    let actor = access.actor(address);
    request.extensions_mut().insert(access);
    Ok(ACTOR.scope(actor, next.run(request)).await)
}

/// Whether whoever asks needs a key.
pub(crate) async fn needs_key(app: &App) -> Result<bool, Failure> {
    match app.options().access {
        options::Access::Open => Ok(false),
        options::Access::Keys => Ok(true),
        options::Access::UntilKeys if app.is_locked() => Ok(true),
        options::Access::UntilKeys => {
            let has_keys = app.ask(|store| Ok(store.has_keys()?)).await?;
            if has_keys {
                app.lock();
            }
            Ok(has_keys)
        }
    }
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
        Some(access) => Ok(Caller::Key { access, secret }),
        None => Err(Failure::unauthorized(
            "there is no such key; ask whoever runs this server for one (`cresset key create`)",
        )),
    }
}

/// Notes that somebody logged in.
pub(crate) async fn note_login(app: &App, caller: &Caller, address: IpAddr) -> Result<(), Failure> {
    let user = caller.user().unwrap_or_default().to_owned();
    let noted = app.ask(move |store| Ok(store.note("login", &user)?));
    ACTOR.scope(caller.actor(address), noted).await
}

/// Lets in a user whom the issuer vouches for: gives the secret of their login, which is noted; `None` if there is no such user.
pub(crate) async fn let_in(
    app: &App,
    user: &str,
    life: Duration,
    address: IpAddr,
) -> Result<Option<String>, Failure> {
    let actor = Actor {
        name: user.to_owned(),
        via: Via::Login,
        address: Some(address),
    };
    let user = user.to_owned();
    let let_in = app.ask(move |store| match store.log_in(&user, life) {
        Ok(secret) => Ok(Some(secret)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    });
    ACTOR.scope(actor, let_in).await
}

/// Ends the login that a request comes with, if it is one: a key is its holder's, and stays good.
pub(crate) async fn let_out(
    app: &App,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<(), Failure> {
    let Some(secret) = secret(headers) else {
        return Ok(());
    };
    let known = look_up(app, &secret).await?;
    let Some(access) = known.filter(|access| access.is_login) else {
        return Ok(());
    };
    let ended = secret.clone();
    let actor = Caller::Key { access, secret }.actor(address);
    let ended = app.ask(move |store| Ok(store.log_out(&ended)?));
    ACTOR.scope(actor, ended).await.map(drop)
}

/// The cookie of a key, or of a login, for so many seconds; takes it back where the secret is empty.
pub(crate) fn keep(secret: &str, seconds: u64) -> Cookie<'_> {
    Cookie {
        name: COOKIE,
        value: secret,
        path: "",
        seconds,
        same_site: SameSite::Strict,
    }
}

/// What whoever asked may do by now; `None` if they are not known any more: a key may have been taken back.
pub(crate) async fn again(app: &App, caller: &Caller) -> Option<Caller> {
    let Caller::Key { secret, .. } = caller else {
        let is_still_open = !needs_key(app).await.unwrap_or(true);
        return is_still_open.then_some(Caller::Open);
    };
    match look_up(app, secret).await {
        Ok(found) => found.map(|access| Caller::Key {
            access,
            secret: secret.clone(),
        }),
        // What cannot be found out is no reason to hang up.
        Err(_) => Some(caller.clone()),
    }
}

async fn look_up(app: &App, secret: &str) -> Result<Option<Access>, Failure> {
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
    cookie::value(headers, COOKIE).map(str::to_owned)
}

//! Keys to the server: those of everybody, for who is admin everywhere, and one's own. Never a secret but in the answer that made it,
//! and never its hash.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cresset_record::{Project, Timestamp};
use cresset_store::{AccessKey, KeyScope, NewKey, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paths::KeyPath;
use super::reply;
use super::wire::{RoleWord, Time};
use crate::access::Caller;
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Admin, Anywhere, Body, Everywhere, Name, Read};

/// Longest life of a key that ends, in days: a hundred years.
const MAX_DAYS: u32 = 36_525;
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct ServerKey {
    name: String,
    /// At most that, and with an owner no more than they may.
    role: RoleWord,
    /// The only project that it is for; null: all.
    #[schema(required)]
    project: Option<String>,
    /// Whose it is; null: nobody's, so that it allows what it says.
    #[schema(required)]
    owner: Option<String>,
    created: Time,
    /// To the minute; null: never.
    #[schema(required)]
    used: Option<Time>,
    /// When it opens nothing any more; null: never.
    #[schema(required)]
    ends: Option<Time>,
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedKey {
    key: ServerKey,
    /// What its holder shows. It is kept nowhere: this is the only answer that has it.
    secret: String,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyBody {
    /// Unique among all keys.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// At most that, and with an owner no more than they may.
    role: RoleWord,
    /// The only project that it is for; null: all.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    project: Option<String>,
    /// Whose it is; null: nobody's.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    owner: Option<String>,
    /// Days until it opens nothing any more; null: never.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 36525)]
    days: Option<u32>,
}

/// A key of one's own to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnKeyBody {
    /// Unique among all keys.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// At most that, no more than the key that asks has, and no more than its owner may.
    role: RoleWord,
    /// The only project that it is for; null: as the key that asks.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    project: Option<String>,
    /// Days until it opens nothing any more, no later than the key that asks; null: when that does.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 36525)]
    days: Option<u32>,
}

impl From<AccessKey> for ServerKey {
    fn from(key: AccessKey) -> Self {
        Self {
            name: key.name,
            role: key.role.into(),
            project: match key.scope {
                KeyScope::All => None,
                KeyScope::Project(project) => Some(project.into()),
            },
            owner: key.owner,
            created: Time(key.created),
            used: key.used.map(Time),
            ends: key.expires.map(Time),
        }
    }
}

/// Where a key is good.
fn scope(project: Option<String>) -> Result<KeyScope, Failure> {
    let Some(name) = project else {
        return Ok(KeyScope::All);
    };
    let project = Project::try_from(name);
    let project = project.map_err(|e| Failure::bad_request(format!("project: {e}")))?;
    Ok(KeyScope::Project(project))
}

/// When a key ends that is made now.
fn end(days: Option<u32>) -> Result<Option<Timestamp>, Failure> {
    match days {
        Some(days) if days == 0 || days > MAX_DAYS => Err(Failure::bad_request(format!(
            "days is {days}; give a number from 1 to {MAX_DAYS}, or null for a key that does not end"
        ))),
        days => Ok(days.map(|days| Timestamp(Timestamp::now().0 + i64::from(days) * DAY))),
    }
}

/// All keys, by name
#[utoipa::path(
    get,
    path = "/access-keys",
    tag = "people",
    responses((status = 200, body = Vec<ServerKey>)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn access_keys(
    State(app): State<App>,
    _: Everywhere<Admin>,
) -> Result<Response, Failure> {
    reply::json(&app, |store| {
        let keys = store.keys()?.into_iter();
        Ok(keys.map(ServerKey::from).collect::<Vec<_>>())
    })
    .await
}

/// Make a key
///
/// The answer has its secret, this once. The first key has to be admin everywhere: a server that asked for none until then asks for one from
/// the next request on, so keep it. 409 where there is a key of this name.
#[utoipa::path(
    post,
    path = "/access-keys",
    tag = "people",
    request_body = KeyBody,
    responses((status = 200, body = CreatedKey)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn create_key(
    State(app): State<App>,
    _: Everywhere<Admin>,
    Body(body): Body<KeyBody>,
) -> Result<Response, Failure> {
    let new = NewKey {
        name: body.name,
        role: body.role.into(),
        scope: scope(body.project)?,
        owner: body.owner,
        expires: end(body.days)?,
    };
    answer(&app, new).await
}

/// Take a key back
///
/// It opens nothing from the next request on. 409 for the last key that is admin everywhere.
#[utoipa::path(
    delete,
    path = "/access-keys/{name}",
    tag = "people",
    params(KeyPath),
    responses((status = 204, description = "It opens nothing any more.")),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn revoke_key(
    State(app): State<App>,
    _: Everywhere<Admin>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    app.ask(move |store| Ok(store.revoke_key(&name)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The keys of the user whose key asks, by name
///
/// None where that is nobody's.
#[utoipa::path(
    get,
    path = "/own-keys",
    tag = "people",
    responses((status = 200, body = Vec<ServerKey>)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn own_keys(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let Some(user) = caller.user() else {
            return Ok(Vec::new());
        };
        let keys = store.keys()?.into_iter();
        let own = keys.filter(|key| key.owner.as_deref() == Some(user));
        Ok(own.map(ServerKey::from).collect())
    })
    .await
}

/// Make a key for oneself
///
/// For the user whose key asks, with no more than that key has. The answer has its secret, this once. 403 where the key that asks is
/// nobody's; 409 where there is a key of this name.
#[utoipa::path(
    post,
    path = "/own-keys",
    tag = "people",
    request_body = OwnKeyBody,
    responses((status = 200, body = CreatedKey)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn create_own_key(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
    Body(body): Body<OwnKeyBody>,
) -> Result<Response, Failure> {
    let new = own_key(&caller, body)?;
    answer(&app, new).await
}

/// Take a key of one's own back
///
/// It opens nothing from the next request on. 409 for the last key that is admin everywhere.
#[utoipa::path(
    delete,
    path = "/own-keys/{name}",
    tag = "people",
    params(KeyPath),
    responses((status = 204, description = "It opens nothing any more.")),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn revoke_own_key(
    State(app): State<App>,
    Anywhere(caller, ..): Anywhere<Read>,
    Name(name): Name,
) -> Result<StatusCode, Failure> {
    app.ask(move |store| match caller.user() {
        Some(user) => Ok(store.revoke_key_of(user, &name)?),
        None => Err(Failure::not_found(format!(
            "there is no key {name:?} of yours"
        ))),
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answer(app: &App, new: NewKey) -> Result<Response, Failure> {
    // As all answers of the API that do not say otherwise it is not to be stored.
    reply::json(app, move |store| {
        let (key, secret) = store.create_key(new)?;
        Ok(CreatedKey {
            key: key.into(),
            secret,
        })
    })
    .await
}

/// The key that somebody may make for themselves: within what theirs allows, which is not all that they may.
fn own_key(caller: &Caller, body: OwnKeyBody) -> Result<NewKey, Failure> {
    let (Some(user), Some(key)) = (caller.user(), caller.key()) else {
        return Err(Failure::forbidden(
            "whoever asks is no user, so the key would be nobody's; an admin makes those, and says who is a user",
        ));
    };
    let more = |what: String| {
        let name = &key.name;
        Err(Failure::forbidden(format!(
            "a key cannot make one that may more: `{name}` {what}; ask with another key, or an admin"
        )))
    };
    let role = Role::from(body.role);
    if role > key.role {
        return more(format!("has the role {}", key.role.word()));
    }
    let scope = match (&key.scope, scope(body.project)?) {
        (own, KeyScope::All) => own.clone(),
        (KeyScope::Project(own), KeyScope::Project(other)) if *own != other => {
            return more(format!("is for project {own} only"));
        }
        (_, scope) => scope,
    };
    let expires = match (key.expires, end(body.days)?) {
        (own, None) => own,
        (Some(own), Some(end)) if end > own => {
            return more("ends before that".to_owned());
        }
        (_, end) => end,
    };
    Ok(NewKey {
        name: body.name,
        role,
        scope,
        owner: Some(user.to_owned()),
        expires,
    })
}

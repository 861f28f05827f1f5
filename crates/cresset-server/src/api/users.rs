//! Users, and what they may. All of it is for those who are admin everywhere.

use axum::extract::State;
use axum::response::Response;
use cresset_record::Project;
use cresset_store::{Grant, KeyScope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paths::UserPath;
use super::reply;
use super::wire::{RoleWord, Time};
use crate::app::App;
use crate::error::Failure;
use crate::extract::{Admin, Body, Everywhere, Name};

/// A user.
#[derive(Debug, Serialize, ToSchema)]
struct User {
    name: String,
    created: Time,
    /// In every project that is not private; admin: in those too. Null: only where `projects` says so.
    #[schema(required)]
    role: Option<RoleWord>,
    /// In these projects, by name.
    projects: Vec<ProjectGrant>,
    /// How many keys they hold.
    keys: u64,
}

/// What a user may.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grants {
    /// In every project that is not private; admin: in those too. Null: only where `projects` says so.
    #[schema(required)]
    role: Option<RoleWord>,
    /// More than that in these projects, each once. A private project is seen only by those who have it here, or are admin everywhere.
    #[schema(max_items = 1000)]
    projects: Vec<ProjectGrant>,
}

/// What a user may in one project.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProjectGrant {
    /// It need not have runs.
    #[schema(min_length = 1, max_length = 128)]
    project: String,
    role: RoleWord,
}

impl From<cresset_store::User> for User {
    fn from(user: cresset_store::User) -> Self {
        let (mut role, mut projects) = (None, Vec::new());
        for grant in user.grants {
            let word = grant.role.into();
            match grant.scope {
                KeyScope::All => role = Some(word),
                KeyScope::Project(project) => projects.push(ProjectGrant {
                    project: project.into(),
                    role: word,
                }),
            }
        }
        Self {
            name: user.name,
            created: Time(user.created),
            role,
            projects,
            keys: user.keys,
        }
    }
}

impl TryFrom<Grants> for Vec<Grant> {
    type Error = Failure;

    fn try_from(grants: Grants) -> Result<Self, Failure> {
        let everywhere = grants.role.map(|role| Grant {
            scope: KeyScope::All,
            role: role.into(),
        });
        let mut all: Vec<Grant> = everywhere.into_iter().collect();
        for ProjectGrant { project, role } in grants.projects {
            let project = Project::try_from(project)
                .map_err(|e| Failure::bad_request(format!("projects: {e}")))?;
            all.push(Grant {
                scope: KeyScope::Project(project),
                role: role.into(),
            });
        }
        Ok(all)
    }
}

/// All users, by name
#[utoipa::path(
    get,
    path = "/users",
    tag = "people",
    responses((status = 200, body = Vec<User>)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn users(
    State(app): State<App>,
    _: Everywhere<Admin>,
) -> Result<Response, Failure> {
    reply::json(&app, |store| {
        let users = store.users()?.into_iter();
        Ok(users.map(User::from).collect::<Vec<_>>())
    })
    .await
}

/// Say what a user may
///
/// In place of what was said before; makes the user where there is none of this name. It counts from the next request on. 409 where nobody
/// would be left with a key that is admin everywhere.
#[utoipa::path(
    put,
    path = "/users/{name}",
    tag = "people",
    params(UserPath),
    request_body = Grants,
    responses((status = 200, body = User)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn set_user(
    State(app): State<App>,
    _: Everywhere<Admin>,
    Name(name): Name,
    Body(grants): Body<Grants>,
) -> Result<Response, Failure> {
    let grants: Vec<Grant> = grants.try_into()?;
    reply::json(&app, move |store| {
        store.set_user(&name, &grants)?;
        let users = store.users()?.into_iter();
        let found = users
            .filter(|user| user.name == name)
            .map(User::from)
            .next();
        found.ok_or_else(|| Failure::not_found(format!("there is no user {name:?} any more")))
    })
    .await
}

/// What went with a user.
#[derive(Debug, Serialize, ToSchema)]
struct RemovedUser {
    /// Keys that open nothing any more.
    keys: u64,
}

/// Remove a user and all keys of theirs
///
/// At once. 409 where nobody would be left with a key that is admin everywhere.
#[utoipa::path(
    delete,
    path = "/users/{name}",
    tag = "people",
    params(UserPath),
    responses((status = 200, body = RemovedUser)),
    extensions(("x-role" = json!("admin")))
)]
pub(super) async fn remove_user(
    State(app): State<App>,
    _: Everywhere<Admin>,
    Name(name): Name,
) -> Result<Response, Failure> {
    reply::json(&app, move |store| {
        let keys = store.remove_user(&name)?;
        Ok(RemovedUser { keys })
    })
    .await
}

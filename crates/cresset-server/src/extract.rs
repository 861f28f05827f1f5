//! What handlers take from a request: the role that they need and the place that they are about, queries, bodies.

use std::marker::PhantomData;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use cresset_record::{Project, RunId};
use cresset_store::{Role, RunKey};
use serde::de::DeserializeOwned;

use crate::access::Caller;
use crate::app::App;
use crate::error::Failure;

/// The role that a handler needs, said in its signature.
pub(crate) trait Needed: Send {
    const ROLE: Role;
}

/// Looking.
#[derive(Debug)]
pub(crate) struct Read;
/// Labels, views, trash, stop.
#[derive(Debug)]
pub(crate) struct Write;
/// Deleting for good.
#[derive(Debug)]
pub(crate) struct Admin;

impl Needed for Read {
    const ROLE: Role = Role::Read;
}
impl Needed for Write {
    const ROLE: Role = Role::Write;
}
impl Needed for Admin {
    const ROLE: Role = Role::Admin;
}

/// Somebody with role `R` somewhere; what they see depends on their [`Caller`].
#[derive(Debug)]
pub(crate) struct Anywhere<R>(pub(crate) Caller, pub(crate) PhantomData<R>);

/// Somebody with role `R` in all projects that there are and will be.
#[derive(Debug)]
pub(crate) struct Everywhere<R>(PhantomData<R>);

/// The `{name}` of the path.
#[derive(Debug)]
pub(crate) struct Name(pub(crate) String);

/// Somebody with role `R` in the project of the path.
#[derive(Debug)]
pub(crate) struct InProject<R> {
    pub(crate) project: Project,
    pub(crate) access: Caller,
    params: Params,
    role: PhantomData<R>,
}

/// Somebody with role `R` in the project of the path, and the run of the path, which need not exist.
#[derive(Debug)]
pub(crate) struct InRun<R> {
    pub(crate) key: RunKey,
    pub(crate) access: Caller,
    params: Params,
    role: PhantomData<R>,
}

/// The variable parts of a path, decoded.
#[derive(Debug)]
struct Params(Vec<(String, String)>);

impl Params {
    async fn of(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let raw = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|e| Failure::not_found(format!("the path cannot be read: {e}")))?;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(Self(raw.iter().map(owned).collect()))
    }

    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    fn project(&self) -> Result<Project, Failure> {
        Project::try_from(self.get("project").to_owned())
            .map_err(|e| Failure::not_found(format!("no such project: {e}")))
    }
}

fn access(parts: &Parts) -> Result<Caller, Failure> {
    // Set for everything behind `authenticate`; what is not there may do nothing.
    let access = parts.extensions.get::<Caller>().cloned();
    access.ok_or_else(|| Failure::unauthorized("this needs a key"))
}

impl<R: Needed> FromRequestParts<App> for Anywhere<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let access = access(parts)?;
        access.need(R::ROLE, None)?;
        Ok(Self(access, PhantomData))
    }
}

impl<R: Needed> FromRequestParts<App> for Everywhere<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        access(parts)?.need_everywhere(R::ROLE)?;
        Ok(Self(PhantomData))
    }
}

impl FromRequestParts<App> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let params = Params::of(parts, app).await?;
        Ok(Self(params.get("name").to_owned()))
    }
}

impl<R: Needed> FromRequestParts<App> for InProject<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let access = access(parts)?;
        let params = Params::of(parts, app).await?;
        let project = params.project()?;
        access.need(R::ROLE, Some(&project))?;
        Ok(Self {
            project,
            access,
            params,
            role: PhantomData,
        })
    }
}

impl<R> InProject<R> {
    /// A further variable part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }
}

impl<R: Needed> FromRequestParts<App> for InRun<R> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let access = access(parts)?;
        let params = Params::of(parts, app).await?;
        let project = params.project()?;
        access.need(R::ROLE, Some(&project))?;
        let run = RunId::try_from(params.get("run").to_owned())
            .map_err(|e| Failure::not_found(format!("no such run: {e}")))?;
        Ok(Self {
            key: RunKey { project, run },
            access,
            params,
            role: PhantomData,
        })
    }
}

impl<R> InRun<R> {
    /// A further variable part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name)
    }
}

/// The query. Names that the address does not take are errors: a misspelt filter must not give all runs.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let text = parts.uri.query().unwrap_or_default();
        let query = serde_html_form::Deserializer::from_bytes(text.as_bytes());
        serde_path_to_error::deserialize(query)
            .map(Self)
            .map_err(|error| query_failure(&error))
    }
}

/// Names the parameter, where the trouble is with one.
fn query_failure(error: &serde_path_to_error::Error<serde_html_form::de::Error>) -> Failure {
    let place = error.path().to_string();
    let why = error.inner();
    Failure::bad_request(if place == "." {
        format!("the query: {why}")
    } else {
        format!("the query: {place}: {why}")
    })
}

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        match axum::Json::<T>::from_request(request, app).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(body_failure(&rejection)),
        }
    }
}

fn body_failure(rejection: &JsonRejection) -> Failure {
    let code = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        _ => "bad_request",
    };
    Failure::new(rejection.status(), code, rejection.body_text())
}

/// A number within its bounds, or what stands for none.
///
/// # Errors
/// 400 where it is out of bounds.
pub(crate) fn within(
    name: &str,
    value: Option<u64>,
    default: u64,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<usize, Failure> {
    let value = value.unwrap_or(default);
    if !bounds.contains(&value) {
        let (least, most) = bounds.into_inner();
        return Err(Failure::bad_request(format!(
            "{name} is {value}; give a number from {least} to {most}"
        )));
    }
    usize::try_from(value).map_err(|_| Failure::bad_request(format!("{name} is too large")))
}

/// A text that is not too long.
///
/// # Errors
/// 400 where it is.
pub(crate) fn short(name: &str, text: String, most: usize) -> Result<String, Failure> {
    if text.len() > most {
        return Err(Failure::bad_request(format!(
            "{name} has {} bytes; at most {most} are read",
            text.len()
        )));
    }
    Ok(text)
}

/// The names in values such as `a,"b,c",-d`: separated by commas, with quotes around what holds commas.
///
/// # Errors
/// 400 if there are more than `most`.
pub(crate) fn names(name: &str, values: &[String], most: usize) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for value in values {
        let mut current = String::new();
        let mut quoted = false;
        for c in value.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => names.push(std::mem::take(&mut current)),
                c => current.push(c),
            }
        }
        names.push(current);
    }
    names.retain(|name| !name.is_empty());
    if names.len() > most {
        return Err(Failure::bad_request(format!(
            "{name} names {} things; at most {most} are taken",
            names.len()
        )));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas_outside_of_quotes() {
        let split = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            names("columns", &values, 3).map_err(|_| ())
        };
        for (values, expected) in [
            (&[][..], &[][..]),
            (&[""], &[]),
            (&["a,b"], &["a", "b"]),
            (&["a,", "-b"], &["a", "-b"]),
            (&[r#"-"val/auc, macro",x"#], &["-val/auc, macro", "x"]),
        ] {
            let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(split(values), Ok(expected));
        }
        assert_eq!(split(&["a,b", "c,d"]), Err(()));
    }
}

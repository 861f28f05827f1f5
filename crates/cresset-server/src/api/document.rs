//! The OpenAPI document.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::PartialSchema;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response as Described,
    ResponseBuilder, SecurityRequirement, Server,
};

use super::columns::ColumnsHeader;
use super::events::Change;
use super::{private, public};
use crate::access::COOKIE;
use crate::app::App;
use crate::error::ApiError;
use crate::guard::MEANT;

/// The OpenAPI document of the API, as JSON.
#[must_use]
pub fn openapi_json() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        // All keys are texts, so it cannot fail.
        document().to_pretty_json().unwrap_or_default()
    });
    &TEXT
}

pub(super) async fn openapi(State(app): State<App>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let base = app.options().base_path.as_str();
    if base.is_empty() {
        return (kind, openapi_json()).into_response();
    }
    let mut document = document();
    document.servers = Some(vec![Server::new(base)]);
    // All keys are texts, so it cannot fail.
    (kind, document.to_pretty_json().unwrap_or_default()).into_response()
}

fn document() -> OpenApi {
    let mut api = private().to_openapi();
    for item in api.paths.paths.values_mut() {
        for (operation, writes) in operations(item) {
            complete(operation, writes);
            let [key, cookie] = ["key", "cookie"]
                .map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()));
            // The last one is none: a server on the own machine asks for no key.
            operation.security = Some(vec![key, cookie, SecurityRequirement::default()]);
        }
    }
    let mut open = public().to_openapi();
    for item in open.paths.paths.values_mut() {
        for (operation, writes) in operations(item) {
            complete(operation, writes);
        }
    }
    api.merge(open);
    api.info = InfoBuilder::new()
        .title("Cresset")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
        .build();
    let components = api.components.get_or_insert_default();
    // What no JSON body of an answer has at its top: errors, and what is in other bodies.
    let mut further = vec![
        (ApiError::name().into_owned(), ApiError::schema()),
        (ColumnsHeader::name().into_owned(), ColumnsHeader::schema()),
        (Change::name().into_owned(), Change::schema()),
    ];
    ApiError::schemas(&mut further);
    ColumnsHeader::schemas(&mut further);
    Change::schemas(&mut further);
    components.schemas.extend(further);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("key", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::new(COOKIE));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    api
}

const DESCRIPTION: &str = "Runs that Cresset recorded. JSON has no NaN and no infinities: such numbers are the texts \
    `NaN`, `inf` and `-inf`. Times are RFC 3339 in UTC, durations are seconds. A query with a name that the address does \
    not take is an error. `x-role` is the role that a key needs; without keys everybody on the machine may do everything.";

/// All operations of a path, and whether they change something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    [
        (&mut item.get, false),
        (&mut item.put, true),
        (&mut item.post, true),
        (&mut item.patch, true),
        (&mut item.delete, true),
    ]
    .into_iter()
    .filter_map(|(operation, writes)| Some((operation.as_mut()?, writes)))
}

/// Bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes")]
pub(super) struct Binary(Vec<u8>);

/// Adds what is the same everywhere: the errors, and the header that says that a change is meant.
fn complete(operation: &mut Operation, writes: bool) {
    let statuses = [
        ("400", "The question makes no sense; the message says why."),
        ("401", "A key is needed."),
        (
            "403",
            "The key does not reach so far, or a page of another origin asks.",
        ),
        ("404", "There is no such thing."),
        ("408", "It took too long; ask for less at once."),
        ("414", "The query is too long."),
        ("421", "The server does not go by this name."),
        (
            "429",
            "Too many wrong keys; `Retry-After` says how long to wait.",
        ),
        (
            "431",
            "The request's head is too large, its address included.",
        ),
        (
            "503",
            "Too many requests at once; `Retry-After` says how long to wait.",
        ),
    ];
    let of_writing = [
        (
            "409",
            "It cannot be done now, such as deleting a run that is being written.",
        ),
        ("413", "The body is too large."),
        ("415", "The body is no JSON."),
        ("422", "The body does not say what it has to."),
    ];
    let of_writing = of_writing.iter().filter(|_| writes);
    for (status, description) in statuses.iter().chain(of_writing) {
        let described = operation.responses.responses.entry((*status).to_owned());
        described.or_insert_with(|| RefOr::T(error(description)));
    }
    if writes {
        let value = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["1"]));
        let meant: Parameter = ParameterBuilder::new()
            .name(MEANT.as_str())
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(
                "Says that the change is meant: pages elsewhere cannot send it.",
            ))
            .schema(Some(value))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::T(meant));
    }
}

fn error(description: &str) -> Described {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ApiError::name())))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}

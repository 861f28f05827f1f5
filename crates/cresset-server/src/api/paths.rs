//! Variable parts of paths, for the OpenAPI document. Handlers take them by `extract.rs`, with the role that they need.

use utoipa::IntoParams;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};

/// A project.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct ProjectPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
}

/// A user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct UserPath {
    /// The user's name.
    #[param(min_length = 1, max_length = 128)]
    name: String,
}

/// A key to the server.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct KeyPath {
    /// The key's name, never its secret.
    #[param(min_length = 1, max_length = 128)]
    name: String,
}

/// A run.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct RunPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The run's id.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: String,
}

/// A blob.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct BlobPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
    /// The run's id.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    run: String,
    /// The blob's BLAKE3 digest.
    #[param(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

/// Keys of series, one a parameter.
pub(super) fn key_list() -> Array {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(512));
    ArrayBuilder::new().items(key).max_items(Some(100)).build()
}

/// Ids of runs, separated by commas or one a parameter.
pub(super) fn run_list() -> Array {
    let ids = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^([A-Za-z0-9_-]{1,64}(,[A-Za-z0-9_-]{1,64})*)?$"));
    ArrayBuilder::new()
        .items(ids)
        .max_items(Some(10_000))
        .build()
}

/// Names of fields, separated by commas or one a parameter.
pub(super) fn field_list() -> Array {
    let fields = ObjectBuilder::new().schema_type(Type::String);
    ArrayBuilder::new().items(fields).max_items(Some(8)).build()
}

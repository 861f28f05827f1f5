//! Variable parts of paths, for the OpenAPI document. Handlers take them by `extract.rs`, with the role that they need.

use utoipa::IntoParams;

/// A project.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes")]
pub(super) struct ProjectPath {
    /// The project's name.
    #[param(min_length = 1, max_length = 128)]
    project: String,
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

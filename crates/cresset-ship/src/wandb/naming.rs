//! How a run is called at W&B.

/// Whose a run is at W&B, and in which project, where that is not as the run itself says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    pub(super) entity: String,
    pub(super) project: Option<String>,
}

impl Naming {
    /// Of the team or user `entity`; without one, of whom the key is of.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = entity.into();
        self
    }

    /// In this project.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }
}

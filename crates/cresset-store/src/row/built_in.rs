//! Fields that every run has a place for.

/// A field that every run has a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BuiltIn {
    Name,
    Id,
    Project,
    State,
    Reason,
    Duration,
    Age,
    Created,
    Group,
    JobType,
    Tags,
    Notes,
    Host,
    Alerts,
    Lost,
    Damage,
}

/// What values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// Seconds.
    Seconds,
    /// An instant.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The states of a run, in words.
const STATES: &[&str] = &["running", "finished", "failed", "stopped", "crashed"];

impl BuiltIn {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::Name,
        Self::Id,
        Self::Project,
        Self::State,
        Self::Reason,
        Self::Duration,
        Self::Age,
        Self::Created,
        Self::Group,
        Self::JobType,
        Self::Tags,
        Self::Notes,
        Self::Host,
        Self::Alerts,
        Self::Lost,
        Self::Damage,
    ];

    /// The field of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Id => "id",
            Self::Project => "project",
            Self::State => "state",
            Self::Reason => "reason",
            Self::Duration => "duration",
            Self::Age => "age",
            Self::Created => "created",
            Self::Group => "group",
            Self::JobType => "job_type",
            Self::Tags => "tags",
            Self::Notes => "notes",
            Self::Host => "host",
            Self::Alerts => "alerts",
            Self::Lost => "lost",
            Self::Damage => "damage",
        }
    }

    /// What values it has.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::State => Kind::Word(STATES),
            Self::Duration | Self::Age => Kind::Seconds,
            Self::Created => Kind::Time,
            _ => Kind::Any,
        }
    }
}

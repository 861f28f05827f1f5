//! What is shown of a run in a list.

use cresset_record::{State, Timestamp};
use serde_json::{Map, Value as Json};

use super::BuiltIn;
use crate::document::{RunDocument, RunKey};
use crate::values::Value;

/// What every run has, in brief.
#[derive(Clone, Debug, PartialEq)]
pub struct RunHead {
    /// Which run.
    pub key: RunKey,
    /// Its place among all runs that the project ever had, from 0; it never changes.
    pub ordinal: u64,
    /// Rises with every change of any run.
    pub version: u64,
    /// Its name, as a person last set it.
    pub name: String,
    /// Whether it goes on.
    pub state: State,
    /// When it began; `None` where its head is damaged.
    pub created: Option<Timestamp>,
    /// The time of its latest record.
    pub active: Option<Timestamp>,
    /// Runs that belong together.
    pub group: Option<String>,
    /// What the process did.
    pub job_type: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free text.
    pub notes: String,
    /// The machine.
    pub host: Option<String>,
    /// How many alerts.
    pub alerts: u64,
    /// How many values could not be kept.
    pub lost: u64,
    /// How many places of its logs are damaged.
    pub damage: u64,
    /// The highest step of any series.
    pub last_step: Option<u64>,
}

impl RunDocument {
    /// The run in brief.
    #[must_use]
    pub fn head(&self) -> RunHead {
        let lost = self
            .lost
            .values()
            .map(|lost| lost.points.saturating_add(lost.values));
        RunHead {
            key: self.key.clone(),
            ordinal: self.ordinal,
            version: self.version,
            name: self.name.clone(),
            state: self.state.clone(),
            created: self.created,
            active: self.active,
            group: self.group.clone(),
            job_type: self.job_type.clone(),
            tags: self.tags.clone(),
            notes: self.notes.clone(),
            host: host(&self.environment),
            alerts: self.alerts.0,
            lost: lost.fold(0, u64::saturating_add),
            damage: self.damage.len() as u64,
            last_step: self.last_step,
        }
    }
}

/// The name of the machine, as the environment record gives it.
fn host(environment: &Map<String, Json>) -> Option<String> {
    Some(environment.get("host")?.get("name")?.as_str()?.to_owned())
}

impl RunHead {
    /// Seconds from the start to the last record, or to `now` while the run goes on.
    #[must_use]
    pub fn duration_seconds(&self, now: Timestamp) -> f64 {
        let Some(created) = self.created else {
            return 0.0;
        };
        let end = if self.state == State::Running {
            now
        } else {
            self.active.unwrap_or(created)
        };
        end.seconds_since(created).max(0.0)
    }

    /// The value of a field, if the run has it.
    pub(crate) fn value(&self, field: BuiltIn, now: Timestamp) -> Option<Value<'_>> {
        let count = |n: u64| Some(i64::try_from(n).map_or(Value::Unsigned(n), Value::Int));
        match field {
            BuiltIn::Name => Some(Value::Text(&self.name)),
            BuiltIn::Id => Some(Value::Text(self.key.run.as_str())),
            BuiltIn::Project => Some(Value::Text(self.key.project.as_str())),
            BuiltIn::State => Some(Value::Text(self.state.word())),
            BuiltIn::Reason => self.state.reason().map(Value::Text),
            BuiltIn::Duration => Some(Value::Float(self.duration_seconds(now))),
            BuiltIn::Age => {
                let age = now.seconds_since(self.created?);
                Some(Value::Float(age.max(0.0)))
            }
            BuiltIn::Created => self.created.map(Value::Time),
            BuiltIn::Group => self.group.as_deref().map(Value::Text),
            BuiltIn::JobType => self.job_type.as_deref().map(Value::Text),
            BuiltIn::Tags => Some(Value::Texts(&self.tags)),
            BuiltIn::Notes => Some(Value::Text(&self.notes)),
            BuiltIn::Host => self.host.as_deref().map(Value::Text),
            BuiltIn::Alerts => count(self.alerts),
            BuiltIn::Lost => count(self.lost),
            BuiltIn::Damage => count(self.damage),
        }
    }
}

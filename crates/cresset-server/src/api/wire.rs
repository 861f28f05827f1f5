//! Words and numbers as they are sent.

use cresset_record::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A number, or one that JSON lacks: then one of the texts `NaN`, `inf` and `-inf`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Num(pub(crate) f64);

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            s.serialize_f64(self.0)
        } else if self.0.is_nan() {
            s.serialize_str("NaN")
        } else {
            s.serialize_str(if self.0 > 0.0 { "inf" } else { "-inf" })
        }
    }
}

impl PartialSchema for Num {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["NaN", "inf", "-inf"]));
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(words)
            .description(Some("A number, or one that JSON lacks."))
            .into()
    }
}

impl ToSchema for Num {}

/// An instant: RFC 3339, in UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // A damaged log can hold any number; what is out of the calendar becomes its end.
        let time = jiff::Timestamp::from_microsecond(self.0.0).unwrap_or(if self.0.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        s.collect_str(&time)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, in UTC."))
            .into()
    }
}

impl ToSchema for Time {}

/// Whether a run goes on, and how it ended.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Running,
    Finished,
    Failed,
    Stopped,
    Crashed,
}

impl From<&cresset_record::State> for State {
    fn from(state: &cresset_record::State) -> Self {
        use cresset_record::State as Stored;
        match state {
            Stored::Running => Self::Running,
            Stored::Finished => Self::Finished,
            Stored::Failed(_) => Self::Failed,
            Stored::Stopped(_) => Self::Stopped,
            Stored::Crashed => Self::Crashed,
        }
    }
}

/// How urgent a line or an alert is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl From<cresset_record::Level> for Level {
    fn from(level: cresset_record::Level) -> Self {
        use cresset_record::Level as Stored;
        match level {
            Stored::Trace => Self::Trace,
            Stored::Debug => Self::Debug,
            Stored::Info => Self::Info,
            Stored::Warn => Self::Warn,
            Stored::Error => Self::Error,
        }
    }
}

impl From<Level> for cresset_record::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// What somebody may.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Role)]
pub(crate) enum RoleWord {
    Read,
    Write,
    Admin,
}

impl From<cresset_store::Role> for RoleWord {
    fn from(role: cresset_store::Role) -> Self {
        use cresset_store::Role as Stored;
        match role {
            Stored::Read => Self::Read,
            Stored::Write => Self::Write,
            Stored::Admin => Self::Admin,
        }
    }
}

impl From<RoleWord> for cresset_store::Role {
    fn from(role: RoleWord) -> Self {
        match role {
            RoleWord::Read => Self::Read,
            RoleWord::Write => Self::Write,
            RoleWord::Admin => Self::Admin,
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    Minimize,
    Maximize,
}

impl From<cresset_record::Goal> for Goal {
    fn from(goal: cresset_record::Goal) -> Self {
        match goal {
            cresset_record::Goal::Minimize => Self::Minimize,
            cresset_record::Goal::Maximize => Self::Maximize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_always_json() {
        let json = |n: f64| serde_json::to_string(&Num(n)).unwrap();
        assert_eq!(json(0.1), "0.1");
        assert_eq!(json(f64::NAN), "\"NaN\"");
        assert_eq!(json(f64::NEG_INFINITY), "\"-inf\"");
        let json = |us: i64| serde_json::to_string(&Time(Timestamp(us))).unwrap();
        assert_eq!(json(1_500_000), "\"1970-01-01T00:00:01.5Z\"");
        assert!(json(i64::MAX).starts_with("\"9999-12-30T"));
        assert!(json(i64::MIN).starts_with("\"-009999-"));
    }
}

//! Name, group, notes and tags as a person last set them.

use super::audit::{About, note};
use super::{check_name, name, require};
use crate::document::RunKey;
use crate::engine::{Arg, Row, Transaction};
use crate::error::StoreError;
use crate::index;

/// A field that is null was never set by a person. `has_group` is 1 where a person set the group, to none too.
pub(super) const TABLE: (&str, &str) = (
    "labels",
    "project TEXT NOT NULL, run TEXT NOT NULL, name TEXT, has_group BIGINT NOT NULL, run_group TEXT, notes TEXT, \
     tags TEXT, PRIMARY KEY (project, run)",
);

const COLUMNS: &str = "name, has_group, run_group, notes, tags";

/// Longest name, group and tag, in bytes.
const MAX_NAME: usize = 256;
/// Longest notes, in bytes.
const MAX_NOTES: usize = 64 << 10;
/// Most tags.
const MAX_TAGS: usize = 100;

/// A change of labels; `None` leaves a field as it is. What a person sets wins over what the program says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelPatch {
    /// A new name.
    pub name: Option<String>,
    /// A new group, or none.
    pub group: Option<Option<String>>,
    /// New notes.
    pub notes: Option<String>,
    /// All tags.
    pub tags: Option<Vec<String>>,
}

impl LabelPatch {
    fn check(&self) -> Result<(), StoreError> {
        if let Some(name) = &self.name {
            check_name("the name", name, MAX_NAME)?;
        }
        if let Some(Some(group)) = &self.group {
            check_name("the group", group, MAX_NAME)?;
        }
        if let Some(notes) = self.notes.as_ref().filter(|notes| notes.len() > MAX_NOTES) {
            return Err(StoreError::invalid(format!(
                "the notes have {} bytes; at most {MAX_NOTES} are kept",
                notes.len()
            )));
        }
        let tags = self.tags.as_deref().unwrap_or_default();
        if tags.len() > MAX_TAGS {
            return Err(StoreError::invalid(format!(
                "a run can have {MAX_TAGS} tags, not {}",
                tags.len()
            )));
        }
        tags.iter()
            .try_for_each(|tag| check_name("the tag", tag, MAX_NAME))
    }

    /// What is changed, as JSON.
    fn for_audit(&self) -> String {
        let mut changed = serde_json::Map::new();
        let mut add = |name: &str, value: Option<serde_json::Value>| {
            changed.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("name", self.name.clone().map(Into::into));
        add("group", self.group.clone().map(Into::into));
        add("tags", self.tags.clone().map(Into::into));
        add("notes", self.notes.clone().map(Into::into));
        serde_json::Value::from(changed).to_string()
    }

    /// What [`Self::for_audit`] wrote, for people: `tags v4, baseline; notes "as agreed"`.
    pub(super) fn in_words(json: &str) -> Option<String> {
        use serde_json::Value as Json;
        let changed: serde_json::Map<String, Json> = serde_json::from_str(json).ok()?;
        let words = changed.iter().map(|(field, value)| match value {
            Json::Array(tags) if tags.is_empty() => format!("no {field}"),
            Json::Array(tags) => {
                let tags: Vec<&str> = tags.iter().filter_map(Json::as_str).collect();
                format!("{field} {}", tags.join(", "))
            }
            Json::Null => format!("no {field}"),
            value => format!("{field} {value}"),
        });
        Some(words.collect::<Vec<_>>().join("; "))
    }

    /// Changes these labels by a later patch.
    fn apply(&mut self, later: &Self) {
        let Self {
            name,
            group,
            notes,
            tags,
        } = later.clone();
        self.name = name.or(self.name.take());
        self.group = group.or(self.group.take());
        self.notes = notes.or(self.notes.take());
        self.tags = tags.map(distinct).or(self.tags.take());
    }

    fn read(row: &dyn Row) -> Result<Self, StoreError> {
        let text = |column| {
            row.optional_text(column)
                .map(|text| text.map(str::to_owned))
        };
        let tags = match row.optional_text(4)? {
            Some(json) => Some(serde_json::from_str(json).map_err(|_| {
                StoreError::Engine(format!("holds tags that are no list of texts: {json}"))
            })?),
            None => None,
        };
        let has_group = row.integer(1)? != 0;
        Ok(Self {
            name: text(0)?,
            group: has_group.then_some(text(2)?),
            notes: text(3)?,
            tags,
        })
    }
}

/// Each tag once, in the order given.
fn distinct(tags: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

/// What a person set of a run.
pub(crate) fn of(tx: &mut dyn Transaction, key: &RunKey) -> Result<LabelPatch, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM labels WHERE project = $1 AND run = $2");
    let args = [key.project.as_str().into(), key.run.as_str().into()];
    let found = tx.first(&sql, &args, LabelPatch::read)?;
    Ok(found.unwrap_or_default())
}

/// Forgets what people set of a run.
pub(super) fn forget(tx: &mut dyn Transaction, key: &RunKey) -> Result<(), StoreError> {
    let args = [key.project.as_str().into(), key.run.as_str().into()];
    tx.execute("DELETE FROM labels WHERE project = $1 AND run = $2", &args)?;
    Ok(())
}

impl crate::Store {
    /// What people set of runs, of those of which they set anything.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn labels(&self) -> Result<Vec<(RunKey, LabelPatch)>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, project, run FROM labels");
        let read = |row: &dyn Row| {
            let (project, run) = (name(row.text(5)?)?, name(row.text(6)?)?);
            Ok((RunKey { project, run }, LabelPatch::read(row)?))
        };
        self.engine().read(|tx| tx.all(&sql, &[], read))
    }

    /// Changes the labels of a run.
    ///
    /// # Errors
    /// `Invalid` where a text is too long or holds control characters, `NotFound` where there is no such run.
    pub fn label(&self, key: &RunKey, patch: &LabelPatch) -> Result<(), StoreError> {
        patch.check()?;
        self.engine().write(|tx| {
            require(tx, key)?;
            let mut labels = of(tx, key)?;
            labels.apply(patch);
            let tags = labels.tags.map(|tags| serde_json::Value::from(tags).to_string());
            let group = labels.group.as_ref().and_then(Option::as_deref);
            tx.execute(
                "INSERT INTO labels (project, run, name, has_group, run_group, notes, tags) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (project, run) DO UPDATE SET name = excluded.name, \
                 has_group = excluded.has_group, run_group = excluded.run_group, notes = excluded.notes, tags = excluded.tags",
                &[
                    key.project.as_str().into(),
                    key.run.as_str().into(),
                    labels.name.as_deref().into(),
                    Arg::Integer(labels.group.is_some().into()),
                    group.into(),
                    labels.notes.as_deref().into(),
                    tags.as_deref().into(),
                ],
            )?;
            note(tx, self.actor(), "run.label", About::run(key, &patch.for_audit()))?;
            index::touch(tx, key)
        })
    }
}

//! Who did what: changes that people and programs made, in order. Looking is not noted.

use std::net::IpAddr;

use cresset_record::{Project, RunId, Timestamp};

use super::{LabelPatch, ProjectSettings, name};
use crate::document::RunKey;
use crate::engine::schema::raise;
use crate::engine::{Arg, Row, Transaction};
use crate::error::StoreError;

/// `via` is a word of [`Via`].
pub(super) const TABLE: (&str, &str) = (
    "audit",
    "id ID, time BIGINT NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL, address TEXT, action TEXT NOT NULL, \
     project TEXT, run TEXT, detail TEXT NOT NULL",
);

const COLUMNS: &str = "id, time, who, via, address, action, project, run, detail";

/// Longest detail that is kept, in characters.
const MAX_DETAIL: usize = 1_000;

/// How somebody came to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By a command on the machine where the store is.
    Shell,
    /// Over the network, with a key.
    Key,
    /// Over the network, logged in by OpenID Connect.
    Login,
    /// Over the network, where no key is needed.
    Open,
    /// Not at all: a rule that somebody set was followed.
    Rule,
}

impl Via {
    const ALL: [Self; 5] = [Self::Shell, Self::Key, Self::Login, Self::Open, Self::Rule];

    /// The way in one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Key => "key",
            Self::Login => "login",
            Self::Open => "open",
            Self::Rule => "rule",
        }
    }
}

/// Who changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user of the system, the name of a key, who is logged in, or which rule.
    pub name: String,
    /// How they came.
    pub via: Via,
    /// From where, over the network.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// Whoever runs this process.
    #[must_use]
    pub fn shell() -> Self {
        let said = ["USER", "LOGNAME", "USERNAME"].into_iter();
        let user = said
            .filter_map(|name| std::env::var(name).ok())
            .find(|name| !name.is_empty());
        Self {
            name: user.unwrap_or_else(|| "somebody".into()),
            via: Via::Shell,
            address: None,
        }
    }

    /// A rule that is followed.
    pub(crate) fn rule(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            via: Via::Rule,
            address: None,
        }
    }
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Rises by one with each entry.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What, such as `run.delete`.
    pub action: String,
    /// In which project, if in one.
    pub project: Option<Project>,
    /// To which run, if to one.
    pub run: Option<RunId>,
    /// What it was changed to, or to what else it was done: JSON or a name.
    pub detail: String,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// By this user or key.
    pub who: Option<String>,
    /// In this project.
    pub project: Option<Project>,
    /// To this run.
    pub run: Option<RunId>,
    /// Such as `run.delete`.
    pub action: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Only those with a lower number, for the next page.
    pub before: Option<u64>,
    /// At most so many; none by default.
    pub limit: usize,
}

impl AuditEntry {
    /// The detail for people, where it is kept as JSON for programs.
    #[must_use]
    pub fn detail_in_words(&self) -> String {
        let words = match self.action.as_str() {
            "project.set" => serde_json::from_str(&self.detail)
                .ok()
                .map(|settings: ProjectSettings| settings.to_string()),
            "run.label" => LabelPatch::in_words(&self.detail),
            _ => None,
        };
        // A long one was cut, and is no JSON any more.
        words.unwrap_or_else(|| self.detail.clone())
    }

    fn read(row: &dyn Row) -> Result<Self, StoreError> {
        let via = row.text(3)?;
        let via = Via::ALL.into_iter().find(|known| known.word() == via);
        let address = row.optional_text(4)?.map(str::parse).transpose();
        Ok(Self {
            number: u64::try_from(row.integer(0)?).unwrap_or_default(),
            time: Timestamp(row.integer(1)?),
            actor: Actor {
                name: row.text(2)?.to_owned(),
                via: via.ok_or_else(|| {
                    StoreError::Engine("holds an unknown way to the store".into())
                })?,
                address: address
                    .map_err(|_| StoreError::Engine("holds an address that is none".into()))?,
            },
            action: row.text(5)?.to_owned(),
            project: row.optional_text(6)?.map(name).transpose()?,
            run: row.optional_text(7)?.map(name).transpose()?,
            detail: row.text(8)?.to_owned(),
        })
    }
}

/// What a change is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) project: Option<&'a Project>,
    pub(crate) run: Option<&'a RunId>,
    pub(crate) detail: &'a str,
}

impl<'a> About<'a> {
    pub(crate) fn run(key: &'a RunKey, detail: &'a str) -> Self {
        Self {
            project: Some(&key.project),
            run: Some(&key.run),
            detail,
        }
    }

    pub(crate) fn project(project: &'a Project, detail: &'a str) -> Self {
        Self {
            project: Some(project),
            run: None,
            detail,
        }
    }

    pub(crate) fn all(detail: &'a str) -> Self {
        Self {
            detail,
            ..Self::default()
        }
    }
}

/// Notes a change, in the transaction that makes it.
pub(crate) fn note(
    tx: &mut dyn Transaction,
    actor: &Actor,
    action: &str,
    about: About<'_>,
) -> Result<(), StoreError> {
    let number = raise(tx, "audit", 1)?;
    let address = actor.address.map(|address| address.to_string());
    let detail: String = about.detail.chars().take(MAX_DETAIL).collect();
    tx.execute(
        "INSERT INTO audit (id, time, who, via, address, action, project, run, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            number.into(),
            Arg::Integer(Timestamp::now().0),
            actor.name.as_str().into(),
            actor.via.word().into(),
            address.as_deref().into(),
            action.into(),
            about.project.map(Project::as_str).into(),
            about.run.map(RunId::as_str).into(),
            detail.as_str().into(),
        ],
    )?;
    Ok(())
}

impl crate::Store {
    /// Changes that were made, the newest first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let any = "SELECT $COLUMNS FROM audit WHERE id < $1 AND time >= $2 AND ($3 = '' OR who = $3) \
                   AND ($4 = '' OR project = $4) AND ($5 = '' OR run = $5) AND ($6 = '' OR action = $6) ORDER BY id DESC LIMIT $7";
        let before = query
            .before
            .map_or(i64::MAX, |number| i64::try_from(number).unwrap_or(i64::MAX));
        let args = [
            Arg::Integer(before),
            Arg::Integer(query.since.map_or(i64::MIN, |time| time.0)),
            query.who.as_deref().unwrap_or_default().into(),
            query.project.as_ref().map_or("", Project::as_str).into(),
            query.run.as_ref().map_or("", RunId::as_str).into(),
            query.action.as_deref().unwrap_or_default().into(),
            Arg::Integer(i64::try_from(query.limit).unwrap_or(i64::MAX)),
        ];
        let sql = any.replace("$COLUMNS", COLUMNS);
        self.engine()
            .read(|tx| tx.all(&sql, &args, AuditEntry::read))
    }

    /// Notes something that is no change of the store's own, such as that somebody logged in.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn note(&self, action: &str, detail: &str) -> Result<(), StoreError> {
        self.engine()
            .write(|tx| note(tx, self.actor(), action, About::all(detail)))
    }
}

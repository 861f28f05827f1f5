//! What of a project goes with time: checkpoints that later ones follow, and old media. Logs stay whole, and the run's folder says what was
//! removed, when, and by which rule.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;

use cresset_record::{Digest, Media, MediaDetail, Project, Removed, RunId, Timestamp};

use crate::document::RunKey;
use crate::engine::{Transaction, step_from_sql};
use crate::error::StoreError;
use crate::index::{PLACE_BITS, from_json};
use crate::people::{About, Actor, ProjectSettings, name, note};
use crate::store::Store;

/// A run with this tag keeps everything.
pub const KEEP_TAG: &str = "keep";
/// Files with this role are checkpoints.
const CHECKPOINT: &str = "checkpoint";
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A blob that goes by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Of which run.
    pub run: RunKey,
    /// The series that it is a value of; of several, one.
    pub key: String,
    /// At which step.
    pub step: u64,
    /// Its bytes' digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// By which rule, for people.
    pub why: String,
}

/// A media value of a run.
struct Value {
    series: i64,
    step: u64,
    time: Timestamp,
    media: Media,
}

impl Store {
    /// What goes of a project by these settings, which need not be those that are set: blobs that are here and nothing points to any
    /// more that is kept. Runs with the tag `keep` are left out.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn expired(
        &self,
        project: &Project,
        settings: &ProjectSettings,
    ) -> Result<Vec<Expired>, StoreError> {
        let now = Timestamp::now();
        let mut expired = Vec::new();
        if !settings.removes() {
            return Ok(expired);
        }
        let runs = self.engine().read(|tx| {
            let sql = "SELECT id, run FROM runs WHERE project = $1 ORDER BY run";
            tx.all(sql, &[project.as_str().into()], |row| {
                Ok((row.integer(0)?, name::<RunId>(row.text(1)?)?))
            })
        })?;
        for (id, run) in runs {
            let run = RunKey {
                project: project.clone(),
                run,
            };
            let keeps = match self.run(&run) {
                Ok(document) => document.tags.iter().any(|tag| tag == KEEP_TAG),
                // It went meanwhile, or is in the trash.
                Err(StoreError::NotFound(_)) => true,
                Err(error) => return Err(error),
            };
            if keeps {
                continue;
            }
            let (values, keys) = self.engine().read(|tx| media_of(tx, id))?;
            expired.extend(self.expired_of(&run, &values, &keys, settings, now));
        }
        Ok(expired)
    }

    fn expired_of(
        &self,
        run: &RunKey,
        values: &[Value],
        keys: &HashMap<i64, String>,
        settings: &ProjectSettings,
        now: Timestamp,
    ) -> Vec<Expired> {
        let rules: Vec<Option<String>> = rules(values, settings, now);
        let kept: BTreeSet<Digest> = values
            .iter()
            .zip(&rules)
            .filter(|(_, rule)| rule.is_none())
            .flat_map(|(value, _)| value.media.blobs().map(|blob| blob.digest))
            .collect();
        let mut found: BTreeMap<Digest, Expired> = BTreeMap::new();
        for (value, rule) in values.iter().zip(rules) {
            let Some(why) = rule else { continue };
            for blob in value.media.blobs() {
                if kept.contains(&blob.digest) || !self.blob_present(run, &blob.digest) {
                    continue;
                }
                found.entry(blob.digest).or_insert_with(|| Expired {
                    run: run.clone(),
                    key: keys.get(&value.series).cloned().unwrap_or_default(),
                    step: value.step,
                    digest: blob.digest,
                    bytes: blob.bytes,
                    why: why.clone(),
                });
            }
        }
        found.into_values().collect()
    }

    /// Removes blobs that go by a rule, and says so in the folders of their runs and in the audit log. Gives how many were removed, and
    /// their bytes; one that cannot be removed now stays until the next time.
    ///
    /// # Errors
    /// If what is removed cannot be noted first.
    pub fn remove_expired(&self, expired: &[Expired]) -> Result<(u64, u64), StoreError> {
        let now = Timestamp::now();
        let mut by_run: BTreeMap<(&Project, &str), Vec<&Expired>> = BTreeMap::new();
        for blob in expired {
            let place = (&blob.run.project, blob.run.run.as_str());
            by_run.entry(place).or_default().push(blob);
        }
        let mut total = (0, 0);
        for blobs in by_run.into_values() {
            let Some(first) = blobs.first() else { continue };
            let run = &first.run;
            let dir = self.root().run(&run.project, &run.run);
            let notes: Vec<Removed> = blobs
                .iter()
                .map(|blob| Removed {
                    digest: blob.digest,
                    bytes: blob.bytes,
                    time: now,
                    why: blob.why.clone(),
                })
                .collect();
            Removed::note(&dir, &notes).map_err(StoreError::io(&dir.removed()))?;
            let mut gone = (0, 0);
            for blob in &blobs {
                match fs::remove_file(dir.blobs().path(&blob.digest)) {
                    Ok(()) => gone = (gone.0 + 1, gone.1 + blob.bytes),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => {
                        let text = format!("{} stays: {error}", blob.digest);
                        self.note("retention.failed", &text)?;
                    }
                }
            }
            let detail = format!("{} blobs, {} bytes: {}", gone.0, gone.1, first.why);
            self.engine()
                .write(|tx| note(tx, self.actor(), "run.expire", About::run(run, &detail)))?;
            self.recount(&run.project);
            total = (total.0 + gone.0, total.1 + gone.1);
        }
        Ok(total)
    }

    /// Follows the rules of all projects; the indexer does so every hour.
    ///
    /// # Errors
    /// As [`Self::expired`] and [`Self::remove_expired`].
    pub fn follow_retention(&self) -> Result<(u64, u64), StoreError> {
        let store = self.by(Actor::rule("retention"));
        let mut total = (0, 0);
        for (project, settings) in store.all_project_settings()? {
            let removed = store.remove_expired(&store.expired(&project, &settings)?)?;
            total = (total.0 + removed.0, total.1 + removed.1);
        }
        Ok(total)
    }
}

/// The media of a run, and the names of their series.
fn media_of(
    tx: &mut dyn Transaction,
    run: i64,
) -> Result<(Vec<Value>, HashMap<i64, String>), StoreError> {
    let sql = "SELECT s.id, k.name FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 AND s.kind = 2";
    let keys = tx.all(sql, &[run.into()], |row| {
        Ok((row.integer(0)?, row.text(1)?.to_owned()))
    })?;
    let sql = "SELECT id, step, time, data FROM media WHERE run = $1";
    let values = tx.all(sql, &[run.into()], |row| {
        Ok(Value {
            series: row.integer(0)? >> PLACE_BITS,
            step: step_from_sql(row.integer(1)?),
            time: Timestamp(row.integer(2)?),
            media: from_json(row.text(3)?, "a media value")?,
        })
    })?;
    Ok((values, keys.into_iter().collect()))
}

/// By which rule each value goes, if by one.
fn rules(values: &[Value], settings: &ProjectSettings, now: Timestamp) -> Vec<Option<String>> {
    // The steps of checkpoints of each series, of which the last ones stay.
    let mut steps: HashMap<i64, BTreeSet<u64>> = HashMap::new();
    for value in values.iter().filter(|value| is_checkpoint(&value.media)) {
        steps.entry(value.series).or_default().insert(value.step);
    }
    let first_kept = |series: i64, keep: u32| {
        let steps = steps.get(&series)?;
        let before = keep.saturating_sub(1) as usize;
        steps
            .iter()
            .nth_back(before)
            .or_else(|| steps.first())
            .copied()
    };
    let rule = |value: &Value| match &value.media.detail {
        MediaDetail::File { .. } => {
            let keep = settings.keep_checkpoints?;
            let goes = is_checkpoint(&value.media)
                && first_kept(value.series, keep).is_some_and(|first| value.step < first);
            goes.then(|| format!("the last {keep} checkpoints are kept"))
        }
        _ => {
            let days = settings.media_days?;
            let goes = value.time.0 < now.0.saturating_sub(i64::from(days) * DAY);
            goes.then(|| format!("media are kept for {days} days"))
        }
    };
    values.iter().map(rule).collect()
}

fn is_checkpoint(media: &Media) -> bool {
    matches!(&media.detail, MediaDetail::File { role: Some(role), .. } if role == CHECKPOINT)
}

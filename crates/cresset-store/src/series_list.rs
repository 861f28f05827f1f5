//! Which series runs have.

use std::collections::{BTreeMap, BTreeSet};

use cresset_record::{Definition, Digest, Project, Rank, RunId, resolve};

use crate::document::{RunKey, SeriesInfo};
use crate::error::StoreError;
use crate::index::{SeriesState, StoredHead, from_json, kind_from_sql};
use crate::store::Store;

impl Store {
    /// The series of some runs of a project (of all, if `runs` is `None`), joined by key and kind, in the order of keys.
    /// Runs in the trash count only where they are asked for.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn series(
        &self,
        project: &Project,
        runs: Option<&[RunId]>,
    ) -> Result<Vec<SeriesInfo>, StoreError> {
        let mut found = BTreeMap::new();
        self.engine().read(|tx| {
            let mut ids = Vec::new();
            match runs {
                None => ids = tx.all(
                    "SELECT r.id FROM runs r LEFT JOIN trash t ON t.project = r.project AND t.run = r.run \
                     WHERE r.project = $1 AND t.deleted IS NULL ORDER BY r.ordinal DESC",
                    &[project.as_str().into()],
                    |row| row.integer(0),
                )?,
                Some(runs) => for run in runs {
                    ids.extend(tx.first(
                        "SELECT id FROM runs WHERE project = $1 AND run = $2",
                        &[project.as_str().into(), run.as_str().into()],
                        |row| row.integer(0),
                    )?);
                },
            }
            for &id in &ids {
                self.add_run(tx, id, &mut found)?;
            }
            // What users say of keys is most often the same for all runs of a project: the newest that says anything counts.
            let mut definitions: Vec<Definition> = Vec::new();
            for id in ids {
                if definitions.is_empty() {
                    let head = tx.first("SELECT head FROM runs WHERE id = $1", &[id.into()], |row| {
                        from_json::<StoredHead>(row.text(0)?, "a run's head")
                    })?;
                    definitions = head.map(|h| h.definitions).unwrap_or_default();
                }
            }
            for (info, ranks) in found.values_mut() {
                info.ranks = ranks.iter().copied().collect();
                info.definition = resolve(&definitions, &info.key);
            }
            Ok(())
        })?;
        Ok(found.into_values().map(|(info, _)| info).collect())
    }

    fn add_run(
        &self,
        tx: &mut dyn crate::engine::Transaction,
        run: i64,
        found: &mut BTreeMap<(String, i64), (SeriesInfo, BTreeSet<Rank>)>,
    ) -> Result<(), StoreError> {
        let mut of_run: BTreeSet<(String, i64)> = BTreeSet::new();
        tx.query(
            "SELECT k.name, s.kind, s.rank, s.state FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1",
            &[run.into()],
            &mut |row| {
                let state = SeriesState::decode(row.bytes(3)?)?;
                if state.block.count == 0 {
                    return Ok(());
                }
                let place = (row.text(0)?.to_owned(), row.integer(1)?);
                let kind = kind_from_sql(place.1)?;
                let (info, ranks) = found.entry(place.clone()).or_insert_with(|| {
                    let info = SeriesInfo {
                        key: place.0.clone(),
                        kind,
                        media: Vec::new(),
                        runs: 0,
                        ranks: Vec::new(),
                        count: 0,
                        last_step: None,
                        definition: Definition::default(),
                    };
                    (info, BTreeSet::new())
                });
                if of_run.insert(place) {
                    info.runs += 1;
                }
                ranks.insert(Rank(u32::try_from(row.integer(2)?).unwrap_or(u32::MAX)));
                info.count += state.block.count;
                info.last_step = info.last_step.max(state.last.map(|(step, _)| step));
                for media in state.media {
                    if !info.media.contains(&media) {
                        info.media.push(media);
                    }
                }
                Ok(())
            },
        )
    }

    /// The bytes of all blobs of a run's folder: how many, and how large.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn blob_bytes(&self, key: &RunKey) -> Result<(u64, u64), StoreError> {
        self.blobs().total(key)
    }

    /// An opened blob and its length. Its digest is checked where that was not done before.
    ///
    /// # Errors
    /// `NotFound` where it is missing or damaged; the text says which.
    pub fn blob(&self, key: &RunKey, digest: &Digest) -> Result<(std::fs::File, u64), StoreError> {
        self.blobs().open(key, digest)
    }

    /// Whether a blob is there; its digest is not checked.
    #[must_use]
    pub fn blob_present(&self, key: &RunKey, digest: &Digest) -> bool {
        self.blobs().is_there(key, digest)
    }
}

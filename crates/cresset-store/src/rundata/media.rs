//! Images, tables, figures and files of a run.

use std::collections::{BTreeSet, HashMap};

use cresset_record::{Media, Rank, Timestamp, pattern_matches};

use super::histograms::{run_id, to_rank};
use super::{MediaEntry, MediaPage, MediaQuery};
use crate::document::RunKey;
use crate::engine::{Transaction, step_from_sql};
use crate::error::StoreError;
use crate::index::{PLACE_BITS, from_json};
use crate::store::Store;

/// Steps that a page names.
const MAX_STEPS: usize = 5000;

impl Store {
    /// Media of a run.
    ///
    /// # Errors
    /// `NotFound`, or if the index cannot be read.
    pub fn media(&self, key: &RunKey, query: &MediaQuery) -> Result<MediaPage, StoreError> {
        self.engine().read(|tx| {
            let run = run_id(tx, key)?;
            let series = series_of(tx, run, query)?;
            let Found { steps, mut places } = find(tx, run, query, &series)?;
            let total = places.len() as u64;
            let place = |id: i64| {
                let (name, rank) = series
                    .get(&(id >> PLACE_BITS))
                    .map_or(("", Rank(0)), |(n, r)| (n.as_str(), *r));
                (name, rank, id)
            };
            places.sort_by(|a, b| {
                let by_step = if query.ascending {
                    a.0.cmp(&b.0)
                } else {
                    b.0.cmp(&a.0)
                };
                by_step.then_with(|| place(a.1).cmp(&place(b.1)))
            });
            let mut items = Vec::new();
            for (step, id) in places.into_iter().skip(query.offset).take(query.limit) {
                let stored = tx.first(
                    "SELECT time, data FROM media WHERE id = $1",
                    &[id.into()],
                    |row| {
                        Ok((
                            row.integer(0)?,
                            from_json::<Media>(row.text(1)?, "a media value")?,
                        ))
                    },
                )?;
                let Some((time, media)) = stored else {
                    continue;
                };
                let (name, rank, _) = place(id);
                items.push(MediaEntry {
                    key: name.to_owned(),
                    rank,
                    index: (id & ((1 << PLACE_BITS) - 1)) as u64,
                    step,
                    time: Timestamp(time),
                    media,
                });
            }
            Ok(MediaPage {
                total,
                steps: steps.into_iter().collect(),
                items,
            })
        })
    }
}

/// The series that are asked for, by their ids.
fn series_of(
    tx: &mut dyn Transaction,
    run: i64,
    query: &MediaQuery,
) -> Result<HashMap<i64, (String, Rank)>, StoreError> {
    let mut series = HashMap::new();
    tx.query(
        "SELECT s.id, k.name, s.rank FROM series s JOIN keys k ON k.id = s.name WHERE s.run = $1 AND s.kind = 2",
        &[run.into()],
        &mut |row| {
            let (name, rank) = (row.text(1)?, to_rank(row.integer(2)?));
            let by_key = query.keys.is_empty() || query.keys.iter().any(|p| pattern_matches(p, name));
            if by_key && query.rank.is_none_or(|r| r == rank) {
                series.insert(row.integer(0)?, (name.to_owned(), rank));
            }
            Ok(())
        },
    )?;
    Ok(series)
}

#[derive(Default)]
struct Found {
    /// The first steps at which there is any, whatever steps are asked for.
    steps: BTreeSet<u64>,
    /// Step and id of what is asked for.
    places: Vec<(u64, i64)>,
}

/// What these series have.
fn find(
    tx: &mut dyn Transaction,
    run: i64,
    query: &MediaQuery,
    series: &HashMap<i64, (String, Rank)>,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    // A figure's kind is `figure:roc`; asking for `figure` means all of them.
    let kind = query.kind.as_deref();
    let figures = kind.map(|kind| format!("{kind}:%"));
    let (from, to) = (query.from.unwrap_or(0), query.to.unwrap_or(u64::MAX));
    tx.query(
        "SELECT id, step FROM media WHERE run = $1 AND ($2 IS NULL OR kind = $2 OR kind LIKE $3) \
         AND ($4 IS NULL OR true_class = $4) AND ($5 IS NULL OR predicted_class = $5) ORDER BY step",
        &[
            run.into(),
            kind.into(),
            figures.as_deref().into(),
            query.true_class.as_deref().into(),
            query.predicted_class.as_deref().into(),
        ],
        &mut |row| {
            let (id, step) = (row.integer(0)?, step_from_sql(row.integer(1)?));
            if series.contains_key(&(id >> PLACE_BITS)) {
                if found.steps.len() < MAX_STEPS {
                    found.steps.insert(step);
                }
                if (from..=to).contains(&step) {
                    found.places.push((step, id));
                }
            }
            Ok(())
        },
    )?;
    Ok(found)
}

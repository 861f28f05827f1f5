//! Alerts of a project or run.

use cresset_record::{Alert, Level, Project, RunId, Timestamp};

use super::AlertEntry;
use super::console::to_level;
use super::histograms::to_rank;
use crate::engine::{Arg, step_from_sql};
use crate::error::StoreError;
use crate::index::{ALERT_BITS, run_key};
use crate::store::Store;

impl Store {
    /// Alerts of at least a level, of a project or of one of its runs: how many, and some of them, newest first. Those of
    /// runs in the trash count only where the run is asked for.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn alerts(
        &self,
        project: &Project,
        run: Option<&RunId>,
        least: Level,
        offset: usize,
        limit: usize,
    ) -> Result<(u64, Vec<AlertEntry>), StoreError> {
        self.engine().read(|tx| {
            // Ids of alerts begin with that of their run, so that each run's are found without looking at others.
            let from = format!(
                "FROM runs r JOIN alerts a ON a.id >= r.id * {span} AND a.id < (r.id + 1) * {span} \
                 LEFT JOIN trash t ON t.project = r.project AND t.run = r.run \
                 WHERE r.project = $1 AND a.level >= $2 AND CASE WHEN $3 IS NULL THEN t.deleted IS NULL ELSE r.run = $3 END",
                span = 1i64 << ALERT_BITS,
            );
            let run: Arg<'_> = run.map(RunId::as_str).into();
            let which: [Arg<'_>; 3] = [project.as_str().into(), (least as i64).into(), run];
            let total = tx.first(&format!("SELECT COUNT(*) {from}"), &which, |row| row.integer(0))?;
            let page = |n: usize| Arg::Integer(i64::try_from(n).unwrap_or(i64::MAX));
            let entries = tx.all(
                &format!(
                    "SELECT r.project, r.run, a.rank, a.time, a.level, a.title, a.text, a.step {from} \
                     ORDER BY a.time DESC, a.id DESC LIMIT $4 OFFSET $5"
                ),
                &[which[0], which[1], which[2], page(limit), page(offset)],
                |row| {
                    Ok(AlertEntry {
                        key: run_key(row.text(0)?, row.text(1)?)?,
                        rank: to_rank(row.integer(2)?),
                        alert: Alert {
                            time: Timestamp(row.integer(3)?),
                            level: to_level(row.integer(4)?),
                            title: row.text(5)?.to_owned(),
                            text: row.text(6)?.to_owned(),
                            step: row.optional_integer(7)?.map(step_from_sql),
                        },
                    })
                },
            )?;
            Ok((total.unwrap_or(0) as u64, entries))
        })
    }
}

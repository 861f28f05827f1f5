//! Answers a question for the table.

use cresset_record::Timestamp;

use super::columns::Columns;
use super::group::group;
use super::search::Search;
use super::sort::Order;
use super::{RunPage, RunRow, TableQuery};
use crate::error::StoreError;
use crate::filter::{Filter, FilterError};
use crate::row::{FieldPath, Row};
use crate::values::Names;

/// Most fields that can be sorted or grouped by, and most columns that can be named.
const MAX_FIELDS: usize = 1_000;

impl TableQuery {
    /// Answers from all runs that the question is about.
    pub(super) fn answer<'a>(
        &self,
        runs: impl Iterator<Item = &'a Row>,
        names: &Names,
        version: u64,
        now: Timestamp,
    ) -> Result<RunPage, StoreError> {
        self.check()?;
        let filter = parse(&self.filter)?.map(|filter| filter.prepare(names));
        let search = Search::new(&self.search);
        let newest = ["-created".to_owned()];
        let order = match self.sort.as_slice() {
            [] => Order::new(&newest, names)?,
            fields => Order::new(fields, names)?,
        };
        let fields: Vec<FieldPath> = self
            .group
            .iter()
            .map(|field| FieldPath::new(field, names))
            .collect();
        let mut columns = Columns::new(&self.columns, names);

        let mut total = 0;
        let passes = |run: &&Row| {
            search.finds(&run.head) && filter.as_ref().is_none_or(|f| f.matches(run, now))
        };
        let mut passing: Vec<&Row> = runs.inspect(|_| total += 1).filter(passes).collect();
        order.sort(&mut passing, names, now);
        let groups = match fields.as_slice() {
            [] => Vec::new(),
            fields => group(&passing, fields, &mut columns, names, now),
        };
        let page = passing.iter().skip(self.offset).take(self.limit);
        let runs = page.map(|run| RunRow {
            head: run.head.clone(),
            values: columns.values(run, names, now),
        });
        Ok(RunPage {
            version,
            total,
            matched: passing.len(),
            runs: runs.collect(),
            groups,
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        for (fields, what) in [
            (&self.sort, "sorted by"),
            (&self.group, "grouped by"),
            (&self.columns, "shown with"),
        ] {
            if fields.len() > MAX_FIELDS {
                return Err(StoreError::invalid(format!(
                    "runs can be {what} at most {MAX_FIELDS} fields at once, not {}",
                    fields.len()
                )));
            }
        }
        Ok(())
    }
}

/// Reads a filter; an empty one is none.
pub(super) fn parse(filter: &str) -> Result<Option<Filter>, StoreError> {
    let filter = Some(filter).filter(|text| !text.trim().is_empty());
    Ok(filter.map(Filter::parse).transpose()?)
}

impl From<FilterError> for StoreError {
    fn from(error: FilterError) -> Self {
        Self::Invalid {
            message: error.to_string(),
            column: Some(error.column()),
        }
    }
}

//! Runs at rest: an index of the run logs of a folder that answers tables, charts and filters at once.
//!
//! The logs are the truth; the index is derived from them and can be rebuilt. [`Store`] is the door: [`Store::open`] a
//! folder of runs, [`Store::refresh`] what it knows, and ask. What people say of runs (labels, views, keys, what they put
//! into the trash) has no log and is kept in the same database, apart from what is derived.
//!
//! The command `cresset` and the server are built on it; so can be a program of your own that compares runs:
//!
//! ```
//! use cresset_record::{Project, Root};
//! use cresset_store::{Axis, ChartQuery, RankChoice, Store, TableQuery};
//!
//! # let place = tempfile::tempdir()?;
//! # let folder = place.path();
//! # for (name, lr) in [("slow", 1e-3), ("fast", 1e-2), ("wild", 1.0)] {
//! #     let config = serde_json::json!({"lr": lr});
//! #     let run = cresset_run::init("solder").dir(folder).name(name).config(&config).start()?;
//! #     for step in 0..5_000 {
//! #         run.log(step, [("train/loss", 1.0 / (1.0 + lr * step as f64))]);
//! #     }
//! #     run.finish();
//! # }
//! let store = Store::open(Root::new(folder))?; // of three runs of 5,000 steps
//! let found = store.refresh()?;
//! assert_eq!((found.changes.len(), found.points), (3, 15_000));
//!
//! let project = Project::try_from("solder".to_owned())?;
//! let query = TableQuery {
//!     filter: "config.lr < 0.1".into(),
//!     sort: vec!["train/loss".into()],
//!     limit: 10,
//!     ..TableQuery::default()
//! };
//! let page = store.runs(&project, &query)?;
//! let names: Vec<&str> = page.runs.iter().map(|row| &*row.head.name).collect();
//! assert_eq!(names, ["fast", "slow"]);
//!
//! let chart = store.chart(&ChartQuery {
//!     project,
//!     runs: page.runs.iter().map(|row| row.head.key.run.clone()).collect(),
//!     key: "train/loss".into(),
//!     axis: Axis::Step,
//!     from: None,
//!     to: None,
//!     buckets: 100, // at most: these are of 52 steps each, with the extremes of their points
//!     ranks: RankChoice::Lowest,
//! })?;
//! assert_eq!((chart.series.len(), chart.grid.x.len()), (2, 97));
//! assert_eq!(chart.series[0].max[0], 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod background;
mod backup;
mod chart;
mod check;
mod chunk;
mod document;
mod documents;
mod engine;
mod error;
mod filter;
mod index;
mod intake;
mod lead;
mod open;
mod people;
mod points;
mod retention;
mod row;
mod rundata;
mod series_list;
mod store;
mod table;
mod usage;
mod values;
mod varint;
mod words;

pub use backup::{Backup, BadFile, backups, check_backup, restore_backup, thin_backups};
pub use chart::{Axis, Chart, ChartQuery, ChartSeries, Grid, NonFinite, RankChoice};
pub use check::{Checked, Difference};
pub use document::{LossTotal, RunDocument, RunKey, SeriesInfo, SeriesKind, Writer};
pub use error::StoreError;
pub use filter::{Filter, FilterError};
pub use intake::{IncomingBlob, MissingBlob, Taken};
pub use people::{
    Access, AccessKey, Actor, AuditEntry, AuditQuery, Grant, KeyScope, LabelPatch, NewKey,
    ProjectSettings, Role, Trashed, User, Via, View,
};
pub use retention::{Expired, KEEP_TAG};
pub use row::RunHead;
pub use rundata::{
    AlertEntry, ConsoleEntry, ConsolePage, ConsoleQuery, HistogramColumn, HistogramSeries,
    MediaEntry, MediaPage, MediaQuery, TensorSummary,
};
pub use store::{Change, ChangeKind, IndexStatus, Indexer, ProjectOverview, Refreshed, Store};
pub use table::{Field, FieldKind, FieldSource, RunGroup, RunPage, RunRow, Spread, TableQuery};
pub use words::size_in_words;

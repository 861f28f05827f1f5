//! Runs at rest: an index of the run logs of a folder that answers tables, charts and filters at once.
//!
//! The logs are the truth; the index is derived from them and can be rebuilt. [`Store`] is the door: [`Store::open`] a
//! folder of runs, [`Store::refresh`] what it knows, and ask. What people say of runs (labels, views, keys, what they put
//! into the trash) has no log and is kept in the same database, apart from what is derived.

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

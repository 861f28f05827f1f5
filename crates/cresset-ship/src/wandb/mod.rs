//! Runs for W&B.
//!
//! [`OfflineRun`] writes a folder that `wandb sync` takes, [`OnlineRun`] speaks to a server as W&B's own client does, and [`read`] reads such
//! folders' files. What goes where:
//!
//! | of Cresset | at W&B |
//! |---|---|
//! | id, name, group, job type, tags, notes | the same; a project without `/\#?%:`, tags of at most 64 characters |
//! | config and its changes | config |
//! | environment | host, commit, remote and program of the run; whole in the file `cresset-environment.json` |
//! | scalars | history, one row a step; ranks beyond the first as `rank_<n>/<key>` |
//! | telemetry | system metrics under W&B's names and units (`gpu.0.memoryAllocated`, `proc.memory.rssMB`, …), else `gpu.0.energy`; other ranks with `/l:rank_<n>` |
//! | histograms | histograms of at most 512 bins; counts of NaN and infinities as `<key>/nan`, …; mean, norm and the like stay in Cresset's log |
//! | images with boxes and masks, sound, video, pages, points | W&B's media of that kind; what a sample shows is in its caption |
//! | tables | `table-file`, without the artifact that W&B's client makes beside it |
//! | figures | custom charts by W&B's presets, over a table `<key>_table`; a heat map is the table alone |
//! | text | a value that is text; without its caption |
//! | files | files of the run at `<key>/<step>/<name>`; history has the path. Their metadata stay in Cresset's log |
//! | definitions | metrics; a pattern that W&B cannot expand is told for each key. Units stay in Cresset's log |
//! | summary | summary, with W&B's `{"min": …}` for rules. NaN is skipped by rules, where W&B's client keeps it for good |
//! | console, `tracing` events | lines of `output.log`; warnings and errors as standard error |
//! | alerts | alerts, by W&B at most one a minute and title |
//! | losses | lines of the console |
//! | state | code of exit 0 (finished, stopped) or 1 (failed, crashed); a reason is a line of the console |
//!
//! **Steps rise.** W&B has one row a step and one value a key in it; its client drops steps that come late, and its `sync` gives them other
//! numbers. Here a row waits five seconds of the run for values that belong to it. What comes later still, and the first of two values of
//! a key and step, does not go to W&B: the console says so at once and how many at the end. Points that a resumed run logs again are such.
//!
//! **Twice is once.** A file is cut to what was acknowledged before it is written on; a server's lines have numbers and are put to their old places;
//! media are named by their bytes. An alert may come twice, if its answer is lost.

mod api;
mod decode;
mod entry;
mod figure;
mod files;
mod head;
mod heartbeat;
mod histogram;
mod log;
mod media;
mod naming;
mod offline;
mod online;
pub mod read;
mod record;
mod remembered;
mod rows;
mod stream;
mod summary;
mod system;
mod translate;
mod value;

pub use naming::Naming;
pub use offline::OfflineRun;
pub use online::OnlineRun;
pub(crate) use system::our_name;

#[cfg(test)]
mod tests;

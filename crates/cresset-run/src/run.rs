//! A run, as the program that trains sees it.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cresset_record::{
    Alert, ConfigUpdate, Definition, KeyId, LabelUpdate, Level, LossReason, Outcome, Record,
    TensorStats,
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::builder::as_json;
use crate::companion::Companion;
use crate::environment;
use crate::media::{Encoded, Value};
use crate::panics;
use crate::recorder::Recorder;
use crate::scalar::Scalar;
use crate::series::sealed::Within;
use crate::series::{Series, SeriesKey};
use crate::sync::lock;
use crate::tensor::Tensor;

/// How long a run that is dropped may take to bring everything to the disk.
const DROP_DEADLINE: Duration = Duration::from_secs(10);

/// A run being recorded. Clones are handles of the same run.
///
/// Nothing here blocks, fails or panics because of recording, under the default settings: what cannot be kept is
/// dropped, counted, and shown as lost. The run finishes when the last handle is dropped; as *failed*, with message and
/// place, when that happens in a panic.
#[derive(Clone)]
pub struct Run {
    /// `None` if recording is disabled.
    recorder: Option<Arc<Recorder>>,
    /// `None` in the handles that deferred work gets: those do not keep the run open.
    _guard: Option<Arc<Guard>>,
    name: Arc<str>,
}

/// Ends the run when the last handle goes.
struct Guard(Arc<Recorder>);

impl Drop for Guard {
    fn drop(&mut self) {
        let recorder = &self.0;
        if !recorder.close(Instant::now() + DROP_DEADLINE) {
            eprintln!(
                "cresset: warning: {} was not written completely",
                recorder.dir.path().display()
            );
        }
    }
}

/// What [`Run::finish`] brought home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whether everything that was logged, less what is counted as lost, is on the disk, and the run's end with it.
    pub complete: bool,
    /// How many values were lost in the whole run.
    pub lost: u64,
    /// Where the run is; `None` if recording was disabled.
    pub dir: Option<PathBuf>,
}

impl Run {
    pub(crate) fn new(recorder: Arc<Recorder>, name: &str) -> Self {
        let guard = Some(Arc::new(Guard(Arc::clone(&recorder))));
        Self {
            recorder: Some(recorder),
            _guard: guard,
            name: name.into(),
        }
    }

    pub(crate) fn disabled(name: &str) -> Self {
        Self {
            recorder: None,
            _guard: None,
            name: name.into(),
        }
    }

    /// A handle that does not keep the run open.
    fn weak(&self) -> Self {
        Self {
            recorder: self.recorder.clone(),
            _guard: None,
            name: Arc::clone(&self.name),
        }
    }

    pub(crate) fn accompany(&self, mut companion: Box<dyn Companion>) {
        if let Some(recorder) = self.recorder() {
            companion.begin(self.weak());
            recorder.accompany(companion);
        }
    }

    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    /// Whether anything is recorded; `false` under `CRESSET_MODE=disabled`.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.recorder.is_some()
    }

    /// Whether what is logged now is still recorded: the run is enabled and not finished.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorder().is_some_and(|r| !r.is_closed())
    }

    /// The highest step of a scalar that this process logged; `None` before the first.
    #[must_use]
    pub fn step(&self) -> Option<u64> {
        self.recorder()?.progress.step()
    }

    /// The one `T` of this run, made by the first who asks: for parts of a callback crate that see the run and not each
    /// other.
    #[must_use]
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let Some(recorder) = self.recorder() else {
            return Arc::default();
        };
        let mut all = lock(&recorder.shared);
        let known = all.iter().find_map(|any| Arc::clone(any).downcast().ok());
        known.unwrap_or_else(|| {
            let new = Arc::<T>::default();
            all.push(Arc::clone(&new) as Arc<dyn Any + Send + Sync>);
            new
        })
    }

    /// Keeps the mean of one series from now on, for [`Self::tracked_mean`]. One series a run: a second call does nothing.
    pub fn track_mean(&self, key: &str) {
        if let Some(recorder) = self.recorder()
            && let Some(id) = recorder.intern(key)
        {
            recorder.progress.track(id);
        }
    }

    /// The mean of the finite values of the series that [`Self::track_mean`] named; `None` without any.
    #[must_use]
    pub fn tracked_mean(&self) -> Option<f64> {
        self.recorder()?.progress.mean()
    }

    /// The run's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The run's id; empty if recording is disabled.
    #[must_use]
    pub fn id(&self) -> &str {
        self.recorder().map_or("", |r| r.dir.id_text())
    }

    /// Where the run is recorded; `None` if recording is disabled.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        self.recorder().map(|r| r.dir.path())
    }

    /// A handle for the series `key`, for log calls that look nothing up. A key is 1 to 512 bytes, `/`-separated,
    /// without control characters; `cresset/` is reserved. What is logged to any other key is counted as lost.
    #[must_use]
    pub fn series(&self, key: &str) -> Series {
        Series::new(self.recorder(), key)
    }

    /// Logs scalars of one step: pairs of a key or [`Series`], and a number. NaN and infinities are kept, and so are
    /// steps that go back or come twice. The first NaN or infinity of a series whose name says loss (`train/loss`,
    /// `nll_loss`), becomes an alert, on a thread of ours; of 32 series at most.
    ///
    /// ```
    /// # let run = cresset_run::init("doc").disabled(true).start()?;
    /// run.log(7, [("train/loss", 0.31), ("train/lr", 1e-3)]);
    /// # Ok::<(), cresset_run::StartError>(())
    /// ```
    pub fn log<K: SeriesKey, V: Scalar>(
        &self,
        step: u64,
        values: impl IntoIterator<Item = (K, V)>,
    ) {
        thread_local! {
            /// One row, its memory used again.
            static ROW: RefCell<Vec<(KeyId, f64)>> = const { RefCell::new(Vec::new()) };
        }
        let Some(recorder) = self.recorder() else {
            return;
        };
        // Taken out while the user's iterator runs: it may log as well.
        let mut row = ROW.try_with(RefCell::take).unwrap_or_default();
        row.clear();
        for (key, value) in values {
            match key.id(Within(recorder)) {
                Some(id) => row.push((id, value.to_f64())),
                None => recorder.losses.points(LossReason::BadKey, 1),
            }
        }
        recorder.row(step, &row);
        let _ = ROW.try_with(|slot| slot.replace(row));
    }

    /// Logs an image, text, table, figure, file, … Encoding and redaction happen on a thread of ours; only making the
    /// value costs the caller anything.
    pub fn log_value(&self, step: u64, key: impl SeriesKey, value: impl Into<Value>) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        let Some(id) = key.id(Within(recorder)) else {
            return recorder.losses.values(LossReason::BadKey, 1);
        };
        let value = value.into();
        if let Value::Histogram(stats) = value {
            return record_histogram(recorder, id, step, stats);
        }
        let time = recorder.now();
        let name = key.name().to_owned();
        let target = Arc::clone(recorder);
        let queued = recorder.worker.submit(value.bytes(), move || {
            match value.encode(&name, &target.blobs(), &target.redactions) {
                Ok(Encoded::Media(media)) => {
                    target.record(
                        Record::Media {
                            key: id,
                            step,
                            time,
                            media,
                        },
                        512,
                    );
                }
                Ok(Encoded::Histogram(stats)) => record_histogram(&target, id, step, *stats),
                Err(e) => {
                    let reason = if e.is_storage() {
                        LossReason::Storage
                    } else {
                        LossReason::BadValue
                    };
                    target.losses.values(reason, 1);
                    target.warn_once(&format!("{name} at step {step} was not recorded: {e}"));
                }
            }
        });
        if !queued {
            let closed = recorder.is_closed();
            recorder.losses.values(
                if closed {
                    LossReason::Finished
                } else {
                    LossReason::Overflow
                },
                1,
            );
        }
    }

    /// Logs a histogram, with the statistics of the values it is made from: one pass over them, here and now
    /// (0.7 ms for a million `f32`).
    pub fn log_histogram(&self, step: u64, key: impl SeriesKey, values: &(impl Tensor + ?Sized)) {
        if self.is_enabled() {
            self.log_value(step, key, Value::Histogram(values.stats()));
        }
    }

    /// Logs a scalar that is not known yet: `read` is called on a thread of ours, and may wait for a device. `None`
    /// counts as lost.
    pub fn log_late(
        &self,
        step: u64,
        key: impl SeriesKey,
        read: impl FnOnce() -> Option<f64> + Send + 'static,
    ) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        let Some(id) = key.id(Within(recorder)) else {
            return recorder.losses.points(LossReason::BadKey, 1);
        };
        let target = Arc::clone(recorder);
        let queued = recorder.worker.submit(64, move || match read() {
            Some(value) => target.row(step, &[(id, value)]),
            None => target.losses.points(LossReason::BadValue, 1),
        });
        if !queued {
            recorder.losses.points(LossReason::Overflow, 1);
        }
    }

    /// Does `work` on a thread of ours, in order, where it may wait for a device; it holds about `bytes` until then.
    /// The handle that it gets does not keep the run open. `false`, and nothing done, if too much waits already.
    pub fn defer(&self, bytes: usize, work: impl FnOnce(&Self) + Send + 'static) -> bool {
        let Some(recorder) = self.recorder() else {
            return false;
        };
        let handle = self.weak();
        recorder.worker.submit(bytes, move || work(&handle))
    }

    /// How many pieces of work wait for the worker's thread.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.recorder().map_or(0, |r| r.worker.backlog())
    }

    /// Says what a series, or all series of a pattern, mean.
    ///
    /// ```
    /// # let run = cresset_run::init("doc").disabled(true).start()?;
    /// use cresset_run::{Definition, SummaryRule};
    /// run.define(Definition::new("val/auc").maximize().summary(SummaryRule::Best));
    /// run.define(Definition::new("time/*").unit("ms"));
    /// # Ok::<(), cresset_run::StartError>(())
    /// ```
    pub fn define(&self, definition: Definition) {
        self.submit(Record::Define(definition), 128);
    }

    /// Puts a value into the summary by hand; it wins over what a series gives.
    pub fn set_summary(&self, key: &str, value: impl Serialize) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        match as_json(&value) {
            Ok(value) => {
                let entry = Map::from_iter([(key.to_owned(), value)]);
                recorder.record(Record::Summary(entry), 128 + key.len());
            }
            Err(_) => recorder.losses.values(LossReason::BadValue, 1),
        }
    }

    /// Changes config after the start: the given top-level keys get new values, and the change is kept as such.
    pub fn update_config(&self, values: &impl Serialize) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        match as_json(values) {
            Ok(Json::Object(mut values)) => {
                environment::mask(&mut values);
                let time = recorder.now();
                recorder.record(Record::Config(ConfigUpdate { time, values }), 1024);
            }
            _ => recorder.losses.values(LossReason::BadValue, 1),
        }
    }

    /// Replaces the tags.
    pub fn set_tags(&self, tags: impl IntoIterator<Item = impl Into<String>>) {
        let tags = Some(tags.into_iter().map(Into::into).collect());
        self.submit(
            Record::Label(LabelUpdate {
                tags,
                ..LabelUpdate::default()
            }),
            256,
        );
    }

    /// Replaces the notes.
    pub fn set_notes(&self, notes: impl Into<String>) {
        let notes: String = notes.into();
        let bytes = notes.len();
        self.submit(
            Record::Label(LabelUpdate {
                notes: Some(notes),
                ..LabelUpdate::default()
            }),
            bytes,
        );
    }

    /// Tells people to look: one line, and the rest.
    pub fn alert(&self, level: Level, title: impl Into<String>, text: impl Into<String>) {
        self.alert_record(None, level, title.into(), text.into());
    }

    /// An alert that whoever started the program is to see at once.
    pub(crate) fn warn(&self, title: String, text: impl Into<String>) {
        let text = text.into();
        eprintln!("cresset: {title}. {text}");
        self.alert(Level::Warn, title, text);
    }

    /// As [`Self::alert`], about a step.
    pub fn alert_at(
        &self,
        step: u64,
        level: Level,
        title: impl Into<String>,
        text: impl Into<String>,
    ) {
        self.alert_record(Some(step), level, title.into(), text.into());
    }

    fn alert_record(&self, step: Option<u64>, level: Level, title: String, text: String) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        let bytes = title.len() + text.len();
        recorder.record(
            Record::Alert(Alert {
                time: recorder.now(),
                level,
                title,
                text,
                step,
            }),
            bytes,
        );
    }

    /// Tells of the first value of a series that is not a finite number, unless that was done.
    pub(crate) fn tell_not_finite(&self, step: u64, key: &str, value: f64) {
        let Some(recorder) = self.recorder() else {
            return;
        };
        if let Some(alert) = recorder.told.first(key, step, value, recorder.now()) {
            let bytes = alert.title.len() + alert.text.len();
            recorder.record(Record::Alert(alert), bytes);
        }
    }

    fn submit(&self, record: Record, bytes: usize) {
        if let Some(recorder) = self.recorder() {
            recorder.record(record, bytes);
        }
    }

    /// Waits until the disk has everything that was logged before, `at_most` so long; whether it has. Where the log cannot be written now, as
    /// on a full disk, that is no at once: what was logged waits in memory, and training does not wait with it.
    ///
    /// For the moment before a checkpoint is written. Training goes on from there when the process is killed or the power goes, and
    /// what the log did not have then, a few milliseconds of steps, would never come again. It costs the caller the work that waits and a
    /// synchronisation of the disk, as writing the checkpoint does; nothing else here needs it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let folder = tempfile::tempdir()?;
    /// # let run = cresset_run::init("doc").dir(folder.path()).start()?;
    /// run.log(999, [("train/loss", 0.31)]);
    /// assert!(run.flush(Duration::from_secs(10)));
    /// // … write the checkpoint of step 1,000 …
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush(&self, at_most: Duration) -> bool {
        self.recorder()
            .is_none_or(|recorder| recorder.flush(Instant::now() + at_most))
    }

    /// How many values were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.recorder().map_or(0, |r| r.losses.total())
    }

    /// Marks the run as failed; it goes on until it is finished or dropped.
    pub fn fail(&self, reason: impl fmt::Display) {
        if let Some(recorder) = self.recorder() {
            recorder.set_outcome(Outcome::Failed {
                reason: reason.to_string(),
            });
        }
    }

    /// Marks the run as stopped on request; it goes on until it is finished or dropped.
    pub fn stop(&self, reason: impl fmt::Display) {
        if let Some(recorder) = self.recorder() {
            recorder.set_outcome(Outcome::Stopped {
                reason: reason.to_string(),
            });
        }
    }

    /// Whether somebody asked the run to stop, from the dashboard or by the file `stop.json` in its folder, and why. It costs
    /// an atomic load; the file is looked for about every second, on a thread of ours. A program that can stop asks after
    /// each step, brings what it has into safety, and marks the run:
    ///
    /// ```
    /// # let run = cresset_run::init("doc").disabled(true).start()?;
    /// for step in 0..1_000 {
    ///     // … train …
    ///     if let Some(reason) = run.stop_requested() {
    ///         run.stop(reason);
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), cresset_run::StartError>(())
    /// ```
    #[must_use]
    pub fn stop_requested(&self) -> Option<&str> {
        self.recorder()?.stop.reason()
    }

    /// Hands `result` through; marks the run as failed if it is an error. For the end of `main`:
    ///
    /// ```
    /// # fn train(_: &cresset_run::Run) -> Result<(), std::io::Error> { Ok(()) }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let run = cresset_run::init("doc").disabled(true).start()?;
    /// run.conclude(train(&run))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `result`.
    pub fn conclude<T, E: fmt::Display>(&self, result: Result<T, E>) -> Result<T, E> {
        if let Err(e) = &result {
            // The alternate form of common error types includes the causes.
            self.fail(format_args!("{e:#}"));
        }
        result
    }

    /// Brings everything to the disk and ends the run, within 30 seconds.
    pub fn finish(self) -> Finished {
        self.finish_within(Duration::from_secs(30))
    }

    /// As [`Self::finish`], with another deadline. What other handles log afterwards is lost.
    pub fn finish_within(self, deadline: Duration) -> Finished {
        let Some(recorder) = self.recorder() else {
            return Finished {
                complete: true,
                lost: 0,
                dir: None,
            };
        };
        let complete = recorder.close(Instant::now() + deadline);
        Finished {
            complete,
            lost: recorder.losses.total(),
            dir: Some(recorder.dir.path().to_owned()),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail(panics::last().unwrap_or_else(|| "panicked".into()));
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("name", &self.name)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

fn record_histogram(recorder: &Recorder, key: KeyId, step: u64, stats: TensorStats) {
    let buckets = stats.histogram.positive.counts.len() + stats.histogram.negative.counts.len();
    let time = recorder.now();
    recorder.record(
        Record::Histogram {
            key,
            step,
            time,
            stats: Box::new(stats),
        },
        200 + 8 * buckets,
    );
}

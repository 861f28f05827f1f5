//! Run folders of W&B as runs.

mod console;
mod metric;
mod tree;
mod typed;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use cresset_record::{Alert, ConfigUpdate, Level, Outcome, Rank, Record, Root, Start, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::writer::{RunWriter, canonical, run_id};
use super::{ImportError, ImportOptions, Imported};
use crate::wandb::read::{self, Item, Next, Reader, Value};
use console::Console;
use tree::{Tree, merge};

/// Imports a run of W&B from its folder (`run-…` or `offline-run-…`) or the `.wandb` file in it.
///
/// History, config, definitions, summary, console, alerts and system metrics are taken over; of media those whose files are still in the folder's
/// `files`: images with their boxes, tables (custom charts are tables as well), sounds, videos and pages; other files as files. A histogram's
/// buckets have other edges than ours: all of a bucket's count is put at its middle. What else there is, and what is damaged, is counted in
/// [`Imported::left_out`]; W&B's own reader stops at the first damage. A file without an end is a run that failed.
///
/// # Errors
/// If there is no such file, it does not say whose run it is, or is imported already.
pub fn wandb(path: &Path, into: &Root, options: &ImportOptions) -> Result<Imported, ImportError> {
    let file = find(path)?;
    let source = canonical(&file)?;
    let opened = File::open(&file).map_err(ImportError::disk(&file))?;
    let mut reader = Reader::new(opened).map_err(ImportError::disk(&file))?;
    let mut read = || reader.read().map_err(ImportError::disk(&file));

    let mut damage = Vec::new();
    let head = loop {
        match read()? {
            Some(Next::Record(read::Record::Run(head))) => break *head,
            Some(Next::Record(_)) => {}
            Some(lost @ Next::Damage { .. }) => damage.push(lost),
            None => {
                let why = "it does not say which run it is of";
                return Err(ImportError::Nothing { path: file, why });
            }
        }
    };
    let start = start(&head, options)?;
    let source = source.to_string_lossy();
    let mut run = RunWriter::begin(into, &source, &start)?;
    let environment = json!({
        "import": {"from": "W&B", "path": source, "entity": head.entity, "project": head.project, "run": head.id},
        "host": {"name": head.host},
    });
    if let Json::Object(environment) = environment {
        run.record(Record::Environment(environment))?;
    }
    let mut import = Import {
        run,
        files: file.parent().unwrap_or(Path::new("")).join("files"),
        config: start.config,
        summary: Map::new(),
        logged: BTreeSet::new(),
        step: 0,
        latest: start.time,
        console: Console::default(),
        outcome: None,
    };
    for lost in damage {
        import.take(lost)?;
    }
    while let Some(next) = read()? {
        import.take(next)?;
    }
    import.finish()
}

/// The file itself, or the only one in the folder.
fn find(path: &Path) -> Result<PathBuf, ImportError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let entries = fs::read_dir(path).map_err(ImportError::disk(path))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|e| e == "wandb"))
        .collect();
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(ImportError::Nothing {
            path: path.to_owned(),
            why: "one file that ends in `.wandb` is needed",
        }),
    }
}

fn start(head: &read::Run, options: &ImportOptions) -> Result<Start, ImportError> {
    let time = head.start_time.unwrap_or_default();
    let texts = [&head.entity, &head.project, &head.id].map(String::as_bytes);
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut config = options.config.clone();
    set(&mut config, &head.config);
    let mut tags = head.tags.clone();
    tags.extend(options.tags.iter().cloned());
    let name = options.name.clone().or_else(|| text(&head.display_name));
    Ok(Start {
        run: run_id(
            "wandb",
            &[texts[0], texts[1], texts[2], &time.to_le_bytes()],
        )?,
        project: options.project.clone(),
        name: name.unwrap_or_else(|| head.id.clone()),
        rank: Rank(0),
        world_size: None,
        time: Timestamp(time),
        group: options.group.clone().or_else(|| text(&head.group)),
        job_type: text(&head.job_type),
        tags,
        notes: head.notes.clone(),
        config,
        cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Puts items into an object, but what W&B's client keeps there for itself; the top-level keys that changed.
fn set(object: &mut Map<String, Json>, items: &[Item]) -> BTreeSet<String> {
    let own = items
        .iter()
        .filter(|item| item.path.first().is_some_and(|key| key != "_wandb"));
    own.filter_map(|item| {
        merge(object, &item.path, tree::json(&item.value));
        item.path.first().cloned()
    })
    .collect()
}

/// A run that is being imported.
struct Import {
    run: RunWriter,
    /// Where W&B's client put files.
    files: PathBuf,
    config: Map<String, Json>,
    summary: Map<String, Json>,
    /// Keys that history has, which need no summary.
    logged: BTreeSet<String>,
    step: u64,
    latest: Timestamp,
    console: Console,
    outcome: Option<Outcome>,
}

impl Import {
    fn take(&mut self, next: Next) -> Result<(), ImportError> {
        let record = match next {
            Next::Record(record) => record,
            Next::Damage { from, to, reason } => {
                self.run
                    .leave_out(format!("damage at bytes {from} to {to}: {reason}"));
                return Ok(());
            }
        };
        match record {
            read::Record::History { step, items } => self.history(step, items),
            read::Record::Config(items) => self.config(&items),
            // Said again, when a name or tags have changed.
            read::Record::Run(head) => self.config(&head.config),
            read::Record::Summary(items) => {
                set(&mut self.summary, &items);
                Ok(())
            }
            read::Record::Stats { time, items } => self.stats(Timestamp(time), &items),
            read::Record::Output {
                time,
                is_error,
                text,
            } => {
                let time = Timestamp(time);
                self.latest = self.latest.max(time);
                self.console.push(&mut self.run, time, is_error, &text)
            }
            read::Record::Alert { title, text, level } => self.run.record(Record::Alert(Alert {
                time: self.latest,
                level: match level.as_str() {
                    "ERROR" => Level::Error,
                    "WARN" => Level::Warn,
                    _ => Level::Info,
                },
                title,
                text,
                step: Some(self.step),
            })),
            read::Record::Metric(defined) => {
                let definition = metric::definition(&defined);
                self.run.record(Record::Define(definition))
            }
            read::Record::Exit { code } => {
                self.outcome = Some(match code {
                    0 => Outcome::Finished,
                    code => Outcome::Failed {
                        reason: format!("exit code {code}"),
                    },
                });
                Ok(())
            }
            read::Record::Header { .. } => Ok(()),
            read::Record::Other(kind) => {
                // Those of no interest to a reader: files, telemetry of W&B, environment, ends of streams.
                if !matches!(kind, 0 | 6 | 11 | 20 | 22 | 26 | 100) {
                    self.run.leave_out(format!("record of W&B's kind {kind}"));
                }
                Ok(())
            }
        }
    }

    fn history(&mut self, step: Option<u64>, items: Vec<Item>) -> Result<(), ImportError> {
        let own = |name: &str| {
            let item = items.iter().find(|item| item.path == [name])?;
            match item.value {
                Value::Number(number) if number.is_finite() => Some(number),
                _ => None,
            }
        };
        let said = own("_step").filter(|step| *step >= 0.0);
        let next = self.step.saturating_add(1);
        let step = step.or(said.map(|step| step as u64)).unwrap_or(next);
        let time = own("_timestamp").map(|seconds| Timestamp((seconds * 1e6).round() as i64));
        let time = time.unwrap_or(self.latest);
        (self.step, self.latest) = (self.step.max(step), self.latest.max(time));

        let items = items.into_iter();
        let values =
            items.filter(|item| item.path.first().is_some_and(|key| !key.starts_with('_')));
        let tree = Tree::of(values);
        self.logged.extend(tree.tops);
        let scalars = tree
            .scalars
            .iter()
            .map(|(key, value)| (key.as_str(), *value));
        self.run.scalars(step, time, scalars)?;
        for (key, text) in &tree.texts {
            self.run.text(key, step, time, text)?;
        }
        for (key, object) in &tree.typed {
            typed::keep(&mut self.run, &self.files, key, (step, time), object)?;
        }
        for (key, what) in tree.others {
            self.run.leave_out(format!("{what} in {key}"));
        }
        Ok(())
    }

    fn config(&mut self, items: &[Item]) -> Result<(), ImportError> {
        let before = self.config.clone();
        let changed = set(&mut self.config, items);
        let changed = changed
            .into_iter()
            .filter(|key| before.get(key) != self.config.get(key));
        let values: Map<String, Json> = changed
            .filter_map(|key| Some((key.clone(), self.config.get(&key)?.clone())))
            .collect();
        if values.is_empty() {
            return Ok(());
        }
        let time = self.latest;
        self.run.config(ConfigUpdate { time, values })
    }

    /// System metrics have the step that the run had come to, as those of Cresset.
    fn stats(&mut self, time: Timestamp, items: &[Item]) -> Result<(), ImportError> {
        self.latest = self.latest.max(time);
        let figures = items.iter().filter_map(|item| match item.value {
            Value::Number(number) => Some((metric::ours(&item.path.join(".")), number)),
            Value::Json(_) => None,
        });
        let figures: Vec<(String, f64)> = figures.collect();
        let figures = figures.iter().map(|(key, value)| (key.as_str(), *value));
        self.run.scalars(self.step, time, figures)
    }

    fn finish(mut self) -> Result<Imported, ImportError> {
        self.console.end(&mut self.run, self.latest)?;
        // The rest follows from history.
        let (mut summary, logged) = (self.summary, self.logged);
        summary.retain(|key, _| !key.starts_with('_') && !logged.contains(key));
        if !summary.is_empty() {
            self.run.record(Record::Summary(summary))?;
        }
        let no_end = || Outcome::Failed {
            reason: "W&B's file does not say how the run ended".to_owned(),
        };
        self.run
            .finish(self.latest, self.outcome.unwrap_or_else(no_end))
    }
}

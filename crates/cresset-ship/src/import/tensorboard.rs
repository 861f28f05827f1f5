//! Event files of TensorBoard as runs.

mod decode;
pub(super) mod histogram;
mod hparams;
pub(super) mod media;
mod tensor;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use cresset_record::{
    ConfigUpdate, ConsoleLine, Content, Level, Media, MediaDetail, Outcome, Rank, Record, Resume,
    Root, Start, Timestamp,
};
use serde_json::{Map, json};

use super::writer::{RunWriter, canonical, run_id};
use super::{ImportError, ImportOptions, Imported};
use crate::tensorboard::record::{Next, Records};
use decode::{Decoder, Happening, What};

/// Deeper folders are not looked into.
const MAX_DEPTH: u32 = 32;

/// Imports each folder with event files, at `folder` and below it, as a run: one result for each, in the order of their paths.
///
/// Scalars, histograms, images, sounds, texts and hyper-parameters are taken over, in the form of TensorFlow 1 and of TensorFlow 2; what else there is, and
/// what is damaged, is counted in [`Imported::left_out`]. A histogram's buckets have other edges than ours: all of a bucket's count is put at its
/// middle. Steps below zero become 0. Event files do not say how a run ended, unless hyper-parameters do: it has finished then, at its last event.
///
/// # Errors
/// If there is no event file, or `folder` cannot be read.
pub fn tensorboard(
    folder: &Path,
    into: &Root,
    options: &ImportOptions,
) -> Result<Vec<Result<Imported, ImportError>>, ImportError> {
    let mut runs = Vec::new();
    look(folder, 0, &mut runs)?;
    if runs.is_empty() {
        let path = folder.to_owned();
        let why = "there is no event file, which has `tfevents` in its name";
        return Err(ImportError::Nothing { path, why });
    }
    let import = |(at, files): (PathBuf, Vec<PathBuf>)| {
        let below = at.strip_prefix(folder).unwrap_or(&at);
        let name = match below.as_os_str().is_empty() {
            true => canonical(&at)?.file_name().map(PathBuf::from),
            false => Some(below.to_owned()),
        };
        let name = name.map_or_else(|| "run".to_owned(), |n| n.to_string_lossy().into_owned());
        one(&at, &name, &files, into, options)
    };
    Ok(runs.into_iter().map(import).collect())
}

/// Finds folders with event files; links are not followed.
fn look(
    folder: &Path,
    depth: u32,
    runs: &mut Vec<(PathBuf, Vec<PathBuf>)>,
) -> Result<(), ImportError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(ImportError::disk(folder))? {
        let entry = entry.map_err(ImportError::disk(folder))?;
        let kind = entry.file_type().map_err(ImportError::disk(entry.path()))?;
        let is_events = entry.file_name().to_string_lossy().contains("tfevents");
        match () {
            () if kind.is_dir() => folders.push(entry.path()),
            () if kind.is_file() && is_events => files.push(entry.path()),
            () => {}
        }
    }
    if !files.is_empty() {
        files.sort();
        runs.push((folder.to_owned(), files));
    }
    if depth < MAX_DEPTH {
        folders.sort();
        for folder in folders {
            look(&folder, depth + 1, runs)?;
        }
    }
    Ok(())
}

fn one(
    folder: &Path,
    name: &str,
    files: &[PathBuf],
    into: &Root,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let path = canonical(folder)?;
    let Some((began, first)) = first_event(files)? else {
        let path = folder.to_owned();
        let why = "its event files hold no whole event";
        return Err(ImportError::Nothing { path, why });
    };
    let start = Start {
        run: run_id("tb", &[path.as_os_str().as_encoded_bytes(), &first])?,
        project: options.project.clone(),
        name: options.name.clone().unwrap_or_else(|| name.to_owned()),
        rank: Rank(0),
        world_size: None,
        time: began,
        group: options.group.clone(),
        job_type: None,
        tags: options.tags.clone(),
        notes: String::new(),
        config: options.config.clone(),
        cresset_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let source = path.to_string_lossy();
    let mut run = RunWriter::begin(into, &source, &start)?;
    let environment = json!({"import": {"from": "TensorBoard", "path": source}});
    if let serde_json::Value::Object(environment) = environment {
        run.record(Record::Environment(environment))?;
    }
    let mut import = Import {
        run,
        decoder: Decoder::default(),
        latest: began,
        outcome: Outcome::Finished,
    };
    for file in files {
        import.file(file)?;
    }
    import.run.finish(import.latest, import.outcome)
}

/// The first whole event of all and its time.
fn first_event(files: &[PathBuf]) -> Result<Option<(Timestamp, Vec<u8>)>, ImportError> {
    for file in files {
        let mut records = open(file)?;
        loop {
            match records.next().map_err(ImportError::disk(file))? {
                Next::Record(event) => {
                    let decoded = Decoder::default().event(event);
                    if let Ok(decoded) = decoded {
                        return Ok(Some((decoded.time, event.to_vec())));
                    }
                }
                Next::Damaged(_) => {}
                Next::Lost(_) | Next::End => break,
            }
        }
    }
    Ok(None)
}

fn open(file: &Path) -> Result<Records<BufReader<File>>, ImportError> {
    let input = File::open(file).map_err(ImportError::disk(file))?;
    Ok(Records::new(BufReader::new(input)))
}

/// A run that is being imported.
struct Import {
    run: RunWriter,
    decoder: Decoder,
    latest: Timestamp,
    outcome: Outcome,
}

impl Import {
    fn file(&mut self, file: &Path) -> Result<(), ImportError> {
        let mut records = open(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        loop {
            match records.next().map_err(ImportError::disk(file))? {
                Next::Record(event) => match self.decoder.event(event) {
                    Ok(event) => self.event(event)?,
                    Err(_) => self.run.leave_out(format!("no event, in {name}")),
                },
                Next::Damaged(at) => {
                    self.run
                        .leave_out(format!("damaged record, in {name} at byte {at}"));
                }
                Next::Lost(at) => {
                    self.run.leave_out(format!(
                        "rest of {name} from byte {at} on, which is cut short or damaged"
                    ));
                }
                Next::End => return Ok(()),
            }
        }
    }

    fn event(&mut self, event: Happening<'_>) -> Result<(), ImportError> {
        let Happening { step, time, whats } = event;
        self.latest = self.latest.max(time);
        let mut scalars = Vec::new();
        for what in whats {
            match what {
                What::Scalar(tag, value) => scalars.push((tag, value)),
                What::Histogram(tag, stats) => self.run.histogram(tag, step, time, *stats)?,
                What::Text(tag, text) => self.run.text(tag, step, time, &text)?,
                What::Image { tag, size, bytes } => {
                    let kind = media::image(bytes, size);
                    self.keep(&tag, (step, time), bytes, kind)?;
                }
                What::Audio { tag, bytes } => {
                    self.keep(&tag, (step, time), bytes, media::audio(bytes))?;
                }
                What::Config(values) => self.run.config(ConfigUpdate { time, values })?,
                What::Ended(outcome) => self.outcome = outcome,
                What::Restart => {
                    let from_step = Some(step);
                    self.run
                        .record(Record::Resume(Resume { time, from_step }))?;
                }
                What::Said(message) => self.run.console(ConsoleLine {
                    time,
                    level: Level::Info,
                    target: String::new(),
                    message,
                    fields: Map::new(),
                })?,
                What::Other(what) => self.run.leave_out(what),
            }
        }
        self.run.scalars(step, time, scalars)
    }

    /// An image or a sound.
    fn keep(
        &mut self,
        tag: &str,
        (step, time): (u64, Timestamp),
        bytes: &[u8],
        kind: Option<(&str, MediaDetail)>,
    ) -> Result<(), ImportError> {
        let Some((media_type, detail)) = kind else {
            let what = "image or sound that is no PNG, JPEG, GIF, WebP or WAV";
            self.run.leave_out(what);
            return Ok(());
        };
        let content = Content::Blob(self.run.blob(bytes, media_type)?);
        let caption = None;
        let media = Media {
            content,
            caption,
            detail,
        };
        self.run.media(tag, step, time, media)
    }
}

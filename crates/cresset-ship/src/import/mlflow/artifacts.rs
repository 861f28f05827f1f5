//! Artifacts of a run as media and files.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cresset_record::{Content, Figure, Media, MediaDetail, Table, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::super::ImportError;
use super::super::tensorboard::media;
use super::super::writer::RunWriter;
use super::head::Head;
use crate::error::ShipError;
use crate::mlflow::reader::Reader;

/// Larger files are left out, and those after so many bytes or files of a run.
const MAX_FILE: u64 = 1 << 30;
const MAX_BYTES: u64 = 16 << 30;
const MAX_FILES: usize = 10_000;
/// Deeper folders are not looked into, nor folders of more pages.
const MAX_DEPTH: usize = 32;
const MAX_PAGES: usize = 1000;
/// Only what is smaller is looked at; the rest is a file whatever it is.
const MAX_LOOK: u64 = 64 << 20;

/// The artifacts of a run.
pub(super) struct Artifacts<'a> {
    reader: &'a Reader,
    head: &'a Head,
    /// Paths that are still to be taken.
    files: BTreeSet<String>,
    /// Those of them that `mlflow.log_table` wrote.
    tables: BTreeSet<String>,
    /// Bytes that may still come.
    left: u64,
}

/// What an artifact becomes, and where.
struct Value {
    key: String,
    step: u64,
    time: Timestamp,
    media: Media,
}

impl<'a> Artifacts<'a> {
    /// What there is, without its bytes.
    pub(super) fn list(
        reader: &'a Reader,
        head: &'a Head,
        run: &mut RunWriter,
    ) -> Result<Self, ImportError> {
        let mut artifacts = Self {
            reader,
            head,
            files: BTreeSet::new(),
            tables: tables(head),
            left: MAX_BYTES,
        };
        for _ in 0..head.models() {
            run.leave_out("logged model, whose files are no artifacts of the run");
        }
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            if let Err(error) = artifacts.folder(&folder, &mut folders, run) {
                if error.is_temporary() {
                    return Err(error.into());
                }
                run.leave_out(format!(
                    "folder of artifacts that the server does not list: {error}"
                ));
            }
        }
        Ok(artifacts)
    }

    fn folder(
        &mut self,
        folder: &str,
        folders: &mut Vec<String>,
        run: &mut RunWriter,
    ) -> Result<(), ShipError> {
        let mut place = None;
        for _ in 0..MAX_PAGES {
            let page = self
                .reader
                .artifacts(&self.head.id, folder, place.as_deref())?;
            for artifact in page.items {
                let path = artifact.path;
                if !is_in(&path, folder) {
                    run.leave_out("artifact at a path that is none");
                } else if self.files.len() + folders.len() >= MAX_FILES {
                    run.leave_out(format!("artifact after the first {MAX_FILES}"));
                } else if artifact.is_folder && path.split('/').count() >= MAX_DEPTH {
                    run.leave_out("folder of artifacts that is too deep");
                } else if artifact.is_folder {
                    folders.push(path);
                } else if artifact.size.is_some_and(|size| size > MAX_FILE) {
                    run.leave_out("artifact of more than 1 GiB");
                } else {
                    self.files.insert(path);
                }
            }
            place = page.next;
            if place.is_none() {
                return Ok(());
            }
        }
        run.leave_out("rest of a folder of artifacts that does not end");
        Ok(())
    }

    /// A file that Cresset wrote, if the run came from here and has it.
    pub(super) fn ours(
        &mut self,
        path: &str,
        run: &mut RunWriter,
    ) -> Result<Option<Json>, ImportError> {
        if !self.head.came_from_here() || !self.files.contains(path) {
            return Ok(None);
        }
        let Some(bytes) = self.fetch(path, run)?.and_then(|file| small(&file)) else {
            return Ok(None);
        };
        let json = serde_json::from_slice(&bytes).ok();
        // Else it is a file like others.
        if json.is_some() {
            self.files.remove(path);
        }
        Ok(json)
    }

    /// Takes over all that is left; `end` is when the run ended.
    pub(super) fn take(mut self, end: Timestamp, run: &mut RunWriter) -> Result<(), ImportError> {
        while let Some(path) = self.files.pop_first() {
            let is_drawn = self.head.came_from_here() && is_drawn(&path);
            // What follows from others; what MLflow's page shows in their place.
            if is_drawn || compressed(&path) {
                continue;
            }
            // Beside a file of ours, what its user wanted to know of it.
            let metadata = match self.ours(&format!("{path}.metadata.json"), run)? {
                Some(Json::Object(metadata)) => metadata,
                _ => Map::new(),
            };
            let Some(file) = self.fetch(&path, run)? else {
                continue;
            };
            let mut value = self.value(&path, &file, end, run)?;
            if let MediaDetail::File { metadata: none, .. } = &mut value.media.detail {
                *none = metadata;
            }
            run.media(&value.key, value.step, value.time, value.media)?;
        }
        Ok(())
    }

    /// Brings a file; `None`, and counted, if it cannot be had.
    fn fetch(&mut self, path: &str, run: &mut RunWriter) -> Result<Option<PathBuf>, ImportError> {
        let into = run.scratch();
        let from = (self.head.id.as_str(), self.head.artifact_uri.as_str());
        let limit = MAX_FILE.min(self.left);
        match self.reader.fetch(from, path, &into, limit) {
            Ok(true) => {
                let length = fs::metadata(&into).map_err(ImportError::disk(&into))?.len();
                self.left -= length.min(self.left);
                Ok(Some(into))
            }
            Ok(false) => {
                run.leave_out("artifact of more than 1 GiB, or after 16 GiB of others");
                Ok(None)
            }
            Err(ShipError::Refused(why)) => {
                run.leave_out(format!("artifact that the server does not give: {why}"));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn value(
        &self,
        path: &str,
        file: &PathBuf,
        end: Timestamp,
        run: &RunWriter,
    ) -> Result<Value, ImportError> {
        let bytes = small(file);
        if let Some((key, step, time)) = logged_image(path)
            && let Some(bytes) = &bytes
            && let Some((media_type, detail)) = image(bytes)
        {
            let content = Content::Blob(run.blob(bytes, media_type)?);
            return Ok(Value {
                key,
                step,
                time,
                media: plain(content, detail),
            });
        }
        let placed = self.head.came_from_here().then(|| placed(path)).flatten();
        let (key, step, name) = placed.unwrap_or_else(|| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (format!("artifacts/{path}"), 0, name)
        });
        let found = bytes.and_then(|bytes| {
            let (bytes, media_type, detail) = self.known(path, bytes)?;
            Some(run.blob(&bytes, media_type).map(|blob| (blob, detail)))
        });
        let (blob, detail) = match found.transpose()? {
            Some(found) => found,
            None => {
                let role = path.starts_with("checkpoints/") && self.head.came_from_here();
                let detail = MediaDetail::File {
                    name: name.to_owned(),
                    role: role.then(|| "checkpoint".to_owned()),
                    metadata: Map::new(),
                };
                (run.blob_file(file, "application/octet-stream")?, detail)
            }
        };
        let media = plain(Content::Blob(blob), detail);
        Ok(Value {
            key,
            step,
            time: end,
            media,
        })
    }

    /// What is more than a file.
    fn known(&self, path: &str, bytes: Vec<u8>) -> Option<(Vec<u8>, &'static str, MediaDetail)> {
        let came_from_here = self.head.came_from_here();
        if self.tables.contains(path)
            && let Some((table, detail)) = table(&bytes)
        {
            return Some((table, "application/json", detail));
        }
        if came_from_here
            && path.starts_with("figures/")
            && let Ok(figure) = serde_json::from_slice::<Figure>(&bytes)
        {
            let figure = figure.name().to_owned();
            return Some((bytes, "application/json", MediaDetail::Figure { figure }));
        }
        if let Some((media_type, detail)) = image(&bytes).or_else(|| media::audio(&bytes)) {
            return Some((bytes, media_type, detail));
        }
        let ending = path.rsplit('.').next().unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some((bytes, "text/html; charset=utf-8", MediaDetail::Html)),
            "txt" | "md" if std::str::from_utf8(&bytes).is_ok() => {
                Some((bytes, "text/plain; charset=utf-8", MediaDetail::Text))
            }
            _ => None,
        }
    }
}

/// Whether the path is of something in this folder, and nothing that leads elsewhere.
fn is_in(path: &str, folder: &str) -> bool {
    let name = match folder {
        "" => Some(path),
        folder => path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/')),
    };
    name.is_some_and(|name| !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']))
}

/// Paths of tables, as `mlflow.log_table` notes them.
fn tables(head: &Head) -> BTreeSet<String> {
    let tag = head.tags.get("mlflow.loggedArtifacts");
    let noted: Json = tag
        .and_then(|tag| serde_json::from_str(tag).ok())
        .unwrap_or_default();
    let noted = noted.as_array().into_iter().flatten();
    let noted = noted.filter(|entry| entry["type"] == "table");
    noted
        .filter_map(|entry| entry["path"].as_str().map(str::to_owned))
        .collect()
}

/// A table in pandas' orientation *split* as ours.
fn table(bytes: &[u8]) -> Option<(Vec<u8>, MediaDetail)> {
    let mut json: Json = serde_json::from_slice(bytes).ok()?;
    let columns = json["columns"].as_array()?.iter();
    let columns: Vec<String> = columns
        .map(|name| {
            name.as_str()
                .map_or_else(|| name.to_string(), str::to_owned)
        })
        .collect();
    let rows: Vec<Vec<Json>> = serde_json::from_value(json["data"].take()).ok()?;
    if rows.iter().any(|row| row.len() != columns.len()) {
        return None;
    }
    let detail = MediaDetail::Table {
        rows: rows.len() as u64,
        columns: columns.len() as u64,
    };
    let table = json!(Table { columns, rows }).to_string();
    Some((table.into_bytes(), detail))
}

/// Key, step and time of an image that `mlflow.log_image` named.
fn logged_image(path: &str) -> Option<(String, u64, Timestamp)> {
    let name = path.strip_prefix("images/")?.rsplit_once('.')?.0;
    // Older versions write `%` and `#`.
    let (separator, slash) = if name.contains('+') {
        ('+', '~')
    } else {
        ('%', '#')
    };
    let parts: Vec<&str> = name.split(separator).collect();
    let [key, "step", step, "timestamp", time, _uuid] = parts[..] else {
        return None;
    };
    let time = super::time(time.parse().ok()?);
    Some((key.replace(slash, "/"), step.parse().ok()?, time))
}

/// Whether it is the small copy of an image that MLflow's page shows in a grid.
fn compressed(path: &str) -> bool {
    let name = path.strip_prefix("images/").unwrap_or_default();
    name.ends_with("+compressed.webp") || name.ends_with("%compressed.webp")
}

/// Whether a file of ours follows from others, but for those who look at them.
fn is_drawn(path: &str) -> bool {
    path.starts_with("figures/") && path.ends_with(".html")
}

/// Key, step and name of a value that was shipped from here, by where it was put.
fn placed(path: &str) -> Option<(String, u64, &str)> {
    let (top, rest) = path.split_once('/')?;
    let (place, name) = rest.rsplit_once('/')?;
    match top {
        "tables" | "figures" | "histograms" => {
            let step = name.strip_suffix(".json")?.parse().ok()?;
            Some((place.to_owned(), step, name))
        }
        "media" if let Some((step, _)) = name.split_once('-').filter(|(step, _)| is_step(step)) => {
            Some((place.to_owned(), step.parse().ok()?, name))
        }
        "media" | "checkpoints" => {
            let (key, step) = place.rsplit_once('/')?;
            Some((key.to_owned(), step.parse().ok()?, name))
        }
        _ => None,
    }
}

fn is_step(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn image(bytes: &[u8]) -> Option<(&'static str, MediaDetail)> {
    let size = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format();
    let size = size.ok().and_then(|reader| reader.into_dimensions().ok());
    media::image(bytes, size.unwrap_or_default())
}

/// The bytes of a file that is not too large to be looked at.
fn small(file: &PathBuf) -> Option<Vec<u8>> {
    let is_small = fs::metadata(file).is_ok_and(|it| it.len() <= MAX_LOOK);
    is_small.then(|| fs::read(file).ok()).flatten()
}

fn plain(content: Content, detail: MediaDetail) -> Media {
    Media {
        content,
        caption: None,
        detail,
    }
}

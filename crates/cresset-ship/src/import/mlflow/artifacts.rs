//! Artifacts of a run as media and files.

mod kinds;
mod shipped;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use cresset_record::{Content, Media, MediaDetail, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::super::ImportError;
use super::super::writer::RunWriter;
use super::head::Head;
use crate::error::ShipError;
use crate::mlflow::reader::Reader;
use kinds::LoggedImage;
use shipped::{Placed, Role};

/// Larger files are left out, and those after so many bytes, or files and folders, of a run.
const MAX_FILE: u64 = 1 << 30;
const MAX_BYTES: u64 = 16 << 30;
const MAX_FILES: usize = 10_000;
/// Deeper folders are not looked into, nor folders of more pages.
const MAX_DEPTH: usize = 32;
const MAX_PAGES: usize = 1000;
/// After so many troubles the rest of a run's artifacts is not asked for: each is tried for seconds.
const MAX_TROUBLES: u32 = 3;
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
    /// Files and folders that were listed.
    listed: usize,
    /// Bytes that may still come.
    left: u64,
    /// How often the server was in trouble with artifacts.
    troubles: u32,
    /// Captions of values that are not images, by their path without an ending.
    captions: BTreeMap<String, String>,
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
            tables: kinds::tables(head),
            listed: 0,
            left: MAX_BYTES,
            troubles: 0,
            captions: BTreeMap::new(),
        };
        for _ in 0..head.models() {
            run.leave_out("logged model, whose files are no artifacts of the run");
        }
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            if artifacts.troubles > MAX_TROUBLES {
                run.leave_out("folder of artifacts after others that the server does not list");
                continue;
            }
            if let Err(error) = artifacts.folder(&folder, &mut folders, run) {
                let error = artifacts.concerns_artifacts(error)?;
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
                } else if self.listed >= MAX_FILES {
                    run.leave_out(format!("artifact after the first {MAX_FILES}"));
                } else if artifact.is_folder && path.split('/').count() >= MAX_DEPTH {
                    run.leave_out("folder of artifacts that is too deep");
                } else if artifact.is_folder {
                    self.listed += 1;
                    folders.push(path);
                } else if artifact.size.is_some_and(|size| size > MAX_FILE) {
                    run.leave_out("artifact of more than 1 GiB");
                } else {
                    self.listed += 1;
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

    /// What a file that Cresset wrote says, if the run came from here and has it. One that says something else is a file like others.
    pub(super) fn ours<T: DeserializeOwned>(
        &mut self,
        path: &str,
        run: &mut RunWriter,
    ) -> Result<Option<T>, ImportError> {
        if !self.head.came_from_here() || !self.files.contains(path) {
            return Ok(None);
        }
        let bytes = self.fetch(path, run)?.and_then(|file| small(&file));
        let said = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if said.is_some() {
            self.files.remove(path);
        }
        Ok(said)
    }

    /// Takes over all that is left; `end` is when the run ended.
    pub(super) fn take(mut self, end: Timestamp, run: &mut RunWriter) -> Result<(), ImportError> {
        while let Some(path) = self.files.pop_first() {
            let is_drawn = self.head.came_from_here() && shipped::is_drawn(&path);
            // What follows from others; what MLflow's page shows in their place.
            if is_drawn || kinds::is_small_copy(&path) {
                continue;
            }
            // Beside a file of ours, what its user wanted to know of it.
            let metadata = match shipped::placed(&path).map(|placed| placed.role) {
                Some(Role::File | Role::Checkpoint) => {
                    self.ours::<Map<String, Json>>(&format!("{path}.metadata.json"), run)?
                }
                _ => None,
            };
            let Some(file) = self.fetch(&path, run)? else {
                continue;
            };
            if self.is_caption(&path, &file) {
                continue;
            }
            let mut value = self.value(&path, &file, end, run)?;
            if let MediaDetail::File { metadata: none, .. } = &mut value.media.detail {
                *none = metadata.unwrap_or_default();
            }
            run.media(&value.key, value.step, value.time, value.media)?;
        }
        Ok(())
    }

    /// Brings a file; `None`, and counted, if it cannot be had.
    fn fetch(&mut self, path: &str, run: &mut RunWriter) -> Result<Option<PathBuf>, ImportError> {
        if self.troubles > MAX_TROUBLES {
            run.leave_out("artifact after others that the server does not give");
            return Ok(None);
        }
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
            Err(error @ ShipError::Disk { .. }) => Err(error.into()),
            Err(error) => {
                let error = self.concerns_artifacts(error)?;
                run.leave_out(format!("artifact that the server does not give: {error}"));
                Ok(None)
            }
        }
    }

    /// The error, if it concerns artifacts alone. A server that may not look into the bucket where they are says so as if it were in trouble itself.
    ///
    /// # Errors
    /// It, if the server is.
    fn concerns_artifacts(&mut self, error: ShipError) -> Result<ShipError, ImportError> {
        if error.is_temporary() {
            if self.reader.name_of(&self.head.id).is_err() {
                return Err(error.into());
            }
            self.troubles += 1;
        }
        Ok(error)
    }

    fn value(
        &mut self,
        path: &str,
        file: &PathBuf,
        end: Timestamp,
        run: &mut RunWriter,
    ) -> Result<Value, ImportError> {
        let bytes = small(file);
        if let Some(logged) = kinds::logged_image(path)
            && let Some(bytes) = &bytes
            && let Some((media_type, mut detail)) = kinds::image(bytes)
        {
            let content = Content::Blob(run.blob(bytes, media_type)?);
            let caption = self.shown_with(&logged, &mut detail, run)?;
            let LoggedImage {
                key, step, time, ..
            } = logged;
            return Ok(Value {
                key,
                step,
                time,
                media: media_of(content, detail, caption),
            });
        }
        let placed = self.head.came_from_here().then(|| shipped::placed(path));
        let (key, step, role) = match placed.flatten() {
            Some(Placed { key, step, role }) => (key, step, Some(role)),
            None => (format!("artifacts/{path}"), 0, None),
        };
        // What was a file here is one whatever is in it.
        let bytes = bytes.filter(|_| !matches!(role, Some(Role::File | Role::Checkpoint)));
        let found = bytes.and_then(|bytes| {
            let (bytes, media_type, detail) = self.known(path, bytes)?;
            Some(run.blob(&bytes, media_type).map(|blob| (blob, detail)))
        });
        let (blob, detail) = match found.transpose()? {
            Some(found) => found,
            None => {
                let is_checkpoint = role == Some(Role::Checkpoint);
                let detail = MediaDetail::File {
                    name: path.rsplit('/').next().unwrap_or(path).to_owned(),
                    role: is_checkpoint.then(|| "checkpoint".to_owned()),
                    metadata: Map::new(),
                };
                (run.blob_file(file, "application/octet-stream")?, detail)
            }
        };
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let caption = self.captions.remove(stem);
        let media = media_of(Content::Blob(blob), detail, caption);
        Ok(Value {
            key,
            step,
            time: end,
            media,
        })
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

/// The bytes of a file that is not too large to be looked at.
fn small(file: &PathBuf) -> Option<Vec<u8>> {
    let is_small = fs::metadata(file).is_ok_and(|it| it.len() <= MAX_LOOK);
    is_small.then(|| fs::read(file).ok()).flatten()
}

fn media_of(content: Content, detail: MediaDetail, caption: Option<String>) -> Media {
    Media {
        content,
        caption,
        detail,
    }
}

//! What files are, by what MLflow's client calls them and by how they begin.

use std::collections::BTreeSet;
use std::io::Cursor;

use cresset_record::{Figure, MediaDetail, Table, Timestamp};
use image::ImageReader;
use serde_json::{Value as Json, json};

use super::super::head::Head;
use super::super::time;
use super::Artifacts;
use crate::import::tensorboard::media;

impl Artifacts<'_> {
    /// What is more than a file.
    pub(super) fn known(
        &self,
        path: &str,
        bytes: Vec<u8>,
    ) -> Option<(Vec<u8>, &'static str, MediaDetail)> {
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

/// What MLflow's client puts into the name of an image.
pub(super) struct LoggedImage {
    pub(super) key: String,
    pub(super) step: u64,
    pub(super) time: Timestamp,
    pub(super) uuid: String,
}

/// An image that `mlflow.log_image` named.
pub(super) fn logged_image(path: &str) -> Option<LoggedImage> {
    let name = path.strip_prefix("images/")?.rsplit_once('.')?.0;
    // Older versions write `%` and `#`.
    let (separator, slash) = match name.contains('+') {
        true => ('+', '~'),
        false => ('%', '#'),
    };
    let parts: Vec<&str> = name.split(separator).collect();
    let [key, "step", step, "timestamp", millis, uuid] = parts[..] else {
        return None;
    };
    Some(LoggedImage {
        key: key.replace(slash, "/"),
        step: step.parse().ok()?,
        time: time(millis.parse().ok()?),
        uuid: uuid.to_owned(),
    })
}

/// Whether it is the small copy of an image that MLflow's page shows in a grid.
pub(super) fn is_small_copy(path: &str) -> bool {
    let name = path.strip_prefix("images/").unwrap_or_default();
    name.ends_with("+compressed.webp") || name.ends_with("%compressed.webp")
}

/// Paths of tables, as `mlflow.log_table` notes them.
pub(super) fn tables(head: &Head) -> BTreeSet<String> {
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

pub(super) fn image(bytes: &[u8]) -> Option<(&'static str, MediaDetail)> {
    let size = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let size = size.ok().and_then(|reader| reader.into_dimensions().ok());
    media::image(bytes, size.unwrap_or_default())
}

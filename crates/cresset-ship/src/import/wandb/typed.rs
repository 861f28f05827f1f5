//! W&B's typed values: histograms, and objects that point to a file.

use std::fs;
use std::path::{Component, Path};

use cresset_record::{BoundingBox, Content, ImageDetail, Media, MediaDetail, Table, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::super::ImportError;
use super::super::tensorboard::{histogram, media};
use super::super::writer::RunWriter;

/// Larger files are left out: they are read whole.
const MAX_FILE: u64 = 1 << 30;

/// Takes over a typed value, or counts it.
pub(super) fn keep(
    run: &mut RunWriter,
    files: &Path,
    key: &str,
    (step, time): (u64, Timestamp),
    object: &Map<String, Json>,
) -> Result<(), ImportError> {
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    let kind = text("_type").unwrap_or_default();
    if kind == "histogram" {
        let stats = buckets(object).and_then(|rows| histogram::buckets(&rows).ok());
        match stats {
            Some(stats) => run.histogram(key, step, time, stats)?,
            None => run.leave_out(format!("histogram that is none in {key}")),
        }
        return Ok(());
    }
    let Some(bytes) = text("path").and_then(|path| file(files, path)) else {
        run.leave_out(format!("{kind} without its file in {key}"));
        return Ok(());
    };
    let size = |name: &str| {
        let size = object.get(name).and_then(Json::as_u64);
        size.and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
    };
    let found = match kind {
        "image-file" => media::image(&bytes, (size("width"), size("height"))),
        "audio-file" => media::audio(&bytes),
        "html-file" => Some(("text/html; charset=utf-8", MediaDetail::Html)),
        "video-file" => video(&bytes).map(|media_type| (media_type, MediaDetail::Video)),
        "table-file" => return table(run, key, (step, time), &bytes),
        _ => None,
    };
    let (media_type, mut detail) = found.unwrap_or_else(|| {
        let path = text("path").unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let detail = MediaDetail::File {
            name,
            role: None,
            metadata: Map::new(),
        };
        ("application/octet-stream", detail)
    });
    if let MediaDetail::Image(image) = &mut detail {
        boxes(files, object, image);
        if object.contains_key("masks") {
            run.leave_out(format!("masks of an image in {key}"));
        }
    }
    let media = Media {
        content: Content::Blob(run.blob(&bytes, media_type)?),
        caption: text("caption").map(str::to_owned),
        detail,
    };
    run.media(key, step, time, media)
}

/// Rows of left edge, right edge and count.
fn buckets(object: &Map<String, Json>) -> Option<Vec<f64>> {
    let list = |value: &Json| -> Option<Vec<f64>> {
        let numbers = value.as_array()?.iter();
        numbers.map(Json::as_f64).collect()
    };
    let counts = list(object.get("values")?)?;
    let edges = match object.get("bins") {
        Some(bins) => list(bins)?,
        // Edges at even distances, as newer clients pack them.
        None => {
            let packed = object.get("packedBins")?;
            let number = |name: &str| packed.get(name).and_then(Json::as_f64);
            let (least, size) = (number("min")?, number("size")?);
            (0..=counts.len())
                .map(|i| least + size * i as f64)
                .collect()
        }
    };
    if edges.len() != counts.len() + 1 {
        return None;
    }
    let edges = edges.windows(2);
    let rows = edges.zip(&counts).filter(|(_, count)| **count > 0.0);
    Some(
        rows.flat_map(|(edge, count)| [edge[0], edge[1], *count])
            .collect(),
    )
}

/// A file of the run's folder; a path that leaves the folder has none.
fn file(files: &Path, path: &str) -> Option<Vec<u8>> {
    let path = Path::new(path);
    let is_inside = path.components().all(|c| matches!(c, Component::Normal(_)));
    let path = files.join(path);
    // A link could lead out of the folder.
    let real = fs::canonicalize(&path).ok()?;
    let is_inside = is_inside && real.starts_with(fs::canonicalize(files).ok()?);
    let length = fs::metadata(&real).ok()?.len();
    (is_inside && real.is_file() && length <= MAX_FILE)
        .then(|| fs::read(&real).ok())
        .flatten()
}

fn table(
    run: &mut RunWriter,
    key: &str,
    (step, time): (u64, Timestamp),
    bytes: &[u8],
) -> Result<(), ImportError> {
    let json: Json = serde_json::from_slice(bytes).unwrap_or_default();
    let columns = json["columns"].as_array().map(|names| {
        let names = names.iter();
        let name = |name: &Json| {
            name.as_str()
                .map_or_else(|| name.to_string(), str::to_owned)
        };
        names.map(name).collect::<Vec<_>>()
    });
    let rows: Option<Vec<Vec<Json>>> = serde_json::from_value(json["data"].clone()).ok();
    let (Some(columns), Some(rows)) = (columns, rows) else {
        run.leave_out(format!("table that is none in {key}"));
        return Ok(());
    };
    if rows.iter().any(|row| row.len() != columns.len()) {
        run.leave_out(format!("table with rows of other lengths in {key}"));
        return Ok(());
    }
    let detail = MediaDetail::Table {
        rows: rows.len() as u64,
        columns: columns.len() as u64,
    };
    let table = json!(Table { columns, rows }).to_string();
    let media = Media {
        content: Content::Blob(run.blob(table.as_bytes(), "application/json")?),
        caption: None,
        detail,
    };
    run.media(key, step, time, media)
}

/// Boxes in pixels and in shares of the image, of all names that W&B's boxes have.
fn boxes(files: &Path, object: &Map<String, Json>, image: &mut ImageDetail) {
    let groups = object.get("boxes").and_then(Json::as_object);
    for group in groups.into_iter().flat_map(Map::values) {
        let bytes = group["path"].as_str().and_then(|path| file(files, path));
        let json: Json = serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default();
        for found in json["box_data"].as_array().into_iter().flatten() {
            let is_pixels = found["domain"] == "pixel";
            let scale = |size: u32| if is_pixels { 1.0 } else { f64::from(size) };
            let (width, height) = (scale(image.width), scale(image.height));
            let at = |name: &str| found["position"][name].as_f64();
            let corners = [at("minX"), at("maxX"), at("minY"), at("maxY")];
            let [Some(left), Some(right), Some(top), Some(bottom)] = corners else {
                continue;
            };
            let class = found["class_id"].to_string();
            let label = json["class_labels"][&class].as_str();
            let label = label.or(found["box_caption"].as_str()).unwrap_or(&class);
            let scores = found["scores"].as_object();
            let score = scores.and_then(|scores| scores.values().next()?.as_f64());
            image.boxes.push(BoundingBox {
                x: (left * width) as f32,
                y: (top * height) as f32,
                width: ((right - left) * width) as f32,
                height: ((bottom - top) * height) as f32,
                label: label.to_owned(),
                score: score.map(|score| score as f32),
            });
        }
    }
}

fn video(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("video/mp4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("video/webm"),
        _ => None,
    }
}

//! Media as W&B has them: a file among the run's files, and an object in history that points to it.

use cresset_record::{Content as Kept, Figure, ImageDetail, Media, MediaDetail, RunDir, Table};
use serde_json::{Map, Value as Json, json};

use super::entry::FileKind;
use super::figure;
use super::files::{Content, NewFile, safe_path};

/// Between a key and the name of its boxes or masks; W&B spells it so.
const DELIMITER: &str = "_wandb_delimeter_";
/// Points of a cloud that are given to W&B, which shows no more.
const MAX_POINTS: usize = 300_000;

/// A media value as it is shown at W&B.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Keys, and values as JSON.
    pub(crate) values: Vec<(String, String)>,
    pub(crate) files: Vec<NewFile>,
    /// What config says of it under `_wandb`: a group, a name in it, and a value.
    pub(crate) config: Vec<(&'static str, String, Json)>,
}

/// What W&B has for a media value.
///
/// # Errors
/// Why its bytes cannot be had, in words.
pub(crate) fn show(run: &RunDir, key: &str, step: u64, media: &Media) -> Result<Shown, String> {
    let mut shown = Shown::default();
    if let MediaDetail::File { name, .. } = &media.detail {
        shown.file(run, key, step, name, media);
        return Ok(shown);
    }
    let bytes = bytes(run, &media.content)?;
    let extension = extension(media);
    let mut simple = |kind: &str, folder: &str, extension: &str| {
        shown.media(key, step, kind, folder, extension, bytes.clone())
    };
    let value = match &media.detail {
        MediaDetail::Text => {
            let text = Json::from(String::from_utf8_lossy(&bytes));
            shown.values.push((key.to_owned(), text.to_string()));
            return Ok(shown);
        }
        MediaDetail::Html => simple("html-file", "html", "html"),
        MediaDetail::Audio { .. } => simple("audio-file", "audio", extension),
        MediaDetail::Video => simple("video-file", "videos", extension),
        MediaDetail::Image(detail) => {
            let mut value = simple("image-file", "images", extension);
            value["format"] = extension.into();
            value["width"] = detail.width.into();
            value["height"] = detail.height.into();
            shown.boxes(key, step, detail, &mut value);
            shown.masks(run, key, step, detail, &mut value)?;
            value
        }
        MediaDetail::PointCloud { coloured, .. } => {
            let points = points(&bytes, *coloured).to_string().into_bytes();
            shown.media(key, step, "object3D-file", "object3D", "pts.json", points)
        }
        MediaDetail::Table { .. } => {
            let table: Table = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
            shown.table(key, step, &table)
        }
        MediaDetail::Figure { .. } => {
            let figure: Figure = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
            let key_of_table = format!("{key}_table");
            let (table, panel) = figure::as_table(&figure, &key_of_table, media.caption.as_deref());
            let value = shown.table(&key_of_table, step, &table);
            shown.values.push((key_of_table, value.to_string()));
            let panel = panel.map(|panel| ("visualize", key.to_owned(), panel));
            shown.config.extend(panel);
            return Ok(shown);
        }
        MediaDetail::File { .. } => return Ok(shown),
    };
    let value = captioned(value, media);
    shown.values.push((key.to_owned(), value.to_string()));
    Ok(shown)
}

impl Shown {
    /// A media file and what points to it.
    fn media(
        &mut self,
        key: &str,
        step: u64,
        kind: &str,
        folder: &str,
        extension: &str,
        bytes: Vec<u8>,
    ) -> Json {
        let (file, mut value) = NewFile::media(folder, key, step, extension, bytes);
        value["_type"] = kind.into();
        self.files.push(file);
        value
    }

    fn table(&mut self, key: &str, step: u64, table: &Table) -> Json {
        let content = json!({"columns": table.columns, "data": table.rows});
        let bytes = content.to_string().into_bytes();
        let mut value = self.media(key, step, "table-file", "table", "table.json", bytes);
        value["ncols"] = table.columns.len().into();
        value["nrows"] = table.rows.len().into();
        value["log_mode"] = "IMMUTABLE".into();
        value
    }

    /// A file is kept among the run's files, and history has its path.
    fn file(&mut self, run: &RunDir, key: &str, step: u64, name: &str, media: &Media) {
        let content = match &media.content {
            Kept::Blob(blob) => Content::Blob(run.blobs().path(&blob.digest)),
            Kept::Inline(text) => Content::Bytes(text.clone().into_bytes()),
        };
        let (folder, name) = (safe_path(key), safe_path(&name.replace('/', "_")));
        let path = format!("{folder}/{step}/{name}");
        self.values
            .push((key.to_owned(), Json::from(path.as_str()).to_string()));
        self.files.push(NewFile {
            path,
            kind: FileKind::Other,
            content,
        });
    }

    fn boxes(&mut self, key: &str, step: u64, detail: &ImageDetail, image: &mut Json) {
        if detail.boxes.is_empty() {
            return;
        }
        let mut labels: Vec<&str> = detail.boxes.iter().map(|b| b.label.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        let number = |label: &str| labels.iter().position(|l| *l == label).unwrap_or_default();
        let boxes = detail.boxes.iter().map(|found| {
            let position = json!({
                "minX": found.x, "minY": found.y,
                "maxX": found.x + found.width, "maxY": found.y + found.height,
            });
            let class = number(&found.label);
            let mut json = json!({"position": position, "class_id": class, "domain": "pixel", "box_caption": found.label});
            if let Some(score) = found.score {
                json["scores"] = json!({"score": score});
            }
            json
        });
        let classes = numbered(labels.iter().copied());
        let content = json!({"box_data": boxes.collect::<Vec<_>>(), "class_labels": classes});
        let bytes = content.to_string().into_bytes();
        let value = self.media(
            key,
            step,
            "boxes2D",
            "metadata/boxes2D",
            "boxes2D.json",
            bytes,
        );
        image["boxes"] = json!({"predictions": value});
        self.classes("bounding_box/class_labels", key, "predictions", classes);
    }

    fn masks(
        &mut self,
        run: &RunDir,
        key: &str,
        step: u64,
        detail: &ImageDetail,
        image: &mut Json,
    ) -> Result<(), String> {
        for mask in &detail.masks {
            let bytes = run.blobs().get(&mask.blob).map_err(|e| e.to_string())?;
            let value = self.media(key, step, "mask", "images/mask", "mask.png", bytes);
            image["masks"][&mask.name] = value;
            let classes = numbered(mask.classes.iter().map(String::as_str));
            self.classes("mask/class_labels", key, &mask.name, classes);
        }
        Ok(())
    }

    /// Names of classes stand in config.
    fn classes(&mut self, group: &'static str, key: &str, name: &str, classes: Json) {
        let name = format!("{key}{DELIMITER}{name}");
        let value = json!({"type": group, "key": name, "value": classes});
        self.config.push((group, name, value));
    }
}

/// Names by their number, as text.
fn numbered<'a>(names: impl Iterator<Item = &'a str>) -> Json {
    let names = names.enumerate();
    let names = names.map(|(number, name)| (number.to_string(), Json::from(name)));
    Json::Object(names.collect::<Map<_, _>>())
}

fn captioned(mut value: Json, media: &Media) -> Json {
    let sample = match &media.detail {
        MediaDetail::Image(ImageDetail {
            sample: Some(sample),
            ..
        }) => Some(format!(
            "{} taken for {} ({:.3}), number {}",
            sample.true_class, sample.predicted_class, sample.confidence, sample.dataset_index
        )),
        _ => None,
    };
    let lines: Vec<&str> = [media.caption.as_deref(), sample.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    if !lines.is_empty() {
        value["caption"] = lines.join("\n").into();
    }
    value
}

fn bytes(run: &RunDir, content: &Kept) -> Result<Vec<u8>, String> {
    match content {
        Kept::Inline(text) => Ok(text.clone().into_bytes()),
        Kept::Blob(blob) => run.blobs().get(blob).map_err(|e| e.to_string()),
    }
}

/// How files of this media type end.
fn extension(media: &Media) -> &'static str {
    let media_type = match &media.content {
        Kept::Inline(_) => "text/plain",
        Kept::Blob(blob) => blob.media_type.as_str(),
    };
    match media_type {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/bmp" => "bmp",
        "image/svg+xml" => "svg",
        "audio/wav" | "audio/x-wav" | "audio/vnd.wave" => "wav",
        "audio/mpeg" => "mp3",
        "audio/ogg" | "video/ogg" => "ogg",
        "audio/flac" => "flac",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "text/html" => "html",
        "text/plain" => "txt",
        _ => "bin",
    }
}

/// W&B's points have colours from 0 to 255.
fn points(bytes: &[u8], coloured: bool) -> Json {
    let (numbers, _) = bytes.as_chunks();
    let numbers: Vec<f32> = numbers.iter().map(|n| f32::from_le_bytes(*n)).collect();
    let points = numbers.chunks_exact(if coloured { 6 } else { 3 });
    let points = points.take(MAX_POINTS).map(|point| {
        let numbers = point.iter().enumerate();
        let numbers =
            numbers.map(|(i, n)| Json::from(if i < 3 { *n } else { (n * 255.0).round() }));
        Json::Array(numbers.collect())
    });
    Json::Array(points.collect())
}

//! Media as artifacts.

use cresset_record::{Content, Figure, Key, Media, MediaDetail, Rank, Table, Timestamp};
use serde_json::{Value as Json, json};

use super::visit::Visit;
use super::{artifacts, figure, names, point_cloud};
use crate::error::ShipError;

/// The tag by which MLflow's page knows which JSON files are tables, and its bound here: less than the longest tag.
const TABLES: &str = "mlflow.loggedArtifacts";
const MAX_TABLES: usize = 4500;

/// Where a value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) rank: Rank,
    pub(super) key: &'a Key,
    pub(super) step: u64,
    pub(super) time: Timestamp,
}

impl Place<'_> {
    /// A path that is the same whenever the value is, and of no other value.
    fn stem(&self, top: &str, media: &Media) -> String {
        format!(
            "{}-{}",
            self.path(top, ""),
            names::digest(&self.identity(media), 8)
        )
    }

    /// The path by key and step.
    pub(super) fn path(&self, top: &str, extension: &str) -> String {
        let (folder, key) = (names::folder(self.rank), names::path(self.key.as_str()));
        format!("{folder}{top}/{key}/{}{extension}", self.step)
    }

    /// A text that is the same whenever the value is, and of no other value.
    pub(super) fn identity(&self, media: &Media) -> String {
        let content = match &media.content {
            Content::Inline(text) => text.clone(),
            Content::Blob(blob) => blob.digest.to_string(),
        };
        let Self {
            rank,
            key,
            step,
            time,
        } = self;
        format!("{} {key} {step} {} {content}", rank.0, time.0)
    }
}

impl Visit<'_> {
    pub(super) fn media(&mut self, place: Place<'_>, media: &Media) -> Result<(), ShipError> {
        let stem = place.stem("media", media);
        if let Some(caption) = &media.caption
            && !matches!(media.detail, MediaDetail::Image(_))
        {
            self.put(&format!("{stem}.caption.txt"), caption.as_bytes())?;
        }
        match &media.detail {
            MediaDetail::Text => self.put_content(&format!("{stem}.txt"), &media.content),
            MediaDetail::Html => self.put_content(&format!("{stem}.html"), &media.content),
            MediaDetail::Audio { .. } | MediaDetail::Video => {
                let extension = extension(&media.content);
                self.put_content(&format!("{stem}.{extension}"), &media.content)
            }
            MediaDetail::Image(image) => self.image(place, &stem, image, media),
            MediaDetail::PointCloud { coloured, .. } => match self.bytes(&media.content)? {
                Some(points) => {
                    let ply = point_cloud::ply(&points, *coloured);
                    self.put(&format!("{stem}.ply"), &ply)
                }
                None => Ok(()),
            },
            MediaDetail::Table { .. } => self.table(place, media),
            MediaDetail::Figure { .. } => self.figure(place, media),
            MediaDetail::File {
                name,
                role,
                metadata,
            } => {
                let top = match role.as_deref() {
                    Some("checkpoint") => "checkpoints",
                    _ => "media",
                };
                let path = place.path(top, &format!("/{}", names::part(name)));
                if !metadata.is_empty() {
                    self.put_json(&format!("{path}.metadata.json"), metadata)?;
                }
                self.put_content(&path, &media.content)
            }
        }
    }

    /// As `mlflow.log_table` writes it: pandas' orientation *split*.
    fn table(&mut self, place: Place<'_>, media: &Media) -> Result<(), ShipError> {
        let path = place.path("tables", ".json");
        let Some(bytes) = self.bytes(&media.content)? else {
            return Ok(());
        };
        let Ok(table) = serde_json::from_slice::<Table>(&bytes) else {
            return self.put(&path, &bytes);
        };
        let split = json!({"columns": table.columns, "data": table.rows});
        self.put(&path, split.to_string().as_bytes())?;
        let tables = &mut self.carried.tables;
        tables.retain(|known| *known != path);
        tables.push(path);
        let tag = loop {
            let entries = tables.iter();
            let entries = entries.map(|path| json!({"path": path, "type": "table"}));
            let tag = Json::Array(entries.collect()).to_string();
            if tag.len() <= MAX_TABLES || tables.len() <= 1 {
                break tag;
            }
            // The oldest are shown as text from now on.
            tables.remove(0);
        };
        self.out.tag(TABLES, &tag);
        Ok(())
    }

    fn figure(&mut self, place: Place<'_>, media: &Media) -> Result<(), ShipError> {
        let Some(bytes) = self.bytes(&media.content)? else {
            return Ok(());
        };
        self.put(&place.path("figures", ".json"), &bytes)?;
        // A figure of a kind that a newer version added has no page.
        let Ok(figure) = serde_json::from_slice::<Figure>(&bytes) else {
            return Ok(());
        };
        let page = figure::page(place.key.as_str(), place.step, &figure);
        self.put(&place.path("figures", ".html"), page.as_bytes())
    }

    /// What an image has beside its pixels.
    pub(super) fn about(&mut self, stem: &str, media: &Media) -> Result<(), ShipError> {
        let about = json!({"caption": media.caption, "detail": artifacts::json(&media.detail)});
        self.put_json(&format!("{stem}.json"), &about)
    }
}

/// An ending for a media type, by which MLflow's page knows how to show a file.
fn extension(content: &Content) -> String {
    let Content::Blob(blob) = content else {
        return "txt".to_owned();
    };
    let subtype = blob.media_type.rsplit('/').next().unwrap_or_default();
    match subtype {
        "wav" | "x-wav" | "vnd.wave" => "wav".to_owned(),
        "mpeg" if blob.media_type.starts_with("audio/") => "mp3".to_owned(),
        "quicktime" => "mov".to_owned(),
        "x-matroska" => "mkv".to_owned(),
        "" => "bin".to_owned(),
        subtype => names::part(subtype),
    }
}

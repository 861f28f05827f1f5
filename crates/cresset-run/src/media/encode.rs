use cresset_record::{
    BlobFolder, BlobRef, Content, Figure, ImageDetail, Mask, Media, MediaDetail, Table, TensorStats,
};

use super::image::ClassMap;
use super::redaction::redact;
use super::{Image, MediaError, Redaction, Value, png};

/// Longest text that is kept in the log itself, in bytes.
const INLINE: usize = 4096;

/// A value as it is recorded.
#[derive(Debug)]
pub(crate) enum Encoded {
    /// A media record.
    Media(Box<Media>),
    /// A histogram record.
    Histogram(Box<TensorStats>),
}

impl Value {
    /// Encodes the value and writes what belongs into blobs. Takes milliseconds; not for the training thread.
    ///
    /// `redactions` are those of the run; the value's own come before them.
    ///
    /// # Errors
    /// If the value is not what it claims to be, or the storage fails; [`MediaError::is_storage`] tells which. Of an
    /// image that could not be redacted nothing was written.
    pub(crate) fn encode(
        self,
        key: &str,
        blobs: &BlobFolder,
        redactions: &[Redaction],
    ) -> Result<Encoded, MediaError> {
        let media = match self {
            Self::Histogram(stats) => return Ok(Encoded::Histogram(Box::new(stats))),
            Self::Image(image) => encode_image(image, key, blobs, redactions)?,
            Self::Text(text) => Media {
                content: text_content(text, "text/plain; charset=utf-8", blobs)?,
                caption: None,
                detail: MediaDetail::Text,
            },
            Self::Html(html) => Media {
                content: text_content(html.page, "text/html; charset=utf-8", blobs)?,
                caption: html.caption,
                detail: MediaDetail::Html,
            },
            Self::Table(table) => encode_table(&table, blobs)?,
            Self::Figure(figure) => encode_figure(&figure, blobs)?,
            Self::Audio(audio) => Media {
                content: Content::Blob(blobs.put(&audio.encode()?, "audio/wav")?),
                detail: MediaDetail::Audio {
                    sample_rate: audio.sample_rate,
                    channels: audio.channels,
                    seconds: audio.seconds(),
                },
                caption: audio.caption,
            },
            Self::PointCloud(cloud) => Media {
                content: Content::Blob(blobs.put(&cloud.encode(), "application/octet-stream")?),
                detail: MediaDetail::PointCloud {
                    points: cloud.len() as u64,
                    coloured: cloud.is_coloured(),
                },
                caption: cloud.caption,
            },
            Self::Video(video) => Media {
                content: Content::Blob(blobs.put(&video.encoded, &video.media_type)?),
                caption: video.caption,
                detail: MediaDetail::Video,
            },
            Self::File(file) => Media {
                content: Content::Blob(file.keep(blobs)?),
                caption: file.caption,
                detail: MediaDetail::File {
                    name: file.name,
                    role: file.role,
                    metadata: file.metadata,
                },
            },
        };
        Ok(Encoded::Media(Box::new(media)))
    }
}

fn encode_image(
    image: Image,
    key: &str,
    blobs: &BlobFolder,
    redactions: &[Redaction],
) -> Result<Media, MediaError> {
    let (width, height) = image.pixels.size();
    let pixels = image.pixels.into_image()?;
    let of_run = redactions.iter().filter(|r| r.applies_to(key));
    // Before anything is written, masks included.
    let pixels = redact(pixels, image.redactions.iter().chain(of_run))?;
    let content = Content::Blob(put_png(&png::encode(pixels)?, blobs)?);
    let masks = image.masks.into_iter();
    let masks = masks.map(|mask| encode_mask(mask, width, height, blobs));
    Ok(Media {
        content,
        caption: image.caption,
        detail: MediaDetail::Image(ImageDetail {
            width,
            height,
            boxes: image.boxes,
            masks: masks.collect::<Result<_, _>>()?,
            sample: image.sample,
        }),
    })
}

fn encode_mask(
    mask: ClassMap,
    width: u32,
    height: u32,
    blobs: &BlobFolder,
) -> Result<Mask, MediaError> {
    Ok(Mask {
        blob: put_png(&png::encode_grey(&mask.values, width, height)?, blobs)?,
        name: mask.name,
        classes: mask.classes,
    })
}

fn put_png(png: &[u8], blobs: &BlobFolder) -> Result<BlobRef, MediaError> {
    Ok(blobs.put(png, "image/png")?)
}

fn encode_table(table: &Table, blobs: &BlobFolder) -> Result<Media, MediaError> {
    let columns = table.columns.len();
    if let Some((row, cells)) = (0..)
        .zip(&table.rows)
        .find(|(_, cells)| cells.len() != columns)
    {
        return Err(MediaError::TableRow {
            row,
            cells: cells.len(),
            columns,
        });
    }
    Ok(Media {
        content: text_content(serde_json::to_string(table)?, "application/json", blobs)?,
        caption: None,
        detail: MediaDetail::Table {
            rows: table.rows.len() as u64,
            columns: columns as u64,
        },
    })
}

fn encode_figure(figure: &Figure, blobs: &BlobFolder) -> Result<Media, MediaError> {
    figure.check().map_err(MediaError::Figure)?;
    Ok(Media {
        content: text_content(serde_json::to_string(figure)?, "application/json", blobs)?,
        caption: None,
        detail: MediaDetail::Figure {
            figure: figure.name().to_owned(),
        },
    })
}

fn text_content(text: String, media_type: &str, blobs: &BlobFolder) -> Result<Content, MediaError> {
    if text.len() <= INLINE {
        Ok(Content::Inline(text))
    } else {
        Ok(Content::Blob(blobs.put(text.as_bytes(), media_type)?))
    }
}

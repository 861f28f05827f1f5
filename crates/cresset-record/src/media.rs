//! Values that are more than a number: text, images, tables, figures and files.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::blob::BlobRef;

/// One media value of a series: what it is, where its bytes are, and what a reader should show with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// The bytes.
    pub content: Content,
    /// A line for people, shown under the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// What the bytes are.
    pub detail: MediaDetail,
}

impl Media {
    /// The blobs that the value points to.
    pub fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        let content = match &self.content {
            Content::Blob(blob) => Some(blob),
            Content::Inline(_) => None,
        };
        let masks = match &self.detail {
            MediaDetail::Image(image) => image.masks.as_slice(),
            _ => &[],
        };
        content
            .into_iter()
            .chain(masks.iter().map(|mask| &mask.blob))
    }
}

/// The bytes of a media value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Short UTF-8 text, kept in the record itself.
    Inline(String),
    /// Everything else: a blob beside the log.
    Blob(BlobRef),
}

/// What kind of media a value is, with what that kind needs to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MediaDetail {
    /// Plain UTF-8 text.
    Text,
    /// An HTML page, to be shown in a sandbox.
    Html,
    /// An encoded image.
    Image(ImageDetail),
    /// Encoded sound.
    Audio {
        /// Samples a second and channel.
        sample_rate: u32,
        /// Interleaved channels.
        channels: u16,
        /// Length in seconds.
        #[serde(with = "crate::nullable::number")]
        seconds: f64,
    },
    /// Encoded moving pictures.
    Video,
    /// Points in space: little-endian `f32` triples `x y z`, or sextuples `x y z r g b` with colours in `0..=1`.
    PointCloud {
        /// How many points.
        points: u64,
        /// Whether each point has a colour.
        coloured: bool,
    },
    /// A [`Table`] as JSON.
    Table {
        /// How many rows.
        rows: u64,
        /// How many columns.
        columns: u64,
    },
    /// A [`Figure`](crate::Figure) as JSON.
    Figure {
        /// Which figure, as in its JSON: `confusion_matrix`, `roc`, `line`, …
        figure: String,
    },
    /// Any file.
    File {
        /// Its name, without folders.
        name: String,
        /// What part the file plays, such as `checkpoint`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// What the user wants to know about it later.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        metadata: Map<String, Json>,
    },
}

/// How an image is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageDetail {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Boxes drawn over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<BoundingBox>,
    /// Masks laid over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Mask>,
    /// The prediction that the image is an example of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// A rectangle on an image, in pixels from its top left corner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    #[serde(with = "crate::nullable::number")]
    pub x: f32,
    /// Top edge.
    #[serde(with = "crate::nullable::number")]
    pub y: f32,
    /// Width.
    #[serde(with = "crate::nullable::number")]
    pub width: f32,
    /// Height.
    #[serde(with = "crate::nullable::number")]
    pub height: f32,
    /// What is in it.
    pub label: String,
    /// How sure the model is, `0..=1`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::nullable::optional"
    )]
    pub score: Option<f32>,
}

/// A class per pixel, as an 8-bit grey PNG of the image's size; class 0 is background.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mask {
    /// What the mask shows, such as `ground_truth`.
    pub name: String,
    /// The PNG.
    pub blob: BlobRef,
    /// Names of the classes, by grey value.
    pub classes: Vec<String>,
}

/// One example of an evaluation pass and what the model said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its place in the data set.
    pub dataset_index: u64,
    /// The label.
    pub true_class: String,
    /// What the model said.
    pub predicted_class: String,
    /// The softmax probability of the predicted class, `0..=1`.
    #[serde(with = "crate::nullable::number")]
    pub confidence: f32,
}

/// Named columns of JSON values, row by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Column names.
    pub columns: Vec<String>,
    /// One array a row, each as long as `columns`.
    pub rows: Vec<Vec<Json>>,
}

use ::image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use cresset_record::{Curve, Figure, Table, TensorStats};
use serde_json::Value as Json;

use super::{Audio, File, Html, Image, PointCloud, Video};

/// A value of a series that is more than a number.
///
/// Everything converts into it with `From`; a string becomes [`Value::Text`].
#[derive(Clone, Debug)]
pub enum Value {
    /// An image, with what is drawn over it.
    Image(Image),
    /// Plain text.
    Text(String),
    /// An HTML page.
    Html(Html),
    /// Named columns of JSON values. Every row must be as long as the columns are many.
    Table(Table),
    /// A chart as the numbers behind it; [`figures`](super::figures) makes the common ones.
    Figure(Figure),
    /// Sound.
    Audio(Audio),
    /// Points in space.
    PointCloud(PointCloud),
    /// Encoded moving pictures.
    Video(Video),
    /// Any file.
    File(File),
    /// A tensor's histogram with its statistics.
    Histogram(TensorStats),
}

impl Value {
    /// About how many bytes of memory the value holds, for the bound of a queue.
    pub(crate) fn bytes(&self) -> usize {
        let content = match self {
            Self::Image(image) => image.bytes(),
            Self::Text(text) => text.len(),
            Self::Html(html) => html.bytes(),
            Self::Table(table) => table_bytes(table),
            Self::Figure(figure) => figure_bytes(figure),
            Self::Audio(audio) => audio.bytes(),
            Self::PointCloud(cloud) => cloud.bytes(),
            Self::Video(video) => video.bytes(),
            Self::File(file) => file.bytes(),
            Self::Histogram(stats) => {
                size_of::<u64>()
                    * (stats.histogram.positive.counts.len()
                        + stats.histogram.negative.counts.len())
            }
        };
        size_of::<Self>() + content
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    Image => Image,
    RgbImage => Image,
    RgbaImage => Image,
    GrayImage => Image,
    DynamicImage => Image,
    String => Text,
    &str => Text,
    Html => Html,
    Table => Table,
    Figure => Figure,
    Audio => Audio,
    PointCloud => PointCloud,
    Video => Video,
    File => File,
    TensorStats => Histogram,
}

fn strings_bytes(strings: &[String]) -> usize {
    strings.iter().map(|s| size_of::<String>() + s.len()).sum()
}

fn table_bytes(table: &Table) -> usize {
    let cells = table.rows.iter().flatten().map(json_bytes);
    strings_bytes(&table.columns) + cells.sum::<usize>()
}

pub(super) fn json_bytes(json: &Json) -> usize {
    let inside = match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(json_bytes).sum(),
        Json::Object(map) => map.iter().map(|(k, v)| k.len() + json_bytes(v)).sum(),
    };
    size_of::<Json>() + inside
}

fn figure_bytes(figure: &Figure) -> usize {
    let curves = |curves: &[Curve]| {
        let each = |c: &Curve| size_of::<Curve>() + c.name.len() + 8 * (c.x.len() + c.y.len());
        curves.iter().map(each).sum::<usize>()
    };
    match figure {
        Figure::ConfusionMatrix { classes, counts } => {
            strings_bytes(classes) + counts.iter().map(|row| 8 * row.len()).sum::<usize>()
        }
        Figure::Roc { curves: c }
        | Figure::PrecisionRecall { curves: c }
        | Figure::Line { lines: c, .. }
        | Figure::Scatter { groups: c, .. } => curves(c),
        Figure::Bar { labels, values, .. } => strings_bytes(labels) + 8 * values.len(),
        Figure::HeatMap {
            x_labels,
            y_labels,
            values,
            ..
        } => {
            strings_bytes(x_labels)
                + strings_bytes(y_labels)
                + values.iter().map(|row| 8 * row.0.len()).sum::<usize>()
        }
    }
}

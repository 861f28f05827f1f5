//! Media of a run: images, tables, figures, …

use axum::extract::State;
use axum::response::Response;
use cresset_record::{BlobRef, Content, MediaDetail as Stored, Rank};
use cresset_store::{MediaEntry, MediaQuery as StoreQuery, RunKey, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::{IntoParams, ToSchema};

use super::blobs::blob_url;
use super::paths::{RunPath, key_list};
use super::reply;
use super::wire::{Num, Time};
use crate::app::App;
use crate::base_path::BasePath;
use crate::error::Failure;
use crate::extract::{InRun, Query, Read, short, within};

/// Which media.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MediaQuery {
    /// Keys or patterns with `*`, one a parameter; without any all.
    #[serde(default)]
    #[param(schema_with = key_list, required = false)]
    key: Vec<String>,
    /// `image`, `table`, `figure`, …
    #[param(max_length = 64)]
    kind: Option<String>,
    /// Only this rank.
    #[param(maximum = 4294967295i64)]
    rank: Option<u32>,
    /// Only this step.
    step: Option<u64>,
    /// The lowest step, inclusive.
    from: Option<u64>,
    /// The highest step, inclusive.
    to: Option<u64>,
    /// Of a sample.
    #[param(max_length = 1024)]
    true_class: Option<String>,
    /// Of a sample.
    #[param(max_length = 1024)]
    predicted_class: Option<String>,
    /// The highest step first, or the lowest.
    #[param(inline)]
    order: Option<Order>,
    /// How many to leave out.
    #[param(maximum = 100000000, default = 0)]
    offset: Option<u64>,
    /// At most so many.
    #[param(maximum = 500, default = 60)]
    limit: Option<u64>,
}

/// The order of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = MediaOrder)]
enum Order {
    #[serde(rename = "step")]
    Ascending,
    #[serde(rename = "-step")]
    Descending,
}

/// A part of a run's media.
#[derive(Debug, Serialize, ToSchema)]
struct MediaPage {
    total: u64,
    /// Distinct steps of all that match but for the steps asked for, ascending, at most 5,000.
    steps: Vec<u64>,
    items: Vec<MediaItem>,
}

/// One media value.
#[derive(Debug, Serialize, ToSchema)]
struct MediaItem {
    key: String,
    rank: u32,
    /// Place in its series, from 0.
    index: u64,
    step: u64,
    time: Time,
    #[schema(required)]
    caption: Option<String>,
    detail: MediaDetail,
    /// Inline content.
    #[schema(required)]
    text: Option<String>,
    #[schema(required)]
    blob: Option<BlobInfo>,
}

/// Where bytes are.
#[derive(Debug, Serialize, ToSchema)]
struct BlobInfo {
    /// BLAKE3, as 64 hexadecimal digits.
    digest: String,
    bytes: u64,
    media_type: String,
    /// Path on this server.
    url: String,
    /// Whether the blob is there.
    present: bool,
}

/// What a media value is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum MediaDetail {
    Text,
    Html,
    Video,
    Image {
        width: u32,
        height: u32,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[schema(required = false)]
        boxes: Vec<BoxDetail>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[schema(required = false)]
        masks: Vec<MaskDetail>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        sample: Option<SampleDetail>,
    },
    Audio {
        sample_rate: u32,
        channels: u16,
        /// 0 where it is not known.
        seconds: f64,
    },
    /// Little-endian `f32` triples `x y z`, or sextuples `x y z r g b`.
    PointCloud {
        points: u64,
        coloured: bool,
    },
    Table {
        rows: u64,
        columns: u64,
    },
    Figure {
        figure: String,
    },
    File {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        role: Option<String>,
        #[serde(skip_serializing_if = "Map::is_empty")]
        #[schema(value_type = BTreeMap<String, Json>, required = false)]
        metadata: Map<String, Json>,
    },
}

/// A rectangle on an image, in pixels.
#[derive(Debug, Serialize, ToSchema)]
struct BoxDetail {
    x: Num,
    y: Num,
    width: Num,
    height: Num,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    score: Option<Num>,
}

/// A class per pixel.
#[derive(Debug, Serialize, ToSchema)]
struct MaskDetail {
    name: String,
    blob: MaskBlob,
    /// Names of the classes, by grey value.
    classes: Vec<String>,
}

/// Where the PNG of a mask is.
#[derive(Debug, Serialize, ToSchema)]
struct MaskBlob {
    digest: String,
    bytes: u64,
    media_type: String,
}

/// The prediction that an image is an example of.
#[derive(Debug, Serialize, ToSchema)]
struct SampleDetail {
    dataset_index: u64,
    true_class: String,
    predicted_class: String,
    confidence: Num,
}

impl From<Stored> for MediaDetail {
    fn from(detail: Stored) -> Self {
        match detail {
            Stored::Text => Self::Text,
            Stored::Html => Self::Html,
            Stored::Video => Self::Video,
            Stored::Image(image) => Self::Image {
                width: image.width,
                height: image.height,
                boxes: image
                    .boxes
                    .into_iter()
                    .map(|b| BoxDetail {
                        x: Num(b.x.into()),
                        y: Num(b.y.into()),
                        width: Num(b.width.into()),
                        height: Num(b.height.into()),
                        label: b.label,
                        score: b.score.map(|score| Num(score.into())),
                    })
                    .collect(),
                masks: image
                    .masks
                    .into_iter()
                    .map(|mask| MaskDetail {
                        name: mask.name,
                        blob: MaskBlob {
                            digest: mask.blob.digest.to_string(),
                            bytes: mask.blob.bytes,
                            media_type: mask.blob.media_type,
                        },
                        classes: mask.classes,
                    })
                    .collect(),
                sample: image.sample.map(|sample| SampleDetail {
                    dataset_index: sample.dataset_index,
                    true_class: sample.true_class,
                    predicted_class: sample.predicted_class,
                    confidence: Num(sample.confidence.into()),
                }),
            },
            Stored::Audio {
                sample_rate,
                channels,
                seconds,
            } => Self::Audio {
                sample_rate,
                channels,
                seconds: if seconds.is_finite() { seconds } else { 0.0 },
            },
            Stored::PointCloud { points, coloured } => Self::PointCloud { points, coloured },
            Stored::Table { rows, columns } => Self::Table { rows, columns },
            Stored::Figure { figure } => Self::Figure { figure },
            Stored::File {
                name,
                role,
                metadata,
            } => Self::File {
                name,
                role,
                metadata,
            },
        }
    }
}

fn item(store: &Store, base: &BasePath, run: &RunKey, entry: MediaEntry) -> MediaItem {
    let (text, blob) = match entry.media.content {
        Content::Inline(text) => (Some(text), None),
        Content::Blob(blob) => (None, Some(blob)),
    };
    let info = |blob: BlobRef| BlobInfo {
        present: store.blob_present(run, &blob.digest),
        url: blob_url(base, run, &blob),
        digest: blob.digest.to_string(),
        bytes: blob.bytes,
        media_type: blob.media_type,
    };
    MediaItem {
        key: entry.key,
        rank: entry.rank.0,
        index: entry.index,
        step: entry.step,
        time: Time(entry.time),
        caption: entry.media.caption,
        detail: entry.media.detail.into(),
        text,
        blob: blob.map(info),
    }
}

/// Media of a run
#[utoipa::path(
    get,
    path = "/projects/{project}/runs/{run}/media",
    tag = "run",
    params(RunPath, MediaQuery),
    responses((status = 200, body = MediaPage)),
    extensions(("x-role" = json!("read")))
)]
pub(super) async fn media(
    State(app): State<App>,
    run: InRun<Read>,
    Query(query): Query<MediaQuery>,
) -> Result<Response, Failure> {
    let optional = |name: &str, text: Option<String>, most| {
        text.map(|text| short(name, text, most)).transpose()
    };
    if query.key.len() > 100 {
        return Err(Failure::bad_request("at most 100 keys are taken"));
    }
    for key in &query.key {
        short("key", key.clone(), 512)?;
    }
    if query.step.is_some() && (query.from.is_some() || query.to.is_some()) {
        return Err(Failure::bad_request("give `step`, or `from` and `to`"));
    }
    let query = StoreQuery {
        keys: query.key,
        kind: optional("kind", query.kind, 64)?,
        rank: query.rank.map(Rank),
        from: query.step.or(query.from),
        to: query.step.or(query.to),
        true_class: optional("true_class", query.true_class, 1024)?,
        predicted_class: optional("predicted_class", query.predicted_class, 1024)?,
        ascending: query.order == Some(Order::Ascending),
        offset: within("offset", query.offset, 0, 0..=100_000_000)?,
        limit: within("limit", query.limit, 60, 0..=500)?,
    };
    let base = app.options().base_path.clone();
    reply::json(&app, move |store| {
        let page = store.media(&run.key, &query)?;
        let items = page.items.into_iter();
        Ok(MediaPage {
            total: page.total,
            steps: page.steps,
            items: items
                .map(|entry| item(store, &base, &run.key, entry))
                .collect(),
        })
    })
    .await
}

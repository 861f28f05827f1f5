//! The messages of event files, as TensorBoard reads them: `Event`, `Summary.Value`, `TensorProto` and the hparams plugin's. Field numbers
//! are those of TensorBoard's `compat/proto/*.proto` and `plugins/hparams/*.proto`.

use cresset_record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::record;
use crate::proto::Message;

/// Files of this version keep steps in any order, and restarts say so by a session log.
const FILE_VERSION: &str = "brain.Event:2";

/// A plugin of TensorBoard, which is what a tag's values are shown by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Plugin {
    Scalars,
    Histograms,
    Images,
    Audio,
    Text,
}

impl Plugin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalars => "scalars",
            Self::Histograms => "histograms",
            Self::Images => "images",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }

    /// `DataClass`: scalar, tensor or blob sequence.
    fn data_class(self) -> i64 {
        match self {
            Self::Scalars => 1,
            Self::Histograms | Self::Text => 2,
            Self::Images | Self::Audio => 3,
        }
    }
}

/// A `TensorProto`.
pub(crate) struct Tensor(Message);

impl Tensor {
    /// A scalar, `DT_FLOAT`: TensorBoard's fast loader, which is the one that people get, takes no other. All digits stand beside it in the
    /// `double_val`, which TensorBoard does not look at, and from which our import reads.
    pub(crate) fn scalar(value: f64) -> Self {
        let single = (value as f32).to_le_bytes();
        Self(typed(1, &[]).bytes(5, single).bytes(6, value.to_le_bytes()))
    }

    /// `DT_DOUBLE`.
    pub(crate) fn doubles(shape: &[usize], values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self(typed(2, shape).bytes(6, bytes))
    }

    /// `DT_STRING`.
    pub(crate) fn strings(shape: &[usize], values: &[&[u8]]) -> Self {
        Self(
            values
                .iter()
                .fold(typed(7, shape), |tensor, value| tensor.bytes(8, value)),
        )
    }

    /// The least that is a tensor, for values that say everything by their metadata.
    pub(crate) fn none() -> Self {
        Self(typed(1, &[0]))
    }
}

fn typed(dtype: i64, shape: &[usize]) -> Message {
    let shape = shape.iter().fold(Message::default(), |shape, &size| {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        shape.message(2, &Message::default().int(1, size))
    });
    Message::default().int(1, dtype).message(2, &shape)
}

/// The values of one step: a `Summary`.
#[derive(Default)]
pub(crate) struct Summary(Message);

impl Summary {
    pub(crate) fn value(self, plugin: Plugin, tag: &str, tensor: &Tensor) -> Self {
        let metadata = Message::default()
            .message(1, &Message::default().bytes(1, plugin.name()))
            .int(4, plugin.data_class());
        self.with(tag, &metadata, tensor)
    }

    /// What the hparams plugin shows. `content` is an `HParamsPluginData` without its version, which is 0.
    pub(crate) fn hparams(self, tag: &str, content: Message) -> Self {
        let plugin = Message::default()
            .bytes(1, "hparams")
            .bytes(2, content.into_bytes());
        let metadata = Message::default().message(1, &plugin).int(4, 2);
        self.with(tag, &metadata, &Tensor::none())
    }

    fn with(self, tag: &str, metadata: &Message, tensor: &Tensor) -> Self {
        let value = Message::default()
            .bytes(1, tag)
            .message(9, metadata)
            .message(8, &tensor.0);
        Self(self.0.message(1, &value))
    }
}

/// Appends the event that begins a file.
pub(crate) fn put_head(out: &mut Vec<u8>, time: Timestamp) {
    let writer = Message::default().bytes(1, concat!("cresset ", env!("CARGO_PKG_VERSION")));
    let event = event(time, 0).bytes(3, FILE_VERSION).message(10, &writer);
    record::put(out, &event.into_bytes());
}

/// Appends the values of one step.
pub(crate) fn put_summary(out: &mut Vec<u8>, time: Timestamp, step: u64, summary: &Summary) {
    let event = event(time, step).message(5, &summary.0);
    record::put(out, &event.into_bytes());
}

/// Appends that what was said of this step and later ones before holds no longer: TensorBoard lets go of it. The first of a run only says that
/// such may come.
pub(crate) fn put_restart(out: &mut Vec<u8>, time: Timestamp, step: u64) {
    const START: i64 = 1;
    let event = event(time, step).message(7, &Message::default().int(1, START));
    record::put(out, &event.into_bytes());
}

fn event(time: Timestamp, step: u64) -> Message {
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    Message::default().double(1, seconds(time)).int(2, step)
}

pub(crate) fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1e6
}

/// A `google.protobuf.Value` that the hparams plugin takes: a number, a truth value or a text.
pub(crate) fn hparam(value: &Json) -> Message {
    match value {
        Json::Bool(value) => Message::default().int(4, i64::from(*value)),
        Json::Number(number) => Message::default().double(2, number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Message::default().bytes(3, text),
        other => Message::default().bytes(3, other.to_string()),
    }
}

//! Events as they stand in a file. Field numbers are those of TensorBoard's `compat/proto/event.proto` and `summary.proto`.

use std::collections::HashMap;

use cresset_record::{Outcome, TensorStats, Timestamp};
use serde_json::{Map, Value as Json};

use super::tensor::{self, Tensor};
use super::{histogram, hparams};
use crate::proto::{Fields, Malformed};

/// Plugins of more tags than this are not remembered.
const MAX_TAGS: usize = 100_000;
/// Of an event with more values, the first are taken.
const MAX_VALUES: usize = 100_000;
/// Longest name of a plugin that is remembered.
const MAX_PLUGIN: usize = 64;

/// One event.
pub(super) struct Happening<'a> {
    pub(super) step: u64,
    pub(super) time: Timestamp,
    pub(super) whats: Vec<What<'a>>,
}

/// One thing that an event says.
pub(super) enum What<'a> {
    Scalar(&'a str, f64),
    Histogram(&'a str, Box<TensorStats>),
    Text(&'a str, String),
    Image {
        tag: String,
        size: (u32, u32),
        bytes: &'a [u8],
    },
    Audio {
        tag: String,
        bytes: &'a [u8],
    },
    /// Hyper-parameters.
    Config(Map<String, Json>),
    Ended(Outcome),
    /// What was said of this step and later ones holds no longer.
    Restart,
    /// A line of console.
    Said(String),
    /// What has no place in a run.
    Other(String),
}

/// Decodes the events of a run, one after another.
#[derive(Default)]
pub(super) struct Decoder {
    /// A tag's plugin may be named with its first value only.
    plugins: HashMap<String, String>,
    has_session: bool,
}

/// A `Summary.Value`.
#[derive(Default)]
struct Value<'a> {
    tag: &'a str,
    plugin: &'a str,
    /// The plugin's own data.
    content: &'a [u8],
    simple: Option<f64>,
    image: Option<&'a [u8]>,
    histogram: Option<&'a [u8]>,
    audio: Option<&'a [u8]>,
    tensor: Option<&'a [u8]>,
}

impl Decoder {
    pub(super) fn event<'a>(&mut self, event: &'a [u8]) -> Result<Happening<'a>, Malformed> {
        let (mut step, mut time) = (0, 0.0);
        let mut whats = Vec::new();
        for field in Fields::of(event) {
            let (number, value) = field?;
            match number {
                1 => time = value.double()?,
                2 => step = u64::try_from(value.int()?).unwrap_or(0),
                4 | 9 => whats.push(What::Other("graph".to_owned())),
                5 => {
                    for field in Fields::of(value.bytes()?) {
                        let (1, value) = field? else { continue };
                        if whats.len() >= MAX_VALUES {
                            let what = format!("event of more than {MAX_VALUES} values");
                            whats.push(What::Other(what));
                            break;
                        }
                        self.value(value.bytes()?, &mut whats);
                    }
                }
                6 => whats.extend(said(value.bytes()?)?),
                7 => whats.extend(self.session(value.bytes()?)?),
                8 => whats.push(What::Other("run metadata".to_owned())),
                // The file's version and who wrote it.
                _ => {}
            }
        }
        // A cast keeps what is too large at the last time there is; NaN becomes 0.
        let time = Timestamp((time * 1e6).round() as i64);
        Ok(Happening { step, time, whats })
    }

    /// The first start of a session is the beginning; others are restarts.
    fn session<'a>(&mut self, log: &[u8]) -> Result<Option<What<'a>>, Malformed> {
        const START: i64 = 1;
        let mut status = 0;
        for field in Fields::of(log) {
            if let (1, value) = field? {
                status = value.int()?;
            }
        }
        if status != START {
            return Ok(None);
        }
        Ok(std::mem::replace(&mut self.has_session, true).then_some(What::Restart))
    }

    /// One value that is wrong does not spoil those beside it.
    fn value<'a>(&mut self, bytes: &'a [u8], whats: &mut Vec<What<'a>>) {
        let decoded = read(bytes).and_then(|value| self.meaning(&value, whats));
        if decoded.is_err() {
            whats.push(What::Other("value that cannot be decoded".to_owned()));
        }
    }

    fn meaning<'a>(
        &mut self,
        value: &Value<'a>,
        whats: &mut Vec<What<'a>>,
    ) -> Result<(), Malformed> {
        let tag = value.tag;
        if let Some(number) = value.simple {
            whats.push(What::Scalar(tag, number));
        } else if let Some(bytes) = value.histogram {
            whats.push(What::Histogram(tag, Box::new(histogram::message(bytes)?)));
        } else if let Some(bytes) = value.image {
            whats.push(image(tag, bytes)?);
        } else if let Some(bytes) = value.audio {
            whats.push(audio(tag, bytes)?);
        } else if let Some(bytes) = value.tensor {
            let plugin = self.plugin(value).to_owned();
            of_plugin(&plugin, value, &tensor::read(bytes)?, whats)?;
        } else if value.plugin == "hparams" {
            whats.extend(hparams::read(value.content)?);
        } else {
            whats.push(What::Other("value of an unknown kind".to_owned()));
        }
        Ok(())
    }

    fn plugin<'s>(&'s mut self, value: &Value<'s>) -> &'s str {
        let is_new = !value.plugin.is_empty()
            && value.plugin.len() <= MAX_PLUGIN
            && self.plugins.len() < MAX_TAGS;
        if is_new && !self.plugins.contains_key(value.tag) {
            let plugin = value.plugin.to_owned();
            self.plugins.insert(value.tag.to_owned(), plugin);
        }
        self.plugins
            .get(value.tag)
            .map_or(value.plugin, |known| known)
    }
}

fn read(bytes: &[u8]) -> Result<Value<'_>, Malformed> {
    let mut read = Value::default();
    for field in Fields::of(bytes) {
        let (number, value) = field?;
        match number {
            1 => read.tag = value.text()?,
            2 => read.simple = Some(value.float()?),
            4 => read.image = Some(value.bytes()?),
            5 => read.histogram = Some(value.bytes()?),
            6 => read.audio = Some(value.bytes()?),
            8 => read.tensor = Some(value.bytes()?),
            9 => {
                for field in Fields::of(value.bytes()?) {
                    let (1, plugin) = field? else { continue };
                    for field in Fields::of(plugin.bytes()?) {
                        match field? {
                            (1, name) => read.plugin = name.text()?,
                            (2, content) => read.content = content.bytes()?,
                            _ => {}
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(read)
}

/// A tensor, by the plugin that would show it.
fn of_plugin<'a>(
    plugin: &str,
    value: &Value<'a>,
    tensor: &Tensor<'a>,
    whats: &mut Vec<What<'a>>,
) -> Result<(), Malformed> {
    let tag = value.tag;
    match plugin {
        "scalars" => {
            if !tensor.strings.is_empty() {
                return Err(Malformed);
            }
            // A zero may be left out.
            let number = tensor.numbers.first().copied().unwrap_or_default();
            whats.push(What::Scalar(tag, number));
        }
        "histograms" => {
            let stats = histogram::buckets(&tensor.numbers)?;
            whats.push(What::Histogram(tag, Box::new(stats)));
        }
        "text" => {
            let parts: Result<Vec<&str>, _> = tensor
                .strings
                .iter()
                .map(|s| std::str::from_utf8(s))
                .collect();
            let parts = parts.map_err(|_| Malformed)?;
            whats.push(What::Text(tag, parts.join("\n")));
        }
        "images" => {
            let [width, height, images @ ..] = &tensor.strings[..] else {
                return Err(Malformed);
            };
            let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
            let size = number(width).zip(number(height)).ok_or(Malformed)?;
            let images = numbered(tag, images);
            whats.extend(images.map(|(tag, bytes)| What::Image { tag, size, bytes }));
        }
        "audio" => {
            // A sound may have a label beside it.
            let mut sounds = tensor.strings.clone();
            sounds.retain(|sound| sound.starts_with(b"RIFF"));
            whats.extend(numbered(tag, &sounds).map(|(tag, bytes)| What::Audio { tag, bytes }));
        }
        "hparams" => whats.extend(hparams::read(value.content)?),
        "" => whats.push(What::Other("tensor without a plugin".to_owned())),
        other => whats.push(What::Other(format!("value of the plugin {other}"))),
    }
    Ok(())
}

/// The values of one tag; of several, each gets a number.
fn numbered<'a>(tag: &str, values: &[&'a [u8]]) -> impl Iterator<Item = (String, &'a [u8])> {
    let is_one = values.len() == 1;
    values
        .iter()
        .enumerate()
        .map(move |(i, bytes)| match is_one {
            true => (tag.to_owned(), *bytes),
            false => (format!("{tag}/{i}"), *bytes),
        })
}

/// A `Summary.Image`.
fn image<'a>(tag: &str, message: &'a [u8]) -> Result<What<'a>, Malformed> {
    let (mut width, mut height, mut bytes) = (0, 0, &[][..]);
    for field in Fields::of(message) {
        match field? {
            (1, value) => height = u32::try_from(value.int()?).map_err(|_| Malformed)?,
            (2, value) => width = u32::try_from(value.int()?).map_err(|_| Malformed)?,
            (4, value) => bytes = value.bytes()?,
            _ => {}
        }
    }
    let tag = tag.to_owned();
    Ok(What::Image {
        tag,
        size: (width, height),
        bytes,
    })
}

/// A `Summary.Audio`; what else it says stands in the sound as well.
fn audio<'a>(tag: &str, message: &'a [u8]) -> Result<What<'a>, Malformed> {
    let mut bytes = &[][..];
    for field in Fields::of(message) {
        if let (4, value) = field? {
            bytes = value.bytes()?;
        }
    }
    let tag = tag.to_owned();
    Ok(What::Audio { tag, bytes })
}

/// A `LogMessage`.
fn said<'a>(message: &[u8]) -> Result<Option<What<'a>>, Malformed> {
    for field in Fields::of(message) {
        if let (2, text) = field? {
            return Ok(Some(What::Said(text.text()?.to_owned())));
        }
    }
    Ok(None)
}

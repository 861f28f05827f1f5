//! Events as they stand in a file. Field numbers are those of TensorBoard's `compat/proto/event.proto` and `summary.proto`.

mod value;

use std::collections::HashMap;

use cresset_record::{Outcome, TensorStats, Timestamp};
use serde_json::{Map, Value as Json};

use super::{histogram, hparams, tensor};
use crate::proto::{Fields, Malformed};
use value::Value;

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
        let decoded = Value::read(bytes).and_then(|value| self.meaning(&value, whats));
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
            whats.push(value::image(tag, bytes)?);
        } else if let Some(bytes) = value.audio {
            whats.push(value::audio(tag, bytes)?);
        } else if let Some(bytes) = value.tensor {
            let plugin = self.plugin(value).to_owned();
            value.of_plugin(&plugin, &tensor::read(bytes)?, whats)?;
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

/// A `LogMessage`.
fn said<'a>(message: &[u8]) -> Result<Option<What<'a>>, Malformed> {
    for field in Fields::of(message) {
        if let (2, text) = field? {
            return Ok(Some(What::Said(text.text()?.to_owned())));
        }
    }
    Ok(None)
}

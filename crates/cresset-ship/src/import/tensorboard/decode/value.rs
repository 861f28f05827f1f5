//! What a summary says under one tag.

use super::super::tensor::Tensor;
use super::super::{histogram, hparams};
use super::What;
use crate::proto::{Fields, Malformed};

/// A `Summary.Value`.
#[derive(Default)]
pub(super) struct Value<'a> {
    pub(super) tag: &'a str,
    pub(super) plugin: &'a str,
    /// The plugin's own data.
    pub(super) content: &'a [u8],
    pub(super) simple: Option<f64>,
    pub(super) image: Option<&'a [u8]>,
    pub(super) histogram: Option<&'a [u8]>,
    pub(super) audio: Option<&'a [u8]>,
    pub(super) tensor: Option<&'a [u8]>,
}

impl<'a> Value<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut read = Self::default();
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
    pub(super) fn of_plugin(
        &self,
        plugin: &str,
        tensor: &Tensor<'a>,
        whats: &mut Vec<What<'a>>,
    ) -> Result<(), Malformed> {
        let tag = self.tag;
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
            "hparams" => whats.extend(hparams::read(self.content)?),
            "" => whats.push(What::Other("tensor without a plugin".to_owned())),
            other => whats.push(What::Other(format!("value of the plugin {other}"))),
        }
        Ok(())
    }
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
pub(super) fn image<'a>(tag: &str, message: &'a [u8]) -> Result<What<'a>, Malformed> {
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
pub(super) fn audio<'a>(tag: &str, message: &'a [u8]) -> Result<What<'a>, Malformed> {
    let mut bytes = &[][..];
    for field in Fields::of(message) {
        if let (4, value) = field? {
            bytes = value.bytes()?;
        }
    }
    let tag = tag.to_owned();
    Ok(What::Audio { tag, bytes })
}

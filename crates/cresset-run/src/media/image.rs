use std::ops::RangeInclusive;

use ::image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use cresset_record::{BoundingBox, Sample};

use super::Redaction;
use super::pixels::{Order, Pixels};

/// Most pixels that an image may have.
pub const MAX_PIXELS: usize = 100_000_000;

/// An image, kept as a PNG of 8 bits a channel, with what is drawn over it.
///
/// Made from the types of the `image` crate with `From`, or from the buffer of a tensor. Either way it holds the pixels
/// as they came; they are rearranged and encoded on a thread of the run.
///
/// Floating-point pixels are mapped from a range that the user names to `0..=255` and rounded. What is outside the range
/// is clamped; a pixel with a NaN in any channel turns magenta, (255, 0, 255), also in a grey image.
#[derive(Clone, Debug)]
pub struct Image {
    pub(super) pixels: Pixels,
    pub(super) caption: Option<String>,
    pub(super) boxes: Vec<BoundingBox>,
    pub(super) masks: Vec<ClassMap>,
    pub(super) sample: Option<Sample>,
    pub(super) redactions: Vec<Redaction>,
}

impl Image {
    /// Bytes of shape (height, width, channels): 1 channel is grey, 3 are RGB, 4 are RGBA.
    ///
    /// # Errors
    /// If the length does not match the shape, or the image has no pixel, too many or another number of channels.
    pub fn from_hwc_u8(
        values: impl Into<Vec<u8>>,
        height: usize,
        width: usize,
        channels: usize,
    ) -> Result<Self, ImageError> {
        Pixels::from_u8(
            values.into(),
            [height, width, channels],
            Order::ChannelsLast,
        )
        .map(Self::new)
    }

    /// Bytes of shape (channels, height, width), as most tensors are laid out. As [`from_hwc_u8`](Self::from_hwc_u8).
    ///
    /// # Errors
    /// As [`from_hwc_u8`](Self::from_hwc_u8).
    pub fn from_chw_u8(
        values: impl Into<Vec<u8>>,
        channels: usize,
        height: usize,
        width: usize,
    ) -> Result<Self, ImageError> {
        Pixels::from_u8(
            values.into(),
            [height, width, channels],
            Order::ChannelsFirst,
        )
        .map(Self::new)
    }

    /// Numbers of shape (height, width, channels), of which `range` becomes `0..=255`; usually `0.0..=1.0`.
    ///
    /// # Errors
    /// As [`from_hwc_u8`](Self::from_hwc_u8), or if the range is empty or not finite.
    pub fn from_hwc_f32(
        values: impl Into<Vec<f32>>,
        height: usize,
        width: usize,
        channels: usize,
        range: RangeInclusive<f32>,
    ) -> Result<Self, ImageError> {
        Pixels::from_f32(
            values.into(),
            [height, width, channels],
            Order::ChannelsLast,
            range,
        )
        .map(Self::new)
    }

    /// Numbers of shape (channels, height, width), of which `range` becomes `0..=255`; usually `0.0..=1.0`.
    ///
    /// # Errors
    /// As [`from_hwc_u8`](Self::from_hwc_u8), or if the range is empty or not finite.
    pub fn from_chw_f32(
        values: impl Into<Vec<f32>>,
        channels: usize,
        height: usize,
        width: usize,
        range: RangeInclusive<f32>,
    ) -> Result<Self, ImageError> {
        Pixels::from_f32(
            values.into(),
            [height, width, channels],
            Order::ChannelsFirst,
            range,
        )
        .map(Self::new)
    }

    /// A line for people, shown under the image. It is written as given: no [`Redaction`] looks for serial numbers in it.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// One more box to draw over the image. Boxes are not redacted.
    #[must_use]
    pub fn boxed(mut self, found: BoundingBox) -> Self {
        self.boxes.push(found);
        self
    }

    /// More boxes to draw over the image.
    #[must_use]
    pub fn boxes(mut self, found: impl IntoIterator<Item = BoundingBox>) -> Self {
        self.boxes.extend(found);
        self
    }

    /// One more mask to lay over the image, such as `ground_truth`: a class per pixel, row by row; 0 is background.
    /// `classes` names the classes from 0 on; those beyond it have no name. Masks are not redacted.
    ///
    /// # Errors
    /// If there are not as many values as pixels.
    pub fn mask(
        mut self,
        name: impl Into<String>,
        values: impl Into<Vec<u8>>,
        classes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ImageError> {
        let (name, values) = (name.into(), values.into());
        let (width, height) = self.pixels.size();
        if values.len() as u64 != u64::from(width) * u64::from(height) {
            return Err(ImageError::Mask {
                name,
                found: values.len(),
                width,
                height,
            });
        }
        self.masks.push(ClassMap {
            name,
            values,
            classes: classes.into_iter().map(Into::into).collect(),
        });
        Ok(self)
    }

    /// The prediction that the image is an example of.
    #[must_use]
    pub fn sample(mut self, sample: Sample) -> Self {
        self.sample = Some(sample);
        self
    }

    /// Makes part of this image unrecognisable before it is written, whatever keys the redaction is for.
    #[must_use]
    pub fn redact(mut self, redaction: Redaction) -> Self {
        self.redactions.push(redaction);
        self
    }

    fn new(pixels: Pixels) -> Self {
        Self {
            pixels,
            caption: None,
            boxes: Vec::new(),
            masks: Vec::new(),
            sample: None,
            redactions: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let boxes = self
            .boxes
            .iter()
            .map(|b| size_of::<BoundingBox>() + b.label.len());
        let masks = self.masks.iter().map(|mask| mask.values.len());
        self.pixels.bytes()
            + boxes.sum::<usize>()
            + masks.sum::<usize>()
            + self.caption.as_ref().map_or(0, String::len)
    }
}

macro_rules! from {
    ($($type:ty),*) => {$(
        /// An image without pixels or with more than [`MAX_PIXELS`] is refused when it is encoded.
        impl From<$type> for Image {
            fn from(image: $type) -> Self {
                Self::new(Pixels::Ready(image.into()))
            }
        }
    )*};
}

from!(RgbImage, RgbaImage, GrayImage, DynamicImage);

/// A class per pixel of an image.
#[derive(Clone)]
pub(super) struct ClassMap {
    pub(super) name: String,
    pub(super) values: Vec<u8>,
    pub(super) classes: Vec<String>,
}

impl std::fmt::Debug for ClassMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask")
            .field("name", &self.name)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// Why a buffer is not an image.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Only grey, RGB and RGBA are known.
    #[error("an image of {found} channels; 1 (grey), 3 (RGB) or 4 (RGBA) can be shown")]
    Channels {
        /// Channels given.
        found: usize,
    },
    /// Width or height is zero.
    #[error("an image of {width} × {height} pixels has nothing to show")]
    Empty {
        /// Width given.
        width: usize,
        /// Height given.
        height: usize,
    },
    /// There are more than [`MAX_PIXELS`].
    #[error("an image of {width} × {height} pixels; at most {MAX_PIXELS} pixels are kept")]
    TooLarge {
        /// Width given.
        width: usize,
        /// Height given.
        height: usize,
    },
    /// The buffer does not have the length of its shape.
    #[error(
        "{found} values for an image of {height} × {width} pixels (height × width) and {channels} channels, \
         expected {expected}"
    )]
    Length {
        /// Values given.
        found: usize,
        /// Values that the shape takes.
        expected: usize,
        /// Height given.
        height: usize,
        /// Width given.
        width: usize,
        /// Channels given.
        channels: usize,
    },
    /// Nothing can be mapped from an empty or infinite range.
    #[error("pixel values from {start} to {end}; give the range they are in, such as 0.0..=1.0")]
    Range {
        /// What is to become black.
        start: f32,
        /// What is to become white.
        end: f32,
    },
    /// A mask does not have the size of its image.
    #[error("mask {name:?} has {found} values for an image of {width} × {height} pixels")]
    Mask {
        /// The mask.
        name: String,
        /// Values given.
        found: usize,
        /// Width of the image.
        width: u32,
        /// Height of the image.
        height: u32,
    },
}

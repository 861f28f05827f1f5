use std::fmt;
use std::ops::RangeInclusive;

use ::image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::{ImageError, MAX_PIXELS};

/// Pixels as the user gave them.
#[derive(Clone)]
pub(super) enum Pixels {
    /// Nothing is left to do.
    Ready(DynamicImage),
    /// Bytes, a channel after the other.
    Planes { values: Vec<u8>, shape: Shape },
    /// Numbers of which a range is visible.
    Floats {
        values: Vec<f32>,
        shape: Shape,
        order: Order,
        range: RangeInclusive<f32>,
    },
}

/// Which neighbours a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The same channel of the next pixel.
    ChannelsFirst,
    /// The next channel of the same pixel.
    ChannelsLast,
}

/// A shape that an image can have.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    width: u32,
    height: u32,
    channels: usize,
}

/// What stands for a pixel that is not a number.
const NAN_COLOUR: [u8; 3] = [255, 0, 255];

impl Pixels {
    /// `shape` is height, width, channels, whatever the order.
    pub(super) fn from_u8(
        values: Vec<u8>,
        shape: [usize; 3],
        order: Order,
    ) -> Result<Self, ImageError> {
        let shape = Shape::new(values.len(), shape)?;
        Ok(match order {
            Order::ChannelsFirst if shape.channels > 1 => Self::Planes { values, shape },
            _ => Self::Ready(shape.image(values)?),
        })
    }

    /// As [`from_u8`](Self::from_u8).
    pub(super) fn from_f32(
        values: Vec<f32>,
        shape: [usize; 3],
        order: Order,
        range: RangeInclusive<f32>,
    ) -> Result<Self, ImageError> {
        let shape = Shape::new(values.len(), shape)?;
        let (start, end) = (*range.start(), *range.end());
        // Ranges so narrow or wide that the scale overflows are as useless as empty ones.
        let usable = start < end && (end - start).is_finite() && scale(start, end).is_finite();
        if !usable {
            return Err(ImageError::Range { start, end });
        }
        Ok(Self::Floats {
            values,
            shape,
            order,
            range,
        })
    }

    /// Width and height.
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Ready(image) => (image.width(), image.height()),
            Self::Planes { shape, .. } | Self::Floats { shape, .. } => (shape.width, shape.height),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Ready(image) => image.as_bytes().len(),
            Self::Planes { values, .. } => values.len(),
            Self::Floats { values, .. } => size_of_val(&values[..]),
        }
    }

    /// The image; of 8 bits a channel unless the user made it otherwise.
    pub(super) fn into_image(self) -> Result<DynamicImage, ImageError> {
        match self {
            Self::Ready(image) => {
                check_size(image.width() as usize, image.height() as usize)?;
                Ok(image)
            }
            Self::Planes { values, shape } => shape.image(interleave(&values, shape.channels)),
            Self::Floats {
                values,
                shape,
                order,
                range,
            } => {
                let bytes = quantise(&values, &range);
                let bytes = match order {
                    Order::ChannelsFirst => interleave(&bytes, shape.channels),
                    Order::ChannelsLast => bytes,
                };
                let mut image = shape.image(bytes)?;
                if values.iter().any(|value| value.is_nan()) {
                    image = mark_nan(image, &values, shape, order);
                }
                Ok(image)
            }
        }
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.size();
        write!(f, "{width} × {height} pixels")
    }
}

impl Shape {
    fn new(found: usize, [height, width, channels]: [usize; 3]) -> Result<Self, ImageError> {
        if !matches!(channels, 1 | 3 | 4) {
            return Err(ImageError::Channels { found: channels });
        }
        let (width_u32, height_u32) = check_size(width, height)?;
        let expected = width * height * channels;
        if found != expected {
            return Err(ImageError::Length {
                found,
                expected,
                height,
                width,
                channels,
            });
        }
        Ok(Self {
            width: width_u32,
            height: height_u32,
            channels,
        })
    }

    /// The image that `bytes` are, channels last.
    fn image(self, bytes: Vec<u8>) -> Result<DynamicImage, ImageError> {
        let Self {
            width,
            height,
            channels,
        } = self;
        let found = bytes.len();
        match channels {
            1 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
            3 => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
            _ => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
        }
        .ok_or(ImageError::Length {
            found,
            expected: width as usize * height as usize * channels,
            height: height as usize,
            width: width as usize,
            channels,
        })
    }
}

fn check_size(width: usize, height: usize) -> Result<(u32, u32), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Empty { width, height });
    }
    let pixels = width.checked_mul(height).filter(|n| *n <= MAX_PIXELS);
    match (pixels, u32::try_from(width), u32::try_from(height)) {
        (Some(_), Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(ImageError::TooLarge { width, height }),
    }
}

fn interleave(planes: &[u8], channels: usize) -> Vec<u8> {
    let mut out = vec![0; planes.len()];
    let pixels = planes.len() / channels;
    for (channel, plane) in planes.chunks_exact(pixels).enumerate() {
        for (pixel, value) in out.chunks_exact_mut(channels).zip(plane) {
            pixel[channel] = *value;
        }
    }
    out
}

fn scale(start: f32, end: f32) -> f32 {
    255.0 / (end - start)
}

/// NaN becomes 0, for now.
fn quantise(values: &[f32], range: &RangeInclusive<f32>) -> Vec<u8> {
    let (start, end) = (*range.start(), *range.end());
    let scale = scale(start, end);
    values
        .iter()
        .map(|value| ((value.max(start).min(end) - start) * scale + 0.5) as u8)
        .collect()
}

fn mark_nan(image: DynamicImage, values: &[f32], shape: Shape, order: Order) -> DynamicImage {
    let pixels = values.len() / shape.channels;
    let nan = values.iter().enumerate().filter(|(_, v)| v.is_nan());
    let nan = nan.map(|(at, _)| match order {
        Order::ChannelsFirst => at % pixels,
        Order::ChannelsLast => at / shape.channels,
    });
    let paint = |bytes: &mut [u8], channels: usize| {
        for pixel in nan {
            if let Some(pixel) = bytes.chunks_exact_mut(channels).nth(pixel) {
                pixel[..3].copy_from_slice(&NAN_COLOUR);
                pixel[3..].fill(255);
            }
        }
    };
    if image.color().has_alpha() {
        let mut image = image.into_rgba8();
        paint(&mut image, 4);
        image.into()
    } else {
        let mut image = image.into_rgb8();
        paint(&mut image, 3);
        image.into()
    }
}

//! From the pixels that a model is given to pictures that people look at.

use std::ops::RangeInclusive;

use thiserror::Error;

use super::Mistake;
use crate::media::{Image, ImageError};

/// The longer side of thumbnails, in pixels, if not set.
const THUMBNAIL: usize = 128;

/// How images of a data set, as a model is given them, become pictures of mistakes.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// Most pixels along the longer side.
    side: usize,
    /// Which numbers are black and white.
    range: RangeInclusive<f32>,
    normalization: Option<Normalization>,
}

/// What was done to the pixels of each channel: (x − mean) / std.
#[derive(Clone, Debug)]
struct Normalization {
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// Images that cannot be shown.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// There is no such kind of image.
    #[error(
        "images of {0} channels; 1 (grey), 3 (RGB) or 4 (RGBA) can be shown: choose some of them"
    )]
    Channels(usize),
    /// What is to be undone was not done to such images.
    #[error("{mean} means and {std} deviations to denormalize images of {channels} channels")]
    Normalization {
        /// How many means there are.
        mean: usize,
        /// How many deviations there are.
        std: usize,
        /// How many channels the images have.
        channels: usize,
    },
    /// There is nothing to see.
    #[error("images of {width} × {height} pixels")]
    Empty {
        /// In pixels.
        width: usize,
        /// In pixels.
        height: usize,
    },
    /// No number is black, or none is white.
    #[error("pixels from {black} to {white}; give the range they are in, such as 0.0..=1.0")]
    Range {
        /// What is black.
        black: f32,
        /// What is white.
        white: f32,
    },
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            side: THUMBNAIL,
            range: 0.0..=1.0,
            normalization: None,
        }
    }
}

impl Pictures {
    /// Most pixels along the longer side; 128 if not set. Larger images are reduced by a whole factor, by averaging.
    #[must_use]
    pub fn side(mut self, pixels: usize) -> Self {
        self.side = pixels.max(1);
        self
    }

    /// Undoes the normalisation of the images, `x · std + mean` in each channel, before they are shown.
    #[must_use]
    pub fn denormalize(mut self, mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        self.normalization = Some(Normalization {
            mean: mean.into(),
            std: std.into(),
        });
        self
    }

    /// Which numbers are black and white, after [`denormalize`](Self::denormalize): `0.0..=1.0` if not set.
    #[must_use]
    pub fn range(mut self, range: RangeInclusive<f32>) -> Self {
        self.range = range;
        self
    }

    /// Whether images of this shape can be shown.
    ///
    /// # Errors
    /// If not, with what is in the way.
    pub fn check(&self, channels: usize, height: usize, width: usize) -> Result<(), PictureError> {
        if !matches!(channels, 1 | 3 | 4) {
            return Err(PictureError::Channels(channels));
        }
        if let Some(Normalization { mean, std }) = &self.normalization
            && (mean.len(), std.len()) != (channels, channels)
        {
            let (mean, std) = (mean.len(), std.len());
            return Err(PictureError::Normalization {
                mean,
                std,
                channels,
            });
        }
        if height == 0 || width == 0 {
            return Err(PictureError::Empty { width, height });
        }
        let (black, white) = (*self.range.start(), *self.range.end());
        if !(white - black > 0.0 && (white - black).is_finite()) {
            return Err(PictureError::Range { black, white });
        }
        Ok(())
    }

    /// How many pixels, down and across, are averaged into one.
    #[must_use]
    pub fn window(&self, height: usize, width: usize) -> (usize, usize) {
        let factor = height.max(width).div_ceil(self.side);
        (factor.min(height), factor.min(width))
    }

    /// A picture of numbers of shape (channels, height, width).
    ///
    /// # Errors
    /// If there are not as many numbers as the shape asks for.
    pub fn image(
        &self,
        mut pixels: Vec<f32>,
        [channels, height, width]: [usize; 3],
    ) -> Result<Image, ImageError> {
        if let Some(Normalization { mean, std }) = &self.normalization {
            let planes = pixels.chunks_mut((height * width).max(1));
            for ((plane, mean), std) in planes.zip(mean).zip(std) {
                plane.iter_mut().for_each(|x| *x = *x * std + mean);
            }
        }
        Image::from_chw_f32(pixels, channels, height, width, self.range.clone())
    }
}

impl Mistake<Image> {
    /// The image with what it is and what it was taken for; `None` if it has none.
    #[must_use]
    pub fn shown(self) -> Option<Image> {
        let sample = self.sample;
        let caption = format!(
            "{} taken for {}, {:.1} %",
            sample.true_class,
            sample.predicted_class,
            100.0 * sample.confidence
        );
        Some(self.image?.caption(caption).sample(sample))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_named() {
        let pictures = Pictures::default();
        assert_eq!(pictures.check(2, 8, 8), Err(PictureError::Channels(2)));
        let empty = PictureError::Empty {
            width: 8,
            height: 0,
        };
        assert_eq!(pictures.check(3, 0, 8), Err(empty));
        let grey = pictures.clone().denormalize([0.5], [0.5]);
        assert_eq!(grey.check(1, 8, 8), Ok(()));
        let message = grey.check(3, 8, 8).unwrap_err().to_string();
        assert!(message.starts_with("1 means and 1 deviations"), "{message}");
        let nothing = pictures.range(1.0..=1.0);
        assert!(matches!(
            nothing.check(3, 8, 8),
            Err(PictureError::Range { .. })
        ));
    }

    #[test]
    fn windows_bring_the_longer_side_down() {
        let pictures = Pictures::default().side(100);
        assert_eq!(pictures.window(100, 80), (1, 1));
        assert_eq!(pictures.window(101, 80), (2, 2));
        assert_eq!(pictures.window(1000, 3), (10, 3));
    }
}

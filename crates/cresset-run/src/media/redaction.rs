use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::image::{DynamicImage, RgbaImage};
use cresset_record::pattern_matches;

use super::Region;
use super::blur::blur;
use super::region::Rect;

/// Makes part of an image unrecognisable before anything of it is written.
///
/// It applies to the pixels of images. Masks, boxes, captions and the names of files are the user's matter, and so are
/// videos and files, which are kept as the bytes they came as.
///
/// An image that cannot be redacted is not written at all: if no region is given, if a region covers none of the
/// image's pixels, or if the user's closure panics (in a program that unwinds) or changes the size of the image.
#[derive(Clone)]
pub struct Redaction {
    how: How,
    pattern: Option<String>,
}

#[derive(Clone)]
enum How {
    Blur {
        regions: Vec<Region>,
        radius: u32,
    },
    Fill {
        regions: Vec<Region>,
        colour: [u8; 3],
    },
    Closure(Arc<dyn Fn(&mut RgbaImage) + Send + Sync>),
}

impl Redaction {
    /// Replaces each region by a few averages of it, with smooth transitions.
    ///
    /// An average is over `2 · radius + 1` pixels or more each way: at least 8, and at least an eighth of the region's
    /// longer side. So at most 8 by 8 averages of a region are written, whatever the radius, too few for any detail.
    /// Where all that could be there is known, such as one of a hundred numbers, averages can still tell which:
    /// [`fill`](Self::fill) leaves nothing.
    #[must_use]
    pub fn blur(regions: impl IntoIterator<Item = Region>, radius: u32) -> Self {
        Self::new(How::Blur {
            regions: regions.into_iter().collect(),
            radius,
        })
    }

    /// Paints each region in one colour: red, green, blue.
    #[must_use]
    pub fn fill(regions: impl IntoIterator<Item = Region>, colour: [u8; 3]) -> Self {
        Self::new(How::Fill {
            regions: regions.into_iter().collect(),
            colour,
        })
    }

    /// Has `closure` change the image in place; its size must stay. Pixels that it makes fully transparent are written
    /// as transparent black.
    ///
    /// It runs on a thread of the run, for one image after another.
    #[must_use]
    pub fn with(closure: impl Fn(&mut RgbaImage) + Send + Sync + 'static) -> Self {
        Self::new(How::Closure(Arc::new(closure)))
    }

    /// Only for images whose key matches `pattern`, in which `*` stands for any run of characters. Otherwise for all.
    #[must_use]
    pub fn for_keys(mut self, pattern: impl Into<String>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    fn new(how: How) -> Self {
        Self { how, pattern: None }
    }

    pub(super) fn applies_to(&self, key: &str) -> bool {
        self.pattern
            .as_ref()
            .is_none_or(|pattern| pattern_matches(pattern, key))
    }

    fn apply(&self, image: &mut RgbaImage) -> Result<(), RedactionError> {
        match &self.how {
            How::Blur { regions, radius } => {
                each(regions, image, |image, rect| blur(image, rect, *radius))
            }
            How::Fill {
                regions,
                colour: [r, g, b],
            } => each(regions, image, |image, rect| {
                let bottom = rect.top + rect.height;
                for (x, y) in (rect.top..bottom)
                    .flat_map(|y| (rect.left..rect.left + rect.width).map(move |x| (x, y)))
                {
                    image.put_pixel(x, y, [*r, *g, *b, 255].into());
                }
            }),
            How::Closure(closure) => call(&**closure, image),
        }
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Redaction");
        match &self.how {
            How::Blur { regions, radius } => {
                out.field("blur", regions).field("radius", radius);
            }
            How::Fill { regions, colour } => {
                out.field("fill", regions).field("colour", colour);
            }
            How::Closure(_) => {
                out.field("with", &"closure");
            }
        }
        out.field("for_keys", &self.pattern).finish()
    }
}

/// Why an image could not be redacted. The image was not written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactionError {
    /// There is nothing to blur or fill.
    #[error("the redaction has no region; Region::everything() is the whole image")]
    NoRegion,
    /// A region is empty or lies outside the image.
    #[error("{region:?} covers nothing of an image of {width} × {height} pixels")]
    Outside {
        /// The region.
        region: Region,
        /// Width of the image.
        width: u32,
        /// Height of the image.
        height: u32,
    },
    /// The user's closure panicked.
    #[error("the closure panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
    /// The user's closure put an image of another size in place.
    #[error(
        "the closure made {} × {} pixels of {} × {}; crop images before they are logged",
        to.0, to.1, from.0, from.1
    )]
    Resized {
        /// Width and height before.
        from: (u32, u32),
        /// Width and height after.
        to: (u32, u32),
    },
}

/// The image after all redactions, in their order; untouched if there is none.
pub(super) fn redact<'a>(
    image: DynamicImage,
    redactions: impl Iterator<Item = &'a Redaction>,
) -> Result<DynamicImage, RedactionError> {
    let mut redactions = redactions.peekable();
    if redactions.peek().is_none() {
        return Ok(image);
    }
    let mut image = image.into_rgba8();
    for redaction in redactions {
        redaction.apply(&mut image)?;
    }
    if image.pixels().all(|pixel| pixel[3] == 255) {
        return Ok(DynamicImage::from(image).into_rgb8().into());
    }
    // PNG keeps the colours of pixels that cannot be seen.
    for pixel in image.pixels_mut().filter(|pixel| pixel[3] == 0) {
        *pixel = [0; 4].into();
    }
    Ok(image.into())
}

fn each(
    regions: &[Region],
    image: &mut RgbaImage,
    change: impl Fn(&mut RgbaImage, Rect),
) -> Result<(), RedactionError> {
    if regions.is_empty() {
        return Err(RedactionError::NoRegion);
    }
    let (width, height) = image.dimensions();
    for &region in regions {
        let rect = region
            .within(width, height)
            .ok_or(RedactionError::Outside {
                region,
                width,
                height,
            })?;
        change(image, rect);
    }
    Ok(())
}

fn call(closure: &dyn Fn(&mut RgbaImage), image: &mut RgbaImage) -> Result<(), RedactionError> {
    let from = image.dimensions();
    // A half-changed image is dropped, never looked at.
    catch_unwind(AssertUnwindSafe(|| closure(image))).map_err(|panic| {
        RedactionError::Panicked {
            message: message(&*panic),
        }
    })?;
    let to = image.dimensions();
    if to != from {
        return Err(RedactionError::Resized { from, to });
    }
    Ok(())
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

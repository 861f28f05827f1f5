/// A rectangle of an image that must not be seen.
///
/// What reaches beyond the image is cut off; pixels that a rectangle covers in part belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Pixels,
    Fractions,
}

impl Region {
    /// In pixels of the image that is logged, from the top left corner. Where images are scaled down first, as thumbnails
    /// are, use [`fractions`](Self::fractions).
    #[must_use]
    pub fn pixels(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            x: x.into(),
            y: y.into(),
            width: width.into(),
            height: height.into(),
            unit: Unit::Pixels,
        }
    }

    /// In fractions of the image's width and height, from the top left corner.
    #[must_use]
    pub fn fractions(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
            unit: Unit::Fractions,
        }
    }

    /// The whole image.
    #[must_use]
    pub fn everything() -> Self {
        Self::fractions(0.0, 0.0, 1.0, 1.0)
    }

    /// What the region covers of an image; nothing if it covers no pixel.
    pub(super) fn within(self, width: u32, height: u32) -> Option<Rect> {
        let (x_unit, y_unit) = match self.unit {
            Unit::Pixels => (1.0, 1.0),
            Unit::Fractions => (f64::from(width), f64::from(height)),
        };
        let (left, right) = span(self.x * x_unit, self.width * x_unit, width)?;
        let (top, bottom) = span(self.y * y_unit, self.height * y_unit, height)?;
        Some(Rect {
            left,
            top,
            width: right - left,
            height: bottom - top,
        })
    }
}

/// At least one pixel, within an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

fn span(start: f64, length: f64, available: u32) -> Option<(u32, u32)> {
    let end = start + length;
    // Also false where either is NaN.
    if !(length > 0.0 && end.is_finite()) {
        return None;
    }
    // Casts clamp to the range of the type.
    let first = start.floor() as u32;
    let last = (end.ceil() as u32).min(available);
    (first < last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_cut_to_the_image_and_rounded_outwards() {
        let rect = |left, top, width, height| {
            Some(Rect {
                left,
                top,
                width,
                height,
            })
        };
        for (region, expected) in [
            (Region::pixels(1, 2, 3, 4), rect(1, 2, 3, 4)),
            (Region::pixels(90, 40, 100, 100), rect(90, 40, 10, 10)),
            (
                Region::pixels(0, 0, u32::MAX, u32::MAX),
                rect(0, 0, 100, 50),
            ),
            (Region::pixels(100, 0, 1, 1), None),
            (Region::pixels(u32::MAX, u32::MAX, u32::MAX, 1), None),
            (Region::pixels(5, 5, 0, 5), None),
            (Region::everything(), rect(0, 0, 100, 50)),
            (Region::fractions(0.5, 0.5, 0.25, 0.5), rect(50, 25, 25, 25)),
            (
                Region::fractions(0.111, 0.0, 0.001, 1.0),
                rect(11, 0, 1, 50),
            ),
            (Region::fractions(-0.5, 0.0, 0.6, 9.0), rect(0, 0, 10, 50)),
            (Region::fractions(0.0, 0.0, -0.5, 1.0), None),
            (Region::fractions(1.5, 0.0, 0.5, 1.0), None),
            (Region::fractions(f64::NAN, 0.0, 0.5, 1.0), None),
            (Region::fractions(0.0, 0.0, f64::INFINITY, 1.0), None),
        ] {
            assert_eq!(region.within(100, 50), expected, "{region:?}");
        }
    }
}

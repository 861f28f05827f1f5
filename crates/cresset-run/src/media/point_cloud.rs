use std::fmt;

use super::MediaError;

/// Points in space, `x y z` each, in units of the user's choice.
#[derive(Clone)]
pub struct PointCloud {
    points: Vec<[f32; 3]>,
    colours: Option<Vec<[f32; 3]>>,
    pub(super) caption: Option<String>,
}

impl PointCloud {
    /// Points, NaN and all.
    #[must_use]
    pub fn new(points: impl Into<Vec<[f32; 3]>>) -> Self {
        Self {
            points: points.into(),
            colours: None,
            caption: None,
        }
    }

    /// A colour for each point: red, green, blue in `0..=1`. What is outside is clamped; NaN is 0.
    ///
    /// # Errors
    /// If there are not as many colours as points.
    pub fn colours(mut self, colours: impl Into<Vec<[f32; 3]>>) -> Result<Self, MediaError> {
        let colours = colours.into();
        if colours.len() != self.points.len() {
            return Err(MediaError::PointColours {
                colours: colours.len(),
                points: self.points.len(),
            });
        }
        self.colours = Some(colours);
        Ok(self)
    }

    /// A line for people, shown under the points.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    pub(super) fn is_coloured(&self) -> bool {
        self.colours.is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        let colours = self.colours.as_ref().map_or(0, Vec::len);
        size_of::<[f32; 3]>() * (self.points.len() + colours)
            + self.caption.as_ref().map_or(0, String::len)
    }

    /// Little-endian `f32`: `x y z`, or `x y z r g b`, point by point.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes());
        let mut push = |value: f32| out.extend_from_slice(&value.to_le_bytes());
        match &self.colours {
            None => self.points.iter().flatten().for_each(|&v| push(v)),
            Some(colours) => {
                for (point, colour) in self.points.iter().zip(colours) {
                    point.iter().for_each(|&v| push(v));
                    let visible = |v: f32| if v.is_nan() { 0.0 } else { v.clamp(0.0, 1.0) };
                    colour.iter().for_each(|&v| push(visible(v)));
                }
            }
        }
        out
    }
}

impl fmt::Debug for PointCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PointCloud")
            .field("points", &self.points.len())
            .field("coloured", &self.is_coloured())
            .field("caption", &self.caption)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(bytes: &[u8]) -> Vec<f32> {
        let (floats, rest) = bytes.as_chunks::<4>();
        assert!(rest.is_empty());
        floats.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    #[test]
    fn points_and_colours_alternate() {
        let points = [[1.0, 2.0, 3.0], [4.0, -5.0, f32::INFINITY]];
        assert_eq!(
            floats(&PointCloud::new(points).encode()),
            [1.0, 2.0, 3.0, 4.0, -5.0, f32::INFINITY]
        );
        let cloud = PointCloud::new(&points[..])
            .colours([[0.0, 0.5, 1.0], [f32::NAN, -1.0, 7.0]])
            .unwrap();
        assert_eq!(
            floats(&cloud.encode()),
            [
                1.0,
                2.0,
                3.0,
                0.0,
                0.5,
                1.0,
                4.0,
                -5.0,
                f32::INFINITY,
                0.0,
                0.0,
                1.0
            ]
        );
    }

    #[test]
    fn each_point_needs_its_colour() {
        let error = PointCloud::new([[0.0; 3]; 3]).colours([[0.0; 3]]);
        assert_eq!(error.unwrap_err().to_string(), "1 colours for 3 points");
    }
}

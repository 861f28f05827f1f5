use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::draw::math::sin_cos_turns;
use crate::rng::Rng;

/// How much a training picture is altered before a model sees it. The label stays true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Augment {
    /// Not at all.
    #[default]
    None,
    /// Mirrored, and moved by up to 1/16 of its width.
    Light,
    /// Also turned (quarter turns, and up to 10°), zoomed by up to 10 %, brighter or darker, tinted.
    Medium,
    /// More of it: any angle, zoom of up to 25 %, noise, and a grey patch over up to 1/4 of the width.
    Heavy,
}

impl Augment {
    /// All levels, from none to most.
    pub const ALL: [Self; 4] = [Self::None, Self::Light, Self::Medium, Self::Heavy];

    /// `none`, `light`, `medium` or `heavy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
        }
    }
}

impl FromStr for Augment {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.name() == name);
        known.ok_or_else(|| {
            format!("`{name}` is no augmentation; known are none, light, medium and heavy")
        })
    }
}

/// The limits of each level.
struct Limits {
    /// Of the width.
    shift: f32,
    zoom: f32,
    /// In turns.
    angle: f32,
    quarter_turns: bool,
    brightness: f32,
    contrast: f32,
    tint: f32,
    noise: f32,
    /// Largest side of the grey patch, of the width.
    patch: f32,
}

impl Limits {
    fn of(level: Augment) -> Option<Self> {
        let light = Self {
            shift: 1.0 / 16.0,
            zoom: 0.0,
            angle: 0.0,
            quarter_turns: false,
            brightness: 0.0,
            contrast: 0.0,
            tint: 0.0,
            noise: 0.0,
            patch: 0.0,
        };
        let medium = Self {
            shift: 1.0 / 12.0,
            zoom: 0.10,
            angle: 10.0 / 360.0,
            quarter_turns: true,
            brightness: 0.10,
            contrast: 0.15,
            tint: 0.05,
            ..light
        };
        match level {
            Augment::None => None,
            Augment::Light => Some(light),
            Augment::Medium => Some(medium),
            Augment::Heavy => Some(Self {
                shift: 1.0 / 8.0,
                zoom: 0.25,
                angle: 0.5,
                brightness: 0.20,
                contrast: 0.30,
                tint: 0.10,
                noise: 0.04,
                patch: 0.25,
                ..medium
            }),
        }
    }
}

/// Alters `pixels` (`size` × `size` RGB bytes) in place.
pub(crate) fn augment(pixels: &mut Vec<u8>, size: usize, level: Augment, rng: &mut Rng) {
    let Some(limits) = Limits::of(level) else {
        return;
    };
    *pixels = warp(pixels, size, &limits, rng);
    if limits.brightness > 0.0 {
        recolor(pixels, &limits, rng);
    }
    if limits.patch > 0.0 {
        cover(pixels, size, &limits, rng);
    }
}

/// Mirrors, turns, zooms and moves in one resampling; beyond the edge the picture is mirrored.
fn warp(pixels: &[u8], size: usize, limits: &Limits, rng: &mut Rng) -> Vec<u8> {
    let mirror = rng.sign();
    let quarters = if limits.quarter_turns {
        rng.below(4) as f32 * 0.25
    } else {
        0.0
    };
    let (sin, cos) = sin_cos_turns(quarters + rng.within(-limits.angle, limits.angle));
    let zoom = 1.0 + rng.within(-limits.zoom, limits.zoom);
    let mut shift = || rng.within(-limits.shift, limits.shift) * size as f32;
    let (dx, dy) = (shift(), shift());
    let middle = (size as f32 - 1.0) * 0.5;

    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..size {
        for x in 0..size {
            let (u, v) = (
                ((x as f32 - middle) * mirror) * zoom,
                (y as f32 - middle) * zoom,
            );
            let (sx, sy) = (
                u * cos + v * sin + middle + dx,
                v * cos - u * sin + middle + dy,
            );
            out.extend(sample(pixels, size, sx, sy));
        }
    }
    out
}

/// Between four pixels, by their nearness.
fn sample(pixels: &[u8], size: usize, x: f32, y: f32) -> [u8; 3] {
    let (fx, fy) = (x.floor(), y.floor());
    let (u, v) = (x - fx, y - fy);
    let (x0, x1) = (reflect(fx as i32, size), reflect(fx as i32 + 1, size));
    let (y0, y1) = (reflect(fy as i32, size), reflect(fy as i32 + 1, size));
    std::array::from_fn(|c| {
        let at = |x: usize, y: usize| f32::from(pixels[(y * size + x) * 3 + c]);
        let top = at(x0, y0) * (1.0 - u) + at(x1, y0) * u;
        let bottom = at(x0, y1) * (1.0 - u) + at(x1, y1) * u;
        (top * (1.0 - v) + bottom * v + 0.5) as u8
    })
}

/// Back into `0..size`, as in a mirror at the picture's edge.
fn reflect(at: i32, size: usize) -> usize {
    let period = 2 * size as i32;
    let at = at.rem_euclid(period);
    (if at < size as i32 {
        at
    } else {
        period - 1 - at
    }) as usize
}

fn recolor(pixels: &mut [u8], limits: &Limits, rng: &mut Rng) {
    let add = rng.within(-limits.brightness, limits.brightness) * 255.0;
    let contrast = 1.0 + rng.within(-limits.contrast, limits.contrast);
    let gain: [f32; 3] =
        std::array::from_fn(|_| contrast * (1.0 + rng.within(-limits.tint, limits.tint)));
    let sigma = limits.noise * rng.unit() * 255.0;
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let noise = if sigma > 0.0 {
            sigma * rng.normal()
        } else {
            0.0
        };
        let value = (f32::from(*pixel) - 128.0) * gain[i % 3] + 128.0 + add + noise;
        *pixel = value.clamp(0.0, 255.0) as u8;
    }
}

/// A grey patch over a place where the joint need not be looked for.
fn cover(pixels: &mut [u8], size: usize, limits: &Limits, rng: &mut Rng) {
    let mut side = || (rng.within(0.0, limits.patch) * size as f32) as usize;
    let (width, height) = (side(), side());
    let (left, top) = (rng.below(size - width + 1), rng.below(size - height + 1));
    for y in top..top + height {
        pixels[(y * size + left) * 3..(y * size + left + width) * 3].fill(128);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 64;

    fn altered(picture: &[u8], level: Augment, seed: u64) -> Vec<u8> {
        let mut pixels = picture.to_vec();
        augment(&mut pixels, SIZE, level, &mut Rng::keyed(seed, &[]));
        pixels
    }

    /// A white square of 4 × 4 pixels in the middle of black.
    fn square() -> Vec<u8> {
        let inside = |v: usize| (30..34).contains(&v);
        (0..SIZE * SIZE)
            .flat_map(|i| {
                [if inside(i % SIZE) && inside(i / SIZE) {
                    255
                } else {
                    0
                }; 3]
            })
            .collect()
    }

    /// Distance of the light from the middle, in pixels.
    fn offset(pixels: &[u8]) -> f32 {
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for (i, value) in pixels.iter().step_by(3).enumerate() {
            sum += f32::from(*value);
            x += f32::from(*value) * ((i % SIZE) as f32 - 31.5);
            y += f32::from(*value) * ((i / SIZE) as f32 - 31.5);
        }
        (x / sum).abs().max((y / sum).abs())
    }

    #[test]
    fn none_changes_nothing_and_every_level_repeats() {
        let picture = square();
        assert_eq!(altered(&picture, Augment::None, 1), picture);
        for level in Augment::ALL {
            assert_eq!(altered(&picture, level, 5), altered(&picture, level, 5));
            assert_eq!(altered(&picture, level, 5).len(), picture.len());
        }
        assert_ne!(
            altered(&picture, Augment::Heavy, 5),
            altered(&picture, Augment::Heavy, 6)
        );
    }

    #[test]
    fn light_moves_by_no_more_than_a_sixteenth() {
        let moved: Vec<f32> = (0..200)
            .map(|seed| offset(&altered(&square(), Augment::Light, seed)))
            .collect();
        let largest = moved.iter().copied().fold(0.0, f32::max);
        assert!(largest <= 4.05, "{largest} pixels");
        assert!(largest > 3.0, "{largest} pixels in 200 draws");
    }

    #[test]
    fn colours_change_within_their_limits() {
        let grey = vec![160; SIZE * SIZE * 3];
        for seed in 0..100 {
            assert_eq!(
                altered(&grey, Augment::Light, seed),
                grey,
                "light leaves colours alone"
            );
            // (160 - 128) × 1.15 × 1.05 + 128 + 25.5 and its counterpart.
            assert!(
                altered(&grey, Augment::Medium, seed)
                    .iter()
                    .all(|v| (128..=192).contains(v))
            );
        }
    }

    #[test]
    fn heavy_covers_no_more_than_a_sixteenth_of_the_picture() {
        let white = vec![255; SIZE * SIZE * 3];
        let largest = (0..200)
            .map(|seed| {
                altered(&white, Augment::Heavy, seed)
                    .chunks(3)
                    .filter(|p| *p == [128; 3])
                    .count()
            })
            .max()
            .unwrap();
        assert!((100..=16 * 16).contains(&largest), "{largest} pixels");
    }

    #[test]
    fn levels_are_told_by_name() {
        for level in Augment::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert!("strong".parse::<Augment>().unwrap_err().contains("medium"));
    }
}

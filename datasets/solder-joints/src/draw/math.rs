//! Arithmetic that gives the same bits on every machine.
//!
//! IEEE 754 fixes `+ - * /` and `sqrt`; it does not fix `sin` or `exp`, whose last bit differs
//! between C libraries. Everything the generator computes therefore comes from this file.

use std::ops::{Add, Mul, Sub};

/// A point or direction in the plane of the board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct V2 {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl V2 {
    pub(crate) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
}

impl Add for V2 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for V2 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for V2 {
    type Output = Self;
    fn mul(self, by: f32) -> Self {
        Self::new(self.x * by, self.y * by)
    }
}

/// A similarity: where a thing lies in the frame, how it is turned and how large it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    pub(crate) origin: V2,
    sin: f32,
    cos: f32,
    pub(crate) scale: f32,
}

impl Pose {
    /// `turns`: counted in full turns, so that quarter turns are exact.
    pub(crate) fn new(origin: V2, turns: f32, scale: f32) -> Self {
        let (sin, cos) = sin_cos_turns(turns);
        Self {
            origin,
            sin,
            cos,
            scale,
        }
    }

    /// From the frame into the thing's own coordinates.
    pub(crate) fn local(&self, p: V2) -> V2 {
        let d = p - self.origin;
        let k = 1.0 / self.scale;
        V2::new(
            (d.x * self.cos + d.y * self.sin) * k,
            (d.y * self.cos - d.x * self.sin) * k,
        )
    }

    /// From the thing's own coordinates into the frame.
    pub(crate) fn frame(&self, q: V2) -> V2 {
        let s = q * self.scale;
        self.origin
            + V2::new(
                s.x * self.cos - s.y * self.sin,
                s.x * self.sin + s.y * self.cos,
            )
    }
}

/// Sine and cosine of an angle in turns (1 turn = 2π), to about 1e-6.
pub(crate) fn sin_cos_turns(turns: f32) -> (f32, f32) {
    let quarter = (turns * 4.0).round();
    // The rest is at most an eighth of a turn: |x| ≤ π/4, where these Taylor terms suffice.
    let x = (turns - quarter * 0.25) * std::f32::consts::TAU;
    let x2 = x * x;
    let sin = x * (1.0 + x2 * (-1.0 / 6.0 + x2 * (1.0 / 120.0 + x2 * (-1.0 / 5040.0))));
    let cos = 1.0 + x2 * (-0.5 + x2 * (1.0 / 24.0 + x2 * (-1.0 / 720.0 + x2 * (1.0 / 40_320.0))));
    match (quarter as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// `e^x` for |x| ≤ 20, to about 1e-4 relative: a cubic of x/256, squared eight times.
pub(crate) fn exp(x: f32) -> f32 {
    let t = x.clamp(-20.0, 20.0) * (1.0 / 256.0);
    let mut y = 1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6.0)));
    for _ in 0..8 {
        y *= y;
    }
    y
}

pub(crate) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

pub(crate) fn mix3(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    std::array::from_fn(|i| lerp(a[i], b[i], t))
}

pub(crate) fn scale3(a: [f32; 3], by: f32) -> [f32; 3] {
    a.map(|v| v * by)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The larger of two heights with the crease between them rounded over a width of `k`.
pub(crate) fn smooth_max(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.max(b) + h * h * k * 0.25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_cosine_and_exponential_are_close() {
        for i in -400..400 {
            let turns = i as f32 / 97.0;
            let (sin, cos) = sin_cos_turns(turns);
            let x = f64::from(turns) * std::f64::consts::TAU;
            assert!(
                (f64::from(sin) - x.sin()).abs() < 4e-6 && (f64::from(cos) - x.cos()).abs() < 4e-6,
                "{turns}"
            );
        }
        for i in -50..50 {
            let x = i as f32 / 10.0;
            let true_value = f64::from(x).exp();
            assert!((f64::from(exp(x)) / true_value - 1.0).abs() < 2e-4, "{x}");
        }
    }

    #[test]
    fn a_pose_undoes_itself() {
        let pose = Pose::new(V2::new(0.3, -0.2), 0.137, 0.8);
        let p = V2::new(0.7, 0.4);
        let back = pose.frame(pose.local(p));
        assert!((back - p).length() < 1e-5);
    }
}

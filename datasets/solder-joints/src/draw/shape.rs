//! Signed distances to shapes centred on the origin: negative inside, positive outside.

use super::math::V2;

/// A box of half sizes `half` whose corners are rounded by `radius` (the outline stays within `half`).
pub(crate) fn rounded_box(p: V2, half: V2, radius: f32) -> f32 {
    let qx = p.x.abs() - half.x + radius;
    let qy = p.y.abs() - half.y + radius;
    let outside = V2::new(qx.max(0.0), qy.max(0.0)).length();
    outside + qx.max(qy).min(0.0) - radius
}

/// How far along the segment `a`–`b` the nearest point to `p` lies (0 to 1), and its distance.
pub(crate) fn segment(p: V2, a: V2, b: V2) -> (f32, f32) {
    let (pa, ba) = (p - a, b - a);
    let along = (pa.dot(ba) / ba.dot(ba).max(1e-9)).clamp(0.0, 1.0);
    (along, (pa - ba * along).length())
}

use crate::draw::math::V2;
use crate::rng::Rng;

/// One inspection station's lamp and camera at the moment of one picture.
///
/// Each production line has its own station; lamp and camera drift as boards pass, and every picture
/// has a little jitter of its own. These are the nuisances that a model must learn to ignore.
#[derive(Debug, Clone)]
pub(crate) struct Optics {
    /// Height of the light ring, as the sine of its elevation.
    pub(crate) ring: f32,
    pub(crate) ring_gain: f32,
    /// Light along the camera's axis.
    pub(crate) coaxial: f32,
    /// Diffuse dome.
    pub(crate) dome: f32,
    /// Towards the side from which the ring is brightest, and by how much.
    pub(crate) key: V2,
    pub(crate) key_gain: f32,
    pub(crate) exposure: f32,
    pub(crate) white_balance: [f32; 3],
    /// Standard deviation of the blur, as a share of the frame's width.
    pub(crate) blur: f32,
    /// Standard deviation of the noise at full scale (shot) and at black (read).
    pub(crate) shot_noise: f32,
    pub(crate) read_noise: f32,
    pub(crate) vignette: f32,
}

impl Optics {
    /// `progress`: how far through the line's production this board is, 0 to 1.
    pub(crate) fn new(seed: u64, line: u32, progress: f32, rng: &mut Rng) -> Self {
        let mut station = Rng::keyed(seed, &[0x0971c5, u64::from(line)]);
        // Drift: a value at the first board and one at the last, both the station's own.
        let mut drift = |low: f32, high: f32| {
            let (from, to) = (station.within(low, high), station.within(low, high));
            from + (to - from) * progress
        };
        let (red, blue) = (drift(0.86, 1.16), drift(0.84, 1.18));
        let ring = drift(0.45, 0.75);
        let (ring_gain, coaxial, dome) = (drift(0.8, 1.3), drift(0.25, 0.75), drift(0.45, 0.8));
        let (exposure, blur, noise) = (drift(0.8, 1.3), drift(0.0062, 0.0105), drift(0.5, 1.1));
        let (key_x, key_y, key_gain) = (drift(-1.0, 1.0), drift(-1.0, 1.0), drift(0.1, 0.5));
        let vignette = drift(0.0, 0.25);

        let key = V2::new(key_x + rng.within(-0.2, 0.2), key_y + rng.within(-0.2, 0.2));
        Self {
            ring: ring + rng.within(-0.04, 0.04),
            ring_gain: ring_gain * rng.within(0.85, 1.15),
            coaxial: coaxial * rng.within(0.8, 1.2),
            dome: dome * rng.within(0.85, 1.15),
            key: key * (1.0 / key.length().max(0.05)),
            key_gain,
            exposure: exposure * rng.within(0.75, 1.25),
            white_balance: [
                red * rng.within(0.95, 1.05),
                1.0,
                blue * rng.within(0.95, 1.05),
            ],
            blur: blur * rng.within(0.85, 1.35),
            shot_noise: 0.018 * noise,
            read_noise: 0.006 * noise,
            vignette,
        }
    }
}

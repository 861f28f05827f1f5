use crate::draw::math::exp;
use crate::optics::Optics;
use crate::rng::Rng;

/// Light as the camera records it: blurred, binned to `size` × `size` pixels, exposed, noisy, 8 bits.
///
/// `light` holds `side` × `side` linear samples, `side` a multiple of `size`. Returns RGB bytes row by row.
pub(crate) fn expose(
    light: &[[f32; 3]],
    side: usize,
    size: usize,
    optics: &Optics,
    noise_seed: u64,
) -> Vec<u8> {
    let kernel = bell(optics.blur * side as f32);
    let blurred = blur(
        &transposed(&blur(light, side, &kernel), side),
        side,
        &kernel,
    );
    let bins = side / size;
    let mut rng = Rng::keyed(noise_seed, &[0xca3e]);
    let mut pixels = Vec::with_capacity(size * size * 3);
    for y in 0..size {
        for x in 0..size {
            let fall = 1.0 - optics.vignette * from_center(x, y, size);
            let light = binned(&blurred, side, bins, x, y);
            for (value, balance) in light.into_iter().zip(optics.white_balance) {
                let value = value * optics.exposure * balance * fall;
                let sigma = optics.shot_noise * value.max(0.0).sqrt() + optics.read_noise;
                pixels.push(encode(value + sigma * rng.normal()));
            }
        }
    }
    pixels
}

/// Mean over a pixel's samples. The picture was blurred twice over and lies transposed.
fn binned(image: &[[f32; 3]], side: usize, bins: usize, x: usize, y: usize) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for i in 0..bins * bins {
        let sample = image[(x * bins + i % bins) * side + y * bins + i / bins];
        sum = std::array::from_fn(|c| sum[c] + sample[c]);
    }
    sum.map(|v| v / (bins * bins) as f32)
}

/// Square root instead of the sRGB curve (close to it), with a soft shoulder before white.
fn encode(linear: f32) -> u8 {
    let v = linear.max(0.0);
    let over = (v - 0.5).max(0.0);
    let rolled = v.min(0.5) + over / (1.0 + 1.6 * over);
    (rolled.sqrt() * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

/// Squared distance from the frame's centre, 1 in the corners.
fn from_center(x: usize, y: usize, size: usize) -> f32 {
    let at = |v: usize| (v as f32 + 0.5) / size as f32 * 2.0 - 1.0;
    (at(x) * at(x) + at(y) * at(y)) * 0.5
}

/// Half of a normalised Gaussian: the middle weight, then those to one side.
fn bell(sigma: f32) -> Vec<f32> {
    let reach = (sigma * 2.5).ceil().max(1.0) as usize;
    let weights: Vec<f32> = (0..=reach)
        .map(|i| exp(-0.5 * (i * i) as f32 / (sigma * sigma)))
        .collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    weights.iter().map(|w| w / sum).collect()
}

fn blur(image: &[[f32; 3]], side: usize, kernel: &[f32]) -> Vec<[f32; 3]> {
    let mut out = Vec::with_capacity(image.len());
    for row in image.chunks_exact(side) {
        for x in 0..side {
            let mut sum = row[x].map(|v| v * kernel[0]);
            for (i, weight) in kernel.iter().enumerate().skip(1) {
                let (left, right) = (row[x.saturating_sub(i)], row[(x + i).min(side - 1)]);
                for c in 0..3 {
                    sum[c] += (left[c] + right[c]) * weight;
                }
            }
            out.push(sum);
        }
    }
    out
}

fn transposed(image: &[[f32; 3]], side: usize) -> Vec<[f32; 3]> {
    (0..side * side)
        .map(|i| image[(i % side) * side + i / side])
        .collect()
}

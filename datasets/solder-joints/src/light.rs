use crate::draw::math::{V2, smoothstep};
use crate::optics::Optics;
use crate::scene::Scene;
use crate::surface::Surface;

/// The scene as light that reaches the lens: linear RGB, `side` × `side` samples, row by row.
pub(crate) fn light(scene: &Scene, side: usize) -> Vec<[f32; 3]> {
    let step = 2.0 / side as f32;
    let at = |i: usize| (i as f32 + 0.5) * step - 1.0;
    let surfaces: Vec<Surface> = (0..side * side)
        .map(|i| scene.surface(V2::new(at(i % side), at(i / side))))
        .collect();
    let relief = Relief {
        heights: surfaces.iter().map(|s| s.height).collect(),
        side,
        step,
    };
    let sky = relief.sky(scene.optics.ring);
    surfaces
        .iter()
        .enumerate()
        .map(|(i, surface)| {
            let (x, y) = (i % side, i / side);
            shade(
                surface,
                relief.normal(x, y),
                sky[(y / 2) * side.div_ceil(2) + x / 2],
                scene,
            )
        })
        .collect()
}

struct Relief {
    heights: Vec<f32>,
    side: usize,
    step: f32,
}

impl Relief {
    fn height(&self, x: isize, y: isize) -> f32 {
        let last = self.side as isize - 1;
        self.heights[(y.clamp(0, last) * self.side as isize + x.clamp(0, last)) as usize]
    }

    fn normal(&self, x: usize, y: usize) -> [f32; 3] {
        let (x, y) = (x as isize, y as isize);
        let k = 0.5 / self.step;
        let dx = (self.height(x + 1, y) - self.height(x - 1, y)) * k;
        let dy = (self.height(x, y + 1) - self.height(x, y - 1)) * k;
        let inverse = 1.0 / (1.0 + dx * dx + dy * dy).sqrt();
        [-dx * inverse, -dy * inverse, inverse]
    }

    /// For every second sample, the share of the light ring that it sees past its surroundings.
    fn sky(&self, ring: f32) -> Vec<f32> {
        const AROUND: [(isize, isize); 8] = [
            (1, 0),
            (2, 2),
            (0, 1),
            (-2, 2),
            (-1, 0),
            (-2, -2),
            (0, -1),
            (2, -2),
        ];
        let tangent = ring / (1.0 - ring * ring).sqrt();
        let half = self.side.div_ceil(2);
        let mut sky = Vec::with_capacity(half * half);
        for i in 0..half * half {
            let (x, y) = ((i % half * 2) as isize, (i / half * 2) as isize);
            let here = self.height(x, y);
            let mut open = 0.0;
            for (dx, dy) in AROUND {
                let unit = self.step * ((dx * dx + dy * dy) as f32).sqrt();
                let mut horizon = -1.0_f32;
                let reach = if dx * dy == 0 {
                    [2, 5, 10, 20]
                } else {
                    [1, 2, 4, 8]
                };
                for k in reach {
                    let rise = self.height(x + dx * k, y + dy * k) - here;
                    horizon = horizon.max(rise / (unit * k as f32));
                }
                open += 1.0 - smoothstep(tangent * 0.5, tangent * 1.3, horizon);
            }
            sky.push(open * 0.125);
        }
        sky
    }
}

fn shade(s: &Surface, n: [f32; 3], sky: f32, scene: &Scene) -> [f32; 3] {
    let optics = &scene.optics;
    // The camera looks straight down, so the mirrored view is 2 n_z n - z.
    let mirrored = [
        2.0 * n[2] * n[0],
        2.0 * n[2] * n[1],
        2.0 * n[2] * n[2] - 1.0,
    ];
    let glare = environment(optics, mirrored, s.roughness) * (0.35 + 0.65 * sky);
    let towards_key = (n[0] * optics.key.x + n[1] * optics.key.y) * 0.7 + n[2] * 0.7;
    let diffuse = (optics.dome * (0.5 + 0.5 * n[2]) + 0.35 * optics.ring_gain * n[2])
        * (0.3 + 0.7 * sky)
        + optics.key_gain * towards_key.max(0.0) * sky;
    // Steep metal mirrors the board around it.
    let low = 1.0 - smoothstep(-0.3, 0.25, mirrored[2]);
    std::array::from_fn(|i| {
        let around = 0.5 * scene.board.mask_on_copper[i] * low;
        let metal = s.color[i] * (glare + around + 0.45 * s.roughness * diffuse);
        let paint = s.color[i] * diffuse + 0.035 * s.varnish * glare;
        paint + (metal - paint) * s.metal
    })
}

/// Light from direction `r`, as a mirror of the given roughness sees it: dome, ring and axis.
fn environment(optics: &Optics, r: [f32; 3], roughness: f32) -> f32 {
    let blur = roughness + 0.06;
    let ring_width = 0.07 + 0.75 * blur;
    let ring = lobe((r[2] - optics.ring) / ring_width) * 0.30 / (0.06 + 0.75 * blur);
    let axis_width = 0.03 + 0.55 * blur;
    let axis = lobe((1.0 - r[2]) / axis_width) * 0.22 / (0.08 + 0.55 * blur);
    let across = (r[0] * r[0] + r[1] * r[1]).sqrt().max(1e-4);
    let (c, k) = (
        r[0] / across,
        (r[0] * optics.key.x + r[1] * optics.key.y) / across,
    );
    // Eight lamps make the ring: cos 8φ by doubling the angle three times.
    let twice = |c: f32| 2.0 * c * c - 1.0;
    let lamps = 1.0 + 0.45 * twice(twice(twice(c))) * (1.0 - blur).max(0.0);
    let ring = ring * lamps * (1.0 + 1.2 * optics.key_gain * k);
    let dome = optics.dome * (0.16 + 0.30 * r[2].max(-0.5));
    (dome + optics.ring_gain * ring + optics.coaxial * axis).max(0.0)
}

/// A bell without an exponential: 1 at 0, a quarter at ±1.
fn lobe(x: f32) -> f32 {
    let d = 1.0 + x * x;
    1.0 / (d * d)
}

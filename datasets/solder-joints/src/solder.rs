use crate::defect::{Web, side};
use crate::draw::math::{V2, lerp, smooth_max, smoothstep};
use crate::draw::noise::noise;
use crate::draw::shape::{rounded_box, segment};
use crate::part::{Fillet, Part};

/// Solder at one point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Film {
    pub(crate) height: f32,
    pub(crate) roughness: f32,
    pub(crate) brightness: f32,
}

impl Film {
    /// Where two bodies of solder meet they flow into one.
    pub(crate) fn join(self, other: Self) -> Self {
        let (high, low) = if self.height > other.height {
            (self, other)
        } else {
            (other, self)
        };
        let share = smoothstep(0.0, 0.06, high.height - low.height) * 0.5 + 0.5;
        Self {
            height: smooth_max(high.height, low.height, 0.12),
            roughness: lerp(low.roughness, high.roughness, share),
            brightness: lerp(low.brightness, high.brightness, share),
        }
    }

    pub(crate) fn scaled(self, by: f32) -> Self {
        Self {
            height: self.height * by,
            ..self
        }
    }
}

/// The fillet at one `end` of a part, at `q` in the part's coordinates.
pub(crate) fn fillet(part: &Part, end: usize, q: V2) -> Option<Film> {
    let fillet = &part.fillets[end];
    let u = V2::new(q.x * side(end), q.y);
    let wander =
        |frequency: f32, salt: u32| noise(fillet.seed ^ salt, q.x * frequency, q.y * frequency);

    // Inside the pad's outline, which solder of a poor process does not follow.
    let pad = rounded_box(V2::new(u.x - part.pad_center, u.y), part.pad_half, 0.06)
        + fillet.ragged * wander(7.0, 1);
    let bare = part.lift.is_some_and(|lift| lift.standing != side(end));
    let from_chip = if bare {
        0.0
    } else {
        rounded_box(
            part.placement.local(q),
            V2::new(part.half_length, part.half_width),
            0.02,
        )
        .max(0.0)
    };
    let reach = part.pad_end() - part.half_length;
    let front = from_chip - reach * fillet.wetted + (0.03 + fillet.ragged) * wander(5.0, 2);
    let inside = (-pad).min(if fillet.wetted < 1.3 { -front } else { 1.0 });
    if inside <= 0.0 {
        return None;
    }

    let edge = (inside / 0.07).min(1.0);
    let edge = edge * (2.0 - edge);
    let profile = if bare {
        dome(part, u)
    } else {
        profile(from_chip / (reach * fillet.wetted.min(1.05)), fillet.bulge)
    };
    let texture =
        fillet.lumps * wander(8.0, 3) + fillet.grain * (wander(17.0, 4) + 0.8 * wander(34.0, 5));
    let mut film = Film {
        height: 0.014 + (0.012 + fillet.height * profile) * edge + texture * edge,
        roughness: fillet.roughness * (1.0 + 0.25 * wander(4.0, 6)),
        brightness: fillet.brightness * (1.0 + 0.25 * fillet.roughness * wander(20.0, 7)),
    };
    pit(fillet, q, &mut film);
    Some(film)
}

/// Molten solder on a pad with nothing to climb: a cushion.
fn dome(part: &Part, u: V2) -> f32 {
    let (x, y) = (
        (u.x - part.pad_center) / part.pad_half.x,
        u.y / part.pad_half.y,
    );
    ((1.0 - x * x).max(0.0) * (1.0 - y * y).max(0.0)).sqrt()
}

/// Height over the distance from the chip's face, both 0 to 1: hollow, straight or bulging.
fn profile(distance: f32, bulge: f32) -> f32 {
    let t = distance.min(1.0);
    let straight = 1.0 - t;
    if bulge < 0.0 {
        lerp(straight, straight * straight, -bulge)
    } else {
        lerp(straight, 1.0 - t * t, bulge)
    }
}

fn pit(fillet: &Fillet, q: V2, film: &mut Film) {
    for pit in &fillet.pits {
        let offset = q - pit.center;
        let ragged = 1.0 + 0.2 * noise(fillet.seed ^ 11, q.x * 14.0, q.y * 14.0);
        let r = offset.length() / pit.radius * ragged;
        if r < 1.0 {
            film.height -= pit.depth * (1.0 - r * r);
            let dark = smoothstep(0.35, 1.0, r);
            film.brightness *= lerp(0.12, 1.0, dark);
            film.roughness = lerp(0.7, film.roughness, dark);
        } else if r < 1.5 {
            // The gas pushed a low rim up on its way out.
            let t = (r - 1.0) * 2.0;
            film.height += pit.radius * 0.25 * t * (1.0 - t) * 4.0 * 0.5;
        }
    }
}

/// A web of solder at `q` in the main part's coordinates.
pub(crate) fn web(web: &Web, q: V2) -> Option<Film> {
    let (along, distance) = segment(q, web.from, web.to);
    let waist = 4.0 * along * (1.0 - along);
    let half_width = lerp(web.end_width, web.middle_width, waist * waist)
        + 0.02 * noise(web.seed, q.x * 6.0, q.y * 6.0);
    let t = distance / half_width.max(1e-3);
    (half_width > 0.0 && t < 1.0).then(|| Film {
        height: 0.015 + web.height * (half_width / web.end_width).min(1.2) * (1.0 - t * t),
        roughness: web.roughness,
        brightness: 0.97,
    })
}

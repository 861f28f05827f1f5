use crate::draw::math::{Pose, V2, lerp, sin_cos_turns};
use crate::part::{Fillet, Lift, Part, Pit};
use crate::rng::Rng;

/// Solder that joins two conductors, in the coordinates of the main part.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) from: V2,
    pub(crate) to: V2,
    /// Half width at the ends and in the middle; a middle of 0 or less leaves a gap.
    pub(crate) end_width: f32,
    pub(crate) middle_width: f32,
    pub(crate) height: f32,
    pub(crate) roughness: f32,
    pub(crate) seed: u32,
}

/// Too little solder: from a low fillet (severity 0) to a bare pad (1).
pub(crate) fn starve(part: &mut Part, end: usize, severity: f32, rng: &mut Rng) {
    let fillet = &mut part.fillets[end];
    fillet.height = part.height * (lerp(0.60, 0.06, severity) * rng.within(0.85, 1.15));
    fillet.wetted = lerp(1.0, 0.10, severity) * rng.within(0.9, 1.1);
    fillet.bulge = rng.within(-1.0, -0.5);
    fillet.ragged += 0.04 * severity;
}

/// Pits and blow holes: from a pin hole to a crater or a few.
pub(crate) fn perforate(part: &mut Part, end: usize, severity: f32, rng: &mut Rng) {
    let side = side(end);
    let (near, far) = (part.half_length, part.pad_end());
    let count = 1 + rng.below(if severity > 0.5 { 3 } else { 2 });
    for i in 0..count {
        let share = if i == 0 { 1.0 } else { rng.within(0.4, 0.9) };
        let radius = lerp(0.015, 0.165, severity) * share * rng.within(0.9, 1.1);
        let center = V2::new(
            side * lerp(near, far, rng.within(0.25, 0.75)),
            rng.within(-0.75, 0.75) * part.pad_half.y,
        );
        let depth = radius * rng.within(1.0, 1.8);
        part.fillets[end].pits.push(Pit {
            center,
            radius,
            depth,
        });
    }
    // A hole needs solder to be in.
    part.fillets[end].wetted = part.fillets[end].wetted.max(1.05);
}

/// Solder that never flowed: dull, grainy, lumpy, with a ragged edge.
pub(crate) fn chill(fillet: &mut Fillet, severity: f32, rng: &mut Rng) {
    fillet.roughness = lerp(0.26, 1.0, severity);
    fillet.grain = lerp(0.002, 0.020, severity) * rng.within(0.8, 1.2);
    fillet.lumps = lerp(0.008, 0.055, severity) * rng.within(0.7, 1.3);
    fillet.ragged = lerp(0.01, 0.06, severity);
    fillet.brightness = lerp(0.92, 0.55, severity);
    fillet.bulge = lerp(fillet.bulge, rng.within(0.2, 1.0), severity);
}

/// The chip stands up on the end opposite to `end`: from askew on its pads to upright.
pub(crate) fn erect(part: &mut Part, end: usize, severity: f32, rng: &mut Rng) {
    // Surface tension drags the chip over its pad and twists it.
    let turn = rng.within(-0.03, 0.03) * (0.5 + severity);
    let slip = V2::new(
        side(end) * -0.10 * rng.unit() * severity,
        rng.within(-0.06, 0.06),
    );
    part.placement = Pose::new(slip, turn, 1.0);
    if severity < 0.2 {
        return;
    }
    let (sin, cos) = sin_cos_turns(lerp(0.02, 0.24, (severity - 0.2) * 1.25));
    part.lift = Some(Lift {
        standing: -side(end),
        sin,
        cos,
    });
    // The end that was let go keeps its solder as a low dome on a bare pad.
    let bare = &mut part.fillets[end];
    bare.bulge = 1.0;
    bare.height = part.height * rng.within(0.25, 0.6);
    bare.wetted = 2.0;
    part.fillets[1 - end].bulge = rng.within(0.0, 0.8);
    part.fillets[1 - end].height = part.height * rng.within(0.8, 1.2);
}

/// Solder from `from` to `to`: from a spur that ends half way to a broad web.
pub(crate) fn bridge(from: V2, to: V2, severity: f32, rng: &mut Rng) -> Web {
    Web {
        from,
        to,
        end_width: rng.within(0.12, 0.19),
        middle_width: lerp(-0.02, 0.23, severity) * rng.within(0.85, 1.15),
        height: rng.within(0.07, 0.14),
        roughness: rng.within(0.08, 0.25),
        seed: rng.next() as u32,
    }
}

/// The end's sign on the part's axis.
pub(crate) fn side(end: usize) -> f32 {
    if end == 0 { -1.0 } else { 1.0 }
}

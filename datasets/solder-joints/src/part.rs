use crate::draw::math::{Pose, V2};
use crate::rng::Rng;

/// One chip component on its two pads. Lengths are in the part's own unit; the part lies along x.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) pose: Pose,
    pub(crate) kind: ChipKind,
    pub(crate) half_length: f32,
    pub(crate) half_width: f32,
    pub(crate) height: f32,
    /// Length of the metal cap at each end.
    pub(crate) cap: f32,
    /// Distance of a pad's centre from the part's, and the pad's half sizes.
    pub(crate) pad_center: f32,
    pub(crate) pad_half: V2,
    /// The solder at the ends -x and +x.
    pub(crate) fillets: [Fillet; 2],
    /// The chip stands up: which end still rests on its pad, and the angle.
    pub(crate) lift: Option<Lift>,
    /// Where the chip was put down relative to its pads, and how it is turned.
    pub(crate) placement: Pose,
    pub(crate) seed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChipKind {
    /// Black glass on white ceramic, with a printed value.
    Resistor,
    /// A plain ceramic block.
    Capacitor,
}

/// A chip that stands on one end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lift {
    /// -1 or 1: the end that still rests on its pad.
    pub(crate) standing: f32,
    pub(crate) sin: f32,
    pub(crate) cos: f32,
}

/// The solder between one end of a chip and its pad.
#[derive(Debug, Clone)]
pub(crate) struct Fillet {
    /// Height at the chip's end face.
    pub(crate) height: f32,
    /// Share of the pad that the solder wets, from the chip outwards; 1 and more is all of it.
    pub(crate) wetted: f32,
    /// Profile: -1 hollow, 0 straight, 1 bulging.
    pub(crate) bulge: f32,
    /// How ragged the outline is.
    pub(crate) ragged: f32,
    /// Height of coarse lumps and of fine grain on the surface.
    pub(crate) lumps: f32,
    pub(crate) grain: f32,
    /// Of the surface as a mirror: 0 polished, 1 dull.
    pub(crate) roughness: f32,
    /// 1 for clean metal, less for oxide.
    pub(crate) brightness: f32,
    pub(crate) pits: Vec<Pit>,
    pub(crate) seed: u32,
}

/// A hole in a fillet, in the part's coordinates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pit {
    pub(crate) center: V2,
    pub(crate) radius: f32,
    pub(crate) depth: f32,
}

impl Part {
    /// A sound part at `pose`.
    pub(crate) fn sound(pose: Pose, kind: ChipKind, rng: &mut Rng) -> Self {
        let half_length = 0.475 * rng.within(0.95, 1.05);
        let half_width = 0.25 * rng.within(0.9, 1.1);
        let height = match kind {
            ChipKind::Resistor => rng.within(0.14, 0.20),
            ChipKind::Capacitor => rng.within(0.22, 0.34),
        };
        let fillets = std::array::from_fn(|_| Fillet::sound(height, rng));
        let slip = V2::new(rng.within(-0.03, 0.03), rng.within(-0.03, 0.03));
        Self {
            pose,
            kind,
            half_length,
            half_width,
            height,
            cap: rng.within(0.12, 0.19),
            pad_center: 0.56,
            pad_half: V2::new(0.24, half_width + rng.within(0.03, 0.07)),
            fillets,
            lift: None,
            placement: Pose::new(slip, rng.within(-0.012, 0.012), 1.0),
            seed: rng.next() as u32,
        }
    }

    /// The outer edge of the pads, from the part's centre.
    pub(crate) fn pad_end(&self) -> f32 {
        self.pad_center + self.pad_half.x
    }
}

impl Fillet {
    /// What a good process makes: it varies, too.
    pub(crate) fn sound(chip_height: f32, rng: &mut Rng) -> Self {
        Self {
            height: chip_height * rng.within(0.62, 1.0),
            wetted: rng.within(0.95, 1.3),
            bulge: rng.within(-0.9, 0.25),
            ragged: rng.within(0.0, 0.02),
            lumps: rng.within(0.0, 0.009),
            grain: rng.within(0.0, 0.0025),
            roughness: rng.within(0.06, 0.19),
            brightness: rng.within(0.9, 1.0),
            pits: Vec::new(),
            seed: rng.next() as u32,
        }
    }
}

use crate::board::{Board, SerialPrint};
use crate::class::JointClass;
use crate::defect::{self, Web};
use crate::draw::font;
use crate::draw::math::{Pose, V2};
use crate::optics::Optics;
use crate::part::{ChipKind, Part};
use crate::plan::CropPlan;
use crate::rng::Rng;

/// Everything in one picture, with nothing left to chance but the camera's noise.
///
/// The frame spans -1 to 1 in both directions, x to the right and y down.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) board: Board,
    pub(crate) optics: Optics,
    /// The inspected part first, then its neighbours.
    pub(crate) parts: Vec<Part>,
    pub(crate) web: Option<Web>,
    /// Copper tracks under the mask: start, end, half width.
    pub(crate) tracks: Vec<(V2, V2, f32)>,
    pub(crate) vias: Vec<Via>,
    /// Balls of solder and specks of dirt.
    pub(crate) specks: Vec<Speck>,
    pub(crate) outline: Outline,
    pub(crate) designator: Option<Label>,
    pub(crate) serial: Option<Label>,
    pub(crate) flux: Option<(V2, f32)>,
    pub(crate) noise_seed: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Via {
    pub(crate) center: V2,
    pub(crate) radius: f32,
    /// Covered by mask.
    pub(crate) tented: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Speck {
    pub(crate) center: V2,
    pub(crate) radius: f32,
    /// A ball of solder rather than dirt.
    pub(crate) metal: bool,
}

/// Silkscreen around the inspected part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outline {
    None,
    /// Two lines along the long sides.
    Rails,
    Box,
}

/// Printed text; the pose's origin is its upper left corner and its unit one cell of the font.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) pose: Pose,
    pub(crate) print: SerialPrint,
}

impl Label {
    /// Cells of margin that a sticker has around its text.
    pub(crate) const MARGIN: f32 = 1.5;

    /// How far the lens spreads the print, in pixels.
    const BLUR: f32 = 1.0;

    /// The smallest rectangle of pixels that covers the print, clipped to the frame: x, y, width, height.
    pub(crate) fn pixels(&self, size: u32) -> [u32; 4] {
        let m = Self::MARGIN;
        let (right, bottom) = (font::width(&self.text) + m, font::HEIGHT + m);
        let corners = [(-m, -m), (right, -m), (-m, bottom), (right, bottom)]
            .map(|(x, y)| self.pose.frame(V2::new(x, y)));
        let edge =
            |v: f32, blur: f32| ((v + 1.0) * 0.5 * size as f32 + blur).clamp(0.0, size as f32);
        let low = |pick: fn(&V2) -> f32| {
            edge(
                corners.iter().map(pick).fold(f32::INFINITY, f32::min),
                -Self::BLUR,
            )
            .floor() as u32
        };
        let high = |pick: fn(&V2) -> f32| {
            edge(
                corners.iter().map(pick).fold(f32::NEG_INFINITY, f32::max),
                Self::BLUR,
            )
            .ceil() as u32
        };
        let (x, y) = (low(|c| c.x), low(|c| c.y));
        [x, y, high(|c| c.x) - x, high(|c| c.y) - y]
    }
}

/// How far the joint may lie from the frame's centre, as a share of the frame's width.
const SHIFT: f32 = 0.18;
/// What the crop is centred on, by its distance from the part's centre: the chip's end, so that the
/// fillet beyond it and some of the chip are in the picture.
const JOINT: f32 = 0.42;

impl Scene {
    pub(crate) fn new(seed: u64, plan: &CropPlan) -> Self {
        let rng = &mut Rng::keyed(seed, &[0x5ce2e, plan.id as u64]);
        let board = Board::new(seed, plan.line, plan.board);
        let optics = Optics::new(seed, plan.line, plan.progress, rng);

        // Boards lie nearly square to the camera; parts at quarter turns, some at 45°, some anyhow.
        let fixture = rng.within(-0.01, 0.01);
        let square = fixture + rng.below(4) as f32 * 0.25;
        let turns = square
            + match rng.below(16) {
                0 => 0.125,
                1 => rng.unit(),
                _ => rng.within(-0.012, 0.012),
            };
        // The crop is of one joint, not of the whole part: of the one at `end` of it.
        let end = rng.below(2);
        let pose = joint_pose(end, turns, rng);
        let kind = if rng.chance(0.5) {
            ChipKind::Resistor
        } else {
            ChipKind::Capacitor
        };
        let mut main = Part::sound(pose, kind, rng);

        let serial = rng
            .chance(0.5)
            .then(|| serial_label(&board, &main, square, rng));
        let mut parts = neighbours(&main, turns, serial.is_some(), rng);
        let web = apply(plan, &mut main, end, &parts, rng);
        let tracks = tracks(&main, rng);
        let vias = (0..rng.below(3)).map(|_| via(rng)).collect();
        let specks = (0..rng.below(4)).map(|_| speck(rng)).collect();
        let outline = [Outline::None, Outline::Rails, Outline::Box][rng.below(3)];
        let designator = rng
            .chance(0.6)
            .then(|| designator(&main, end, fixture, serial.is_some(), rng));
        let joint = main.pose.frame(V2::new(JOINT * defect::side(end), 0.0));
        let flux = rng.chance(0.3).then(|| (joint, rng.within(0.3, 0.7)));
        parts.insert(0, main);
        Self {
            board,
            optics,
            parts,
            web,
            tracks,
            vias,
            specks,
            outline,
            designator,
            serial,
            flux,
            noise_seed: rng.next(),
        }
    }
}

/// Where a part lies whose joint at `end` is near the middle of the frame.
fn joint_pose(end: usize, turns: f32, rng: &mut Rng) -> Pose {
    let scale = rng.within(1.25, 1.55);
    let shift = V2::new(rng.within(-SHIFT, SHIFT), rng.within(-SHIFT, SHIFT)) * 2.0;
    let from_joint = Pose::new(shift, turns, scale);
    Pose::new(
        from_joint.frame(V2::new(-JOINT * defect::side(end), 0.0)),
        turns,
        scale,
    )
}

/// The side of the part, on its y axis, that has more of the frame.
fn roomier_side(part: &Part) -> f32 {
    if part.pose.local(V2::new(0.0, 0.0)).y < 0.0 {
        -1.0
    } else {
        1.0
    }
}

/// Parts beside the inspected one; the roomier side may be taken by print.
fn neighbours(main: &Part, turns: f32, taken: bool, rng: &mut Rng) -> Vec<Part> {
    let inward = roomier_side(main);
    let mut parts = Vec::new();
    for (side, odds) in [(inward, 0.7), (-inward, 0.4)] {
        if !rng.chance(odds) || taken && side == inward {
            continue;
        }
        let pitch = 2.0 * main.pad_half.y + rng.within(0.14, 0.26);
        let kind = if rng.chance(0.8) {
            main.kind
        } else {
            ChipKind::Capacitor
        };
        let at = main
            .pose
            .frame(V2::new(rng.within(-0.03, 0.03), side * pitch));
        parts.push(Part::sound(
            Pose::new(at, turns, main.pose.scale),
            kind,
            rng,
        ));
    }
    parts
}

/// Makes the part what the plan says; a bridge is a thing of its own.
fn apply(
    plan: &CropPlan,
    main: &mut Part,
    end: usize,
    neighbours: &[Part],
    rng: &mut Rng,
) -> Option<Web> {
    let severity = plan.severity;
    match plan.kind() {
        JointClass::Good => {}
        JointClass::Insufficient => defect::starve(main, end, severity, rng),
        JointClass::Void => defect::perforate(main, end, severity, rng),
        JointClass::Cold => {
            defect::chill(&mut main.fillets[end], severity, rng);
            // The whole part was too cold more often than one end of it.
            if rng.chance(0.6) {
                defect::chill(&mut main.fillets[1 - end], severity, rng);
            }
        }
        JointClass::Tombstone => {
            // Seen at the pad that it left, or, where it stands steep enough to be told, at its foot.
            let foot = severity > 0.6 && rng.chance(0.4);
            defect::erect(main, if foot { 1 - end } else { end }, severity, rng);
        }
        JointClass::Bridge => return Some(web(main, end, neighbours, severity, rng)),
    }
    None
}

/// Between the pads of two parts where there is a neighbour, else past the chip from pad to pad.
fn web(main: &Part, end: usize, neighbours: &[Part], severity: f32, rng: &mut Rng) -> Web {
    let side = defect::side(end);
    let x = side * (main.pad_center + rng.within(-0.08, 0.14));
    let visible = |part: &&Part| {
        let there = main.pose.local(part.pose.origin);
        let middle = main.pose.frame(V2::new(x, there.y * 0.5));
        middle.x.abs().max(middle.y.abs()) < 0.8
    };
    match neighbours.iter().find(visible) {
        Some(neighbour) => {
            let there = main.pose.local(neighbour.pose.origin);
            let toward = if there.y < 0.0 { -1.0 } else { 1.0 };
            let from = V2::new(x, toward * main.pad_half.y * 0.6);
            let to = V2::new(
                x + rng.within(-0.06, 0.06),
                there.y - toward * neighbour.pad_half.y * 0.6,
            );
            defect::bridge(from, to, severity, rng)
        }
        None => {
            let inward = roomier_side(main);
            let y = inward * (main.half_width + rng.within(0.06, 0.11));
            let inner = main.pad_center - main.pad_half.x * 0.4;
            defect::bridge(V2::new(-inner, y), V2::new(inner, y), severity, rng)
        }
    }
}

fn serial_label(board: &Board, part: &Part, turns: f32, rng: &mut Rng) -> Label {
    let cell = rng.within(0.030, 0.036);
    let length = font::width(&board.serial) * cell;
    // Along the part's long side, on the side with more room, readable from below or from the right.
    let upright = (turns * 4.0).round() as i32 % 2 == 0;
    let turns = if upright {
        turns - (turns * 4.0).round() * 0.25
    } else {
        turns - (turns * 4.0).round() * 0.25 - 0.25
    };
    let across = if upright {
        part.pose.origin.y
    } else {
        part.pose.origin.x
    };
    let away = if across < 0.0 { 1.0 } else { -1.0 };
    let line = away * rng.within(0.72, 0.86);
    let along = rng.within(-0.12, 0.12);
    let height = font::HEIGHT * cell;
    let corner = if upright {
        V2::new(along - length * 0.5, line - height * 0.5)
    } else {
        V2::new(line - height * 0.5, along + length * 0.5)
    };
    Label {
        text: board.serial.clone(),
        pose: Pose::new(corner, turns, cell),
        print: board.print,
    }
}

fn designator(main: &Part, end: usize, fixture: f32, taken: bool, rng: &mut Rng) -> Label {
    let letter = if main.kind == ChipKind::Resistor {
        'R'
    } else {
        'C'
    };
    let text = format!("{letter}{}", 1 + rng.below(299));
    let side = if taken {
        -roomier_side(main)
    } else {
        rng.sign()
    };
    let at = V2::new(
        defect::side(end) * rng.within(0.1, 0.8),
        side * rng.within(0.5, 0.7),
    );
    let turns = fixture - 0.25 * rng.below(2) as f32;
    let pose = Pose::new(main.pose.frame(at), turns, rng.within(0.026, 0.034));
    Label {
        text,
        pose,
        print: SerialPrint::Ink,
    }
}

/// Tracks leave the pads lengthways or aside; one or two more pass by.
fn tracks(main: &Part, rng: &mut Rng) -> Vec<(V2, V2, f32)> {
    let mut tracks = Vec::new();
    for side in [-1.0, 1.0] {
        if rng.chance(0.8) {
            let from = V2::new(side * main.pad_center, rng.within(-0.1, 0.1));
            let to = match rng.below(3) {
                0 => V2::new(side * 2.5, from.y),
                1 => V2::new(side * (main.pad_center + 1.2), from.y + rng.sign() * 1.2),
                _ => V2::new(from.x, rng.sign() * 2.5),
            };
            tracks.push((
                main.pose.frame(from),
                main.pose.frame(to),
                rng.within(0.04, 0.13),
            ));
        }
    }
    for _ in 0..rng.below(3) {
        let x = rng.within(-1.0, 1.0);
        let (a, b) = if rng.chance(0.5) {
            (V2::new(x, -1.5), V2::new(x + rng.within(-0.1, 0.1), 1.5))
        } else {
            (V2::new(-1.5, x), V2::new(1.5, x + rng.within(-0.1, 0.1)))
        };
        tracks.push((a, b, rng.within(0.02, 0.07)));
    }
    tracks
}

fn via(rng: &mut Rng) -> Via {
    Via {
        center: V2::new(rng.within(-1.0, 1.0), rng.within(-1.0, 1.0)),
        radius: rng.within(0.06, 0.11),
        tented: rng.chance(0.6),
    }
}

fn speck(rng: &mut Rng) -> Speck {
    Speck {
        center: V2::new(rng.within(-1.0, 1.0), rng.within(-1.0, 1.0)),
        radius: rng.within(0.015, 0.045),
        metal: rng.chance(0.4),
    }
}

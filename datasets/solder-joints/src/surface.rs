use crate::board::{Board, SerialPrint};
use crate::draw::font;
use crate::draw::math::{V2, lerp, mix3, scale3, smooth_max, smoothstep};
use crate::draw::noise::noise;
use crate::draw::shape::{rounded_box, segment};
use crate::part::Part;
use crate::scene::{Label, Outline, Scene};
use crate::solder;

/// What a ray straight down from the camera meets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surface {
    /// Height above the mask; half the frame's width is 1.
    pub(crate) height: f32,
    /// Linear RGB: diffuse colour, or the tint of the mirror for a metal.
    pub(crate) color: [f32; 3],
    /// 0 for paint and ceramics, 1 for bare metal.
    pub(crate) metal: f32,
    /// 0 polished, 1 dull.
    pub(crate) roughness: f32,
    /// Strength of the mirror on top of a diffuse colour (varnish, glass).
    pub(crate) varnish: f32,
}

impl Surface {
    fn paint(&mut self, color: [f32; 3], roughness: f32, varnish: f32, cover: f32) {
        self.color = mix3(self.color, color, cover);
        self.metal *= 1.0 - cover;
        self.roughness = lerp(self.roughness, roughness, cover);
        self.varnish = lerp(self.varnish, varnish, cover);
    }

    fn plate(&mut self, color: [f32; 3], roughness: f32) {
        *self = Self {
            height: self.height,
            color,
            metal: 1.0,
            roughness,
            varnish: 0.0,
        };
    }
}

impl Scene {
    /// The uppermost surface at `p`, from the laminate up.
    pub(crate) fn surface(&self, p: V2) -> Surface {
        let mut s = mask(self, p);
        self.vias(p, &mut s);
        self.silkscreen(p, &mut s);
        for part in &self.parts {
            let q = part.pose.local(p);
            if q.x.abs() < 1.0 && q.y.abs() < 0.6 {
                pads(part, &self.board, q, &mut s);
            }
        }
        self.flux(p, &mut s);
        self.solder(p, &mut s);
        for part in &self.parts {
            body(
                part,
                &self.board,
                part.pose.local(p),
                part.pose.scale,
                &mut s,
            );
        }
        self.specks(p, &mut s);
        s
    }

    fn vias(&self, p: V2, s: &mut Surface) {
        for via in &self.vias {
            let r = (p - via.center).length() / via.radius;
            if r > 1.0 {
                continue;
            }
            let hole = r < 0.45;
            if via.tented {
                let color = if hole {
                    scale3(self.board.mask, 0.8)
                } else {
                    self.board.mask_on_copper
                };
                s.paint(color, 0.35, self.board.gloss, 1.0);
                s.height += if hole {
                    -0.03 * (1.0 - r / 0.45)
                } else {
                    0.012
                };
            } else if hole {
                s.paint([0.004; 3], 0.9, 0.0, 1.0);
                s.height -= 0.08;
            } else {
                s.plate(self.board.finish, 0.25);
                s.height += 0.012;
            }
        }
    }

    fn silkscreen(&self, p: V2, s: &mut Surface) {
        let main = &self.parts[0];
        let q = main.pose.local(p);
        let (x, y) = (main.pad_end() + 0.08, main.pad_half.y + 0.11);
        let on_line = match self.outline {
            Outline::None => false,
            Outline::Rails => (q.y.abs() - y).abs() < 0.016 && q.x.abs() < main.half_length * 0.6,
            Outline::Box => rounded_box(q, V2::new(x, y), 0.03).abs() < 0.016,
        };
        let ink = noise(self.board.weave_seed ^ 9, p.x * 18.0, p.y * 18.0) * 0.15 + 0.85;
        if on_line
            || self
                .designator
                .as_ref()
                .is_some_and(|label| printed(label, p))
        {
            s.paint(self.board.silkscreen, 0.8, 0.05, ink);
            s.height += 0.003;
        }
        let Some(label) = &self.serial else { return };
        match label.print {
            SerialPrint::Ink if printed(label, p) => s.paint(self.board.silkscreen, 0.8, 0.05, ink),
            SerialPrint::Sticker => sticker(label, p, s),
            SerialPrint::Ink => {}
        }
    }

    /// Residue around the joint: a brownish varnish that wanders over mask and pads.
    fn flux(&self, p: V2, s: &mut Surface) {
        let Some((center, radius)) = self.flux else {
            return;
        };
        let r = (p - center).length() / radius
            + 0.3 * noise(self.board.weave_seed ^ 5, p.x * 4.0, p.y * 4.0);
        let cover = 1.0 - smoothstep(0.7, 1.0, r);
        let amber = std::array::from_fn(|i| s.color[i] * [0.95, 0.86, 0.62][i]);
        s.color = mix3(s.color, amber, cover);
        s.varnish = lerp(s.varnish, 0.9, cover * 0.8);
    }

    fn solder(&self, p: V2, s: &mut Surface) {
        let mut top: Option<solder::Film> = None;
        let mut add = |film: Option<solder::Film>| {
            top = match (top, film) {
                (Some(a), Some(b)) => Some(a.join(b)),
                (a, b) => a.or(b),
            };
        };
        for part in &self.parts {
            let q = part.pose.local(p);
            if q.x.abs() < 1.0 && q.y.abs() < 0.6 {
                for end in 0..2 {
                    add(solder::fillet(part, end, q).map(|film| film.scaled(part.pose.scale)));
                }
            }
        }
        if let Some(web) = &self.web {
            let main = &self.parts[0].pose;
            add(solder::web(web, main.local(p)).map(|film| film.scaled(main.scale)));
        }
        let Some(film) = top else { return };
        let color = scale3([0.80, 0.80, 0.79], film.brightness);
        s.height = smooth_max(s.height, film.height, 0.01);
        s.plate(color, film.roughness);
    }

    fn specks(&self, p: V2, s: &mut Surface) {
        for speck in &self.specks {
            let r = (p - speck.center).length() / speck.radius;
            if r > 1.0 {
                continue;
            }
            if speck.metal {
                s.plate([0.8, 0.8, 0.79], 0.15);
                s.height += speck.radius * (1.0 + (1.0 - r * r).max(0.0).sqrt());
            } else {
                s.paint([0.05, 0.04, 0.03], 0.9, 0.0, 0.9 * (1.0 - r * r));
            }
        }
    }
}

fn mask(scene: &Scene, p: V2) -> Surface {
    let board = &scene.board;
    let mut copper = 0.0_f32;
    for &(a, b, half_width) in &scene.tracks {
        let (_, distance) = segment(p, a, b);
        copper = copper.max(1.0 - smoothstep(half_width - 0.012, half_width + 0.012, distance));
    }
    // Glass cloth shows through the mask as a faint weave.
    let weave = noise(board.weave_seed, p.x * 9.0, p.y * 30.0)
        + noise(board.weave_seed, p.x * 30.0 + 50.0, p.y * 9.0);
    let color = scale3(
        mix3(board.mask, board.mask_on_copper, copper),
        1.0 + 0.05 * weave,
    );
    let ripple = 0.0012 * noise(board.weave_seed ^ 3, p.x * 7.0, p.y * 7.0);
    Surface {
        height: 0.014 * copper + ripple,
        color,
        metal: 0.0,
        roughness: 0.3,
        varnish: board.gloss,
    }
}

/// The pads, and the ring of laminate that the mask leaves open around them.
fn pads(part: &Part, board: &Board, q: V2, s: &mut Surface) {
    let d = rounded_box(
        V2::new(q.x.abs() - part.pad_center, q.y),
        part.pad_half,
        0.04,
    );
    if d < 0.0 {
        s.height = 0.012;
        s.plate(board.finish, 0.3);
    } else if d < 0.035 {
        s.height = -0.006;
        s.paint(board.laminate, 0.8, 0.05, 1.0);
    }
}

fn body(part: &Part, board: &Board, q: V2, scale: f32, s: &mut Surface) {
    let q = part.placement.local(q);
    let Some(point) = body_point(part, q) else {
        return;
    };
    let z = point.height * scale;
    if z < s.height && part.lift.is_none() {
        return;
    }
    s.height = z;
    let along = point.along;
    if part.half_length - along.abs() < part.cap || point.end_face {
        let smear = 0.06 * noise(part.seed, q.x * 9.0, q.y * 9.0);
        s.plate([0.70 + smear, 0.69 + smear, 0.67 + smear], 0.32);
        return;
    }
    let speckle = 1.0 + 0.06 * noise(part.seed ^ 1, q.x * 25.0, q.y * 25.0);
    match part.kind {
        crate::part::ChipKind::Capacitor => {
            s.paint(scale3(board.capacitor, speckle), 0.45, 0.35, 1.0);
        }
        crate::part::ChipKind::Resistor => {
            let edge = part.half_width - q.y.abs() < 0.022;
            let color = if edge {
                [0.55, 0.54, 0.50]
            } else {
                [0.018, 0.018, 0.020]
            };
            s.paint(scale3(color, speckle), 0.35, 0.6, 1.0);
            let cell = 0.030;
            let text = resistor_code(part.seed);
            let (w, h) = (font::width(text) * cell, font::HEIGHT * cell);
            if !edge && font::inked(text, (along + w * 0.5) / cell, (q.y + h * 0.5) / cell) {
                s.paint([0.62, 0.62, 0.60], 0.6, 0.1, 0.9);
            }
        }
    }
}

struct BodyPoint {
    height: f32,
    /// Position along the chip's own axis.
    along: f32,
    /// On the metal face at the end of a chip that stands up.
    end_face: bool,
}

/// Where the chip's upper side lies over `q`, seen from above.
fn body_point(part: &Part, q: V2) -> Option<BodyPoint> {
    let bevel = |d: f32| {
        let t = 1.0 - (-d / 0.045).min(1.0);
        0.045 * t * t
    };
    let Some(lift) = part.lift else {
        let d = rounded_box(q, V2::new(part.half_length, part.half_width), 0.035);
        return (d < 0.0).then(|| BodyPoint {
            height: part.height - bevel(d),
            along: q.x,
            end_face: false,
        });
    };
    // The chip turns about its lower edge at the standing end; m runs from there to the raised end.
    let m = part.half_length - q.x * lift.standing;
    let (length, h) = (2.0 * part.half_length, part.height);
    let (top_from, top_to) = (-h * lift.sin, length * lift.cos - h * lift.sin);
    let face_to = length * lift.cos;
    let side = q.y.abs() - part.half_width;
    if side > 0.0 || m < top_from || m > face_to {
        return None;
    }
    if m <= top_to {
        let run = m - top_from;
        let height = h * lift.cos + run * lift.sin / lift.cos.max(0.05)
            - bevel(side.max(-run).max(m - face_to));
        let along = -lift.standing * (run / lift.cos.max(0.05) - part.half_length);
        return Some(BodyPoint {
            height,
            along,
            end_face: false,
        });
    }
    let rise = (face_to - m) * lift.cos / lift.sin.max(0.05);
    Some(BodyPoint {
        height: length * lift.sin + rise - bevel(side.max(m - face_to)),
        along: part.half_length,
        end_face: true,
    })
}

fn resistor_code(seed: u32) -> &'static str {
    ["103", "472", "101", "220", "000", "1R0", "334", "681"][seed as usize % 8]
}

fn printed(label: &Label, p: V2) -> bool {
    let cell = label.pose.local(p);
    font::inked(&label.text, cell.x, cell.y)
}

fn sticker(label: &Label, p: V2, s: &mut Surface) {
    let cell = label.pose.local(p);
    let m = Label::MARGIN;
    let (w, h) = (font::width(&label.text), font::HEIGHT);
    if cell.x < -m || cell.y < -m || cell.x > w + m || cell.y > h + m {
        return;
    }
    let ink = font::inked(&label.text, cell.x, cell.y);
    s.paint(
        if ink { [0.02; 3] } else { [0.74, 0.74, 0.72] },
        0.7,
        0.15,
        1.0,
    );
    s.height += 0.01;
}

use crate::draw::math::scale3;
use crate::rng::Rng;

/// What all crops of one board share: its colours, its print and its serial number.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    /// Solder mask over bare laminate, linear RGB.
    pub(crate) mask: [f32; 3],
    /// Solder mask over copper.
    pub(crate) mask_on_copper: [f32; 3],
    pub(crate) laminate: [f32; 3],
    /// The finish of a pad without solder.
    pub(crate) finish: [f32; 3],
    pub(crate) silkscreen: [f32; 3],
    /// Colour of the chips' ceramic bodies.
    pub(crate) capacitor: [f32; 3],
    /// How glossy the mask is, 0 to 1.
    pub(crate) gloss: f32,
    pub(crate) weave_seed: u32,
    pub(crate) serial: String,
    pub(crate) print: SerialPrint,
}

/// How the line prints a board's serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SerialPrint {
    /// Dark on a white sticker.
    Sticker,
    /// White ink on the mask.
    Ink,
}

/// Mask colours in the order of how often one meets them; linear RGB over laminate.
const MASKS: [[f32; 3]; 6] = [
    [0.010, 0.105, 0.035],
    [0.018, 0.170, 0.050],
    [0.006, 0.055, 0.030],
    [0.008, 0.040, 0.190],
    [0.016, 0.016, 0.018],
    [0.230, 0.018, 0.016],
];
const GOLD: [f32; 3] = [0.78, 0.55, 0.22];
const TIN: [f32; 3] = [0.62, 0.61, 0.58];
const COPPER: [f32; 3] = [0.66, 0.36, 0.20];
const CERAMICS: [[f32; 3]; 4] = [
    [0.42, 0.27, 0.14],
    [0.30, 0.20, 0.13],
    [0.33, 0.31, 0.28],
    [0.48, 0.38, 0.24],
];

/// A line builds a few products in turn; boards of one product look alike but for their batch.
const PRODUCTS: usize = 10;

impl Board {
    pub(crate) fn new(seed: u64, line: u32, board: u32) -> Self {
        let mut batch = Rng::keyed(seed, &[0xb0a2d, u64::from(board)]);
        let product = batch.below(PRODUCTS) as u64;
        let mut rng = Rng::keyed(seed, &[0x920d, product]);

        let mask = MASKS[[0, 0, 1, 1, 2, 0, 3, 3, 4, 5][rng.below(10)]];
        let finish = [GOLD, TIN, TIN, COPPER][rng.below(4)];
        let dark_print = rng.chance(0.15);
        let tint: [f32; 3] = std::array::from_fn(|_| batch.within(0.85, 1.15));
        let mask = std::array::from_fn(|i| mask[i] * tint[i]);
        Self {
            mask,
            mask_on_copper: std::array::from_fn(|i| mask[i] * 1.55 + 0.018 * COPPER[i]),
            laminate: scale3([0.20, 0.17, 0.09], batch.within(0.8, 1.2)),
            finish: scale3(finish, batch.within(0.9, 1.05)),
            silkscreen: if dark_print {
                [0.70, 0.55, 0.10]
            } else {
                [0.72, 0.72, 0.70]
            },
            capacitor: scale3(CERAMICS[rng.below(CERAMICS.len())], batch.within(0.8, 1.2)),
            gloss: batch.within(0.3, 1.0),
            weave_seed: rng.next() as u32,
            serial: serial_number(&mut batch, line, board),
            print: if rng.chance(0.5) {
                SerialPrint::Sticker
            } else {
                SerialPrint::Ink
            },
        }
    }
}

/// Line letter, five digits that tell the board, and a check letter.
fn serial_number(rng: &mut Rng, line: u32, board: u32) -> String {
    const LINES: [char; 8] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    const CHECK: [char; 6] = ['K', 'L', 'P', 'R', 'T', 'X'];
    let line = LINES[line as usize % LINES.len()];
    let check = CHECK[rng.below(CHECK.len())];
    format!(
        "{line}{:05}{check}",
        (u64::from(board) * 37 + 10_417) % 100_000
    )
}

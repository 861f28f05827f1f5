use ::image::RgbaImage;

use super::region::Rect;

/// Fewest pixels that an average is over, each way: more than the strokes of the smallest readable text.
const MIN_CELL: u32 = 8;

/// Most averages of a region, each way.
const MAX_CELLS: u32 = 8;

/// Replaces a rectangle by the averages of a few cells of it, interpolated between their centres.
///
/// That is a downsampling followed by a box blur. What is written depends on the averages alone, so nothing finer than
/// a cell can be got back, which a blur alone does not promise: its kernel can be divided out.
pub(super) fn blur(image: &mut RgbaImage, rect: Rect, radius: u32) {
    let cells = Cells::average(image, rect, radius);
    let columns: Vec<Between> = (0..rect.width)
        .map(|x| Between::new(x, rect.width, cells.columns))
        .collect();
    for y in 0..rect.height {
        let row = Between::new(y, rect.height, cells.rows);
        for (x, column) in (0..).zip(&columns) {
            let pixel = cells.at(*column, row);
            image.put_pixel(rect.left + x, rect.top + y, pixel.into());
        }
    }
}

/// How many cells a side of `length` pixels has if the longer side has `longer`.
pub(super) fn cells(length: u32, longer: u32, radius: u32) -> u32 {
    let cell = radius
        .saturating_mul(2)
        .saturating_add(1)
        .max(MIN_CELL)
        .max(longer.div_ceil(MAX_CELLS));
    (length / cell).max(1)
}

/// The first pixel of cell `index`.
pub(super) fn cell_start(index: u32, length: u32, cells: u32) -> u32 {
    (u64::from(index) * u64::from(length) / u64::from(cells)) as u32
}

/// Averages of the cells of a rectangle, row by row.
struct Cells {
    columns: u32,
    rows: u32,
    means: Vec<[f32; 4]>,
}

impl Cells {
    fn average(image: &RgbaImage, rect: Rect, radius: u32) -> Self {
        let longer = rect.width.max(rect.height);
        let columns = cells(rect.width, longer, radius);
        let rows = cells(rect.height, longer, radius);
        let mut means = Vec::with_capacity((columns * rows) as usize);
        for row in 0..rows {
            let ys = cell_start(row, rect.height, rows)..cell_start(row + 1, rect.height, rows);
            for column in 0..columns {
                let xs = cell_start(column, rect.width, columns)
                    ..cell_start(column + 1, rect.width, columns);
                let mut sum = [0u64; 4];
                for y in ys.clone() {
                    for x in xs.clone() {
                        let pixel = image.get_pixel(rect.left + x, rect.top + y);
                        for (sum, value) in sum.iter_mut().zip(pixel.0) {
                            *sum += u64::from(value);
                        }
                    }
                }
                let pixels = (u64::from(ys.end - ys.start) * u64::from(xs.end - xs.start)) as f32;
                means.push(sum.map(|sum| sum as f32 / pixels));
            }
        }
        Self {
            columns,
            rows,
            means,
        }
    }

    fn at(&self, column: Between, row: Between) -> [u8; 4] {
        let mean = |x: u32, y: u32| &self.means[(y * self.columns + x) as usize];
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let corners = [
            mean(column.low, row.low),
            mean(column.high, row.low),
            mean(column.low, row.high),
            mean(column.high, row.high),
        ];
        std::array::from_fn(|channel| {
            let [a, b, c, d] = corners.map(|corner| corner[channel]);
            let value = mix(mix(a, b, column.share), mix(c, d, column.share), row.share);
            value.round() as u8
        })
    }
}

/// A pixel between the centres of two cells.
#[derive(Clone, Copy)]
struct Between {
    low: u32,
    high: u32,
    /// How much of the higher cell is in it.
    share: f32,
}

impl Between {
    fn new(pixel: u32, length: u32, cells: u32) -> Self {
        let last = cells - 1;
        let at = (pixel as f32 + 0.5) * cells as f32 / length as f32 - 0.5;
        let at = at.clamp(0.0, last as f32);
        let low = (at as u32).min(last);
        Self {
            low,
            high: (low + 1).min(last),
            share: at - low as f32,
        }
    }
}

use std::cell::RefCell;

use rayon::prelude::*;

use crate::geometry::Geometry;
use crate::matmul::{Into, Matrix, matmul};

/// Samples that one task takes. It depends on nothing but this constant, so that the order of summation does
/// not depend on the number of threads.
const TASK_SAMPLES: usize = 4;

/// Unfolded values worked on at a time: 128 KiB, well within a core's second-level cache.
const BLOCK_VALUES: usize = 32 * 1024;

/// Values held at most for partial sums of a kernel's gradient: 32 MiB.
const PARTIAL_VALUES: usize = 8 * 1024 * 1024;

/// Which gradients a backward pass should compute.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) x: bool,
    pub(crate) weight: bool,
}

/// The convolution of `x` (batch, c_in, h, w) with `weight` (c_out, c_in, kh, kw).
pub(crate) fn forward(geometry: &Geometry, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let g = geometry;
    let mut y = vec![0f32; g.batch * g.out_sample()];
    if y.is_empty() || x.is_empty() {
        return y;
    }
    y.par_chunks_mut(TASK_SAMPLES * g.out_sample())
        .zip(x.par_chunks(TASK_SAMPLES * g.in_sample()))
        .for_each(|(y, x)| with_scratch(|scratch| convolve(g, x, weight, y, scratch)));
    y
}

/// The gradients of `x` and `weight`, given that of the output; `None` for one that is not wanted.
pub(crate) fn backward(
    geometry: &Geometry,
    x: &[f32],
    weight: &[f32],
    y_grad: &[f32],
    wanted: Wanted,
) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let x_grad = wanted
        .x
        .then(|| input_gradient(geometry, weight, y_grad, x.len()));
    let weight_grad = wanted
        .weight
        .then(|| weight_gradient(geometry, x, y_grad, weight.len()));
    (x_grad, weight_grad)
}

fn input_gradient(g: &Geometry, weight: &[f32], y_grad: &[f32], len: usize) -> Vec<f32> {
    let mut x_grad = vec![0f32; len];
    if len == 0 || y_grad.is_empty() {
        return x_grad;
    }
    let weight = Matrix::new(weight, g.c_out, g.patch()).transposed();
    x_grad
        .par_chunks_mut(g.in_sample())
        .zip(y_grad.par_chunks(g.out_sample()))
        .for_each(|(x_grad, y_grad)| {
            with_scratch(|Scratch { patches, .. }| {
                let patches = resized(patches, g.patch() * g.out_pixels());
                matmul(
                    patches,
                    Into::Overwrite,
                    weight,
                    Matrix::new(y_grad, g.c_out, g.out_pixels()),
                );
                fold(g, patches, x_grad);
            });
        });
    x_grad
}

fn weight_gradient(g: &Geometry, x: &[f32], y_grad: &[f32], len: usize) -> Vec<f32> {
    if len == 0 || x.is_empty() || y_grad.is_empty() {
        return vec![0f32; len];
    }
    let tasks = g
        .batch
        .div_ceil(TASK_SAMPLES)
        .min((PARTIAL_VALUES / len).max(1));
    let samples = g.batch.div_ceil(tasks);
    let mut partial = vec![0f32; g.batch.div_ceil(samples) * len];
    partial
        .par_chunks_mut(len)
        .zip(x.par_chunks(samples * g.in_sample()))
        .zip(y_grad.par_chunks(samples * g.out_sample()))
        .for_each(|((sum, x), y_grad)| {
            with_scratch(|scratch| correlate(g, x, y_grad, sum, scratch));
        });
    let (sum, rest) = partial.split_at_mut(len);
    for other in rest.chunks_exact(len) {
        sum.iter_mut().zip(other).for_each(|(a, b)| *a += b);
    }
    partial.truncate(len);
    partial
}

/// `y = weight · unfold(x)`, for the samples of one task.
fn convolve(g: &Geometry, x: &[f32], weight: &[f32], y: &mut [f32], scratch: &mut Scratch) {
    let weight = Matrix::new(weight, g.c_out, g.patch());
    let block = block_samples(g);
    let Scratch { patches, rows } = scratch;
    for (x, y) in x
        .chunks(block * g.in_sample())
        .zip(y.chunks_mut(block * g.out_sample()))
    {
        let samples = x.len() / g.in_sample();
        let pixels = samples * g.out_pixels();
        let patches = unfold(g, x, patches);
        let patches = Matrix::new(patches, g.patch(), pixels);
        if samples == 1 {
            matmul(y, Into::Overwrite, weight, patches);
        } else {
            let rows = resized(rows, g.c_out * pixels);
            matmul(rows, Into::Overwrite, weight, patches);
            from_channel_rows(rows, y, g.c_out, g.out_pixels());
        }
    }
}

/// `sum += y_grad · unfold(x)ᵀ`, for the samples of one task.
fn correlate(g: &Geometry, x: &[f32], y_grad: &[f32], sum: &mut [f32], scratch: &mut Scratch) {
    let block = block_samples(g);
    let Scratch { patches, rows } = scratch;
    for (x, y_grad) in x
        .chunks(block * g.in_sample())
        .zip(y_grad.chunks(block * g.out_sample()))
    {
        let samples = x.len() / g.in_sample();
        let pixels = samples * g.out_pixels();
        let patches = unfold(g, x, patches);
        let rows = if samples == 1 {
            y_grad
        } else {
            to_channel_rows(y_grad, resized(rows, y_grad.len()), g.c_out, g.out_pixels())
        };
        let patches = Matrix::new(patches, g.patch(), pixels).transposed();
        matmul(sum, Into::Add, Matrix::new(rows, g.c_out, pixels), patches);
    }
}

/// Samples unfolded together, so that small feature maps still make wide matrices.
fn block_samples(g: &Geometry) -> usize {
    (BLOCK_VALUES / (g.patch() * g.out_pixels())).clamp(1, TASK_SAMPLES)
}

/// Lays out the values under the kernel: one row for each (channel, kernel row, kernel column), one column for
/// each (sample, output pixel). A single sample under a 1×1 kernel is borrowed as it is.
fn unfold<'a>(g: &Geometry, x: &'a [f32], buffer: &'a mut Vec<f32>) -> &'a [f32] {
    let samples = x.len() / g.in_sample();
    if g.is_pointwise() && samples == 1 {
        return x;
    }
    let [kernel_h, kernel_w] = g.kernel;
    let pixels = g.out_pixels();
    let patches = resized(buffer, g.patch() * samples * pixels);
    let taps = (0..g.c_in)
        .flat_map(|c| (0..kernel_h).flat_map(move |ki| (0..kernel_w).map(move |kj| (c, ki, kj))));
    for ((c, ki, kj), row) in taps.zip(patches.chunks_exact_mut(samples * pixels)) {
        for (x, row) in x
            .chunks_exact(g.in_sample())
            .zip(row.chunks_exact_mut(pixels))
        {
            let plane = &x[c * g.in_pixels()..][..g.in_pixels()];
            unfold_tap(g, plane, ki, kj, row);
        }
    }
    patches
}

/// What the kernel's tap (`ki`, `kj`) sees of one channel, for each output pixel.
fn unfold_tap(g: &Geometry, plane: &[f32], ki: usize, kj: usize, row: &mut [f32]) {
    let [height, width] = g.input;
    let [_, out_w] = g.output;
    let inside = inside(g, kj);
    for (oi, line) in row.chunks_exact_mut(out_w).enumerate() {
        let Some(i) = (oi * g.stride + ki * g.dilation)
            .checked_sub(g.padding)
            .filter(|&i| i < height)
        else {
            line.fill(0.0);
            continue;
        };
        line[..inside.start].fill(0.0);
        line[inside.end..].fill(0.0);
        if inside.is_empty() {
            continue;
        }
        let first = inside.start * g.stride + kj * g.dilation - g.padding;
        let source = &plane[i * width + first..(i + 1) * width];
        let line = &mut line[inside.clone()];
        if g.stride == 1 {
            line.copy_from_slice(&source[..line.len()]);
        } else {
            line.iter_mut()
                .zip(source.iter().step_by(g.stride))
                .for_each(|(to, from)| *to = *from);
        }
    }
}

/// The reverse of [`unfold`] for one sample: adds each value back to the pixel it came from.
fn fold(g: &Geometry, patches: &[f32], x: &mut [f32]) {
    let [kernel_h, kernel_w] = g.kernel;
    let [height, width] = g.input;
    let [_, out_w] = g.output;
    let mut rows = patches.chunks_exact(g.out_pixels());
    for plane in x.chunks_exact_mut(g.in_pixels()) {
        for (ki, kj) in (0..kernel_h).flat_map(|ki| (0..kernel_w).map(move |kj| (ki, kj))) {
            let Some(row) = rows.next() else { return };
            let inside = inside(g, kj);
            if inside.is_empty() {
                continue;
            }
            let first = inside.start * g.stride + kj * g.dilation - g.padding;
            for (oi, line) in row.chunks_exact(out_w).enumerate() {
                let i = (oi * g.stride + ki * g.dilation).checked_sub(g.padding);
                if let Some(i) = i.filter(|&i| i < height) {
                    let target = plane[i * width + first..(i + 1) * width].iter_mut();
                    target
                        .step_by(g.stride)
                        .zip(&line[inside.clone()])
                        .for_each(|(to, from)| *to += from);
                }
            }
        }
    }
}

/// The output columns for which tap column `kj` lies within the input, not in its padding.
fn inside(g: &Geometry, kj: usize) -> std::ops::Range<usize> {
    let [[_, width], [_, out_w]] = [g.input, g.output];
    let offset = kj * g.dilation;
    let start = g
        .padding
        .saturating_sub(offset)
        .div_ceil(g.stride)
        .min(out_w);
    let end = (width + g.padding)
        .saturating_sub(offset)
        .div_ceil(g.stride)
        .min(out_w);
    start..end.max(start)
}

/// From (sample, channel, pixel) to (channel, sample, pixel).
fn to_channel_rows<'a>(
    x: &[f32],
    rows: &'a mut [f32],
    channels: usize,
    pixels: usize,
) -> &'a [f32] {
    let samples = x.len() / (channels * pixels);
    for (i, plane) in x.chunks_exact(pixels).enumerate() {
        let (sample, channel) = (i / channels, i % channels);
        rows[(channel * samples + sample) * pixels..][..pixels].copy_from_slice(plane);
    }
    rows
}

/// From (channel, sample, pixel) to (sample, channel, pixel).
fn from_channel_rows(rows: &[f32], x: &mut [f32], channels: usize, pixels: usize) {
    let samples = x.len() / (channels * pixels);
    for (i, plane) in x.chunks_exact_mut(pixels).enumerate() {
        let (sample, channel) = (i / channels, i % channels);
        plane.copy_from_slice(&rows[(channel * samples + sample) * pixels..][..pixels]);
    }
}

/// Buffers of a thread, kept from one convolution to the next.
#[derive(Default)]
struct Scratch {
    patches: Vec<f32>,
    rows: Vec<f32>,
}

fn with_scratch(f: impl FnOnce(&mut Scratch)) {
    thread_local!(static SCRATCH: RefCell<Scratch> = RefCell::default());
    // No task calls rayon, so a thread never enters here twice.
    SCRATCH.with_borrow_mut(f);
}

fn resized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

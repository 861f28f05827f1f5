use candle_core::{DType, Device, Result, Tensor, WithDType};
use cresset_run::TensorStats;
use cresset_run::stats::Accumulator;
use half::{bf16, f16};

use super::*;
use crate::host::tensor_stats;
use crate::testing::device;
use cresset_run::watch::Slots;

/// What the operations find.
fn measure(tensors: &[Tensor]) -> Result<Vec<TensorStats>> {
    let mut stats = DeviceStats::default();
    let begun = stats.before_step(device(), tensors, &[], false)?;
    Ok(stats.after_step(begun, &[])?.read()?.gradients)
}

/// Against the kernel for host memory.
fn check(tensors: &[Tensor]) -> Result<()> {
    let found = measure(tensors)?;
    assert_eq!(found.len(), tensors.len());
    for (tensor, found) in tensors.iter().zip(found) {
        let on_host = tensor.to_device(&Device::Cpu)?;
        let expected = tensor_stats(&on_host, &mut Accumulator::new())?;
        assert_same(&found, &expected);
    }
    Ok(())
}

fn assert_same(found: &TensorStats, expected: &TensorStats) {
    let counts = |s: &TensorStats| [s.count, s.zeros, s.nan, s.pos_inf, s.neg_inf];
    assert_eq!(counts(found), counts(expected));
    assert_eq!(found.histogram, expected.histogram);
    assert_eq!(
        (found.min.to_bits(), found.max.to_bits()),
        (expected.min.to_bits(), expected.max.to_bits()),
        "{found:?} {expected:?}"
    );
    // The sums differ by the order of additions.
    let magnitudes = expected.count as f64 * expected.max.abs().max(expected.min.abs());
    assert!(
        found.sum == expected.sum || (found.sum - expected.sum).abs() <= 1e-15 * magnitudes,
        "{} instead of {}",
        found.sum,
        expected.sum
    );
    assert!(
        found.sum_sq == expected.sum_sq
            || (found.sum_sq - expected.sum_sq).abs() <= 1e-12 * expected.sum_sq,
        "{:e} instead of {:e}",
        found.sum_sq,
        expected.sum_sq
    );
}

fn vector<T: WithDType>(values: &[T]) -> Result<Tensor> {
    Tensor::new(values, device())
}

/// All numbers of 16 bits: NaN, infinities, subnormals, zeros, powers of two and all else.
#[test]
fn every_16_bit_number_has_its_bucket() -> Result<()> {
    let all_f16: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let all_bf16: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
    let as_f32: Vec<f32> = all_bf16.iter().map(|v| v.to_f32()).collect();
    check(&[vector(&all_f16)?, vector(&all_bf16)?, vector(&as_f32)?])
}

/// Every bucket's edges with their neighbours on both sides, of both signs.
#[test]
fn every_edge_of_f32_and_f64() -> Result<()> {
    let mut narrow = Vec::new();
    for edge in Slots::F32.upper_edges() {
        let edge = edge as f32;
        let around = [edge.next_down(), edge, edge.next_up()];
        narrow.extend(around.into_iter().flat_map(|v| [v, -v]));
    }
    let mut wide = Vec::new();
    for edge in Slots::F64.upper_edges() {
        let around = [edge.next_down(), edge, edge.next_up()];
        wide.extend(around.into_iter().flat_map(|v| [v, -v]));
    }
    check(&[vector(&narrow)?, vector(&wide)?])
}

#[test]
fn random_bits() -> Result<()> {
    let mut random = Random(1);
    let narrow: Vec<f32> = (0..30_000)
        .map(|_| f32::from_bits(random.bits() as u32))
        .collect();
    let wide: Vec<f64> = (0..30_000).map(|_| f64::from_bits(random.bits())).collect();
    check(&[vector(&narrow)?, vector(&wide)?])
}

#[test]
fn tensors_of_all_sizes_and_types_together() -> Result<()> {
    let mut random = Random(2);
    let mut tensors = Vec::new();
    for n in [1, 2, 3, 255, 256, 257, 1000, 4096, 70_000] {
        let mut values = random.normal(n);
        // Padding must not be seen: neither as a zero nor as a NaN.
        values[n / 2] = -0.0;
        for dtype in [DType::F32, DType::F64, DType::F16, DType::BF16] {
            tensors.push(vector(&values)?.to_dtype(dtype)?);
            tensors.push(vector(&values)?.abs()?.affine(1.0, 1.0)?.to_dtype(dtype)?);
        }
        let mut spoilt = values;
        spoilt[0] = f32::NAN;
        spoilt[n - 1] = f32::NEG_INFINITY;
        tensors.push(vector(&spoilt)?);
    }
    tensors.push(vector(&[f32::INFINITY, f32::NAN])?);
    tensors.push(vector(&[f32::NAN; 300])?);
    tensors.push(vector::<f32>(&[])?);
    tensors.push(Tensor::new(1.5f32, device())?);
    check(&tensors)
}

#[test]
fn large_tensors_are_put_together_from_slices() -> Result<()> {
    let mut values = Random(3).normal(3_000_000);
    values[2_500_000] = f32::NAN;
    check(&[vector(&values)?])
}

#[test]
fn other_layouts() -> Result<()> {
    let matrix = vector(&Random(4).normal(60 * 50))?.reshape((60, 50))?;
    check(&[
        matrix.t()?,
        matrix.narrow(1, 7, 20)?,
        matrix.narrow(0, 7, 20)?,
        matrix.get(3)?.broadcast_as((5, 50))?,
    ])
}

#[test]
fn distances_are_those_of_the_step() -> Result<()> {
    let before = vector(&Random(5).normal(70_000))?;
    let after = (&before + vector(&Random(6).normal(70_000))?.affine(1e-3, 0.0)?)?;
    let expected: f64 = {
        let (a, b) = (before.to_vec1::<f32>()?, after.to_vec1::<f32>()?);
        let squares = a.iter().zip(b).map(|(&a, b)| f64::from(b - a).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let small = |values: &[f32], dtype| vector(values)?.to_dtype(dtype);
    let nan = f32::NAN;
    let parameters = [
        before,
        small(&[1.0, 2.0], DType::BF16)?,
        small(&[1.0, nan], DType::F64)?,
        small(&[1.0, 2.0], DType::F64)?,
        small(&[1.0, 2.0], DType::F16)?,
    ];
    let moved = [
        after,
        small(&[4.0, 6.0], DType::BF16)?,
        small(&[1.0, nan], DType::F64)?,
        small(&[nan, 2.0], DType::F64)?,
        small(&[1.0, 2.0], DType::F16)?,
    ];
    let mut stats = DeviceStats::default();
    let begun = stats.before_step(device(), &[], &parameters, true)?;
    let found = stats.after_step(begun, &moved)?.read()?.distances;
    assert!(
        (found[0] / expected - 1.0).abs() < 1e-6,
        "{found:?} {expected}"
    );
    assert_eq!(found[1], 5.0);
    assert!(found[2].is_nan(), "NaN before");
    assert!(found[3].is_nan(), "NaN after");
    assert_eq!(found[4], 0.0);
    Ok(())
}

#[test]
fn gradients_and_parameters_come_back_in_order() -> Result<()> {
    let gradients = [
        vector(&[1f32])?,
        vector(&[2f64])?,
        vector(&Random(1).normal(999))?,
    ];
    let parameters = [
        vector(&[3f64; 300])?,
        vector(&[4f32; 1000])?,
        vector(&[5f32])?,
    ];
    let mut stats = DeviceStats::default();
    for keep in [true, false] {
        let begun = stats.before_step(device(), &gradients, &parameters, keep)?;
        let outcome = stats.after_step(begun, &parameters)?.read()?;
        let max = |stats: &[TensorStats]| stats.iter().map(|s| s.max).collect::<Vec<_>>();
        assert_eq!(max(&outcome.gradients)[..2], [1.0, 2.0]);
        assert_eq!(max(&outcome.parameters), [3.0, 4.0, 5.0]);
        let expected = if keep { &[0.0; 3][..] } else { &[] };
        assert_eq!(outcome.distances, expected);
    }
    Ok(())
}

#[test]
fn the_documented_number_of_pages() -> Result<()> {
    let zeros = |n: usize| Tensor::zeros(n, DType::F32, device());
    // Convolutions, projections, head and the norms of a ResNet-8, 16 channels wide, for ten classes.
    let sizes = [
        432, 2304, 2304, 4608, 9216, 512, 18432, 36864, 2048, 640, 10, 16, 16, 16, 16, 16, 16, 32,
        32, 32, 32, 32, 32, 64, 64, 64, 64, 64, 64,
    ];
    let tensors = sizes.into_iter().map(zeros).collect::<Result<Vec<_>>>()?;
    assert_eq!(pages::plan(&tensors).len(), 5);
    let wide = [zeros(5 << 20)?.to_dtype(DType::F64)?, zeros(10)?];
    let rows_of_a_mebi: Vec<usize> = pages::plan(&wide).iter().map(pages::Plan::rows).collect();
    assert_eq!(rows_of_a_mebi, [2, 2, 1, 1]);
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// About normal with standard deviation 0.01.
    fn normal(&mut self, n: usize) -> Vec<f32> {
        let mut uniform = || (self.bits() >> 11) as f32 / (1u64 << 53) as f32;
        let mut normal = || (0..12).map(|_| uniform()).sum::<f32>() - 6.0;
        (0..n).map(|_| 0.01 * normal()).collect()
    }
}

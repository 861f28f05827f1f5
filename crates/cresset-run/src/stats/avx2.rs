use super::scan::{BLOCK, LANES, Lanes, Scan, Slots};
use super::table::{F32_HALF, F64_HALF, FIRST_64, LAST, SIGN, SIGN_64, SLOT_MAGNITUDE, ZERO};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use std::arch::x86_64::*;

/// Proof that this processor has AVX2 and F16C.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        use std::arch::is_x86_feature_detected as has;
        (has!("avx2") && has!("f16c")).then_some(Self(()))
    }

    #[expect(unsafe_code, reason = "calls a function compiled for AVX2")]
    pub(super) fn scan_f32(self, groups: &[[f32; LANES]], slots: &mut [Slots]) -> Scan {
        // SAFETY: only `detect` makes a `Self`, and only where the processor has AVX2.
        unsafe { scan_f32(groups, slots) }
    }

    #[expect(unsafe_code, reason = "calls a function compiled for AVX2")]
    pub(super) fn scan_f64(self, groups: &[[f64; LANES]], slots: &mut [Slots]) -> Scan {
        // SAFETY: as in `scan_f32`.
        unsafe { scan_f64(groups, slots) }
    }

    #[expect(unsafe_code, reason = "calls a function compiled for AVX2")]
    pub(super) fn widen_bf16(self, values: &[bf16], widened: &mut [f32]) {
        // SAFETY: as in `scan_f32`.
        unsafe { widen_bf16(values, widened) }
    }

    #[expect(unsafe_code, reason = "calls a function compiled for F16C")]
    pub(super) fn widen_f16(self, values: &[f16], widened: &mut [f32]) {
        // SAFETY: only `detect` makes a `Self`, and only where the processor has F16C.
        unsafe { widen_f16(values, widened) }
    }
}

/// As `portable::scan_f32`, with the same operations in each lane. A multiplication and addition fused into one
/// instruction would make no difference: the square of an `f32` is exact in `f64`.
#[target_feature(enable = "avx2")]
fn scan_f32(groups: &[[f32; LANES]], slots: &mut [Slots]) -> Scan {
    let one = _mm256_set1_epi32(1);
    let half = _mm256_set1_epi32(F32_HALF as i32);

    let mut lowest = _mm_set1_epi16(-1);
    let mut min = _mm256_set1_ps(f32::INFINITY);
    let mut max = _mm256_set1_ps(f32::NEG_INFINITY);
    let mut sums = Sums::new();
    for (group, slots) in groups.iter().zip(slots) {
        fetch_next(group);
        let x = load_f32(group);
        min = _mm256_min_ps(x, min);
        max = _mm256_max_ps(x, max);

        let below = _mm256_sub_epi32(_mm256_castps_si256(x), one);
        let above = _mm256_add_epi32(below, half);
        let bin = _mm256_add_epi32(
            _mm256_srli_epi32::<23>(below),
            _mm256_srli_epi32::<23>(above),
        );
        *slots = to_slots(bin, &mut lowest);

        let low = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
        let high = _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x));
        sums.add([low, high]);
    }
    let (min, max, lowest) = (f32s(min), f32s(max), u16s(lowest));
    Lanes {
        sum: f64s(sums.sum),
        sum_sq: f64s(sums.sum_sq),
        min,
        max,
        lowest,
    }
    .into()
}

/// As `portable::scan_f64`, with the same operations in each lane.
#[target_feature(enable = "avx2")]
fn scan_f64(groups: &[[f64; LANES]], slots: &mut [Slots]) -> Scan {
    let mut lowest = _mm_set1_epi16(-1);
    let mut min = [_mm256_set1_pd(f64::INFINITY); 2];
    let mut max = [_mm256_set1_pd(f64::NEG_INFINITY); 2];
    let mut sums = Sums::new();
    for (group, slots) in groups.iter().zip(slots) {
        fetch_next(group);
        let x = load_f64(group);
        for half in 0..2 {
            min[half] = _mm256_min_pd(x[half], min[half]);
            max[half] = _mm256_max_pd(x[half], max[half]);
        }
        *slots = to_slots(bins_f64(x), &mut lowest);
        sums.add(x);
    }
    let (min, max, lowest) = (f64s(min), f64s(max), u16s(lowest));
    Lanes {
        sum: f64s(sums.sum),
        sum_sq: f64s(sums.sum_sq),
        min,
        max,
        lowest,
    }
    .into()
}

/// The bins of 8 numbers, as `table::slot_f64` finds them.
#[inline]
#[target_feature(enable = "avx2")]
fn bins_f64([low, high]: [__m256d; 2]) -> __m256i {
    let bins_64 = |x: __m256d| {
        let below = _mm256_sub_epi64(_mm256_castpd_si256(x), _mm256_set1_epi64x(1));
        let above = _mm256_add_epi64(below, _mm256_set1_epi64x(F64_HALF as i64));
        _mm256_add_epi64(
            _mm256_srli_epi64::<52>(below),
            _mm256_srli_epi64::<52>(above),
        )
    };
    let (low, high) = (
        _mm256_castsi256_ps(bins_64(low)),
        _mm256_castsi256_ps(bins_64(high)),
    );
    let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
    let bins_64 = _mm256_permute4x64_epi64::<0b11_01_10_00>(even);

    let magnitude = _mm256_and_si256(bins_64, _mm256_set1_epi32(SIGN_64 as i32 - 1));
    let sign = _mm256_and_si256(bins_64, _mm256_set1_epi32(SIGN_64 as i32));
    let sign = _mm256_srli_epi32::<{ (SIGN_64 as usize / SIGN).ilog2() as i32 }>(sign);
    let bin = _mm256_sub_epi32(magnitude, _mm256_set1_epi32(FIRST_64 as i32));
    let last = _mm256_set1_epi32(LAST as i32);
    let in_table = _mm256_cmpeq_epi32(_mm256_max_epu32(bin, last), last);
    let bin = _mm256_and_si256(_mm256_add_epi32(bin, sign), in_table);
    // Zero has wrapped around to the last bin of all, and is not in the table by the comparison above.
    let is_zero = _mm256_cmpeq_epi32(magnitude, _mm256_set1_epi32(SIGN_64 as i32 - 1));
    _mm256_or_si256(
        bin,
        _mm256_and_si256(is_zero, _mm256_set1_epi32(ZERO as i32)),
    )
}

/// The slots of 8 bins; lowers `lowest` to them.
#[inline]
#[target_feature(enable = "avx2")]
fn to_slots(bins: __m256i, lowest: &mut __m128i) -> Slots {
    let slots = _mm256_slli_epi32::<{ LANES.ilog2() as i32 }>(bins);
    let slots = _mm_packus_epi32(
        _mm256_castsi256_si128(slots),
        _mm256_extracti128_si256::<1>(slots),
    );
    let magnitude = _mm_and_si128(slots, _mm_set1_epi16(SLOT_MAGNITUDE as i16));
    *lowest = _mm_min_epu16(*lowest, magnitude);
    u16s(slots)
}

struct Sums {
    sum: [__m256d; 2],
    sum_sq: [__m256d; 2],
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        Self {
            sum: [_mm256_setzero_pd(); 2],
            sum_sq: [_mm256_setzero_pd(); 2],
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(&mut self, x: [__m256d; 2]) {
        for ((sum, sum_sq), x) in self.sum.iter_mut().zip(&mut self.sum_sq).zip(x) {
            *sum = _mm256_add_pd(*sum, x);
            *sum_sq = _mm256_add_pd(*sum_sq, _mm256_mul_pd(x, x));
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
fn widen_f16(values: &[f16], widened: &mut [f32]) {
    let (groups, rest) = values.reinterpret_cast().as_chunks();
    let (wide_groups, wide_rest) = widened.as_chunks_mut();
    for (group, wide) in groups.iter().zip(wide_groups) {
        fetch_next(group);
        *wide = f32s(_mm256_cvtph_ps(load_u16(group)));
    }
    for (&bits, wide) in rest.iter().zip(wide_rest) {
        *wide = f16::from_bits(bits).to_f32();
    }
}

/// The upper half of an `f32` is a `bf16`.
#[target_feature(enable = "avx2")]
fn widen_bf16(values: &[bf16], widened: &mut [f32]) {
    let (groups, rest) = values.reinterpret_cast().as_chunks();
    let (wide_groups, wide_rest) = widened.as_chunks_mut();
    for (group, wide) in groups.iter().zip(wide_groups) {
        fetch_next(group);
        let bits = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(load_u16(group)));
        *wide = f32s(_mm256_castsi256_ps(bits));
    }
    for (&bits, wide) in rest.iter().zip(wide_rest) {
        *wide = bf16::from_bits(bits).to_f32();
    }
}

/// Asks for the same place of the next block, so that memory is at work while the buckets of this one are counted. Behind the last block that
/// is memory which nobody needs; it is no access and cannot fault.
#[inline]
#[target_feature(enable = "avx2")]
fn fetch_next<T>(group: &[T; LANES]) {
    _mm_prefetch::<_MM_HINT_T0>(group.as_ptr().wrapping_add(BLOCK).cast());
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "reads memory as a vector")]
fn load_f32(from: &[f32; LANES]) -> __m256 {
    // SAFETY: reads 8 × 4 bytes, the size of the array, at any alignment.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "reads memory as vectors")]
fn load_f64(from: &[f64; LANES]) -> [__m256d; 2] {
    let (halves, _) = from.as_chunks::<{ LANES / 2 }>();
    // SAFETY: each reads 4 × 8 bytes, the size of one half, at any alignment.
    unsafe {
        [
            _mm256_loadu_pd(halves[0].as_ptr()),
            _mm256_loadu_pd(halves[1].as_ptr()),
        ]
    }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "reads memory as a vector")]
fn load_u16(from: &[u16; LANES]) -> __m128i {
    // SAFETY: reads 8 × 2 bytes, the size of the array, at any alignment.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "writes a vector to memory")]
fn u16s(x: __m128i) -> [u16; LANES] {
    let mut array = [0; LANES];
    // SAFETY: writes 8 × 2 bytes, the size of the array, at any alignment.
    unsafe { _mm_storeu_si128(array.as_mut_ptr().cast(), x) };
    array
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "writes a vector to memory")]
fn f32s(x: __m256) -> [f32; LANES] {
    let mut array = [0.0; LANES];
    // SAFETY: writes 8 × 4 bytes, the size of the array, at any alignment.
    unsafe { _mm256_storeu_ps(array.as_mut_ptr(), x) };
    array
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "writes vectors to memory")]
fn f64s([low, high]: [__m256d; 2]) -> [f64; LANES] {
    let mut array = [0.0; LANES];
    let (halves, _) = array.as_chunks_mut::<{ LANES / 2 }>();
    // SAFETY: each writes 4 × 8 bytes, the size of one half, at any alignment.
    unsafe {
        _mm256_storeu_pd(halves[0].as_mut_ptr(), low);
        _mm256_storeu_pd(halves[1].as_mut_ptr(), high);
    }
    array
}

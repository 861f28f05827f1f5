use super::portable;
use super::table::{FIRST_SLOT, SLOT_MAGNITUDE};
use cresset_record::TensorStats;
use half::{bf16, f16};

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;

/// Elements that are handled side by side. Each lane has sums and counters of its own; their order is part of the
/// result.
pub(super) const LANES: usize = 8;

/// Elements that are scanned before their buckets are counted: few enough that both halves find them in the
/// first-level cache.
pub(super) const BLOCK: usize = 1024;

/// The table slots of the elements of one group; see [`super::table::Table`].
pub(super) type Slots = [u16; LANES];

/// The instructions that scans are made of.
pub(super) enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Kernel {
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }

    /// Scans groups of elements; writes the slots of each.
    pub(super) fn scan_f32(&self, groups: &[[f32; LANES]], slots: &mut [Slots]) -> Scan {
        match self {
            Self::Portable => portable::scan_f32(groups, slots),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.scan_f32(groups, slots),
        }
    }

    /// As [`Self::scan_f32`].
    pub(super) fn scan_f64(&self, groups: &[[f64; LANES]], slots: &mut [Slots]) -> Scan {
        match self {
            Self::Portable => portable::scan_f64(groups, slots),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.scan_f64(groups, slots),
        }
    }

    /// Converts without loss, element by element.
    pub(super) fn widen_f16(&self, values: &[f16], widened: &mut [f32]) {
        match self {
            Self::Portable => portable::widen_f16(values, widened),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.widen_f16(values, widened),
        }
    }

    /// As [`Self::widen_f16`].
    pub(super) fn widen_bf16(&self, values: &[bf16], widened: &mut [f32]) {
        match self {
            Self::Portable => portable::widen_bf16(values, widened),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.widen_bf16(values, widened),
        }
    }
}

/// What a scan found, lane by lane.
pub(super) struct Lanes<T> {
    pub(super) sum: [f64; LANES],
    pub(super) sum_sq: [f64; LANES],
    pub(super) min: [T; LANES],
    pub(super) max: [T; LANES],
    pub(super) lowest: [u16; LANES],
}

/// What a scan found. Meaningless but for [`Self::is_regular`] if that is false.
pub(super) struct Scan {
    sum: f64,
    sum_sq: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The lowest slot, the sign aside.
    pub(super) lowest: u16,
}

impl<T: Copy + Into<f64> + PartialOrd> From<Lanes<T>> for Scan {
    fn from(lanes: Lanes<T>) -> Self {
        let first_of = |lanes: [T; LANES], better: fn(&T, &T) -> bool| {
            lanes
                .into_iter()
                .reduce(|a, b| if better(&b, &a) { b } else { a })
        };
        Self {
            sum: lanes.sum.iter().sum(),
            sum_sq: lanes.sum_sq.iter().sum(),
            min: first_of(lanes.min, T::lt).map_or(f64::NAN, T::into),
            max: first_of(lanes.max, T::gt).map_or(f64::NAN, T::into),
            lowest: lanes.lowest.into_iter().min().unwrap_or(0),
        }
    }
}

impl Scan {
    pub(super) fn of_one(value: f64, slot: u16) -> Self {
        Self {
            sum: value,
            sum_sq: value * value,
            min: value,
            max: value,
            lowest: slot & SLOT_MAGNITUDE,
        }
    }

    /// Whether every element is finite and has a slot.
    ///
    /// The squares tell the first: no finite `f32` overflows an `f64` when squared, and NaN and infinities stay in a
    /// sum. Finite `f64` elements may overflow it; they are then taken one by one.
    pub(super) fn is_regular(&self) -> bool {
        self.sum_sq.is_finite() && self.lowest >= FIRST_SLOT
    }

    /// Adds all but the histogram to the statistics.
    pub(super) fn add_to(&self, stats: &mut TensorStats, elements: usize) {
        if elements > 0 {
            stats.count += elements as u64;
            // −0 becomes 0, as in TensorStats::insert.
            stats.min = stats.min.min(self.min + 0.0);
            stats.max = stats.max.max(self.max + 0.0);
            stats.sum += self.sum;
            stats.sum_sq += self.sum_sq;
        }
    }
}

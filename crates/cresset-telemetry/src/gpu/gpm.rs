//! Performance monitoring of Hopper and later: figures over the time between two readings of counters.
//!
//! The readings are one sample apart, so nothing waits for the second one.

use nvml_wrapper::Nvml;
use nvml_wrapper::enums::gpm::GpmMetricId;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::gpm::{GpmSample, gpm_metrics_get};

use crate::keys::GpuMetric;
use crate::sample::GpuSample;

const MEBI: f64 = (1u64 << 20) as f64;

/// Which metric of the library is which of ours, and the factor between their units. Rates are in MiB/s, by NVIDIA's header
/// `nvml.h`.
const METRICS: [(GpmMetricId, GpuMetric, f64); 8] = [
    (GpmMetricId::SmUtil, GpuMetric::SmActive, 1.0),
    (GpmMetricId::SmOccupancy, GpuMetric::SmOccupancy, 1.0),
    (GpmMetricId::AnyTensorUtil, GpuMetric::TensorActive, 1.0),
    (GpmMetricId::DramBwUtil, GpuMetric::DramActive, 1.0),
    (GpmMetricId::PcieRxPerSec, GpuMetric::PcieReceived, MEBI),
    (GpmMetricId::PcieTxPerSec, GpuMetric::PcieSent, MEBI),
    (
        GpmMetricId::NvlinkTotalRxPerSec,
        GpuMetric::NvlinkReceived,
        MEBI,
    ),
    (
        GpmMetricId::NvlinkTotalTxPerSec,
        GpuMetric::NvlinkSent,
        MEBI,
    ),
];

/// Sets the figures for the time between two readings.
pub(super) fn fill<'n>(
    nvml: &'n Nvml,
    before: &GpmSample<'n>,
    after: &GpmSample<'n>,
    sample: &mut GpuSample,
) -> Result<(), NvmlError> {
    let ids = METRICS.map(|(id, _, _)| id);
    let results = gpm_metrics_get(nvml, before, after, &ids)?;
    // A metric that this card does not have fails alone.
    for ((_, metric, factor), result) in METRICS.into_iter().zip(results) {
        if let Ok(result) = result
            && result.value.is_finite()
        {
            sample.set(metric, Some(result.value * factor));
        }
    }
    Ok(())
}

//! The keys of everything that is sampled, with units, and what stands in the summary.

use std::fmt;

#[cfg(feature = "run")]
use cresset_record::Definition;
use cresset_record::SummaryRule;

/// All keys of telemetry begin with this.
#[cfg(feature = "run")]
pub(crate) const SYSTEM: &str = "system";

macro_rules! metrics {
    (
        $(#[$about:meta])*
        $name:ident {
            $($(#[doc = $doc:literal])* $variant:ident: $key:literal, $unit:literal, $rule:ident;)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The last part of the key.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $key),* }
            }

            /// The unit, empty for a count.
            #[must_use]
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit),* }
            }

            /// Which value of the series stands in the run's summary.
            #[must_use]
            pub const fn summary(self) -> SummaryRule {
                match self { $(Self::$variant => SummaryRule::$rule),* }
            }
        }
    };
}

metrics! {
    /// A figure of one GPU, under `system/gpu/<gpu>/<name>`.
    GpuMetric {
        /// Share of the time in which at least one kernel ran. Not how full the GPU was: see `sm_active`.
        Utilization: "utilization", "%", Mean;
        /// Share of the time in which GPU memory was read or written.
        MemoryUtilization: "memory_utilization", "%", Mean;
        /// What `utilization` owes to this process and its children, where the driver tells.
        UtilizationProcess: "utilization_process", "%", Mean;
        /// Share of the time in which a multiprocessor had work, averaged over all of them (Hopper and later).
        SmActive: "sm_active", "%", Mean;
        /// Active warps as a share of the most there could be (Hopper and later).
        SmOccupancy: "sm_occupancy", "%", Mean;
        /// Share of the time in which tensor cores worked (Hopper and later).
        TensorActive: "tensor_active", "%", Mean;
        /// Share of the memory bandwidth that was used (Hopper and later).
        DramActive: "dram_active", "%", Mean;
        /// Memory in use, by whomever.
        MemoryUsed: "memory_used", "B", Max;
        /// Memory there is.
        MemoryTotal: "memory_total", "B", Last;
        /// Memory of this process and its children.
        MemoryProcess: "memory_process", "B", Max;
        /// Memory of other people's processes.
        MemoryOthers: "memory_others", "B", Max;
        /// Temperature of the GPU's core.
        Temperature: "temperature", "°C", Max;
        /// Power drawn: a mean over a second on newer cards, the moment's on older ones.
        Power: "power", "W", Mean;
        /// The limit that power is held under.
        PowerLimit: "power_limit", "W", Last;
        /// Energy since the run began: by the card's counter, in every tenth sample and the last, or else by integrating power.
        Energy: "energy", "J", Last;
        /// Clock of the multiprocessors.
        ClockSm: "clock_sm", "MHz", Mean;
        /// The highest clock of the multiprocessors.
        ClockSmMax: "clock_sm_max", "MHz", Last;
        /// Clock of the memory.
        ClockMemory: "clock_memory", "MHz", Mean;
        /// 1 while something slows the GPU, else 0; the reasons are under `throttle/<reason>`.
        Throttled: "throttled", "", Mean;
        /// Speed of the fastest fan, as a share of its highest.
        Fan: "fan", "%", Mean;
        /// From the host to the GPU. Before Hopper a figure of 20 ms, of one GPU a sample in turn.
        PcieReceived: "pcie_received", "B/s", Mean;
        /// From the GPU to the host, likewise.
        PcieSent: "pcie_sent", "B/s", Mean;
        /// From other GPUs, over all links.
        NvlinkReceived: "nvlink_received", "B/s", Mean;
        /// To other GPUs, over all links.
        NvlinkSent: "nvlink_sent", "B/s", Mean;
        /// Memory errors since the run began that were corrected.
        EccCorrected: "ecc_corrected", "", Last;
        /// Memory errors since the run began that were not.
        EccUncorrected: "ecc_uncorrected", "", Last;
    }
}

metrics! {
    /// A figure of the host, under `system/host/<name>`.
    HostMetric {
        /// Processor time of this process; 100 is one core.
        CpuProcess: "cpu_process", "%", Mean;
        /// Processor time of this process and its children; 100 is one core.
        CpuTree: "cpu_tree", "%", Mean;
        /// What this process may use: its cores, or the quota of its control group; 100 is one core.
        CpuLimit: "cpu_limit", "%", Last;
        /// Busy share of the whole machine's cores.
        CpuMachine: "cpu_machine", "%", Mean;
        /// Share of the whole machine's cores that waited for a disk.
        CpuIowait: "cpu_iowait", "%", Mean;
        /// Share of the time in which the control group's quota held its processes back.
        CpuThrottled: "cpu_throttled", "%", Mean;
        /// Resident memory of this process.
        MemoryProcess: "memory_process", "B", Max;
        /// Resident memory of this process and its children; shared pages count for each.
        MemoryTree: "memory_tree", "B", Max;
        /// Memory in use that cannot be taken back: of the control group where it has a limit, else of the machine.
        MemoryUsed: "memory_used", "B", Max;
        /// The limit of the control group where it has one, else the memory of the machine.
        MemoryLimit: "memory_limit", "B", Last;
        /// Swap space in use on the machine.
        SwapUsed: "swap_used", "B", Max;
        /// Read from disks by this process and its children; what came out of the page cache does not count.
        DiskRead: "disk_read", "B/s", Mean;
        /// Written to disks by this process and its children.
        DiskWrite: "disk_write", "B/s", Mean;
        /// Share of the time in which the machine's busiest disk had something to do.
        DiskBusy: "disk_busy", "%", Mean;
        /// Received over the network by the machine (in a container: by the container).
        NetworkReceived: "network_received", "B/s", Mean;
        /// Sent over the network, likewise.
        NetworkSent: "network_sent", "B/s", Mean;
        /// Threads of this process and its children.
        Threads: "threads", "", Max;
        /// This process and its children.
        Processes: "processes", "", Max;
        /// Processes that ran or waited to, averaged over a minute.
        Load: "load", "", Mean;
    }
}

/// One GPU by its number at the driver (as `nvidia-smi` numbers them), or one MIG slice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GpuId {
    /// The number of the GPU.
    pub index: u32,
    /// The number of the slice, for a slice.
    pub slice: Option<u32>,
}

impl GpuId {
    /// A whole GPU.
    #[must_use]
    pub const fn card(index: u32) -> Self {
        Self { index, slice: None }
    }
}

/// `1`, or `1.0` for the first slice of it.
impl fmt::Display for GpuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slice {
            None => write!(f, "{}", self.index),
            Some(slice) => write!(f, "{}.{slice}", self.index),
        }
    }
}

/// `system/gpu/<gpu>/<name>`.
#[cfg(feature = "run")]
pub(crate) fn gpu(id: GpuId, name: &str) -> String {
    format!("{SYSTEM}/gpu/{id}/{name}")
}

/// `system/host/<name>`.
#[cfg(feature = "run")]
pub(crate) fn host(name: &str) -> String {
    format!("{SYSTEM}/host/{name}")
}

/// What the keys mean, as patterns: a handful for any number of GPUs.
#[cfg(feature = "run")]
pub(crate) fn definitions(gpus: bool) -> Vec<Definition> {
    let define = |pattern: String, unit: &str, rule| {
        let definition = Definition::new(pattern).summary(rule);
        if unit.is_empty() {
            definition
        } else {
            definition.unit(unit)
        }
    };
    if gpus {
        let mut all: Vec<Definition> = GpuMetric::ALL
            .iter()
            .map(|m| {
                define(
                    format!("{SYSTEM}/gpu/*/{}", m.name()),
                    m.unit(),
                    m.summary(),
                )
            })
            .collect();
        let throttle = format!("{SYSTEM}/gpu/*/throttle/*");
        all.push(define(throttle, "", SummaryRule::Mean));
        return all;
    }
    let mut all: Vec<Definition> = HostMetric::ALL
        .iter()
        .map(|m| define(host(m.name()), m.unit(), m.summary()))
        .collect();
    all.push(define(
        format!("{SYSTEM}/telemetry/late"),
        "s",
        SummaryRule::Max,
    ));
    all.push(define(
        format!("{SYSTEM}/telemetry/missed"),
        "",
        SummaryRule::Max,
    ));
    for (name, unit) in TOTALS {
        all.push(define(
            format!("{SYSTEM}/total/{name}"),
            unit,
            SummaryRule::Last,
        ));
    }
    all
}

/// Units of what is worked out at the end, under `system/total/<name>`.
#[cfg(feature = "run")]
const TOTALS: [(&str, &str); 6] = [
    ("gpu_hours", "h"),
    ("energy", "kWh"),
    ("co2e", "kg"),
    ("utilization_mean", "%"),
    ("utilization_p95", "%"),
    ("memory_peak", "B"),
];

//! Names of what the machine did, as W&B's own client gives them, so that its charts know them.
//!
//! W&B's names are those of `core/internal/monitor/system.go` and `xpu/src/gpu_nvidia.rs` of wandb/wandb. A figure that W&B has no name for
//! keeps its own, with dots: `system/gpu/0/energy` is `gpu.0.energy`, which W&B shows like any other. So do rates of disks and the
//! network, where W&B has totals.

/// Bytes of what W&B calls a megabyte.
const MB: f64 = 1_048_576.0;

/// W&B's names of a GPU's figures, by Cresset's.
const GPU: [(&str, &str); 19] = [
    ("utilization", "gpu"),
    ("memory_utilization", "memory"),
    ("memory_used", "memoryAllocatedBytes"),
    ("temperature", "temp"),
    ("power", "powerWatts"),
    ("power_limit", "enforcedPowerLimitWatts"),
    ("clock_sm", "smClock"),
    ("clock_memory", "memoryClock"),
    ("ecc_corrected", "correctedMemoryErrors"),
    ("ecc_uncorrected", "uncorrectedMemoryErrors"),
    ("fan", "fanSpeed"),
    ("sm_active", "smActive"),
    ("sm_occupancy", "smOccupancy"),
    ("tensor_active", "pipeTensorActive"),
    ("dram_active", "dramActive"),
    ("pcie_received", "pcieRxBytes"),
    ("pcie_sent", "pcieTxBytes"),
    ("nvlink_received", "nvlinkRxBytes"),
    ("nvlink_sent", "nvlinkTxBytes"),
];

/// Whether the key is one of the machine's figures, and not one of the totals that are worked out at a run's end.
pub(crate) fn is_system(key: &str) -> bool {
    key.starts_with("system/") && !key.starts_with("system/total/")
}

/// W&B's names, without `system.`, and values of a sample's figures.
pub(crate) fn rename(figures: &[(&str, f64)]) -> Vec<(String, f64)> {
    let find = |key: &str| figures.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    let mut renamed = Vec::with_capacity(figures.len() + 4);
    let mut add = |name: String, value: Option<f64>| {
        renamed.extend(value.map(|value| (name, value)));
    };
    for &(key, value) in figures {
        let short = key.strip_prefix("system/").unwrap_or(key);
        if let Some((gpu, name)) = gpu_figure(short) {
            let of_gpu = |name: &str| find(&format!("system/gpu/{gpu}/{name}"));
            match name {
                "memory_used" => add(
                    format!("gpu.{gpu}.memoryAllocated"),
                    share(value, of_gpu("memory_total")),
                ),
                "power" => add(
                    format!("gpu.{gpu}.powerPercent"),
                    share(value, of_gpu("power_limit")),
                ),
                _ => {}
            }
            let known = GPU.iter().find(|(ours, _)| *ours == name);
            let name = known.map_or_else(|| name.replace('/', "."), |(_, w)| (*w).to_owned());
            add(format!("gpu.{gpu}.{name}"), Some(value));
            continue;
        }
        let limit = || find("system/host/memory_limit");
        match short {
            "host/cpu_process" => add("cpu".into(), share(value, find("system/host/cpu_limit"))),
            "host/memory_process" => {
                add("proc.memory.rssMB".into(), Some(value / MB));
                add("proc.memory.percent".into(), share(value, limit()));
            }
            "host/memory_used" => {
                add("memory_percent".into(), share(value, limit()));
                let left = limit().map(|limit| (limit - value) / MB);
                add("proc.memory.availableMB".into(), left);
            }
            "host/threads" => add("proc.cpu.threads".into(), Some(value)),
            _ => {}
        }
        if short != "host/threads" {
            add(short.replace('/', "."), Some(value));
        }
    }
    renamed
}

/// Cresset's key of what W&B calls so, without `system/`; W&B's own, with slashes, for what Cresset has not in that unit.
pub(crate) fn our_name(name: &str) -> String {
    let gpu = name
        .strip_prefix("gpu.")
        .and_then(|rest| rest.split_once('.'));
    if let Some((gpu, figure)) = gpu {
        let known = GPU.iter().find(|(_, theirs)| *theirs == figure);
        let figure = known.map_or(figure, |(ours, _)| ours);
        return format!("gpu/{gpu}/{}", figure.replace('.', "/"));
    }
    match name {
        "proc.cpu.threads" => "host/threads".to_owned(),
        // A disk's path is part of such a name.
        other => other.replace("/.", "root.").replace('.', "/"),
    }
}

/// The GPU and the figure's name.
fn gpu_figure(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("gpu/")?.split_once('/')
}

/// As W&B has them, in per cent.
fn share(value: f64, all: Option<f64>) -> Option<f64> {
    all.filter(|all| *all > 0.0).map(|all| 100.0 * value / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_names_that_charts_of_wandb_ask_for() {
        let renamed = rename(&[
            ("system/gpu/0/utilization", 97.0),
            ("system/gpu/0/memory_used", 8e9),
            ("system/gpu/0/memory_total", 16e9),
            ("system/gpu/0/energy", 5.0),
            ("system/gpu/0/throttle/power", 1.0),
            ("system/host/cpu_process", 150.0),
            ("system/host/cpu_limit", 200.0),
            ("system/host/threads", 9.0),
            ("system/host/memory_process", 2097152.0),
        ]);
        let value = |name: &str| renamed.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
        assert_eq!(value("gpu.0.gpu"), Some(97.0));
        assert_eq!(value("gpu.0.memoryAllocatedBytes"), Some(8e9));
        assert_eq!(value("gpu.0.memoryAllocated"), Some(50.0));
        assert_eq!(value("gpu.0.energy"), Some(5.0));
        assert_eq!(value("gpu.0.throttle.power"), Some(1.0));
        assert_eq!(value("cpu"), Some(75.0));
        assert_eq!(value("proc.cpu.threads"), Some(9.0));
        assert_eq!(value("proc.memory.rssMB"), Some(2.0));
        assert_eq!(value("proc.memory.percent"), None, "no limit is known");
        assert_eq!(our_name("gpu.0.gpu"), "gpu/0/utilization");
        assert_eq!(our_name("disk./.usageGB"), "disk/root/usageGB");
        assert!(is_system("system/host/load") && !is_system("system/total/energy"));
    }
}

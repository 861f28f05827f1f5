//! Which GPUs CUDA leaves to this process, by `CUDA_VISIBLE_DEVICES`.

use crate::keys::GpuId;

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visible {
    /// `CUDA_VISIBLE_DEVICES`; `None` if it is not set, which is not the same as empty.
    pub(crate) devices: Option<String>,
    /// Whether `CUDA_DEVICE_ORDER` is `PCI_BUS_ID`, the order of the driver.
    pub(crate) by_bus: bool,
    /// PCI address that a framework gave; it wins.
    pub(crate) buses: Vec<String>,
}

/// What is known of one GPU, to choose by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) index: u32,
    pub(crate) uuid: String,
    pub(crate) model: String,
    /// PCI address, such as `00000000:3B:00.0`.
    pub(crate) bus: String,
    /// The slices that it is cut into.
    pub(crate) slices: Vec<Slice>,
}

/// One MIG slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) number: u32,
    pub(crate) uuid: String,
    /// GPU instance and compute instance, as in `MIG-GPU-<uuid>/<gi>/<ci>`.
    pub(crate) instances: Option<(u32, u32)>,
}

impl Visible {
    /// As this process's environment has it.
    pub(crate) fn from_environment() -> Self {
        Self {
            devices: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
            by_bus: std::env::var("CUDA_DEVICE_ORDER").is_ok_and(|order| order == "PCI_BUS_ID"),
            buses: Vec::new(),
        }
    }

    /// The GPUs of this process, in CUDA's order. A slice comes alone; its card is for the caller to add.
    ///
    /// As CUDA does it: a list ends at the first entry that names nothing, so `-1` or an empty text hides all.
    pub(crate) fn choose(&self, candidates: &[Candidate]) -> Vec<GpuId> {
        if !self.buses.is_empty() {
            let chosen = candidates
                .iter()
                .filter(|c| self.buses.iter().any(|bus| same_bus(bus, &c.bus)));
            return chosen.flat_map(whole_or_slices).collect();
        }
        let Some(devices) = &self.devices else {
            return candidates.iter().flat_map(whole_or_slices).collect();
        };
        let numbered = devices.trim().starts_with(|c: char| c.is_ascii_digit());
        if numbered && !self.by_bus && !are_alike(candidates) {
            // CUDA numbers the fastest first, by a measure of its own: all may be meant. Process lists will tell.
            return candidates.iter().flat_map(whole_or_slices).collect();
        }
        let mut chosen: Vec<GpuId> = Vec::new();
        for entry in devices.split(',').map(str::trim) {
            let Some(ids) = find(entry, candidates) else {
                break;
            };
            // CUDA refuses a list that names a GPU twice.
            if ids.iter().any(|id| chosen.contains(id)) {
                return Vec::new();
            }
            chosen.extend(ids);
        }
        chosen
    }
}

fn are_alike(candidates: &[Candidate]) -> bool {
    candidates.windows(2).all(|pair| match pair {
        [a, b] => a.model == b.model,
        _ => true,
    })
}

fn whole_or_slices(candidate: &Candidate) -> Vec<GpuId> {
    if candidate.slices.is_empty() {
        return vec![GpuId::card(candidate.index)];
    }
    let slices = candidate.slices.iter();
    slices.map(|s| slice_id(candidate, s)).collect()
}

fn slice_id(candidate: &Candidate, slice: &Slice) -> GpuId {
    GpuId {
        index: candidate.index,
        slice: Some(slice.number),
    }
}

/// What one entry of the list names: a number, the beginning of a UUID, or a slice.
fn find(entry: &str, candidates: &[Candidate]) -> Option<Vec<GpuId>> {
    if let Ok(index) = entry.parse::<u32>() {
        let candidate = candidates.iter().find(|c| c.index == index)?;
        return Some(whole_or_slices(candidate));
    }
    if entry.starts_with("MIG-") {
        return candidates.iter().find_map(|candidate| {
            let slice = candidate.slices.iter().find(|slice| {
                let old = slice
                    .instances
                    .map(|(gi, ci)| format!("MIG-{}/{gi}/{ci}", candidate.uuid));
                slice.uuid.starts_with(entry) || old.is_some_and(|old| old == entry)
            })?;
            Some(vec![slice_id(candidate, slice)])
        });
    }
    if !entry.starts_with("GPU-") {
        return None;
    }
    let mut matching = candidates.iter().filter(|c| c.uuid.starts_with(entry));
    let candidate = matching.next()?;
    // The beginning of a UUID counts if it is that of one GPU only.
    matching
        .next()
        .is_none()
        .then(|| whole_or_slices(candidate))
}

/// Whether two PCI addresses are the same: domains are written with four digits or eight, or left out.
fn same_bus(a: &str, b: &str) -> bool {
    let parts = |bus: &str| -> Option<(u64, u64, u64)> {
        let mut parts = bus.rsplit(':');
        let (device, bus) = (parts.next()?, parts.next()?);
        let domain = parts.next().unwrap_or("0");
        let device = device.split('.').next()?;
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Some((hex(domain)?, hex(bus)?, hex(device)?))
    };
    parts(a).is_some_and(|a| parts(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(models: [&str; 3]) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = (0..3)
            .map(|i| Candidate {
                index: i,
                uuid: format!("GPU-{i}{i}aa-bb"),
                model: models[i as usize].into(),
                bus: format!("00000000:{}0:00.0", i + 1),
                slices: Vec::new(),
            })
            .collect();
        all[2].slices = (0..2)
            .map(|number| Slice {
                number,
                uuid: format!("MIG-{number}-cc"),
                instances: Some((number + 7, 0)),
            })
            .collect();
        all
    }

    fn chosen(devices: Option<&str>, models: [&str; 3]) -> String {
        let visible = Visible {
            devices: devices.map(Into::into),
            ..Visible::default()
        };
        let ids = visible.choose(&candidates(models));
        ids.iter()
            .map(|id| format!("{id} "))
            .collect::<String>()
            .trim()
            .into()
    }

    #[test]
    fn lists_are_read_as_cuda_reads_them() {
        for (devices, expected) in [
            (None, "0 1 2.0 2.1"),
            (Some(""), ""),
            (Some("-1"), ""),
            (Some("NoDevFiles"), ""),
            (Some("1"), "1"),
            (Some("1,0"), "1 0"),
            (Some(" 1 , 0 "), "1 0"),
            // The list ends at the first entry that names nothing.
            (Some("0,-1,1"), "0"),
            (Some("0,9,1"), "0"),
            (Some("1,1"), ""),
            (Some("GPU-11aa-bb"), "1"),
            (Some("GPU-1,GPU-0"), "1 0"),
            // The beginning of more than one UUID names none.
            (Some("GPU-"), ""),
            (Some("MIG-1-cc"), "2.1"),
            (Some("MIG-GPU-22aa-bb/7/0"), "2.0"),
            (Some("MIG-GPU-22aa-bb/9/0"), ""),
            (Some("2"), "2.0 2.1"),
        ] {
            assert_eq!(chosen(devices, ["a"; 3]), expected, "{devices:?}");
        }
    }

    #[test]
    fn numbers_mean_nothing_where_cuda_orders_by_speed() {
        let models = ["fast", "slow", "slow"];
        assert_eq!(chosen(Some("0"), models), "0 1 2.0 2.1");
        assert_eq!(chosen(Some("GPU-00"), models), "0");
        let by_bus = Visible {
            devices: Some("0".into()),
            by_bus: true,
            buses: Vec::new(),
        };
        assert_eq!(by_bus.choose(&candidates(models)), [GpuId::card(0)]);
    }

    #[test]
    fn an_address_of_a_framework_wins() {
        let visible = Visible {
            devices: Some("0".into()),
            by_bus: false,
            buses: vec!["0000:20:00.0".into()],
        };
        assert_eq!(visible.choose(&candidates(["a"; 3])), [GpuId::card(1)]);
        for (a, b, same) in [
            ("00000000:3B:00.0", "0000:3b:00.0", true),
            ("3b:00.0", "0000:3B:00.0", true),
            ("1:3b:00.0", "0000:3B:00.0", false),
            ("", "", false),
        ] {
            assert_eq!(same_bus(a, b), same, "{a} {b}");
        }
    }
}

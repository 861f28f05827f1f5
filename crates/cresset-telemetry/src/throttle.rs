//! Why a GPU runs slower than it could, in words.

/// The reasons that hold at a moment, as the driver's bits.
///
/// Only those that slow a GPU against the user's will: that it is idle, or that its clocks were set so, is no reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throttle(u64);

/// One reason; the names are the last part of keys, `system/gpu/0/throttle/thermal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The word.
    pub name: &'static str,
    bits: u64,
}

/// All reasons. The bits are those of `nvmlClocksThrottleReasons` in NVIDIA's `nvml.h`; heat has two of them, found by
/// software and by hardware.
pub const REASONS: [Reason; 6] = [
    Reason {
        name: "thermal",
        bits: 0x20 | 0x40,
    },
    Reason {
        name: "power_cap",
        bits: 0x4,
    },
    Reason {
        name: "power_brake",
        bits: 0x80,
    },
    Reason {
        name: "slowdown",
        bits: 0x8,
    },
    Reason {
        name: "sync_boost",
        bits: 0x10,
    },
    Reason {
        name: "display_clock",
        bits: 0x100,
    },
];

impl Throttle {
    /// From the driver's bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & 0x1FC)
    }

    /// Whether anything slows the GPU.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.0 != 0
    }

    /// Whether this reason holds.
    #[must_use]
    pub const fn has(self, reason: Reason) -> bool {
        self.0 & reason.bits != 0
    }

    /// Whether it is slowed by heat.
    #[must_use]
    pub const fn is_thermal(self) -> bool {
        self.0 & (0x20 | 0x40) != 0
    }

    /// Whether it is slowed by a limit on power.
    #[must_use]
    pub const fn is_power(self) -> bool {
        self.0 & (0x4 | 0x80) != 0
    }

    /// The words of all reasons that hold.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        REASONS
            .into_iter()
            .filter(move |r| self.has(*r))
            .map(|r| r.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_words() {
        let words = |bits| Throttle::from_bits(bits).words().collect::<Vec<_>>();
        for (bits, expected) in [
            (0, vec![]),
            // Idle, and clocks that the user set, slow nothing.
            (0x1 | 0x2, vec![]),
            (0x4, vec!["power_cap"]),
            (0x20, vec!["thermal"]),
            // Heat found by hardware comes with the general bit of a slowdown.
            (0x40 | 0x8, vec!["thermal", "slowdown"]),
            (
                0x80 | 0x10 | 0x100,
                vec!["power_brake", "sync_boost", "display_clock"],
            ),
            (1 << 40, vec![]),
        ] {
            assert_eq!(words(bits), expected, "{bits:#x}");
        }
    }
}

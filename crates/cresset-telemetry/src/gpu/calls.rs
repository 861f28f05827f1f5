//! Which calls a GPU answers. Each call of each GPU has a state of its own: one that is not offered is asked for once, one
//! that fails is tried again, less and less often.

use nvml_wrapper::error::NvmlError;

/// The longest pause between two tries, in samples.
const LONGEST_PAUSE: u32 = 64;

macro_rules! calls {
    ($($variant:ident $name:literal,)*) => {
        /// A call to the driver.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Call {
            $($variant,)*
        }

        impl Call {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What the call is for, in words.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

calls! {
    Begin "start",
    List "list of GPUs",
    Utilization "utilization",
    Memory "memory",
    Temperature "temperature",
    Power "power",
    PowerLimit "power limit",
    Energy "energy counter",
    ClockSm "SM clock",
    ClockSmMax "highest SM clock",
    ClockMemory "memory clock",
    Throttle "throttle reasons",
    Fan "fan",
    Pcie "PCIe throughput",
    Nvlink "NVLink throughput",
    EccCorrected "corrected memory errors",
    EccUncorrected "uncorrected memory errors",
    Processes "processes",
    ProcessUtilization "utilization by process",
    Gpm "performance monitoring (GPM)",
    Events "error events",
}

/// What became of one call so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Works,
    /// Not offered by this GPU, driver or library.
    Absent,
    /// It failed and is tried again at the sample `next`; the pause after that is twice as long.
    Fails {
        next: u32,
        pause: u32,
    },
}

/// The states of all calls to one GPU.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    states: [State; Call::ALL.len()],
    /// Calls that turned out absent and were not told yet.
    news: Vec<&'static str>,
}

/// What a failed call means for more than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// This call only.
    Call,
    /// The GPU does not answer any more.
    Gpu,
    /// The library has to be started anew.
    Library,
}

impl Failure {
    pub(crate) fn of(error: &NvmlError) -> Self {
        match error {
            NvmlError::GpuLost | NvmlError::ResetRequired => Self::Gpu,
            NvmlError::Uninitialized | NvmlError::DriverNotLoaded => Self::Library,
            _ => Self::Call,
        }
    }
}

fn is_absent(error: &NvmlError) -> bool {
    matches!(
        error,
        NvmlError::NotSupported
            | NvmlError::FailedToLoadSymbol(_)
            | NvmlError::FunctionNotFound
            | NvmlError::VgpuEccNotSupported
    )
}

impl Calls {
    /// Whether the call should be made for the sample `number`.
    pub(crate) fn is_due(&self, call: Call, number: u32) -> bool {
        match self.state(call) {
            State::Unknown | State::Works => true,
            State::Absent => false,
            State::Fails { next, .. } => number >= next,
        }
    }

    /// Whether the call has given something the last time.
    pub(crate) fn works(&self, call: Call) -> bool {
        self.state(call) == State::Works
    }

    /// Takes note of how the call went.
    pub(crate) fn note<T>(&mut self, call: Call, number: u32, result: &Result<T, NvmlError>) {
        let before = self.state(call);
        let after = match result {
            Ok(_) => State::Works,
            // Once it has worked it is offered, whatever a driver says while something else goes wrong.
            Err(error) if is_absent(error) && before == State::Unknown => {
                self.news.push(call.name());
                State::Absent
            }
            Err(_) => {
                let pause = match before {
                    State::Fails { pause, .. } => (pause * 2).min(LONGEST_PAUSE),
                    _ => 1,
                };
                State::Fails {
                    next: number.saturating_add(pause),
                    pause,
                }
            }
        };
        if let Some(slot) = self.states.get_mut(call as usize) {
            *slot = after;
        }
    }

    /// Says of a call that it is not offered, without having asked.
    pub(crate) fn rule_out(&mut self, call: Call) {
        if let Some(slot) = self.states.get_mut(call as usize) {
            *slot = State::Absent;
            self.news.push(call.name());
        }
    }

    /// The calls that turned out absent since the last time.
    pub(crate) fn news(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.news)
    }

    fn state(&self, call: Call) -> State {
        self.states.get(call as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_again_less_and_less_often() {
        let mut calls = Calls::default();
        let mut asked = Vec::new();
        for number in 0..200 {
            if calls.is_due(Call::Power, number) {
                asked.push(number);
                calls.note::<()>(Call::Power, number, &Err(NvmlError::Timeout));
            }
        }
        assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 127, 191]);
        calls.note(Call::Power, 200, &Ok(1.0));
        assert!(calls.works(Call::Power) && calls.is_due(Call::Power, 201));
        assert!(calls.news().is_empty());
    }

    #[test]
    fn what_is_not_offered_is_asked_for_once() {
        let mut calls = Calls::default();
        calls.note::<()>(Call::Fan, 0, &Err(NvmlError::NotSupported));
        assert!(!calls.is_due(Call::Fan, 1000));
        assert_eq!(calls.news(), ["fan"]);
        assert!(calls.news().is_empty());
        // A call that has worked is offered: it is tried again.
        calls.note(Call::Energy, 0, &Ok(1.0));
        calls.note::<()>(Call::Energy, 1, &Err(NvmlError::NotSupported));
        assert!(calls.is_due(Call::Energy, 2));
    }
}

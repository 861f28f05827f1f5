//! Settings, and the thread's beginning and end.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cresset_run::{Companion, Run};

use crate::look::library_of_environment;
use crate::sampler::Sampler;

/// The most that the end of a run waits for the last sample.
const PATIENCE: Duration = Duration::from_millis(300);

/// Samples the machine while a run goes on: `cresset::init` sets it by itself.
///
/// ```
/// # fn main() -> Result<(), cresset_run::StartError> {
/// use cresset_telemetry::Telemetry;
/// let telemetry = Telemetry::new().rate(2.0).throughput("train/images_per_second");
/// let run = cresset_run::init("doc").telemetry(telemetry).disabled(true).start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Telemetry {
    settings: Settings,
    end: Option<Arc<End>>,
}

/// What the user wants.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) on: bool,
    pub(crate) interval: Duration,
    pub(crate) library: Option<PathBuf>,
    pub(crate) buses: Vec<String>,
    pub(crate) grams_per_kwh: Option<f64>,
    pub(crate) throughput: Option<String>,
}

impl Telemetry {
    /// Once a second, or as `CRESSET_TELEMETRY` says: `off`, or how often a second.
    #[must_use]
    pub fn new() -> Self {
        let telemetry = Self {
            settings: Settings {
                on: true,
                interval: Duration::from_secs(1),
                library: library_of_environment(),
                buses: Vec::new(),
                grams_per_kwh: None,
                throughput: None,
            },
            end: None,
        };
        match std::env::var("CRESSET_TELEMETRY").as_deref() {
            Ok("off") => Self::off(),
            Ok(rate) => match rate.parse() {
                Ok(hertz) => telemetry.rate(hertz),
                Err(_) => telemetry,
            },
            Err(_) => telemetry,
        }
    }

    /// No telemetry.
    #[must_use]
    pub fn off() -> Self {
        Self {
            settings: Settings {
                on: false,
                interval: Duration::from_secs(1),
                library: None,
                buses: Vec::new(),
                grams_per_kwh: None,
                throughput: None,
            },
            end: None,
        }
    }

    /// How many samples a second: 0.1 to 10, and 1 if not said.
    #[must_use]
    pub fn rate(mut self, hertz: f64) -> Self {
        let hertz = if hertz.is_nan() { 1.0 } else { hertz };
        self.settings.interval = Duration::from_secs_f64(1.0 / hertz.clamp(0.1, 10.0));
        self
    }

    /// Where NVIDIA's management library is, if the system does not find it by its name `libnvidia-ml.so.1`; as
    /// `CRESSET_NVML`.
    #[must_use]
    pub fn nvml_library(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.library = Some(path.into());
        self
    }

    /// Only the GPU with this PCI address, such as `0000:3b:00.0`, and those of further calls: for programs whose framework
    /// tells which ones it uses. `CUDA_VISIBLE_DEVICES` is not looked at then.
    #[must_use]
    pub fn pci_address(mut self, address: impl Into<String>) -> Self {
        self.settings.buses.push(address.into());
        self
    }

    /// How many grams of CO₂ equivalent a kWh stands for where the machine is. Only then does the summary have a figure
    /// for it.
    #[must_use]
    pub fn co2e_grams_per_kwh(mut self, grams: f64) -> Self {
        self.settings.grams_per_kwh = Some(grams);
        self
    }

    /// The series that says how many samples a second the loop gets through; the summary then has its mean, and samples per
    /// joule.
    #[must_use]
    pub fn throughput(mut self, key: impl Into<String>) -> Self {
        self.settings.throughput = Some(key.into());
        self
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl Companion for Telemetry {
    fn begin(&mut self, run: Run) {
        if !self.settings.on {
            return;
        }
        let end = Arc::new(End::default());
        let settings = self.settings.clone();
        let begun = Arc::clone(&end);
        let thread = thread::Builder::new()
            .name("cresset-telemetry".into())
            .stack_size(256 << 10)
            .spawn(move || {
                let _done = Done(&begun);
                Sampler::new(run, settings).work(&begun);
            });
        // A run without telemetry is better than none.
        self.end = thread.is_ok().then_some(end);
    }

    fn end(&mut self, deadline: Instant) {
        let Some(end) = self.end.take() else { return };
        let patience = PATIENCE.min(deadline.saturating_duration_since(Instant::now()));
        let mut state = end.lock();
        state.wanted = true;
        end.changed.notify_all();
        // What is not done by then is left to the thread; it may wait for a disk or a driver that hangs.
        drop(
            end.changed
                .wait_timeout_while(state, patience, |state| !state.done),
        );
    }
}

/// How the run tells the thread to end, and the thread that it has.
#[derive(Debug, Default)]
pub(crate) struct End {
    state: Mutex<EndState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct EndState {
    wanted: bool,
    done: bool,
}

impl End {
    /// Waits until `due`; `true` if the run ends before.
    pub(crate) fn comes_before(&self, due: Instant) -> bool {
        let mut state = self.lock();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if state.wanted || left.is_zero() {
                return state.wanted;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, EndState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says, when dropped, that the thread is done, even if it panicked.
struct Done<'a>(&'a End);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.lock().done = true;
        self.0.changed.notify_all();
    }
}

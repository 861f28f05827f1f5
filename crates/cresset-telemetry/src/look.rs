//! A look at the GPUs of this machine from outside of any run: what a command shows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::gpu::{self, Asked, Driver, Event, Nvml, Request, Visible};
use crate::keys::GpuId;
use crate::sample::GpuSample;

/// All GPUs of this machine, whatever `CUDA_VISIBLE_DEVICES` says.
pub struct Gpus {
    driver: Option<Driver>,
    number: u32,
    models: Vec<(GpuId, Model)>,
    lost: Vec<GpuId>,
    version: Option<String>,
    trouble: Option<String>,
}

/// What does not change about a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Its PCI address.
    pub bus: String,
}

impl Gpus {
    /// By the library at `path`; if `None`, at `CRESSET_NVML` or where the system finds it. Nothing is asked yet.
    #[must_use]
    pub fn open(path: Option<PathBuf>) -> Self {
        let library = path.or_else(library_of_environment);
        let nvml = Nvml {
            library,
            visible: Visible::default(),
        };
        Self {
            driver: Driver::start(nvml),
            number: 0,
            models: Vec::new(),
            lost: Vec::new(),
            version: None,
            trouble: None,
        }
    }

    /// One look, which takes no longer than `patience`: without an answer by then there are no samples, and
    /// [`Self::trouble`] says why. All processes on a GPU are given as those of others.
    pub fn look(&mut self, patience: Duration) -> Vec<GpuSample> {
        let Some(driver) = &mut self.driver else {
            return Vec::new();
        };
        driver.ask(Request {
            number: self.number,
            ..Request::default()
        });
        self.number = self.number.saturating_add(1);
        let answer = match driver.answer(patience) {
            Asked::Answer(answer) => answer,
            Asked::Waiting(stuck) => {
                let call = stuck.map_or("something", |stuck| stuck.call.name());
                self.trouble = Some(format!(
                    "the driver does not answer; it was asked for {call}"
                ));
                return Vec::new();
            }
            Asked::Nobody => {
                self.driver = None;
                return Vec::new();
            }
        };
        if self.version.is_some() {
            self.trouble = None;
        }
        for event in answer.events {
            self.take(event);
        }
        answer.gpus
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Driver(version) => {
                self.version = Some(version);
                self.trouble = None;
            }
            Event::NoDriver(reason) => self.trouble = Some(reason),
            Event::Found(facts) => {
                let named = facts.into_iter().filter_map(|facts| {
                    let model = Model {
                        name: facts.model,
                        uuid: facts.uuid,
                        bus: facts.bus,
                    };
                    Some((facts.gpu?, model))
                });
                self.models = named.collect();
            }
            Event::Lost(gpu, _) => self.lost.push(gpu),
            Event::Back(gpu) => self.lost.retain(|lost| *lost != gpu),
            Event::Absent(..) | Event::Xid(..) => {}
        }
    }

    /// The GPUs that were found, in order.
    #[must_use]
    pub fn models(&self) -> &[(GpuId, Model)] {
        &self.models
    }

    /// Whether a GPU has stopped answering.
    #[must_use]
    pub fn is_lost(&self, gpu: GpuId) -> bool {
        self.lost.contains(&gpu)
    }

    /// The driver's version.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Why there are no figures, in words.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// What the driver of this machine answers to each call, `samples` times, `interval` apart, as a script that the fake library of
/// this crate's tests plays back (`tests/fake/nvml.c` describes the form), with what each call took as comments. It has no names
/// of processes; it has their numbers, and the UUIDs of the GPUs.
///
/// # Errors
/// Why there is no driver to ask.
pub fn dump(library: Option<&Path>, samples: u32, interval: Duration) -> Result<String, String> {
    let path = library.map(Path::to_owned);
    let path = path.or_else(library_of_environment);
    gpu::dump(path.as_deref(), samples, interval)
}

/// What `CRESSET_NVML` says.
pub(crate) fn library_of_environment() -> Option<PathBuf> {
    let path = std::env::var_os("CRESSET_NVML")?;
    (!path.is_empty()).then(|| path.into())
}

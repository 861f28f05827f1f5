//! GPUs: a thread of their own asks the driver, so that a call that hangs holds up nothing else.
//!
//! [`Backend`] is the seam for other makers: whoever can answer requests at a [`Desk`] can be sampled. There is one for
//! NVIDIA's GPUs; AMD's and Apple's have none yet.

mod calls;
mod card;
mod desk;
mod dump;
mod gpm;
mod nvml;
mod raw;
mod visible;

pub(crate) use calls::Call;
pub(crate) use desk::{Asked, Desk, Driver, Stuck};
pub(crate) use dump::dump;
pub(crate) use nvml::Nvml;
pub(crate) use visible::Visible;

use crate::keys::GpuId;
use crate::sample::GpuSample;

/// A way to ask the GPUs of one maker.
pub(crate) trait Backend: Send {
    /// Answers requests until there are no more. Runs on a thread of its own and may hang in a driver.
    fn serve(&mut self, desk: &Desk);
}

/// What the driver is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The number of the sample.
    pub(crate) number: u32,
    /// Processes that are ours.
    pub(crate) ours: Ours,
    /// Whether this is the last sample, because the run ends: without what takes long.
    pub(crate) brief: bool,
}

/// Which processes are ours, as far as their numbers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ours {
    /// This process and its children.
    pub(crate) pids: Vec<u32>,
    /// Whether this process sees other numbers than the driver: it is in a container with process numbers of its own.
    pub(crate) nested: bool,
}

/// What the driver answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) gpus: Vec<GpuSample>,
    pub(crate) events: Vec<Event>,
}

/// Something that happened, other than a figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The driver's version.
    Driver(String),
    /// Why there is no driver to ask; it may come.
    NoDriver(String),
    /// GPUs are numbered and named.
    Found(Vec<Facts>),
    /// Calls that a GPU does not offer.
    Absent(GpuId, Vec<&'static str>),
    /// A GPU does not answer any more, and why.
    Lost(GpuId, String),
    /// It answers again.
    Back(GpuId),
    /// The driver reported an error by its Xid number.
    Xid(GpuId, u64),
}

/// What does not change about a GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) gpu: Option<GpuId>,
    pub(crate) model: String,
    pub(crate) uuid: String,
    /// PCI address.
    pub(crate) bus: String,
}

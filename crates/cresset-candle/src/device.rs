//! Bringing results of a device to another thread, without the thread that trains having to wait.
//!
//! # Why an event is needed on CUDA
//!
//! candle's default CUDA device works on CUDA's *per-thread* stream: the same handle on another thread is another queue,
//! with no order between the two. A tensor that is read on a worker thread is therefore read while the training thread's
//! kernels may still be computing it, unless something orders the two. A [`Parcel`] does: it records an event on the
//! stream of the thread that computed the tensor, and the thread that opens it waits for that event *on the host*, asleep.
//! Once the event has passed, everything queued before it is done, and no stream needs to know of the other. (A device made
//! with a stream of its own shares that stream between threads; the event is then merely redundant.)
//!
//! The thread that sends a parcel queues one event and goes on. Nothing here synchronises a stream or a device.
//!
//! # Why a parcel's tensor must be its own
//!
//! Dropping the last handle of a CUDA tensor queues its release on the stream of the thread that drops it. If a worker
//! dropped a tensor that the training thread's stream still has to read, as the optimizer reads gradients and
//! `backward` may read the loss, its memory could be given away too early, and a later kernel would compute with
//! somebody else's numbers. So a parcel takes a tensor that nobody else uses, made for the purpose, and it is dropped
//! only after the event has passed.
//!
//! # Other devices
//!
//! Metal has no such event in candle's interface. There a parcel is read when it is sent, which makes the training thread
//! wait for the device; the budget of [`crate::watch`] counts that time.

use std::fmt;
use std::thread::{self, ThreadId};
use std::time::Duration;

use candle_core::{Device, Result, Tensor};

/// A tensor on its way from the thread that computed it to one that reads it.
pub(crate) struct Parcel {
    tensor: Tensor,
    sent: Fence,
    sender: ThreadId,
}

impl Parcel {
    /// Takes a tensor that this thread has computed and that nobody else uses, now or later.
    pub(crate) fn new(tensor: Tensor) -> Result<Self> {
        let tensor = if tensor.device().is_metal() {
            tensor.to_device(&Device::Cpu)?
        } else {
            tensor
        };
        Ok(Self {
            sent: Fence::after_queued_work(tensor.device())?,
            tensor,
            sender: thread::current().id(),
        })
    }

    /// Waits for the device and copies the tensor to the host.
    pub(crate) fn open(&self) -> Result<Tensor> {
        self.sent.wait()?;
        self.tensor.to_device(&Device::Cpu)
    }

    /// The point in the device's work at which the parcel was ready.
    pub(crate) fn sent(&self) -> &Fence {
        &self.sent
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // On the sender's thread, where a parcel ends for which the queue had no room, the release is queued behind the
        // work. Anywhere else the work must be over; an error of the device is no reason not to let go.
        if thread::current().id() != self.sender {
            let _ = self.sent.wait();
        }
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parcel").field(&self.tensor.shape()).finish()
    }
}

/// A point in the work that a thread has queued on a device. Past from the start on devices that are not CUDA's.
pub(crate) struct Fence {
    #[cfg(feature = "cuda")]
    event: Option<candle_core::cuda_backend::cudarc::driver::CudaEvent>,
}

impl Fence {
    /// The point after all work that this thread has queued on `device`.
    pub(crate) fn after_queued_work(device: &Device) -> Result<Self> {
        #[cfg(feature = "cuda")]
        {
            use candle_core::cuda_backend::cudarc::driver::sys::CUevent_flags;

            let Device::Cuda(device) = device else {
                return Ok(Self { event: None });
            };
            // Whoever waits sleeps instead of spinning: the processors belong to the user's data loaders.
            let asleep = Some(CUevent_flags::CU_EVENT_BLOCKING_SYNC);
            let event = device.cuda_stream().record_event(asleep);
            Ok(Self {
                event: Some(event.map_err(candle_core::Error::wrap)?),
            })
        }
        #[cfg(not(feature = "cuda"))]
        {
            // Without the feature candle makes no CUDA device.
            let _ = device;
            Ok(Self {})
        }
    }

    /// Waits until the device is past the point. Not for the training thread.
    pub(crate) fn wait(&self) -> Result<()> {
        #[cfg(feature = "cuda")]
        if let Some(event) = &self.event {
            event.synchronize().map_err(candle_core::Error::wrap)?;
        }
        Ok(())
    }

    /// How long the device worked since `earlier`, by its own clock; zero where it has none to ask. Waits for both points.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        #[cfg(feature = "cuda")]
        if let (Some(begin), Some(end)) = (&earlier.event, &self.event)
            && let Ok(milliseconds) = begin.elapsed_ms(end)
        {
            return Duration::try_from_secs_f32(milliseconds / 1e3).unwrap_or_default();
        }
        let _ = earlier;
        Duration::ZERO
    }
}

/// Whether work queued now is recorded into a CUDA graph instead of being done: nothing of ours may get into it.
pub(crate) fn is_capturing(device: &Device) -> bool {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(device) = device {
        use candle_core::cuda_backend::cudarc::driver::sys::CUstreamCaptureStatus;

        let status = device.cuda_stream().capture_status();
        return status != Ok(CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE);
    }
    let _ = device;
    false
}

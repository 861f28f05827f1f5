//! Statistics of tensors by operations of the device that holds them: only the small result leaves it.
//!
//! # What is computed
//!
//! The same as [`cresset_run::stats`] computes on a CPU, to the last count: elements, zeros, NaN, infinities, extremes,
//! sums in `f64`, and the exponential histogram; and for parameters ‖Δw‖₂ of one step. Where the device has no `f64`
//! (Metal), sums are in `f32`.
//!
//! candle's operations are all there is to compute with, and each costs the training thread a launch (some microseconds
//! on CUDA; not measured here), so tensors are not taken one by one. They are cut into rows, rows of about the same length
//! are laid side by side on a [page](pages), and every operation is done for a whole page:
//!
//! | | operations queued on the device |
//! |---|---|
//! | a tensor, or 1 Mi elements of a larger one | 1, and 1 more to measure its update |
//! | a page of statistics | 45; 46 for 16-bit types |
//! | a page of updates | 10 |
//!
//! A page has up to 2 Mi elements in rows of one width: 256, 1 Ki, 4 Ki, 16 Ki, 64 Ki, then powers of two. The 29
//! gradients of a ResNet-8 are on 5 pages, so they take 254 operations instead of some 1300. Working memory is at most
//! about 100 MiB for `f32`, whatever the model.
//!
//! # What waits for what
//!
//! Everything is queued by the training thread, in its own order, and nothing is waited for there: results of all pages
//! end in one tensor that travels as a [`Parcel`] and is read in one transfer. (Reductions and broadcasts of candle's CUDA
//! backend upload a few dozen bytes of shapes with each launch, as they do in every forward pass; the driver copies such
//! uploads before the call returns and they synchronise nothing.)

mod measure;
mod pages;
#[cfg(test)]
mod tests;

use std::time::Duration;

use candle_core::{DType, Device, DeviceLocation, Result, Tensor, bail};
use cresset_run::TensorStats;
use cresset_run::watch::Slots;

use crate::device::{Fence, Parcel};
use measure::Kit;
use pages::Plan;

/// Whether there are statistics of such elements.
pub(crate) fn is_supported(dtype: DType) -> bool {
    matches!(dtype, DType::F32 | DType::F64 | DType::F16 | DType::BF16)
}

/// The table that numbers of this type are counted in.
fn slots_of(dtype: DType) -> Slots {
    match dtype {
        DType::F64 => Slots::F64,
        _ => Slots::F32,
    }
}

/// Observes the tensors of one device; keeps what it computes with between observations.
#[derive(Default)]
pub(crate) struct DeviceStats {
    kits: Vec<(DeviceLocation, DType, Kit)>,
}

/// An observation begun before the optimizer's step.
pub(crate) struct Begun {
    gradients: Vec<Plan>,
    parameters: Vec<Plan>,
    /// The parameters before the step, page by page, if their updates are to be measured.
    before: Option<Vec<Tensor>>,
    results: Vec<Tensor>,
    fences: (Fence, Fence),
}

/// An observation whose results the device is computing.
pub(crate) struct Pending {
    gradients: Vec<Plan>,
    parameters: Vec<Plan>,
    has_distances: bool,
    parcel: Parcel,
    before_step: (Fence, Fence),
    after_step_began: Fence,
}

/// What came of it, in the order of the tensors.
pub(crate) struct Outcome {
    pub(crate) gradients: Vec<TensorStats>,
    pub(crate) parameters: Vec<TensorStats>,
    /// ‖after − before‖₂ of each parameter; none if it was not to be measured.
    pub(crate) distances: Vec<f64>,
    /// What the observation cost the device.
    pub(crate) device_time: Duration,
}

impl DeviceStats {
    /// Queues the statistics of gradients and parameters, all on one device and of [supported](is_supported) types;
    /// keeps a copy of the parameters if `keep`.
    pub(crate) fn before_step(
        &mut self,
        device: &Device,
        gradients: &[Tensor],
        parameters: &[Tensor],
        keep: bool,
    ) -> Result<Begun> {
        let began = Fence::after_queued_work(device)?;
        let mut results = Vec::new();
        let (gradient_plans, parameter_plans) = (pages::plan(gradients), pages::plan(parameters));
        for plan in &gradient_plans {
            let page = plan.lay_out(gradients)?;
            results.push(self.kit(device, plan.dtype())?.stats(&page)?);
        }
        let mut before = Vec::new();
        for plan in &parameter_plans {
            let page = plan.lay_out(parameters)?;
            results.push(self.kit(device, plan.dtype())?.stats(&page)?);
            if keep {
                before.push(page);
            }
        }
        Ok(Begun {
            gradients: gradient_plans,
            parameters: parameter_plans,
            before: keep.then_some(before),
            results,
            fences: (began, Fence::after_queued_work(device)?),
        })
    }

    /// Queues what is left to do after the optimizer's step, given the same parameters again.
    pub(crate) fn after_step(&mut self, begun: Begun, parameters: &[Tensor]) -> Result<Pending> {
        let Begun {
            mut results,
            before,
            ..
        } = begun;
        let Some(device) = results.first().map(|result| result.device().clone()) else {
            bail!("an observation of no tensor");
        };
        let after_step_began = Fence::after_queued_work(&device)?;
        let has_distances = before.is_some();
        for (plan, before) in begun.parameters.iter().zip(before.into_iter().flatten()) {
            let after = plan.lay_out(parameters)?;
            let kit = self.kit(&device, plan.dtype())?;
            results.push(kit.squared_distances(&before, &after)?);
        }
        Ok(Pending {
            gradients: begun.gradients,
            parameters: begun.parameters,
            has_distances,
            parcel: Parcel::new(own(Tensor::cat(&results, 0)?, results.len())?)?,
            before_step: begun.fences,
            after_step_began,
        })
    }

    fn kit(&mut self, device: &Device, dtype: DType) -> Result<&Kit> {
        let key = (device.location(), dtype);
        let known = self.kits.iter().position(|(l, d, _)| (*l, *d) == key);
        let i = match known {
            Some(i) => i,
            None => {
                self.kits.push((key.0, key.1, Kit::new(device, dtype)?));
                self.kits.len() - 1
            }
        };
        Ok(&self.kits[i].2)
    }
}

/// `cat` of one tensor gives that tensor, whose memory is then not the parcel's alone.
fn own(tensor: Tensor, parts: usize) -> Result<Tensor> {
    if parts == 1 {
        tensor.affine(1.0, 0.0)
    } else {
        Ok(tensor)
    }
}

impl Pending {
    /// Waits for the device and reads the results. Not for the training thread.
    pub(crate) fn read(&self) -> Result<Outcome> {
        let values = self.parcel.open()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let mut rest = &values[..];
        let gradients = pages::read_stats(&self.gradients, &mut rest)?;
        let parameters = pages::read_stats(&self.parameters, &mut rest)?;
        let distances = if self.has_distances {
            pages::read_distances(&self.parameters, &parameters, &mut rest)?
        } else {
            Vec::new()
        };
        let device_time = self.before_step.1.since(&self.before_step.0)
            + self.parcel.sent().since(&self.after_step_began);
        Ok(Outcome {
            gradients,
            parameters,
            distances,
            device_time,
        })
    }
}

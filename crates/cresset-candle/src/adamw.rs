use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Tensor, TensorId, Var, bail};
use candle_nn::{Optimizer, ParamsAdamW};

use crate::resumable::{OptimizerSlot, OptimizerSnapshot, ResumableOptimizer};

const ALGORITHM: &str = "adamw";
const FIRST_MOMENT: &str = "first_moment";
const SECOND_MOMENT: &str = "second_moment";

/// AdamW (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2019) whose state can be saved.
///
/// It takes the place of [`candle_nn::AdamW`]: same configuration, and the same updates to the last bit.
/// candle's keeps its moments to itself, so a run resumed with it starts again from zero moments
/// and bends; this one gives them to a [`Checkpoint`](crate::Checkpoint) through [`ResumableOptimizer`].
///
/// `f32` parameters on the CPU are updated in place in one pass (0.9 ns a parameter, measured by
/// `examples/adamw_cost.rs`); every other type and device is served by the same dozen tensor
/// operations as in candle (61 ns a parameter on that CPU).
#[derive(Debug)]
pub struct AdamW {
    params: ParamsAdamW,
    step: u64,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    var: Var,
    moments: Moments,
}

#[derive(Debug)]
enum Moments {
    /// Of a contiguous `f32` parameter on the CPU, in its order.
    Host(HostMoments),
    Tensors {
        first: Var,
        second: Var,
    },
}

#[derive(Debug)]
struct HostMoments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl AdamW {
    /// An optimizer with candle's defaults and this learning rate.
    ///
    /// # Errors
    /// Fails if the moments cannot be allocated on a parameter's device.
    pub fn new_lr(vars: Vec<Var>, learning_rate: f64) -> Result<Self> {
        Self::new(
            vars,
            ParamsAdamW {
                lr: learning_rate,
                ..ParamsAdamW::default()
            },
        )
    }

    /// The hyperparameters in force.
    pub fn params(&self) -> &ParamsAdamW {
        &self.params
    }

    /// Changes the hyperparameters from the next step on; the moments stay.
    pub fn set_params(&mut self, params: ParamsAdamW) {
        self.params = params;
    }

    /// Steps taken, those before a resume included.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Copies of the first and second moment of a parameter; `None` if this optimizer does not have it.
    ///
    /// # Errors
    /// Fails if the moments cannot be read from their device.
    pub fn moments(&self, parameter: TensorId) -> Result<Option<(Tensor, Tensor)>> {
        self.entries
            .iter()
            .find(|entry| entry.var.id() == parameter)
            .map(Entry::moments)
            .transpose()
    }
}

impl Optimizer for AdamW {
    type Config = ParamsAdamW;

    fn new(vars: Vec<Var>, params: ParamsAdamW) -> Result<Self> {
        let vars = vars.into_iter().filter(|var| var.dtype().is_float());
        let entries = vars.map(Entry::new).collect::<Result<_>>()?;
        Ok(Self {
            params,
            step: 0,
            entries,
        })
    }

    fn step(&mut self, grads: &GradStore) -> Result<()> {
        self.step += 1;
        let update = Update::new(&self.params, self.step);
        for Entry { var, moments } in &mut self.entries {
            let Some(grad) = grads.get(var) else { continue };
            match moments {
                Moments::Host(moments) => {
                    let fused = Fused {
                        update: &update,
                        moments: RefCell::new(moments),
                    };
                    var.inplace_op2(&grad.contiguous()?, &fused)?;
                }
                Moments::Tensors { first, second } => update.apply(var, first, second, grad)?,
            }
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.params.lr
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.params.lr = lr;
    }
}

impl ResumableOptimizer for AdamW {
    fn snapshot(&self) -> Result<OptimizerSnapshot> {
        let mut slots = Vec::with_capacity(2 * self.entries.len());
        for entry in &self.entries {
            let parameter = entry.var.id();
            let (first, second) = entry.moments()?;
            slots.push(OptimizerSlot {
                parameter,
                name: FIRST_MOMENT,
                value: first,
            });
            slots.push(OptimizerSlot {
                parameter,
                name: SECOND_MOMENT,
                value: second,
            });
        }
        Ok(OptimizerSnapshot {
            algorithm: ALGORITHM.to_owned(),
            step: self.step,
            hyperparameters: to_map(&self.params),
            slots,
        })
    }

    fn restore(&mut self, snapshot: &OptimizerSnapshot) -> Result<()> {
        if snapshot.algorithm != ALGORITHM {
            bail!(
                "a state of `{}` cannot continue as `{ALGORITHM}`",
                snapshot.algorithm
            );
        }
        if snapshot.slots.len() != 2 * self.entries.len() {
            let [found, expected] = [snapshot.slots.len(), 2 * self.entries.len()];
            bail!("the optimizer has {expected} moments, the snapshot holds {found}");
        }
        let params = from_map(&snapshot.hyperparameters)?;
        let moments = self
            .entries
            .iter()
            .map(|entry| entry.find_moments(&snapshot.slots))
            .collect::<Result<Vec<_>>>()?;
        for (entry, (first, second)) in self.entries.iter_mut().zip(moments) {
            entry.set_moments(first, second)?;
        }
        self.params = params;
        self.step = snapshot.step;
        Ok(())
    }
}

impl Entry {
    fn new(var: Var) -> Result<Self> {
        let on_host = var.device().is_cpu() && var.dtype() == DType::F32 && var.is_contiguous();
        let moments = if on_host {
            let zeros = vec![0f32; var.elem_count()];
            Moments::Host(HostMoments {
                first: zeros.clone(),
                second: zeros,
            })
        } else {
            let zeros = || Var::zeros(var.shape(), var.dtype(), var.device());
            Moments::Tensors {
                first: zeros()?,
                second: zeros()?,
            }
        };
        Ok(Self { var, moments })
    }

    fn moments(&self) -> Result<(Tensor, Tensor)> {
        match &self.moments {
            Moments::Host(HostMoments { first, second }) => {
                let tensor = |values: &[f32]| {
                    Tensor::from_slice(values, self.var.shape(), self.var.device())
                };
                Ok((tensor(first)?, tensor(second)?))
            }
            Moments::Tensors { first, second } => {
                Ok((first.copy()?.detach(), second.copy()?.detach()))
            }
        }
    }

    fn find_moments<'a>(&self, slots: &'a [OptimizerSlot]) -> Result<(&'a Tensor, &'a Tensor)> {
        let find = |name| {
            let is_it =
                |slot: &&OptimizerSlot| slot.parameter == self.var.id() && slot.name == name;
            let Some(OptimizerSlot { value, .. }) = slots.iter().find(is_it) else {
                bail!(
                    "the snapshot has no {name} for a parameter of shape {:?}",
                    self.var.dims()
                );
            };
            if value.shape() != self.var.shape() || value.dtype() != self.var.dtype() {
                let (var, value) = (&self.var, (value.dims(), value.dtype()));
                bail!(
                    "{name}: expected {:?} {:?}, found {value:?}",
                    var.dims(),
                    var.dtype()
                );
            }
            Ok(value)
        };
        Ok((find(FIRST_MOMENT)?, find(SECOND_MOMENT)?))
    }

    fn set_moments(&mut self, first: &Tensor, second: &Tensor) -> Result<()> {
        match &mut self.moments {
            Moments::Host(moments) => {
                let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
                *moments = HostMoments {
                    first: values(first)?,
                    second: values(second)?,
                };
            }
            Moments::Tensors {
                first: to_first,
                second: to_second,
            } => {
                to_first.set(first)?;
                to_second.set(second)?;
            }
        }
        Ok(())
    }
}

fn to_map(params: &ParamsAdamW) -> BTreeMap<String, f64> {
    let ParamsAdamW {
        lr,
        beta1,
        beta2,
        eps,
        weight_decay,
    } = *params;
    [
        ("lr", lr),
        ("beta1", beta1),
        ("beta2", beta2),
        ("eps", eps),
        ("weight_decay", weight_decay),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn from_map(map: &BTreeMap<String, f64>) -> Result<ParamsAdamW> {
    let get = |name: &str| match map.get(name) {
        Some(value) => Ok(*value),
        None => bail!("the snapshot lacks the hyperparameter `{name}`"),
    };
    Ok(ParamsAdamW {
        lr: get("lr")?,
        beta1: get("beta1")?,
        beta2: get("beta2")?,
        eps: get("eps")?,
        weight_decay: get("weight_decay")?,
    })
}

/// The factors of one step.
struct Update {
    beta1: f64,
    beta2: f64,
    scale_first: f64,
    scale_second: f64,
    decay: f64,
    eps: f64,
    lr: f64,
}

impl Update {
    fn new(params: &ParamsAdamW, step: u64) -> Self {
        let ParamsAdamW {
            lr,
            beta1,
            beta2,
            eps,
            weight_decay,
        } = *params;
        let bias_correction = |beta: f64| 1.0 / (1.0 - beta.powi(step as i32));
        Self {
            beta1,
            beta2,
            scale_first: bias_correction(beta1),
            scale_second: bias_correction(beta2),
            decay: 1.0 - lr * weight_decay,
            eps,
            lr,
        }
    }

    /// By tensor operations, in candle's order.
    fn apply(&self, var: &Var, first: &Var, second: &Var, grad: &Tensor) -> Result<()> {
        let next_first = ((first.as_tensor() * self.beta1)? + (grad * (1.0 - self.beta1))?)?;
        let next_second =
            ((second.as_tensor() * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
        let corrected_first = (&next_first * self.scale_first)?;
        let corrected_second = (&next_second * self.scale_second)?;
        let direction = (corrected_first / (corrected_second.sqrt()? + self.eps)?)?;
        let next = ((var.as_tensor() * self.decay)? - (direction * self.lr)?)?;
        first.set(&next_first)?;
        second.set(&next_second)?;
        var.set(&next)
    }
}

/// The same update over slices in one pass.
struct Fused<'a> {
    update: &'a Update,
    moments: RefCell<&'a mut HostMoments>,
}

impl InplaceOp2 for Fused<'_> {
    fn name(&self) -> &'static str {
        "adamw-step"
    }

    fn cpu_fwd(
        &self,
        var: &mut CpuStorage,
        var_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<()> {
        if var_layout.shape() != grad_layout.shape() {
            let (var, grad) = (var_layout.shape(), grad_layout.shape());
            bail!("adamw: the gradient of a parameter of shape {var:?} has shape {grad:?}");
        }
        match (
            var,
            var_layout.contiguous_offsets(),
            grad,
            grad_layout.contiguous_offsets(),
        ) {
            (CpuStorage::F32(var), Some((from, to)), CpuStorage::F32(grad), Some((start, end))) => {
                let moments = &mut **self.moments.borrow_mut();
                step_in_place(self.update, &mut var[from..to], &grad[start..end], moments);
                Ok(())
            }
            _ => bail!("adamw: the gradient of an f32 parameter must be f32"),
        }
    }
}

fn step_in_place(update: &Update, var: &mut [f32], grad: &[f32], moments: &mut HostMoments) {
    // candle scales by `x * factor + 0`, which turns -0 into 0.
    let scaled = |x: f32, factor: f32| x * factor + 0.0;
    let [beta1, beta2] = [update.beta1 as f32, update.beta2 as f32];
    let [rest1, rest2] = [(1.0 - update.beta1) as f32, (1.0 - update.beta2) as f32];
    let [scale_first, scale_second] = [update.scale_first as f32, update.scale_second as f32];
    let [decay, eps, lr] = [update.decay as f32, update.eps as f32, update.lr as f32];
    let HostMoments { first, second } = moments;
    for (((x, &g), m), v) in var.iter_mut().zip(grad).zip(first).zip(second) {
        *m = scaled(*m, beta1) + scaled(g, rest1);
        *v = scaled(*v, beta2) + scaled(g * g, rest2);
        let direction = scaled(*m, scale_first) / (scaled(*v, scale_second).sqrt() + eps);
        *x = scaled(*x, decay) - scaled(direction, lr);
    }
}

//! The convolution as a function of tensors.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Storage, Tensor, bail};
use candle_nn::Conv2dConfig;

use crate::geometry::Geometry;
use crate::kernel;

/// Convolves `x` of shape `(batch, in, height, width)` with `weight` of shape `(out, in, kernel_h, kernel_w)`
/// and adds `bias` of shape `(out,)`.
///
/// Differentiable in all three. The gradient of `x` is computed only if something asks for it: plain
/// input images cost nothing on the way back. Frozen weights likewise.
///
/// # Errors
/// Fails when the shapes do not fit each other, the kernel is larger than the padded input, or the tensors lie on
/// different devices.
pub fn conv2d(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: usize,
    padding: usize,
) -> Result<Tensor> {
    let config = Conv2dConfig {
        stride,
        padding,
        ..Conv2dConfig::default()
    };
    conv2d_with(x, weight, bias, &config)
}

pub(crate) fn conv2d_with(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    config: &Conv2dConfig,
) -> Result<Tensor> {
    let y = if has_fast_path(x, weight, config) {
        let op = Im2col(Geometry::new(x.dims4()?, weight.dims4()?, config)?);
        x.contiguous()?.apply_op2(&weight.contiguous()?, op)?
    } else {
        let Conv2dConfig {
            padding,
            stride,
            dilation,
            groups,
            cudnn_fwd_algo,
        } = *config;
        x.conv2d_with_algo(weight, padding, stride, dilation, groups, cudnn_fwd_algo)?
    };
    match bias {
        None => Ok(y),
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.dims1()?, 1, 1))?),
    }
}

fn has_fast_path(x: &Tensor, weight: &Tensor, config: &Conv2dConfig) -> bool {
    let on_cpu_f32 = |t: &Tensor| t.device().is_cpu() && t.dtype() == DType::F32;
    config.groups == 1 && on_cpu_f32(x) && on_cpu_f32(weight)
}

/// The convolution of contiguous `f32` tensors on the CPU.
struct Im2col(Geometry);

impl CustomOp2 for Im2col {
    fn name(&self) -> &'static str {
        "conv2d-im2col"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (as_slice(x, x_layout)?, as_slice(weight, weight_layout)?);
        let y = kernel::forward(&self.0, x, weight);
        Ok((CpuStorage::F32(y), Shape::from(self.0.out_dims())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        y_grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // A tensor that neither is nor depends on a variable has no use for a gradient.
        let wanted = kernel::Wanted {
            x: x.track_op(),
            weight: weight.track_op(),
        };
        let y_grad = y_grad.contiguous()?;
        let (x_grad, weight_grad) = with_slices([x, weight, &y_grad], |[x, weight, y_grad]| {
            kernel::backward(&self.0, x, weight, y_grad, wanted)
        })?;
        let tensor = |grad: Option<Vec<f32>>, like: &Tensor| {
            grad.map(|grad| Tensor::from_vec(grad, like.dims(), like.device()))
                .transpose()
        };
        Ok((tensor(x_grad, x)?, tensor(weight_grad, weight)?))
    }
}

fn with_slices<const N: usize, R>(
    tensors: [&Tensor; N],
    f: impl FnOnce([&[f32]; N]) -> R,
) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut slices = [&[][..]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        let Storage::Cpu(storage) = &**storage else {
            bail!("conv2d-im2col: a tensor left the CPU between the forward and the backward pass")
        };
        *slice = as_slice(storage, layout)?;
    }
    Ok(f(slices))
}

fn as_slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((start, end))) => Ok(&data[start..end]),
        _ => bail!("conv2d-im2col: expected contiguous f32 data"),
    }
}

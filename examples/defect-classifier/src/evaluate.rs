use anyhow::Result;
use candle_core::{D, Device, ModuleT};
use candle_nn::loss::cross_entropy;
use candle_nn::ops::softmax;
use solder_joints::Batches;

use crate::data::tensors;
use crate::metrics::Metrics;
use crate::model::ResNet;

/// Runs a frozen network (see [`ResNet::frozen`]) over a split.
pub(crate) fn evaluate(model: &ResNet, batches: Batches, device: &Device) -> Result<Metrics> {
    let (mut probabilities, mut labels, mut loss) = (Vec::new(), Vec::new(), 0.0);
    for batch in batches {
        let batch = batch?;
        labels.extend_from_slice(&batch.labels);
        let (images, targets) = tensors(batch, device)?;
        let logits = model.forward_t(&images, false)?;
        loss += f64::from(cross_entropy(&logits, &targets)?.to_scalar::<f32>()?)
            * targets.dim(0)? as f64;
        probabilities.extend(softmax(&logits, D::Minus1)?.to_vec2::<f32>()?);
    }
    Ok(Metrics::new(
        &probabilities,
        &labels,
        loss / labels.len() as f64,
    ))
}

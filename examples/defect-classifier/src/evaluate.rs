use anyhow::Result;
use candle_core::{Device, ModuleT};
use cresset::samples::{Batch, Evaluation, Report, Scores};
use cresset::{Image, Redaction, Region};
use defect_workload::Data;
use solder_joints::Split;

use crate::model::ResNet;
use crate::train::tensors;

/// Runs a frozen network (see [`ResNet::frozen`]) over a split: metrics, and the most confident mistakes with their images.
pub(crate) fn evaluate(
    model: &ResNet,
    data: &Data,
    split: Split,
    device: &Device,
) -> Result<Report<Image>> {
    let mut evaluation = Evaluation::new(&data.classes);
    for batch in data.evaluation(split) {
        let batch = batch?;
        let (images, _) = tensors(&batch, device)?;
        let logits = model
            .forward_t(&images, false)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let indices: Vec<u64> = batch.indices.iter().map(|&index| index as u64).collect();
        let mistakes = evaluation.push(&Batch {
            scores: Scores::Logits(&logits),
            targets: &batch.labels,
            indices: &indices,
        })?;
        for mistake in mistakes {
            let image = thumbnail(&batch, mistake.row(), data)?;
            evaluation.attach(&mistake, image);
        }
    }
    Ok(evaluation.report())
}

/// The image in row `row` of a batch, with any serial number painted over.
fn thumbnail(batch: &solder_joints::Batch, row: usize, data: &Data) -> Result<Image> {
    let [_, channels, height, width] = batch.dims;
    let values = channels * height * width;
    let pixels = &batch.images[row * values..][..values];
    let image = Image::from_chw_f32(pixels, channels, height, width, -1.0..=1.0)?;
    Ok(match data.serial(batch.indices[row]) {
        Some([x, y, width, height]) => {
            let serial = Region::fractions(x, y, width, height);
            image.redact(Redaction::fill([serial], [0, 0, 0]))
        }
        None => image,
    })
}

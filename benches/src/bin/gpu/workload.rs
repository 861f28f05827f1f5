//! What is trained.

use anyhow::Result;
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{Linear, VarBuilder, VarMap, linear, loss::cross_entropy};

use crate::watch_model::ResNet8;

const CLASSES: usize = 10;

/// A model with data of a size.
#[derive(Clone, Copy)]
pub(crate) enum Workload {
    /// A ResNet-8, which launches many short kernels; images a batch, of 32 × 32 pixels.
    Images(usize),
    /// Dense layers of `width`², which read much memory; 1,024 rows a batch.
    Dense { layers: usize, width: usize },
}

/// The loss of a batch.
pub(crate) type Loss = Box<dyn Fn() -> Result<Tensor>>;

impl Workload {
    pub(crate) const ALL: [Self; 3] = [
        Self::Images(32),
        Self::Images(1024),
        Self::Dense {
            layers: 6,
            width: 4096,
        },
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Images(batch) => format!("ResNet-8, {batch} images"),
            Self::Dense { layers, width } => {
                let parameters = (layers * width * width) as f64 / 1e6;
                format!("dense, {parameters:.0} M parameters")
            }
        }
    }

    /// A model of variables in `varmap`, given the same batch each time.
    pub(crate) fn build(self, varmap: &VarMap, device: &Device) -> Result<Loss> {
        let vb = VarBuilder::from_varmap(varmap, DType::F32, device);
        let targets =
            |rows: usize| Tensor::from_iter((0..rows as u32).map(|i| i % CLASSES as u32), device);
        match self {
            Self::Images(batch) => {
                let model = ResNet8::new(CLASSES, vb)?;
                let images = Tensor::randn(0f32, 1.0, (batch, 3, 32, 32), device)?;
                let classes = targets(batch)?;
                Ok(Box::new(move || {
                    Ok(cross_entropy(&model.forward(&images)?, &classes)?)
                }))
            }
            Self::Dense { layers, width } => {
                let rows = 1024;
                let body: Vec<Linear> = (0..layers)
                    .map(|i| linear(width, width, vb.pp(i)))
                    .collect::<candle_core::Result<_>>()?;
                let head = linear(width, CLASSES, vb.pp("head"))?;
                let x = Tensor::randn(0f32, 1.0, (rows, width), device)?;
                let classes = targets(rows)?;
                Ok(Box::new(move || {
                    let mut x = x.clone();
                    for layer in &body {
                        x = layer.forward(&x)?.relu()?;
                    }
                    Ok(cross_entropy(&head.forward(&x)?, &classes)?)
                }))
            }
        }
    }
}

//! CPU time of a training step of small residual networks, with candle's convolution and with this crate's.
//!
//! `CANDLE_NUM_THREADS=1 cargo run --release -p candle-im2col --example resnet_step [-- im2col|candle]`
//!
//! Linux only: CPU time is the sum over the process's threads in `/proc/self/task`.

#![expect(clippy::print_stdout, reason = "the table is the point")]

use std::time::Instant;

use candle_core::{DType, Device, Module, ModuleT, Result, Tensor};
use candle_nn::{AdamW, BatchNorm, Conv2dConfig, Linear, Optimizer, VarBuilder, VarMap};

const BATCH: usize = 32;
const STEPS: usize = 12;

/// (blocks per stage, width, image size, stem stride)
const NETS: [(usize, usize, usize, usize); 6] = [
    (1, 8, 32, 2),
    (1, 16, 32, 2),
    (2, 16, 32, 2),
    (3, 16, 32, 2),
    (1, 16, 32, 1),
    (1, 16, 64, 2),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backend {
    Candle,
    Im2col,
}

enum Conv {
    Candle(candle_nn::Conv2d),
    Im2col(candle_im2col::Conv2d),
}

impl Conv {
    fn new(
        backend: Backend,
        channels: (usize, usize),
        kernel: usize,
        stride: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let config = Conv2dConfig {
            stride,
            padding: kernel / 2,
            ..Conv2dConfig::default()
        };
        Ok(match backend {
            Backend::Candle => Self::Candle(candle_nn::conv2d_no_bias(
                channels.0, channels.1, kernel, config, vb,
            )?),
            Backend::Im2col => Self::Im2col(candle_im2col::conv2d_no_bias(
                channels.0, channels.1, kernel, config, vb,
            )?),
        })
    }
}

impl Module for Conv {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Candle(conv) => conv.forward(x),
            Self::Im2col(conv) => conv.forward(x),
        }
    }
}

struct Block {
    conv: [Conv; 2],
    norm: [BatchNorm; 2],
    shortcut: Option<(Conv, BatchNorm)>,
}

impl Block {
    fn new(
        backend: Backend,
        c_in: usize,
        c_out: usize,
        stride: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let norm = |name: &str| candle_nn::batch_norm(c_out, 1e-5, vb.pp(name));
        let shortcut = if c_in == c_out && stride == 1 {
            None
        } else {
            Some((
                Conv::new(backend, (c_in, c_out), 1, stride, vb.pp("down"))?,
                norm("down_norm")?,
            ))
        };
        Ok(Self {
            conv: [
                Conv::new(backend, (c_in, c_out), 3, stride, vb.pp("conv1"))?,
                Conv::new(backend, (c_out, c_out), 3, 1, vb.pp("conv2"))?,
            ],
            norm: [norm("norm1")?, norm("norm2")?],
            shortcut,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.norm[0]
            .forward_t(&self.conv[0].forward(x)?, true)?
            .relu()?;
        let y = self.norm[1].forward_t(&self.conv[1].forward(&y)?, true)?;
        match &self.shortcut {
            None => (y + x)?.relu(),
            Some((conv, norm)) => (y + norm.forward_t(&conv.forward(x)?, true)?)?.relu(),
        }
    }
}

struct Net {
    stem: (Conv, BatchNorm),
    blocks: Vec<Block>,
    head: Linear,
}

impl Net {
    fn new(
        backend: Backend,
        n: usize,
        width: usize,
        stem_stride: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let stem = (
            Conv::new(backend, (3, width), 3, stem_stride, vb.pp("stem"))?,
            candle_nn::batch_norm(width, 1e-5, vb.pp("stem_norm"))?,
        );
        let mut blocks = Vec::new();
        let mut c_in = width;
        for stage in 0..3 {
            for i in 0..n {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                blocks.push(Block::new(
                    backend,
                    c_in,
                    width << stage,
                    stride,
                    vb.pp(format!("block{stage}.{i}")),
                )?);
                c_in = width << stage;
            }
        }
        Ok(Self {
            stem,
            blocks,
            head: candle_nn::linear(c_in, 6, vb.pp("head"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self
            .stem
            .1
            .forward_t(&self.stem.0.forward(x)?, true)?
            .relu()?;
        let x = self
            .blocks
            .iter()
            .try_fold(x, |x, block| block.forward(&x))?;
        self.head.forward(&x.mean((2, 3))?)
    }
}

fn step_cpu_ms(
    backend: Backend,
    (n, width, size, stem_stride): (usize, usize, usize, usize),
) -> Result<(f64, f64)> {
    let device = Device::Cpu;
    let map = VarMap::new();
    let net = Net::new(
        backend,
        n,
        width,
        stem_stride,
        VarBuilder::from_varmap(&map, DType::F32, &device),
    )?;
    let mut optimizer = AdamW::new_lr(map.all_vars(), 1e-3)?;
    let x = Tensor::randn(0f32, 1f32, (BATCH, 3, size, size), &device)?;
    let labels = Tensor::from_iter((0..BATCH as u32).map(|i| i % 6), &device)?;
    let (mut cpu, mut wall) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..STEPS {
        let (cpu_start, start) = (cpu_ms(), Instant::now());
        let loss = candle_nn::loss::cross_entropy(&net.forward(&x)?, &labels)?;
        optimizer.backward_step(&loss)?;
        cpu = cpu.min(cpu_ms() - cpu_start);
        wall = wall.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok((cpu, wall))
}

/// CPU time that this process's threads have used.
fn cpu_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let nanos: f64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<f64>().ok())
        .sum();
    nanos / 1e6
}

fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    println!("batch {BATCH}, least of {STEPS} steps: CPU ms (wall ms)");
    for net @ (n, width, size, stem_stride) in NETS {
        print!("ResNet-{:<2} w{width:<2} {size}² s{stem_stride}", 6 * n + 2);
        for (name, backend) in [("candle", Backend::Candle), ("im2col", Backend::Im2col)] {
            if only.as_deref().is_none_or(|only| only == name) {
                let (cpu, wall) = step_cpu_ms(backend, net)?;
                print!("   {name} {cpu:7.1} ({wall:6.1})");
            }
        }
        println!();
    }
    Ok(())
}

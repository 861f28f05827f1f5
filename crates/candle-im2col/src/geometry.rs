use candle_core::{Result, bail};
use candle_nn::Conv2dConfig;

/// The shapes of one convolution, checked against each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) batch: usize,
    pub(crate) c_in: usize,
    pub(crate) c_out: usize,
    /// Height and width of the input, the kernel and the output.
    pub(crate) input: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
}

impl Geometry {
    pub(crate) fn new(
        (batch, c_in, height, width): (usize, usize, usize, usize),
        (c_out, kernel_c_in, kernel_h, kernel_w): (usize, usize, usize, usize),
        config: &Conv2dConfig,
    ) -> Result<Self> {
        let Conv2dConfig {
            stride,
            padding,
            dilation,
            ..
        } = *config;
        if c_in != kernel_c_in {
            bail!("conv2d: the input has {c_in} channels, the kernel expects {kernel_c_in}");
        }
        if stride == 0 || dilation == 0 || kernel_h == 0 || kernel_w == 0 {
            bail!("conv2d: stride, dilation and kernel size must be at least 1");
        }
        let extent = |size: usize, kernel: usize| {
            let reach = dilation * (kernel - 1) + 1;
            let Some(slack) = (size + 2 * padding).checked_sub(reach) else {
                bail!(
                    "conv2d: a kernel that spans {reach} pixels does not fit an input of {size} padded by {padding}"
                )
            };
            Ok(slack / stride + 1)
        };
        let output = [extent(height, kernel_h)?, extent(width, kernel_w)?];
        Ok(Self {
            batch,
            c_in,
            c_out,
            input: [height, width],
            kernel: [kernel_h, kernel_w],
            output,
            stride,
            padding,
            dilation,
        })
    }

    pub(crate) fn out_dims(&self) -> (usize, usize, usize, usize) {
        (self.batch, self.c_out, self.output[0], self.output[1])
    }

    /// Pixels of one input channel.
    pub(crate) fn in_pixels(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Pixels of one output channel.
    pub(crate) fn out_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Values under the kernel at one position: the rows of the unfolded input.
    pub(crate) fn patch(&self) -> usize {
        self.c_in * self.kernel[0] * self.kernel[1]
    }

    /// Values of one input sample.
    pub(crate) fn in_sample(&self) -> usize {
        self.c_in * self.in_pixels()
    }

    /// Values of one output sample.
    pub(crate) fn out_sample(&self) -> usize {
        self.c_out * self.out_pixels()
    }

    /// Whether a sample is its own unfolding.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1 && self.padding == 0
    }
}

//! The fast path against the definition, candle's own convolution, finite differences, and itself.

use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_im2col::ops;
use candle_nn::{Conv2dConfig, VarBuilder, VarMap};

#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    c_in: usize,
    c_out: usize,
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Case {
    fn fits(&self) -> bool {
        let reach = self.dilation * (self.kernel - 1) + 1;
        self.size.iter().all(|s| s + 2 * self.padding >= reach)
    }

    fn config(&self) -> Conv2dConfig {
        let Case {
            stride,
            padding,
            dilation,
            ..
        } = *self;
        Conv2dConfig {
            stride,
            padding,
            dilation,
            ..Conv2dConfig::default()
        }
    }

    fn tensors(&self) -> Result<(Var, Var, Var)> {
        let [h, w] = self.size;
        let x = Var::from_tensor(&noise(1, &[self.batch, self.c_in, h, w])?)?;
        let weight = Var::from_tensor(&noise(
            2,
            &[self.c_out, self.c_in, self.kernel, self.kernel],
        )?)?;
        let bias = Var::from_tensor(&noise(3, &[self.c_out])?)?;
        Ok((x, weight, bias))
    }
}

/// Uniform values in [-1, 1) that depend on nothing but `seed`.
fn noise(seed: u64, dims: &[usize]) -> Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let values: Vec<f32> = (0..dims.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect();
    Tensor::from_vec(values, dims, &Device::Cpu)
}

/// The largest difference, relative to the largest value.
fn difference(a: &Tensor, b: &Tensor) -> Result<f64> {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (a.to_dtype(DType::F64)?, b.to_dtype(DType::F64)?);
    let largest = |t: Tensor| t.abs()?.flatten_all()?.max(0)?.to_scalar::<f64>();
    Ok(largest((a - &b)?)? / largest(b)?.max(1e-30))
}

/// Output and gradients of x, weight and bias, of a loss that weighs every output differently.
fn run(
    layer: impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
    case: Case,
) -> Result<[Tensor; 4]> {
    let (x, weight, bias) = case.tensors()?;
    let y = layer(&x, &weight, &bias)?;
    let grads = (&y * noise(4, y.dims())?)?.sum_all()?.backward()?;
    let grad = |var: &Var| {
        grads
            .get(var)
            .cloned()
            .ok_or_else(|| candle_core::Error::Msg("no gradient".into()))
    };
    Ok([y, grad(&x)?, grad(&weight)?, grad(&bias)?])
}

fn ours(case: Case) -> impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> {
    move |x, w, b| candle_im2col::Conv2d::new(w.clone(), Some(b.clone()), case.config()).forward(x)
}

fn candles(case: Case) -> impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> {
    move |x, w, b| candle_nn::Conv2d::new(w.clone(), Some(b.clone()), case.config()).forward(x)
}

/// The same four by the definition, in double precision, one product at a time.
fn by_definition(case: Case) -> Result<[Tensor; 4]> {
    let (x, weight, bias) = case.tensors()?;
    let doubles = |t: &Tensor| t.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
    let (xs, ws, bs) = (doubles(&x)?, doubles(&weight)?, doubles(&bias)?);
    let Case {
        batch,
        c_in,
        c_out,
        size: [h, w],
        kernel: k,
        stride,
        padding,
        dilation,
    } = case;
    let extent = |size: usize| (size + 2 * padding - dilation * (k - 1) - 1) / stride + 1;
    let (out_h, out_w) = (extent(h), extent(w));
    let out_dims = [batch, c_out, out_h, out_w];
    let gs = doubles(&noise(4, &out_dims)?)?;
    let mut y = vec![0f64; gs.len()];
    let (mut dx, mut dw, mut db) = (
        vec![0f64; xs.len()],
        vec![0f64; ws.len()],
        vec![0f64; bs.len()],
    );
    for (at, y) in y.iter_mut().enumerate() {
        let (oj, oi, o, n) = (
            at % out_w,
            at / out_w % out_h,
            at / (out_w * out_h) % c_out,
            at / (out_w * out_h * c_out),
        );
        *y = bs[o];
        db[o] += gs[at];
        for tap in 0..c_in * k * k {
            let (kj, ki, c) = (tap % k, tap / k % k, tap / (k * k));
            let i = (oi * stride + ki * dilation).wrapping_sub(padding);
            let j = (oj * stride + kj * dilation).wrapping_sub(padding);
            if i < h && j < w {
                let (x_at, w_at) = (((n * c_in + c) * h + i) * w + j, o * c_in * k * k + tap);
                *y += xs[x_at] * ws[w_at];
                dx[x_at] += gs[at] * ws[w_at];
                dw[w_at] += gs[at] * xs[x_at];
            }
        }
    }
    let tensor = |values, dims: &[usize]| Tensor::from_vec(values, dims, &Device::Cpu);
    Ok([
        tensor(y, &out_dims)?,
        tensor(dx, x.dims())?,
        tensor(dw, weight.dims())?,
        tensor(db, bias.dims())?,
    ])
}

fn assert_agree(case: Case, got: &[Tensor; 4], expected: &[Tensor; 4], whose: &str) -> Result<()> {
    let names = [
        "output",
        "input gradient",
        "kernel gradient",
        "bias gradient",
    ];
    for (name, (a, b)) in names.iter().zip(got.iter().zip(expected)) {
        let d = difference(a, b)?;
        assert!(
            d < 2e-6,
            "{name} of {case:?} against {whose}: relative difference {d:e}"
        );
    }
    Ok(())
}

fn check(case: Case) -> Result<()> {
    let got = run(ours(case), case)?;
    assert_agree(case, &got, &by_definition(case)?, "the definition")?;
    // candle's backward pass fails on some oblong inputs: it pads both axes as the height needs.
    if case.size[0] == case.size[1] {
        assert_agree(case, &got, &run(candles(case), case)?, "candle")?;
    }
    Ok(())
}

#[test]
fn forward_and_gradients_agree_with_candle() -> Result<()> {
    let mut cases = 0;
    for kernel in [1, 2, 3, 5, 7] {
        for stride in [1, 2, 3] {
            for padding in [0, 1, 3] {
                for (batch, c_in, c_out, size) in [
                    (1, 1, 1, [7, 7]),
                    (2, 3, 4, [9, 8]),
                    (5, 4, 3, [8, 13]),
                    (9, 2, 5, [4, 4]),
                ] {
                    let case = Case {
                        batch,
                        c_in,
                        c_out,
                        size,
                        kernel,
                        stride,
                        padding,
                        dilation: 1,
                    };
                    if case.fits() {
                        check(case)?;
                        cases += 1;
                    }
                }
            }
        }
    }
    assert!(cases > 150, "only {cases} cases");
    Ok(())
}

#[test]
fn layers_of_a_resnet_agree_with_candle() -> Result<()> {
    for (c_in, c_out, size, kernel, stride, padding) in [
        (3, 16, 32, 3, 2, 1),
        (16, 16, 16, 3, 1, 1),
        (16, 32, 16, 1, 2, 0),
        (32, 64, 8, 3, 2, 1),
        (64, 64, 4, 3, 1, 1),
        (64, 16, 8, 1, 1, 0),
        (3, 8, 33, 7, 2, 3),
    ] {
        check(Case {
            batch: 6,
            c_in,
            c_out,
            size: [size, size],
            kernel,
            stride,
            padding,
            dilation: 1,
        })?;
    }
    Ok(())
}

#[test]
fn dilation_agrees_with_candle() -> Result<()> {
    for (stride, padding) in [(1, 0), (1, 2), (2, 2)] {
        check(Case {
            batch: 2,
            c_in: 2,
            c_out: 3,
            size: [9, 11],
            kernel: 3,
            stride,
            padding,
            dilation: 2,
        })?;
    }
    Ok(())
}

#[test]
fn gradients_agree_with_finite_differences() -> Result<()> {
    let case = Case {
        batch: 2,
        c_in: 2,
        c_out: 3,
        size: [5, 6],
        kernel: 3,
        stride: 2,
        padding: 1,
        dilation: 1,
    };
    let [_, x_grad, weight_grad, _] = run(ours(case), case)?;
    let (x, weight, bias) = case.tensors()?;
    // The loss is linear in each argument, so a large step costs no accuracy.
    let h = 0.5f32;
    let loss = |x: &Tensor, weight: &Tensor| -> Result<f64> {
        let y = ours(case)(x, weight, &bias)?;
        (&y * noise(4, y.dims())?)?
            .to_dtype(DType::F64)?
            .sum_all()?
            .to_scalar()
    };
    let nudged = |t: &Tensor, i: usize, by: f32| -> Result<Tensor> {
        let mut values = t.flatten_all()?.to_vec1::<f32>()?;
        values[i] += by;
        Tensor::from_vec(values, t.dims(), &Device::Cpu)
    };
    let close = |numeric: f64, analytic: f32| (numeric - f64::from(analytic)).abs() < 1e-5;
    for (i, &g) in x_grad.flatten_all()?.to_vec1::<f32>()?.iter().enumerate() {
        let slope = (loss(&nudged(&x, i, h)?, &weight)? - loss(&nudged(&x, i, -h)?, &weight)?)
            / f64::from(2.0 * h);
        assert!(close(slope, g), "input {i}: {slope} against {g}");
    }
    for (i, &g) in weight_grad
        .flatten_all()?
        .to_vec1::<f32>()?
        .iter()
        .enumerate()
    {
        let slope = (loss(&x, &nudged(&weight, i, h)?)? - loss(&x, &nudged(&weight, i, -h)?)?)
            / f64::from(2.0 * h);
        assert!(close(slope, g), "weight {i}: {slope} against {g}");
    }
    Ok(())
}

#[test]
fn results_are_the_same_bits_on_any_number_of_threads() -> Result<()> {
    let bits = |threads: usize| -> Result<Vec<Vec<u32>>> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let case = Case {
            batch: 13,
            c_in: 5,
            c_out: 7,
            size: [11, 9],
            kernel: 3,
            stride: 1,
            padding: 1,
            dilation: 1,
        };
        let tensors = pool.install(|| run(ours(case), case))?;
        tensors
            .iter()
            .map(|t| {
                Ok(t.flatten_all()?
                    .to_vec1::<f32>()?
                    .iter()
                    .map(|v| v.to_bits())
                    .collect())
            })
            .collect()
    };
    let one = bits(1)?;
    assert_eq!(one, bits(1)?);
    assert_eq!(one, bits(2)?);
    assert_eq!(one, bits(5)?);
    Ok(())
}

#[test]
fn plain_inputs_and_frozen_weights_get_no_gradient() -> Result<()> {
    let case = Case {
        batch: 2,
        c_in: 3,
        c_out: 4,
        size: [6, 6],
        kernel: 3,
        stride: 1,
        padding: 1,
        dilation: 1,
    };
    let (x, weight, _) = case.tensors()?;
    let grads = ops::conv2d(&x.detach(), &weight, None, 1, 1)?
        .sum_all()?
        .backward()?;
    assert!(grads.get(&weight).is_some());
    assert_eq!(grads.get_ids().count(), 1, "only the weight");
    let grads = ops::conv2d(&x, &weight.detach(), None, 1, 1)?
        .sum_all()?
        .backward()?;
    assert!(grads.get(&x).is_some());
    assert_eq!(grads.get_ids().count(), 1, "only the input");
    Ok(())
}

#[test]
fn inputs_need_not_be_contiguous() -> Result<()> {
    let case = Case {
        batch: 3,
        c_in: 4,
        c_out: 5,
        size: [7, 6],
        kernel: 3,
        stride: 1,
        padding: 1,
        dilation: 1,
    };
    let twisted = |layer: &dyn Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>| {
        run(
            |x, w, b| layer(&x.transpose(2, 3)?, &w.transpose(2, 3)?, b)?.transpose(2, 3),
            case,
        )
    };
    for (a, b) in twisted(&ours(case))?.iter().zip(&twisted(&candles(case))?) {
        assert!(difference(a, b)? < 5e-6);
    }
    Ok(())
}

#[test]
fn other_types_and_groups_fall_back_to_candle() -> Result<()> {
    let x = noise(1, &[2, 4, 6, 6])?;
    let weight = noise(2, &[6, 2, 3, 3])?;
    let config = Conv2dConfig {
        groups: 2,
        padding: 1,
        ..Conv2dConfig::default()
    };
    let grouped = candle_im2col::Conv2d::new(weight.clone(), None, config).forward(&x)?;
    assert_eq!(difference(&grouped, &x.conv2d(&weight, 1, 1, 1, 2)?)?, 0.0);

    let (x, weight) = (
        x.to_dtype(DType::F64)?,
        noise(2, &[3, 4, 3, 3])?.to_dtype(DType::F64)?,
    );
    let double = ops::conv2d(&x, &weight, None, 2, 1)?;
    assert_eq!(double.dtype(), DType::F64);
    assert_eq!(difference(&double, &x.conv2d(&weight, 1, 2, 1, 1)?)?, 0.0);
    Ok(())
}

#[test]
fn layers_share_names_shapes_and_weights_with_candle() -> Result<()> {
    let names = |build: &dyn Fn(VarBuilder) -> Result<()>| -> Result<Vec<(String, Vec<usize>)>> {
        let map = VarMap::new();
        build(VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu).pp("stem"))?;
        let mut names: Vec<_> = map
            .data()
            .lock()
            .unwrap()
            .iter()
            .map(|(name, var)| (name.clone(), var.dims().to_vec()))
            .collect();
        names.sort();
        Ok(names)
    };
    let config = Conv2dConfig::default();
    let ours = names(&|vb| candle_im2col::conv2d(3, 8, 3, config, vb).map(drop))?;
    assert_eq!(
        ours,
        names(&|vb| candle_nn::conv2d(3, 8, 3, config, vb).map(drop))?
    );
    assert_eq!(ours.len(), 2);
    let ours = names(&|vb| candle_im2col::conv2d_no_bias(3, 8, 3, config, vb).map(drop))?;
    assert_eq!(
        ours,
        names(&|vb| candle_nn::conv2d_no_bias(3, 8, 3, config, vb).map(drop))?
    );
    Ok(())
}

#[test]
fn shapes_that_do_not_fit_are_errors() -> Result<()> {
    let x = noise(1, &[1, 3, 4, 4])?;
    let message = |weight: &[usize], stride| {
        ops::conv2d(&x, &noise(2, weight).unwrap(), None, stride, 0)
            .unwrap_err()
            .to_string()
    };
    assert!(message(&[2, 4, 3, 3], 1).contains("3 channels, the kernel expects 4"));
    assert!(message(&[2, 3, 5, 5], 1).contains("spans 5 pixels"));
    assert!(message(&[2, 3, 3, 3], 0).contains("at least 1"));
    Ok(())
}

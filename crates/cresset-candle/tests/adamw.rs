//! `AdamW` against candle's own, and its state.

mod device;

use candle_core::{DType, Result, Tensor, Var};
use candle_nn::{Optimizer, ParamsAdamW};
use cresset_candle::{AdamW, ResumableOptimizer};

use crate::device::device;

const SHAPES: [&[usize]; 4] = [&[3, 4, 3, 3], &[17], &[1], &[130, 33]];

/// Values in (-1, 1) that depend on nothing but `seed`.
fn noise(seed: u64, dims: &[usize], dtype: DType) -> Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
    let values: Vec<f64> = (0..dims.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    Tensor::from_vec(values, dims, device())?.to_dtype(dtype)
}

fn variables(dtype: DType) -> Result<Vec<Var>> {
    (0..)
        .zip(SHAPES)
        .map(|(i, dims)| Var::from_tensor(&noise(i, dims, dtype)?))
        .collect()
}

/// A loss whose gradients span many magnitudes, with zeros of both signs; the last variable gets none in every third step.
fn loss(vars: &[Var], step: u64) -> Result<Tensor> {
    let mut loss = Tensor::zeros((), vars[0].dtype(), device())?;
    let used = if step % 3 == 2 {
        vars.len() - 1
    } else {
        vars.len()
    };
    for (i, var) in (0..).zip(&vars[..used]) {
        let x = noise(1000 * step + i, var.dims(), var.dtype())?;
        let cubed = (x.sqr()? * &x)?;
        let signed_zeros = (x.relu()? * -1.0)?;
        loss = (loss + (var.as_tensor() * (cubed + signed_zeros)?)?.sum_all()?)?;
        loss = (loss + (var.sqr()?.sum_all()? * 10f64.powi(i as i32 * 3 - 6))?)?;
    }
    Ok(loss)
}

fn bits(tensor: &Tensor) -> Result<Vec<u64>> {
    let values = tensor
        .flatten_all()?
        .to_dtype(DType::F64)?
        .to_vec1::<f64>()?;
    Ok(values.into_iter().map(f64::to_bits).collect())
}

fn assert_same_bits(ours: &[Var], theirs: &[Var], when: &str) -> Result<()> {
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(bits(a)? == bits(b)?, "variable {i} differs {when}");
    }
    Ok(())
}

/// The learning rate at a step.
type Rate = fn(u64) -> f64;

/// Constant and changing learning rates, with and without decay, unusual betas.
fn schedules() -> [(ParamsAdamW, Rate); 3] {
    let base = ParamsAdamW::default();
    [
        (
            ParamsAdamW {
                weight_decay: 0.05,
                ..base
            },
            |_| 1e-3,
        ),
        (
            ParamsAdamW {
                weight_decay: 0.3,
                beta1: 0.8,
                beta2: 0.95,
                ..base
            },
            |t| 1e-2 / t as f64,
        ),
        (
            ParamsAdamW {
                weight_decay: 0.0,
                eps: 1e-5,
                ..ParamsAdamW::default()
            },
            |t| {
                if t < 20 { 0.0 } else { 0.1 }
            },
        ),
    ]
}

#[test]
fn updates_are_candles_to_the_last_bit() -> Result<()> {
    for dtype in [DType::F32, DType::F64] {
        for (params, rate) in schedules() {
            let (ours, theirs) = (variables(dtype)?, variables(dtype)?);
            let mut our_optimizer = AdamW::new(ours.clone(), params.clone())?;
            let mut their_optimizer = candle_nn::AdamW::new(theirs.clone(), params)?;
            for t in 1..=60 {
                our_optimizer.set_learning_rate(rate(t));
                their_optimizer.set_learning_rate(rate(t));
                our_optimizer.backward_step(&loss(&ours, t)?)?;
                their_optimizer.backward_step(&loss(&theirs, t)?)?;
                assert_same_bits(&ours, &theirs, &format!("after step {t} in {dtype:?}"))?;
            }
            assert!(
                bits(&ours[0])? != bits(&variables(dtype)?[0])?,
                "nothing moved"
            );
        }
    }
    Ok(())
}

#[test]
fn a_restored_state_continues_exactly() -> Result<()> {
    for dtype in [DType::F32, DType::F64] {
        let straight = variables(dtype)?;
        let mut optimizer = AdamW::new_lr(straight.clone(), 3e-3)?;
        for t in 1..=5 {
            optimizer.backward_step(&loss(&straight, t)?)?;
        }
        let snapshot = optimizer.snapshot()?;
        let resumed: Vec<Var> = straight
            .iter()
            .map(|v| Var::from_tensor(&v.copy()?.detach()))
            .collect::<Result<_>>()?;
        for t in 6..=10 {
            optimizer.backward_step(&loss(&straight, t)?)?;
        }

        let mut other = AdamW::new_lr(resumed.clone(), 1.0)?;
        let renamed = rebound(&snapshot, &straight, &resumed);
        other.restore(&renamed)?;
        assert_eq!(other.step_count(), 5);
        assert_eq!(other.learning_rate(), 3e-3);
        for t in 6..=10 {
            other.backward_step(&loss(&resumed, t)?)?;
        }
        assert_same_bits(&resumed, &straight, "after resuming")?;
    }
    Ok(())
}

/// The snapshot with each parameter of `from` replaced by its counterpart in `to`.
fn rebound(
    snapshot: &cresset_candle::OptimizerSnapshot,
    from: &[Var],
    to: &[Var],
) -> cresset_candle::OptimizerSnapshot {
    let mut snapshot = snapshot.clone();
    for slot in &mut snapshot.slots {
        let i = from
            .iter()
            .position(|var| var.id() == slot.parameter)
            .unwrap();
        slot.parameter = to[i].id();
    }
    snapshot
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() -> Result<()> {
    let vars = variables(DType::F32)?;
    let mut optimizer = AdamW::new_lr(vars.clone(), 1e-3)?;
    optimizer.backward_step(&loss(&vars, 1)?)?;
    let good = optimizer.snapshot()?;
    let moments = |optimizer: &AdamW| -> Result<Vec<Vec<u64>>> {
        optimizer
            .snapshot()?
            .slots
            .iter()
            .map(|slot| bits(&slot.value))
            .collect()
    };
    let before = moments(&optimizer)?;

    let mut other_algorithm = good.clone();
    other_algorithm.algorithm = "sgd".into();
    let mut too_few = good.clone();
    too_few.slots.pop();
    let mut other_shape = good.clone();
    other_shape.slots[3].value = Tensor::zeros((2, 2), DType::F32, device())?;
    let mut stranger = good.clone();
    stranger.slots[0].parameter = Tensor::zeros(1, DType::F32, device())?.id();
    let mut no_rate = good.clone();
    no_rate.hyperparameters.remove("lr");
    for (bad, says) in [
        (other_algorithm, "`sgd` cannot continue as `adamw`"),
        (too_few, "has 8 moments, the snapshot holds 7"),
        (other_shape, "expected [17] F32"),
        (
            stranger,
            "no first_moment for a parameter of shape [3, 4, 3, 3]",
        ),
        (no_rate, "lacks the hyperparameter `lr`"),
    ] {
        let message = optimizer.restore(&bad).unwrap_err().to_string();
        assert!(message.contains(says), "{message}");
        assert_eq!(moments(&optimizer)?, before);
        assert_eq!(optimizer.step_count(), 1);
    }
    Ok(())
}

#[test]
fn moments_can_be_read_by_parameter() -> Result<()> {
    let vars = variables(DType::F32)?;
    let mut optimizer = AdamW::new_lr(vars.clone(), 1e-3)?;
    let grads = loss(&vars, 1)?.backward()?;
    optimizer.step(&grads)?;
    let (first, second) = optimizer
        .moments(vars[1].id())?
        .expect("a parameter of the optimizer");
    let grad = grads.get(&vars[1]).unwrap().to_vec1::<f32>()?;
    let defaults = ParamsAdamW::default();
    let expected_first: Vec<f32> = grad
        .iter()
        .map(|g| g * (1.0 - defaults.beta1) as f32)
        .collect();
    let expected_second: Vec<f32> = grad
        .iter()
        .map(|g| g * g * (1.0 - defaults.beta2) as f32)
        .collect();
    assert_eq!(first.to_vec1::<f32>()?, expected_first);
    assert_eq!(second.to_vec1::<f32>()?, expected_second);
    let stranger = Tensor::zeros(1, DType::F32, device())?;
    assert!(optimizer.moments(stranger.id())?.is_none());
    Ok(())
}

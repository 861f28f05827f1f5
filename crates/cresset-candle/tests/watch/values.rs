//! What is recorded, and that watching changes nothing.

use candle_core::{DType, Module, Result, Tensor, Var};
use candle_nn::{Optimizer, SGD, VarBuilder, VarMap, linear};
use cresset_candle::{AdamW, Watch, Watched, watch};
use cresset_run::{Cadence, init};

use crate::device::device;
use crate::support::*;

#[test]
fn what_is_recorded_is_what_was_there() -> Result<()> {
    let net = Net::new(device())?;
    let exact = device().is_cpu();
    let mut expected = Vec::new();
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        for step in 0..6 {
            let loss = net.loss(step)?;
            let grads = loss.backward()?;
            let before: Vec<Tensor> = TRAINED
                .iter()
                .map(|n| net.var(n).copy())
                .collect::<Result<_>>()?;
            optimizer.backward_step(&loss)?;
            settle(run);
            expected.push((values(&loss)[0], Vec::new()));
            for (name, before) in TRAINED.iter().zip(before) {
                let var = net.var(name);
                let squares = values(&before).into_iter().zip(values(&var));
                let moved: f64 = squares.map(|(a, b)| (b - a).powi(2)).sum();
                let gradient = stats(grads.get(&var).unwrap());
                expected[step as usize]
                    .1
                    .push((gradient, stats(&before), moved.sqrt()));
            }
        }
        assert_eq!(optimizer.account().observed, 6);
        assert_eq!(optimizer.account().skipped, 0);
        Ok(())
    })?;
    for (step, (loss, variables)) in expected.into_iter().enumerate() {
        assert_eq!(scalars(&view, "train/loss")[step], (step as u64, loss));
        assert_eq!(scalars(&view, "train/lr")[step], (step as u64, 1e-2));
        let mut squares = 0.0;
        for (name, (gradient, before, moved)) in TRAINED.iter().zip(variables) {
            squares += gradient.sum_sq;
            let at_step = |kind: &str| {
                let (found, stats) = histograms(&view, &format!("{kind}/{name}"))[step].clone();
                assert_eq!(found, step as u64);
                stats
            };
            assert_same(&at_step("gradients"), &gradient, exact, name);
            assert_same(&at_step("parameters"), &before, exact, name);
            let ratios = scalars(&view, &format!("update_ratio/{name}"));
            let ratio = ratios.iter().find(|(s, _)| *s == step as u64);
            if before.sum_sq > 0.0 {
                let expected = moved / before.l2_norm();
                assert!(
                    (ratio.unwrap().1 / expected - 1.0).abs() < 1e-9,
                    "{name} {step}"
                );
            } else {
                assert_eq!(ratio, None, "{name} was zero at step {step}");
            }
        }
        let norm = scalars(&view, "gradients/norm")[step].1;
        assert!((norm / f64::sqrt(squares) - 1.0).abs() < 1e-12);
    }
    let mut expected: Vec<String> = ["gradients/norm", "train/loss", "train/lr"]
        .map(String::from)
        .into();
    for kind in ["gradients", "parameters", "update_ratio"] {
        expected.extend(TRAINED.map(|name| format!("{kind}/{name}")));
    }
    expected.sort();
    assert_eq!(
        keys(&view),
        expected,
        "nothing of buffers and unused variables"
    );
    assert_eq!(view.summary()["cresset/watch/observed"], 6);
    Ok(())
}

#[test]
fn weights_are_those_of_the_unwatched_run() -> Result<()> {
    let (plain, watched) = (Net::new(device())?, Net::new(device())?);
    let mut optimizer = plain.adamw()?;
    for step in 0..20 {
        optimizer.backward_step(&plain.loss(step)?)?;
    }
    recorded(|run| {
        let mut optimizer = every_step(run).optimizer(watched.adamw()?, &watched.varmap);
        for step in 0..20 {
            optimizer.backward_step(&watched.loss(step)?)?;
        }
        Ok(())
    })?;
    for (name, var) in plain.vars() {
        let bits = |var: &Var| {
            values(var)
                .into_iter()
                .map(f64::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&var), bits(&watched.var(&name)), "{name}");
    }
    Ok(())
}

/// On a device a loss is read while later steps are computed, into memory that was used before.
#[test]
fn losses_read_late_are_those_read_at_once() -> Result<()> {
    let net = Net::new(device())?;
    let mut at_once = Vec::new();
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        let mut kept = Vec::new();
        for step in 0..300 {
            let loss = net.loss(step)?;
            cresset_candle::log_tensor(run, step, "doubled", &loss.affine(2.0, 0.0)?);
            optimizer.backward_step(&loss)?;
            kept.push(loss.detach());
        }
        for (step, loss) in (0..).zip(&kept) {
            at_once.push((step, values(loss)[0]));
        }
        Ok(())
    })?;
    assert_eq!(scalars(&view, "train/loss"), at_once);
    let doubled: Vec<_> = at_once
        .iter()
        .map(|(step, loss)| (*step, 2.0 * loss))
        .collect();
    assert_eq!(scalars(&view, "doubled"), doubled);
    Ok(())
}

#[test]
fn several_models_are_told_apart_by_prefixes() -> Result<()> {
    let (actor, critic) = (Net::new(device())?, Net::new(device())?);
    let view = recorded(|run| {
        let mut a = every_step(run)
            .prefix("actor")
            .optimizer(actor.adamw()?, &actor.varmap);
        let mut c = every_step(run)
            .prefix("critic")
            .optimizer(critic.adamw()?, &critic.varmap);
        train(&actor, &mut a, run, 0..2)?;
        train(&critic, &mut c, run, 0..3)
    })?;
    for (model, steps) in [("actor", 2), ("critic", 3)] {
        assert_eq!(scalars(&view, &format!("{model}/loss")).len(), steps);
        assert_eq!(scalars(&view, &format!("{model}/lr")).len(), steps);
        assert_eq!(
            scalars(&view, &format!("gradients/{model}/norm")).len(),
            steps
        );
        for key in ["gradients", "parameters"] {
            let key = format!("{key}/{model}/head.weight");
            assert_eq!(histograms(&view, &key).len(), steps, "{key}");
        }
        let observed = format!("cresset/watch/{model}/observed");
        assert_eq!(view.summary()[&observed], steps);
    }
    assert_eq!(keys(&view).len(), 2 * (3 + 3 * TRAINED.len()));
    Ok(())
}

/// A loss of one weight of each type: ∂/∂w = x.
#[test]
fn variables_of_all_types() -> Result<()> {
    let types = [DType::F16, DType::BF16, DType::F32, DType::F64];
    let varmap = VarMap::new();
    let mut vars = Vec::new();
    for dtype in types {
        let var = Var::from_tensor(&Tensor::new(&[0.5f32, -2.0, 0.0], device())?.to_dtype(dtype)?)?;
        varmap
            .data()
            .lock()
            .unwrap()
            .insert(dtype.as_str().into(), var.clone());
        vars.push(var);
    }
    let x = Tensor::new(&[1f32, -0.25, 3.0], device())?;
    let view = recorded(|run| {
        let sgd = SGD::new(varmap.all_vars(), 0.5)?;
        let mut optimizer = every_step(run).optimizer(sgd, &varmap);
        let terms = vars
            .iter()
            .map(|v| (v.to_dtype(DType::F32)? * &x)?.sum_all());
        let loss = terms.reduce(|a, b| a? + b?).unwrap()?;
        optimizer.backward_step(&loss)?;
        settle(run);
        Ok(())
    })?;
    for dtype in types {
        let name = dtype.as_str();
        let [(0, gradient)] = &histograms(&view, &format!("gradients/{name}"))[..] else {
            panic!("{name}");
        };
        assert_eq!(*gradient, stats(&x.to_dtype(DType::F64)?), "{name}");
        let [(0, parameter)] = &histograms(&view, &format!("parameters/{name}"))[..] else {
            panic!("{name}");
        };
        assert_eq!(parameter.histogram.zero_count, 1);
        assert_eq!(
            (parameter.min, parameter.max, parameter.sum),
            (-2.0, 0.5, -1.5),
            "{name}"
        );
        let ratio = scalars(&view, &format!("update_ratio/{name}"))[0].1;
        // The weights move by half of x, exactly in every type.
        let expected = (10.0625f64 / 4.0).sqrt() / 4.25f64.sqrt();
        assert!(
            (ratio / expected - 1.0).abs() < 1e-12,
            "{name} {ratio} {expected}"
        );
    }
    Ok(())
}

#[test]
fn a_resumed_run_goes_on_at_its_step() -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let watch = Watch::new(run).cadence(Cadence::Every(10));
        let mut optimizer = watch.optimizer(net.adamw()?, &net.varmap);
        optimizer.set_step_index(1208);
        train(&net, &mut optimizer, run, 0..6)?;
        assert_eq!(optimizer.step_index(), 1214);
        Ok(())
    })?;
    let steps: Vec<u64> = scalars(&view, "train/loss").iter().map(|p| p.0).collect();
    assert_eq!(steps, (1208..1214).collect::<Vec<_>>());
    assert_eq!(histograms(&view, "gradients/conv.weight")[0].0, 1210);
    Ok(())
}

#[test]
fn what_is_not_wanted_is_left_out() -> Result<()> {
    let net = Net::new(device())?;
    let kinds = |watch: fn(Watch) -> Watch| -> Result<Vec<String>> {
        let view = recorded(|run| {
            let mut optimizer = watch(every_step(run)).optimizer(net.adamw()?, &net.varmap);
            train(&net, &mut optimizer, run, 0..2)
        })?;
        let mut kinds: Vec<String> = keys(&view)
            .iter()
            .map(|key| key.split('/').next().unwrap().to_owned())
            .collect();
        kinds.dedup();
        Ok(kinds)
    };
    assert_eq!(
        kinds(|w| w.gradients(false))?,
        ["parameters", "train", "update_ratio"]
    );
    assert_eq!(kinds(|w| w.parameters(false))?, ["gradients", "train"]);
    let bare = |w: Watch| w.loss_key(None).learning_rate_key(None).parameters(false);
    assert_eq!(kinds(bare)?, ["gradients"]);
    assert_eq!(kinds(|w| w.cadence(Cadence::Every(0)))?, ["train"]);
    assert_eq!(kinds(|w| w.gradients(false).parameters(false))?, ["train"]);
    Ok(())
}

#[test]
fn layers_built_later_are_watched_from_then_on() -> Result<()> {
    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, device());
    let x = Tensor::new(&[[1f32, 2.0]], device())?;
    let first = linear(2, 2, vb.pp("first"))?;
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(SGD::new(vec![], 0.1)?, &varmap);
        optimizer.backward_step(&first.forward(&x)?.sum_all()?)?;
        settle(run);
        let second = linear(2, 2, vb.pp("second"))?;
        optimizer.backward_step(&second.forward(&first.forward(&x)?)?.sum_all()?)?;
        settle(run);
        Ok(())
    })?;
    assert_eq!(histograms(&view, "gradients/first.weight").len(), 2);
    assert_eq!(histograms(&view, "gradients/second.weight")[0].0, 1);
    Ok(())
}

/// The wrapper is the optimizer: generic code takes it, and the inner one's own methods are there.
#[test]
fn the_wrapper_is_the_optimizer() -> Result<()> {
    fn generic<O: Optimizer>(mut optimizer: O, net: &Net) -> Result<O> {
        optimizer.set_learning_rate(0.5);
        let grads = net.loss(0)?.backward()?;
        optimizer.step(&grads)?;
        Ok(optimizer)
    }
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let optimizer: Watched<AdamW> = generic(watch(run, net.adamw()?, &net.varmap), &net)?;
        assert_eq!(optimizer.params().lr, 0.5);
        assert_eq!(optimizer.step_count(), 1);
        settle(run);
        Ok(())
    })?;
    assert_eq!(scalars(&view, "train/lr"), [(0, 0.5)]);
    assert_eq!(
        scalars(&view, "train/loss"),
        [],
        "step() is not given a loss"
    );
    assert_eq!(histograms(&view, "gradients/head.weight").len(), 1);
    Ok(())
}

#[test]
fn scalar_tensors_are_logged() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = init("watch").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    for (step, dtype) in [DType::F32, DType::F64, DType::F16, DType::BF16, DType::U32]
        .into_iter()
        .enumerate()
    {
        let scalar = Tensor::new(&[[3f32]], device())?.to_dtype(dtype)?;
        cresset_candle::log_tensor(&run, step as u64, "x", &scalar);
    }
    cresset_candle::log_tensor(&run, 9, "x", &Tensor::new(&[1f32, 2.0], device())?);
    assert_eq!(run.finish().lost, 1, "a vector is no scalar");
    let expected: Vec<(u64, f64)> = (0..5).map(|step| (step, 3.0)).collect();
    assert_eq!(scalars(&view(&path), "x"), expected);
    Ok(())
}

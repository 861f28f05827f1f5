//! Bad values, a busy worker, variables that nothing trains, a run that is off.

use std::time::Duration;

use candle_core::Result;
use candle_nn::Optimizer;
use cresset_candle::Watch;
use cresset_run::{Cadence, Level, init};

use crate::device::device;
use crate::support::*;

/// With any cadence: the step of a bad loss is looked at.
fn a_bad_value_is_named_with_its_step(cadence: Cadence) -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let mut optimizer = Watch::new(run)
            .cadence(cadence)
            .optimizer(net.adamw()?, &net.varmap);
        train(&net, &mut optimizer, run, 0..7)?;
        poison(&net, "head.weight")?;
        train(&net, &mut optimizer, run, 7..9)
    })?;
    let titles: Vec<&str> = view.alerts().iter().map(|a| a.title.as_str()).collect();
    let expected = [
        "train/loss is NaN at step 7",
        "first bad gradient at step 7: head.bias and 5 more",
        "first bad parameter at step 7: head.weight",
    ];
    assert_eq!(titles, expected);
    assert!(
        view.alerts()
            .iter()
            .all(|a| a.step == Some(7) && a.level == Level::Error)
    );
    let gradients = &view.alerts()[1].text;
    let expected =
        "6 of 6 gradients have NaN or infinities, in the order of the backward pass:\nhead.bias: ";
    assert!(gradients.starts_with(expected), "{gradients}");
    assert!(
        gradients.contains("\nand 3 more\nBefore this step, 1 of 6 parameters were bad already."),
        "{gradients}"
    );
    let parameters = &view.alerts()[2].text;
    let expected = "1 of 6 parameters has NaN or infinities:\nhead.weight: 1 NaN and 0 infinite of 12 elements\n";
    assert!(parameters.starts_with(expected), "{parameters}");
    // Under a budget nobody looked at the step before.
    if cadence == Cadence::Every(1) {
        let before = "\nAt step 6, the last that was looked at before, all was finite.";
        assert!(
            gradients.ends_with(before) && parameters.ends_with(before),
            "{gradients}\n{parameters}"
        );
    }
    let norms = scalars(&view, "gradients/norm");
    assert!(
        norms
            .iter()
            .all(|(step, norm)| norm.is_nan() == (*step >= 7)),
        "a norm of what is left would look as if gradients vanished: {norms:?}"
    );
    let losses = scalars(&view, "train/loss");
    assert!(
        losses
            .iter()
            .all(|(step, loss)| loss.is_nan() == (*step >= 7))
            && losses.len() == 9
    );
    Ok(())
}

#[test]
fn a_bad_value_is_named_with_its_step_when_every_step_is_watched() -> Result<()> {
    a_bad_value_is_named_with_its_step(Cadence::Every(1))
}

#[test]
fn a_bad_value_is_named_with_its_step_under_a_budget() -> Result<()> {
    a_bad_value_is_named_with_its_step(Cadence::Budget(1e-9))
}

/// candle's `relu` makes 0 of NaN, so that a network can train on as if nothing were wrong.
#[test]
fn a_bad_value_that_the_loss_does_not_show_is_named() -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        train(&net, &mut optimizer, run, 0..3)?;
        poison(&net, "norm.weight")?;
        train(&net, &mut optimizer, run, 3..6)
    })?;
    assert!(
        scalars(&view, "train/loss")
            .iter()
            .all(|(_, loss)| loss.is_finite())
    );
    let found = alert(&view, "first bad parameter at step 3: norm.weight");
    assert_eq!(
        found.text,
        "1 of 6 parameters has NaN or infinities:\nnorm.weight: 1 NaN and 0 infinite of 4 elements\n\
         At step 2, the last that was looked at before, all was finite."
    );
    Ok(())
}

#[test]
fn observations_that_a_busy_worker_cannot_take_are_counted() -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        let release = occupy_worker(run);
        for step in 0..8 {
            optimizer.backward_step(&net.loss(step)?)?;
        }
        let account = optimizer.account();
        assert_eq!((account.observed, account.skipped), (1, 7));
        drop(release);
        settle(run);
        train(&net, &mut optimizer, run, 8..10)
    })?;
    let steps = |key| {
        histograms(&view, key)
            .iter()
            .map(|h| h.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(steps("gradients/conv.weight"), [0, 8, 9]);
    assert_eq!(
        scalars(&view, "train/loss").len(),
        10,
        "scalars do not wait"
    );
    assert_eq!(view.summary()["cresset/watch/skipped"], 7);
    assert_eq!(view.summary()["cresset/watch/observed"], 3);
    Ok(())
}

#[test]
fn the_first_bad_step_is_observed_even_while_the_worker_is_busy() -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        let release = occupy_worker(run);
        for step in 0..3 {
            optimizer.backward_step(&net.loss(step)?)?;
        }
        poison(&net, "head.weight")?;
        for step in 3..6 {
            optimizer.backward_step(&net.loss(step)?)?;
        }
        let account = optimizer.account();
        assert_eq!((account.observed, account.skipped), (2, 4));
        drop(release);
        Ok(())
    })?;
    assert_eq!(
        alert(&view, "first bad parameter at step 3: head.weight").step,
        Some(3)
    );
    Ok(())
}

#[test]
fn variables_without_gradient_are_reported_once() -> Result<()> {
    let net = Net::new(device())?;
    let view = recorded(|run| {
        let mut optimizer = every_step(run).optimizer(net.adamw()?, &net.varmap);
        train(&net, &mut optimizer, run, 0..25)
    })?;
    let [alert] = view.alerts() else {
        panic!("{:#?}", view.alerts());
    };
    assert_eq!(alert.title, "2 parameters get no gradient");
    assert_eq!(alert.level, Level::Warn);
    assert!(
        alert.text.ends_with("\nunused.bias\nunused.weight"),
        "{}",
        alert.text
    );
    Ok(())
}

#[test]
fn a_disabled_run_records_nothing_and_changes_nothing() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = init("watch")
        .dir(dir.path())
        .disabled(true)
        .start()
        .unwrap();
    let (plain, watched) = (Net::new(device())?, Net::new(device())?);
    let mut reference = plain.adamw()?;
    let mut optimizer = every_step(&run).optimizer(watched.adamw()?, &watched.varmap);
    for step in 0..5 {
        reference.backward_step(&plain.loss(step)?)?;
        optimizer.backward_step(&watched.loss(step)?)?;
    }
    let account = optimizer.account();
    assert_eq!((account.observed, account.skipped), (0, 0));
    assert_eq!(account.cost, Duration::ZERO);
    assert_eq!(optimizer.step_index(), 5);
    assert_eq!(
        values(&plain.var("conv.weight")),
        values(&watched.var("conv.weight"))
    );
    assert_eq!(std::fs::read_dir(dir.path())?.count(), 0);
    Ok(())
}

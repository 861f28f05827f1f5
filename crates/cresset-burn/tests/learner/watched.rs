//! Gradients, parameters and update ratios.

use burn::module::{Module, ParamGroup};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn::train::{ExecutionStrategy, MultiDeviceOptim};
use cresset_burn::{CressetTraining, Watch, Watched};
use cresset_record::{RunView, TensorStats};
use cresset_run::{Cadence, Run};

use crate::support::*;

fn every_step(run: &Run) -> Watched<Net> {
    Watched::with(net(), Watch::new(run).cadence(Cadence::Every(1)))
}

/// The statistics of a key at each step.
fn histograms<'a>(view: &'a RunView, key: &str) -> Vec<(u64, &'a TensorStats)> {
    let found = view.histograms().find(|(name, _, _)| name.as_str() == key);
    let points = found
        .map(|(_, _, points)| points.iter())
        .into_iter()
        .flatten();
    points.map(|point| (point.step, &point.value)).collect()
}

/// By hand: the first batch's gradient of the head, and how the first step moves it.
fn by_hand() -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let device = Device::flex().autodiff();
    let model = Net::new(&device);
    let values = |tensor: Tensor<2>| tensor.to_data().try_to_vec::<f32>().unwrap();
    let before = values(model.head.weight.val());
    let loss = model.classify(Batch::new(0, ROWS, &device)).loss;
    let grads = GradientsParams::from_grads(loss.backward(), &model);
    let gradient = values(grads.get(model.head.weight.id).unwrap());
    let model = adam().step(0.02, model, grads);
    (gradient, before, values(model.head.weight.val()))
}

#[test]
fn an_observation_is_what_a_look_by_hand_finds() {
    let (view, ()) = recorded(|run, folder| {
        let training = patient(run, folder)
            .metrics((LossMetric::new(),))
            .cresset(run, folder);
        training.launch(learner(every_step(run)));
    });
    let (gradient, before, after) = by_hand();
    let reference = |values: &[f32]| TensorStats::from_values(values.iter().map(|&v| v.into()));
    let check = |key: &str, expected: TensorStats| {
        let found = histograms(&view, key);
        assert_eq!(found[0].0, 0, "{key}");
        let found = found[0].1;
        assert_eq!(found.histogram, expected.histogram, "{key}");
        assert_eq!(
            (found.min, found.max, found.count),
            (expected.min, expected.max, 12)
        );
        assert!((found.sum_sq - expected.sum_sq).abs() <= 1e-12 * expected.sum_sq);
    };
    check("gradients/head.weight", reference(&gradient));
    check("parameters/head.weight", reference(&before));
    let square = |pairs: &mut dyn Iterator<Item = f64>| pairs.map(|v| v * v).sum::<f64>().sqrt();
    let moved = square(
        &mut before
            .iter()
            .zip(&after)
            .map(|(a, b)| f64::from(*b) - f64::from(*a)),
    );
    let norm = square(&mut before.iter().map(|&v| v.into()));
    let ratio = points(&view, "update_ratio/head.weight")[0].1;
    assert!(
        (ratio - moved / norm).abs() < 1e-12,
        "{ratio} {}",
        moved / norm
    );
}

#[test]
fn keys_are_paths_and_buffers_and_the_unused_have_none() {
    let (view, ()) = recorded(|run, folder| {
        let training = patient(run, folder).num_epochs(4).cresset(run, folder);
        let result = training.launch(learner(every_step(run)));
        let account = result.model.account();
        assert_eq!(
            (account.observed, account.skipped),
            (4 * TRAIN_BATCHES as u64, 0)
        );
    });
    let mut keys: Vec<&str> = view.histograms().map(|(key, _, _)| key.as_str()).collect();
    keys.sort_unstable();
    let names = [
        "conv.bias",
        "conv.weight",
        "head.bias",
        "head.weight",
        "norm.beta",
        "norm.gamma",
    ];
    let of = |kind: &str| names.map(|name| format!("{kind}/{name}"));
    assert_eq!(keys, [of("gradients"), of("parameters")].concat());
    let norms = points(&view, "gradients/norm");
    assert!(!norms.is_empty() && norms.iter().all(|(_, norm)| *norm > 0.0));
    assert_eq!(titles(&view), ["2 parameters get no gradient"]);
    assert_eq!(view.alerts()[0].text.lines().last(), Some("unused.bias"));
}

#[test]
fn what_is_frozen_is_left_alone() {
    let (view, ()) = recorded(|run, folder| {
        let frozen = |layer| ParamGroup::from_regex(format!("^{layer}\\.")).unwrap();
        let model = every_step(run).freeze_group(frozen("head"));
        let model = model.freeze_group(frozen("unused"));
        patient(run, folder)
            .num_epochs(4)
            .cresset(run, folder)
            .launch(learner(model));
    });
    assert!(titles(&view).is_empty(), "{:?}", titles(&view));
    assert!(histograms(&view, "gradients/head.weight").is_empty());
    assert!(!histograms(&view, "gradients/conv.weight").is_empty());
}

/// The number of an observation is that of the last batch that went into it.
#[test]
fn accumulated_gradients_are_summed_up() {
    let (view, ()) = recorded(|run, folder| {
        patient(run, folder)
            .grads_accumulation(3)
            .cresset(run, folder)
            .launch(learner(every_step(run)));
    });
    let (first, second) = (
        &histograms(&view, "gradients/conv.weight")[0],
        points(&view, "gradients/norm"),
    );
    assert_eq!(first.0, 2);
    assert!(
        second.iter().all(|(step, _)| [2, 5].contains(step)),
        "{second:?}"
    );
}

#[test]
fn several_devices_are_one_model() {
    for strategy in [
        MultiDeviceOptim::OptimMainDevice,
        MultiDeviceOptim::OptimSharded,
    ] {
        let sharded = matches!(strategy, MultiDeviceOptim::OptimSharded);
        let (view, ()) = recorded(|run, folder| {
            let devices = vec![Device::flex(), Device::flex()];
            let strategy = ExecutionStrategy::multi(devices, strategy);
            let result = patient(run, folder)
                .metrics((LossMetric::new(),))
                .with_training_strategy(strategy.into())
                .cresset(run, folder)
                .launch(learner(every_step(run)));
            ended_well(&result);
        });
        let found = histograms(&view, "gradients/head.weight");
        assert!(!found.is_empty(), "sharded: {sharded}");
        assert_eq!(found[0].1.count, 12);
        assert!(points(&view, "gradients/norm")[0].1 > 0.0);
        assert_eq!(
            points(&view, "train/loss").len(),
            TRAIN_BATCHES,
            "sharded: {sharded}"
        );
    }
}

#[test]
fn a_bad_value_is_named_with_its_step_under_a_budget() {
    let (view, ()) = recorded(|run, folder| {
        let mut model = net();
        let bias = model.head.bias.take().unwrap();
        model.head.bias = Some(bias.map(|bias| (bias * f32::NAN).detach().require_grad()));
        let model = Watched::with(model, Watch::new(run).cadence(Cadence::Budget(1e-9)));
        patient(run, folder)
            .metrics((LossMetric::new(),))
            .cresset(run, folder)
            .launch(learner(model));
    });
    let found = titles(&view);
    assert!(found.contains(&"train/loss is NaN at step 0"), "{found:?}");
    assert!(
        found.contains(&"first bad parameter at step 0: head.bias"),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|title| title.starts_with("first bad gradient at step 0: head.bias")),
        "{found:?}"
    );
    let losses = found
        .iter()
        .filter(|title| title.starts_with("train/loss is"));
    assert_eq!(losses.count(), 1, "{found:?}");
}

/// burn tells the loss some time after its step; the next one is looked at whatever the cadence.
#[test]
fn a_bad_loss_is_looked_into() {
    let (view, ()) = recorded(|run, folder| {
        let model = Watched::with(net(), Watch::new(run).cadence(Cadence::Every(0)));
        // The first step makes all parameters infinite.
        let learner = burn::train::Learner::new(model, adam(), f64::INFINITY);
        patient(run, folder)
            .metrics((LossMetric::new(),))
            .num_epochs(20)
            .cresset(run, folder)
            .launch(learner);
    });
    let found = titles(&view);
    assert!(
        found
            .iter()
            .any(|title| title.starts_with("train/loss is NaN")),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|title| title.starts_with("first bad parameter")),
        "{found:?}"
    );
}

//! Loops without the learner.

use std::time::Duration;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use cresset_burn::{Watch, Watcher, log_tensor, watch_once};
use cresset_run::{Cadence, Run};

use crate::support::*;

/// Ten steps; gives the weights.
fn train(run: Option<&Run>) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let (mut model, mut optim) = (Net::new(&device), adam());
    let mut watcher = run.map(|run| Watcher::with(Watch::new(run).cadence(Cadence::Every(2))));
    for step in 0..10 {
        let loss = model
            .classify(Batch::new(step as usize * ROWS, ROWS, &device))
            .loss;
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        let mut optimize = |model, grads| optim.step(0.02, model, grads);
        model = match (&mut watcher, run) {
            (Some(watcher), Some(run)) => {
                log_tensor(run, step, "train/loss", loss);
                let model = watcher.step(step, model, grads, optimize);
                while run.backlog() > 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                model
            }
            _ => optimize(model, grads),
        };
    }
    if let Some(watcher) = watcher {
        let account = watcher.account();
        assert_eq!((account.observed, account.skipped), (5, 0));
    }
    values(&model.valid())
}

#[test]
fn a_custom_loop_computes_the_same_and_is_recorded() {
    let (view, weights) = recorded(|run, _| train(Some(run)));
    assert_eq!(weights, train(None));
    assert_eq!(points(&view, "train/loss").len(), 10);
    let steps = |key: &str| points(&view, key).iter().map(|p| p.0).collect::<Vec<_>>();
    assert_eq!(steps("gradients/norm"), [0, 2, 4, 6, 8]);
    assert_eq!(steps("update_ratio/conv.weight"), [0, 2, 4, 6, 8]);
}

#[test]
fn one_look_whatever_the_cadence() {
    let (view, ()) = recorded(|run, _| {
        let device = Device::flex().autodiff();
        let model = Net::new(&device);
        let loss = model.classify(Batch::new(0, ROWS, &device)).loss;
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        watch_once(run, 7, &model, &grads);
    });
    assert_eq!(points(&view, "gradients/norm").len(), 1);
    let keys = view
        .histograms()
        .map(|(key, _, points)| (key.as_str(), points[0].step));
    let found: Vec<_> = keys.filter(|(key, _)| key.ends_with("head.bias")).collect();
    assert_eq!(
        found,
        [("gradients/head.bias", 7), ("parameters/head.bias", 7)]
    );
}

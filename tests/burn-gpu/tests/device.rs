//! What the device's operations find, against an exact reference in `f64` on the host.
//!
//! Needs a Vulkan driver: that of a GPU, or Mesa's for processors (`apt-get install mesa-vulkan-drivers`).

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use cresset_burn::{Watch, Watcher, log_tensor, watch_once};
use cresset_burn_gpu::{Net, batch};
use cresset_record::{RunDir, RunView, TensorStats};
use cresset_run::{Cadence, Run, init};

fn device() -> Device {
    Device::wgpu(Default::default()).autodiff()
}

/// Values of all gradients or parameters by path.
#[derive(Default)]
struct Read<'a> {
    grads: Option<&'a GradientsParams>,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Read<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.grads {
            Some(grads) => grads.get(param.id).unwrap(),
            None => param.val(),
        };
        let values = tensor.to_data().try_to_vec().unwrap();
        self.found.insert(self.path.join("."), values);
    }
}

fn read(model: &Net, grads: Option<&GradientsParams>) -> BTreeMap<String, Vec<f32>> {
    let mut read = Read {
        grads,
        ..Read::default()
    };
    model.visit(&mut read);
    read.found
}

fn recorded<T>(work: impl FnOnce(&Run) -> T) -> (RunView, T) {
    let dir = tempfile::tempdir().unwrap();
    let run = init("gpu").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    let result = work(&run);
    assert!(run.finish().complete);
    (RunView::open(RunDir::new(path)).unwrap(), result)
}

fn assert_same(key: &str, found: &TensorStats, values: &[f32]) {
    let expected = TensorStats::from_values(values.iter().map(|&v| v.into()));
    let counts = |s: &TensorStats| [s.count, s.zeros, s.nan, s.pos_inf, s.neg_inf];
    assert_eq!(counts(found), counts(&expected), "{key}");
    assert_eq!(found.histogram, expected.histogram, "{key}");
    assert_eq!(
        (found.min, found.max),
        (expected.min, expected.max),
        "{key}"
    );
    let size = (expected.sum_sq * expected.count as f64).sqrt();
    assert!((found.sum - expected.sum).abs() <= 1e-5 * size, "{key}");
    assert!(
        (found.sum_sq - expected.sum_sq).abs() <= 1e-5 * expected.sum_sq,
        "{key}"
    );
}

fn at<'a>(view: &'a RunView, key: &str, step: u64) -> &'a TensorStats {
    let found = view.histograms().find(|(name, _, _)| name.as_str() == key);
    let (_, _, points) = found.unwrap_or_else(|| panic!("no {key}"));
    &points
        .iter()
        .find(|point| point.step == step)
        .unwrap()
        .value
}

#[test]
fn gradients_parameters_and_update_ratios_are_those_of_the_reference() {
    let device = device();
    let (view, seen) = recorded(|run| {
        let mut model = Net::new(3, 8, &device);
        let mut optim = AdamConfig::new().init();
        let mut watcher = Watcher::with(Watch::new(run).cadence(Cadence::Every(1)));
        let mut seen = Vec::new();
        for step in 0..3 {
            let (images, targets) = batch(4, 16, &device);
            let loss = model.loss(images, targets);
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            let (gradients, before) = (read(&model, Some(&grads)), read(&model, None));
            model = watcher.step(step, model, grads, |model, grads| {
                optim.step(0.01, model, grads)
            });
            seen.push((gradients, before, read(&model, None)));
            while run.backlog() > 0 {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        let account = watcher.account();
        assert_eq!((account.observed, account.skipped), (3, 0));
        seen
    });
    for (step, (gradients, before, after)) in (0..).zip(seen) {
        let mut squares = 0.0;
        for (name, values) in &gradients {
            assert_same(name, at(&view, &format!("gradients/{name}"), step), values);
            squares += values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        }
        for (name, values) in &before {
            assert_same(name, at(&view, &format!("parameters/{name}"), step), values);
            let norm = values
                .iter()
                .map(|&v| f64::from(v).powi(2))
                .sum::<f64>()
                .sqrt();
            if norm == 0.0 {
                continue;
            }
            let moved = values.iter().zip(&after[name]);
            let moved = moved
                .map(|(a, b)| (f64::from(*b) - f64::from(*a)).powi(2))
                .sum::<f64>();
            let ratio = scalar(&view, &format!("update_ratio/{name}"), step);
            assert!((ratio - moved.sqrt() / norm).abs() < 1e-4 * ratio, "{name}");
        }
        let norm = scalar(&view, "gradients/norm", step);
        assert!((norm - squares.sqrt()).abs() < 1e-5 * norm);
    }
}

fn scalar(view: &RunView, key: &str, step: u64) -> f64 {
    let found = view.series().find(|(name, _, _)| name.as_str() == key);
    let points = found.unwrap_or_else(|| panic!("no {key}")).2.points();
    points
        .iter()
        .find(|point| point.step == step)
        .unwrap()
        .value
}

/// What is not finite, zeros of both signs, and the edges of buckets of normal numbers with their neighbours.
#[test]
fn every_kind_of_number_is_counted() {
    let device = device();
    let mut values = vec![0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for edge in cresset_run::watch::Slots::F32.upper_edges() {
        let edge = edge as f32;
        // So small ones are zero for most GPUs.
        if edge > f32::MIN_POSITIVE && edge < 1e17 {
            let around = [edge.next_down(), edge, edge.next_up()];
            values.extend(around.into_iter().flat_map(|v| [v, -v]));
        }
    }
    let (view, ()) = recorded(|run| {
        let model = Net::new(1, 8, &device);
        let mut grads = GradientsParams::new();
        let plain = device.clone().without_autodiff();
        grads.register(model.scale.id, Tensor::<1>::from_data(&values[..], &plain));
        watch_once(run, 5, &model, &grads);
    });
    let found = at(&view, "gradients/scale", 5);
    let expected = TensorStats::from_values(values.iter().map(|&v| v.into()));
    assert_eq!(found.histogram, expected.histogram);
    assert_eq!(
        [found.nan, found.pos_inf, found.neg_inf, found.zeros],
        [1, 1, 1, 2]
    );
    let alerts: Vec<&str> = view.alerts().iter().map(|a| a.title.as_str()).collect();
    assert_eq!(alerts, ["first bad gradient at step 5: scale"]);
}

/// Two threads have a hand in everything here: many steps, each looked at, and its loss read late.
#[test]
fn many_steps_end_well() {
    let device = device();
    let steps = 150;
    let (view, ()) = recorded(|run| {
        let mut model = Net::new(2, 8, &device);
        let mut optim = AdamConfig::new().init();
        let mut watcher = Watcher::with(Watch::new(run).cadence(Cadence::Every(1)));
        for step in 0..steps {
            let (images, targets) = batch(4, 12, &device);
            let loss = model.loss(images, targets);
            log_tensor(run, step, "train/loss", loss.clone());
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = watcher.step(step, model, grads, |model, grads| {
                optim.step(0.01, model, grads)
            });
        }
        assert!(watcher.account().observed > 0);
    });
    let losses = view
        .series()
        .find(|(key, _, _)| key.as_str() == "train/loss")
        .unwrap();
    let losses: Vec<f64> = losses.2.points().iter().map(|p| p.value).collect();
    assert_eq!(losses.len() as u64, steps);
    assert!(losses[steps as usize - 1] < losses[0]);
    let pools = view
        .series()
        .any(|(key, _, _)| key.as_str() == "system/burn.0/memory_in_use");
    assert!(pools);
}

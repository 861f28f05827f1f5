//! What watching costs on this machine's GPU: `cargo run --release --bin cost -- STEPS ROUNDS`.
//!
//! Trains with and without, in turns, and prints one JSON object: seconds and the training thread's processor seconds.

use std::time::Instant;

use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::Device;
use cresset_burn::{Watch, Watcher};
use cresset_burn_gpu::{Net, batch};
use cresset_run::{Cadence, Run, init};

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    let [steps, rounds] = numbers[..] else {
        eprintln!("usage: cost STEPS ROUNDS");
        std::process::exit(2);
    };
    let device = Device::wgpu(Default::default()).autodiff();
    let dir = std::env::temp_dir().join(format!("cresset-cost-{}", std::process::id()));
    let run = init("cost").dir(&dir).start().expect("a run");
    train(&device, None, steps.min(20));
    let mut rows = Vec::new();
    for _ in 0..rounds {
        for (name, cadence) in [
            ("off", None),
            ("budget", Some(Cadence::default())),
            ("every_10", Some(Cadence::Every(10))),
            ("every_step", Some(Cadence::Every(1))),
        ] {
            let (wall, thread, observed) = train(&device, cadence.map(|c| (&run, c)), steps);
            eprintln!("{name}: {wall:.3} s");
            rows.push(format!(
                r#"{{"mode": "{name}", "wall_s": {wall:.4}, "thread_s": {thread:.4}, "observed": {observed}}}"#
            ));
        }
    }
    let identity = format!("{:?}", device.identity().map(|identity| identity.name));
    println!(
        "{{\"device\": {identity:?}, \"steps\": {steps}, \"rows\": [\n{}\n]}}",
        rows.join(",\n")
    );
    run.finish();
    let _ = std::fs::remove_dir_all(dir);
}

/// Wall time, processor time of this thread, observations.
fn train(device: &Device, watch: Option<(&Run, Cadence)>, steps: u64) -> (f64, f64, u64) {
    let mut model = Net::new(8, 64, device);
    let mut optim = AdamConfig::new().init();
    let mut watcher = watch.map(|(run, cadence)| Watcher::with(Watch::new(run).cadence(cadence)));
    let (images, targets) = batch(64, 32, device);
    let _ = device.sync();
    let (began, cpu) = (Instant::now(), thread_seconds());
    for step in 0..steps {
        let loss = model.loss(images.clone(), targets.clone());
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        let mut optimize = |model, grads| optim.step(0.001, model, grads);
        model = match &mut watcher {
            Some(watcher) => watcher.step(step, model, grads, optimize),
            None => optimize(model, grads),
        };
    }
    let thread = thread_seconds() - cpu;
    let _ = device.sync();
    let observed = watcher.map_or(0, |watcher| watcher.account().observed);
    (began.elapsed().as_secs_f64(), thread, observed)
}

/// Processor time of the calling thread: user and system, from Linux's account of it.
fn thread_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(0.0);
    nanoseconds / 1e9
}

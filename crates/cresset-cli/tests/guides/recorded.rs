//! The runs that the guides speak of, recorded as a program does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cresset_run::watch::{Findings, Found, Observations, ParameterSeries};
use cresset_run::{Definition, File, Image, Run, TensorStats, figures, init};
use serde_json::{Value as Json, json};

/// Records what the page `name` needs; gives the runs that still go on.
pub(crate) fn before(name: &str, runs: &Path) -> Vec<Run> {
    let page = Recorder { runs };
    match name {
        "teams" => page.fifty(),
        "troubleshooting" => {
            page.good("calm-harbor-1");
            return vec![page.bad("late-ember-9")];
        }
        "dashboard" => {
            page.good("brisk-dawn-2");
            page.good("calm-harbor-1");
        }
        _ => page.good("calm-harbor-1"),
    }
    Vec::new()
}

struct Recorder<'a> {
    runs: &'a Path,
}

impl Recorder<'_> {
    fn begin(&self, name: &str, config: &Json) -> Run {
        let run = init("solder").dir(self.runs).name(name).config(config);
        let run = run.define(Definition::new("*/auc").maximize());
        run.start().unwrap()
    }

    /// Has some of all that the guides' programs record.
    fn good(&self, name: &str) {
        let config = json!({
            "lr": if name == "calm-harbor-1" { 1e-3 } else { 1e-1 }, "batch_size": 32,
            "data": {"name": "solder-joints v3"}, "model": {"depth": 3},
        });
        let run = self.begin(name, &config);
        for step in 0..1_000u64 {
            run.log(
                step,
                [
                    ("train/loss", 1.0 / (step as f64 + 1.0)),
                    ("train/lr", 1e-3),
                ],
            );
            if step % 100 == 99 {
                let auc = if name == "calm-harbor-1" { 0.96 } else { 0.7 };
                run.log(
                    step,
                    [
                        ("val/auc", auc - 0.46 / (step as f64 / 99.0)),
                        ("system/host/cpu_machine", 12.0),
                    ],
                );
                for key in ["gradients/head.weight", "gradients/hidden.weight"] {
                    run.log_histogram(step, key, &[0.5f32, -0.5, 0.0][..]);
                }
            }
        }
        run.log(
            999,
            [("val/auc", if name == "calm-harbor-1" { 0.96 } else { 0.7 })],
        );
        run.log_value(
            999,
            "samples/first",
            Image::from_hwc_u8(vec![200; 48], 4, 4, 3).unwrap(),
        );
        let found = [figures::curve("found", &[0.1, 0.5], &[0.2, 0.7])];
        run.log_value(
            999,
            "val/recall_by_size",
            figures::line("Recall by size", "size", "recall", found),
        );
        let file = File::from_bytes("last.safetensors", b"weights".to_vec()).role("checkpoint");
        run.log_value(999, "checkpoints/last", file);
        end(run);
    }

    /// Goes on, with a loss that is NaN.
    fn bad(&self, name: &str) -> Run {
        let run = self.begin(
            name,
            &json!({"lr": 0.03, "data": {"name": "solder-joints v3"}}),
        );
        let mut observations = Observations::default();
        for step in 0..900 {
            let loss = if step < 700 {
                1.0 / (step as f64 + 1.0)
            } else {
                f64::NAN
            };
            run.log(
                step,
                [
                    ("train/loss", loss),
                    ("gradients/norm", 1.1f64.powf(step as f64 / 10.0)),
                ],
            );
            if matches!(step, 640 | 700) {
                look(&run, &mut observations, step);
            }
        }
        let line = "the loss scale was halved";
        tracing_line(&run, line);
        wait_until_written(self.runs, line);
        run
    }

    /// A sweep of fifty, the last but nine of which is the one that is deployed.
    fn fifty(&self) {
        for index in 0..50 {
            let data = json!({"name": "solder-joints v3", "blake3": "5f1c0b9d"});
            let config = json!({"lr": 1e-4 * f64::from(index + 1), "data": data});
            let run = init("solder")
                .dir(self.runs)
                .name(format!("sweep-{index}"))
                .tags(["sweep"]);
            let run = run
                .config(&config)
                .define(Definition::new("*/auc").maximize())
                .start()
                .unwrap();
            let auc = 0.97 - 0.001 * f64::from((index - 41i32).abs());
            run.log(99, [("val/auc", auc), ("train/loss", 1.0 - auc)]);
            if index == 41 {
                let weights = b"the weights of sweep-41".to_vec();
                std::fs::write(
                    self.runs.parent().unwrap().join("deployed.safetensors"),
                    &weights,
                )
                .unwrap();
                run.log_value(
                    99,
                    "checkpoints/best",
                    File::from_bytes("best.safetensors", weights).role("checkpoint"),
                );
            }
            end(run);
        }
    }
}

/// As a callback crate does; from step 700 on, two gradients of three are bad.
fn look(run: &Run, observations: &mut Observations, step: u64) {
    let names = [
        "head.weight",
        "blocks.1.conv.weight",
        "blocks.0.conv.weight",
    ]
    .map(Arc::<str>::from);
    let landing = observations.begin(false).unwrap();
    let mut findings = Findings::new(run, step);
    findings.reached(Arc::new(names.clone()));
    for (i, name) in names.iter().enumerate().rev() {
        let first = if step >= 700 && i < 2 { f64::NAN } else { 0.5 };
        let found = Found {
            gradient: Some(TensorStats::from_values([first, 0.25])),
            parameter: Some(TensorStats::from_values([0.5, 0.25])),
            distance: None,
        };
        findings.add(&ParameterSeries::new(run, name, true, true), found);
    }
    findings.conclude(None, &landing);
    observations.count(true);
}

fn end(run: Run) {
    assert!(run.finish_within(Duration::from_secs(60)).complete);
}

/// As a program says it, by `tracing`.
fn tracing_line(run: &Run, line: &str) {
    use tracing_subscriber::layer::SubscriberExt;
    let subscriber = tracing_subscriber::registry().with(run.console_layer());
    tracing::subscriber::with_default(subscriber, || tracing::warn!(step = 699, "{line}"));
}

fn wait_until_written(runs: &Path, line: &str) {
    let is_there = || {
        let dirs = cresset_record::Root::new(runs).runs().unwrap().into_iter();
        let mut views = dirs.map(|dir| cresset_record::RunView::open(dir).unwrap());
        views.any(|view| view.console().iter().any(|said| said.message == line))
    };
    for _ in 0..1_000 {
        if is_there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("`{line}` does not come into the log");
}

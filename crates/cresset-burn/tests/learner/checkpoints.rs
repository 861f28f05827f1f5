//! Checkpoints as files of the run, where burn's thread that logs is far behind the one that trains.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{LossMetric, MetricDefinition, NumericEntry};
use cresset_burn::CressetTraining;
use cresset_record::{MediaDetail, RunDir, RunView};
use cresset_run::Run;

use crate::support::*;

const EPOCHS: usize = 3;

/// Holds up those who are registered after it, whenever validation ends.
struct Slow;

impl MetricLogger for Slow {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}

    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Err("nothing is kept".to_owned())
    }

    fn log_metric_definition(&mut self, _: MetricDefinition) {}

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        // That of training comes before the metrics of validation.
        if matches!(summary.split, Split::Train) {
            thread::sleep(Duration::from_millis(300));
        }
    }
}

fn train(run: &Run, folder: &Path) {
    let training = training(folder)
        .metrics((LossMetric::new(),))
        .num_epochs(EPOCHS)
        .with_metric_logger(Slow)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(EPOCHS))
        .cresset_with_checkpoints(run, folder);
    ended_well(&training.launch(learner(net())));
}

#[test]
fn a_checkpoint_has_the_step_and_the_metrics_of_its_epoch() {
    let (view, ()) = recorded(train);
    let losses = points(&view, "val/loss");
    let trained = points(&view, "train/epoch_loss");
    assert_eq!((losses.len(), trained.len()), (EPOCHS, EPOCHS));
    let (_, _, files) = view
        .media()
        .find(|(key, _, _)| key.as_str() == "checkpoints/model")
        .unwrap();
    assert_eq!(files.len(), EPOCHS);
    for (epoch, (file, loss)) in (1..).zip(files.iter().zip(losses)) {
        let MediaDetail::File { metadata, .. } = &file.value.detail else {
            panic!("{file:?}");
        };
        assert_eq!(file.step, (epoch * TRAIN_BATCHES - 1) as u64);
        assert_eq!(metadata["epoch"], epoch);
        assert_eq!((file.step, &metadata["val/loss"]), (loss.0, &loss.1.into()));
        assert_eq!(metadata["train/epoch_loss"], trained[epoch - 1].1);
    }
}

/// So that who goes on from it after a kill misses nothing: also what was logged to be worked out later.
#[test]
fn the_log_has_what_came_before_when_a_checkpoint_is_there() {
    let (_, seen) = recorded(|run, folder| {
        let dir = RunDir::new(run.dir().unwrap().to_owned());
        run.defer(0, |run| {
            thread::sleep(Duration::from_millis(1500));
            run.log(0, [("late", 1.0)]);
        });
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let until = Instant::now() + Duration::from_secs(60);
                while !folder.join("checkpoint/model-1.bpk").exists() && Instant::now() < until {
                    thread::sleep(Duration::from_millis(1));
                }
                let view = RunView::open(dir).unwrap();
                ["late", "val/loss"].map(|key| points(&view, key).len())
            });
            train(run, folder);
            watching.join().unwrap()
        })
    });
    let [late, losses] = seen;
    assert!(late == 1 && losses >= 1, "{seen:?}");
}

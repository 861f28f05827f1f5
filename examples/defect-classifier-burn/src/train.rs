use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::optim::AdamWConfig;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::{EvaluatorBuilder, Learner, SupervisedTraining};
use cresset::{Definition, File, Image, Redaction, Region, Run, SummaryRule, Telemetry};
use cresset_burn::{CressetTraining, Pictures, Samples, Watched, recorded};
use defect_classifier_burn::{Loader, ResNet};
use defect_workload::{Data, Schedule};
use serde_json::json;
use solder_joints::Split;

use crate::args::Arguments;

/// The candle example's, so that runs of both lie on one chart.
const PROJECT: &str = "harbor-defect-classifier";

/// Trains, and tests the last weights at the end.
pub(crate) fn train(arguments: &Arguments) -> Result<()> {
    let settings = &arguments.settings;
    let data = Arc::new(Data::open(&arguments.data(), settings.workload())?);
    let run = cresset::init(PROJECT)
        .config(settings)
        .tags(["resnet8", "burn"])
        .define(
            Definition::new("*/auc")
                .maximize()
                .summary(SummaryRule::Best),
        )
        .define(Definition::new("val/*").step_metric("epoch"))
        .define(
            Definition::new("train/images_per_second")
                .unit("1/s")
                .summary(SummaryRule::Mean),
        )
        .telemetry(Telemetry::new().throughput("train/images_per_second"))
        .start()?;
    println!("recording {}; watch it with `cresset ui`", run.name());
    record_data(&run, &data, &arguments.data())?;
    let folder = match (&arguments.folder, run.dir()) {
        (Some(folder), _) => folder.clone(),
        (None, Some(dir)) => dir.join("burn"),
        (None, None) => "burn".into(),
    };

    let device = Device::flex();
    let model = ResNet::seeded(
        settings.width,
        data.classes.len(),
        settings.seed,
        &device.clone().autodiff(),
    );
    let model = Watched::new(model, &run).samples(samples(&data));
    let total_steps = data.steps_per_epoch() * settings.epochs as u64;
    let learner = Learner::new(
        model,
        AdamWConfig::new()
            .with_weight_decay(settings.weight_decay)
            .with_epsilon(1e-8)
            .init(),
        Rate {
            schedule: Schedule::new(settings.lr, settings.warmup, total_steps),
            step: 0,
        },
    );
    let loader = |split| Loader::new(&data, split, settings.class_weight, &device);
    let train = Arc::new(loader(Split::Train).timed(&run));
    let result = SupervisedTraining::new(&folder, train, Arc::new(loader(Split::Val)))
        .metrics((LossMetric::new(),))
        .num_epochs(settings.epochs)
        .summary()
        .cresset_with_checkpoints(&run, &folder)
        .launch(learner);
    if let Some(error) = result.error {
        bail!("{error}");
    }
    if result.interrupted.is_none() {
        let model = result.model.evaluated_as("test");
        let evaluated = EvaluatorBuilder::new(&folder)
            .renderer(recorded(&run, result.renderer))
            .metrics((LossMetric::new(),))
            .build(model)
            .eval("test", Arc::new(loader(Split::Test)));
        drop(evaluated);
    }
    finish(run)
}

/// As the candle example does.
fn record_data(run: &Run, data: &Data, folder: &Path) -> Result<()> {
    if !run.is_enabled() {
        return Ok(());
    }
    let mut config = serde_json::Map::from_iter([("path".to_owned(), json!(folder))]);
    for split in Split::ALL {
        let name = split.name();
        let list = data.list(split)?;
        config.insert(name.into(), list.blake3.into());
        let file = File::from_bytes(&format!("{name}.b3"), list.text);
        let file = file.role("dataset").metadata("files", data.len(split));
        run.log_value(0, format!("data/{name}"), file);
    }
    run.update_config(&json!({ "data": config }));
    Ok(())
}

fn finish(run: Run) -> Result<()> {
    let (name, id) = (run.name().to_owned(), run.id().to_owned());
    if let Some(dir) = run.finish().dir {
        println!(
            "recorded as {name} in {}; look at it with `cresset ui` or `cresset show {id}`",
            dir.display()
        );
        println!(
            "its checkpoints are there, too; wherever a copy of one goes, `cresset show ./FILE` says here what made it"
        );
    }
    Ok(())
}

/// How mistakes are shown: serial numbers of boards are nobody else's business.
fn samples(data: &Arc<Data>) -> Samples {
    let of = Arc::clone(data);
    Samples::new(&data.classes)
        .pictures(Pictures::default().range(-1.0..=1.0))
        .prepare(move |index, image: Image| match of.serial(index as usize) {
            Some([x, y, width, height]) => {
                let serial = Region::fractions(x, y, width, height);
                image.redact(Redaction::fill([serial], [0, 0, 0]))
            }
            None => image,
        })
}

/// The learning rate of the candle example as one of burn's schedulers.
#[derive(Clone)]
struct Rate {
    schedule: Schedule,
    step: u64,
}

impl LrScheduler for Rate {
    fn step(&mut self) -> f64 {
        self.step += 1;
        self.schedule.rate(self.step - 1)
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("step", self.step)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.step = record.scalar("step").unwrap_or(self.step);
    }
}

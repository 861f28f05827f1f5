//! Which runs there are, and how each of them went.

use cresset_record::Timestamp;

use crate::book::{self, HOUR, MONDAY, SECOND};
use crate::rng::Rng;

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) time: Timestamp,
    pub(super) group: Option<&'static str>,
    pub(super) tags: Vec<&'static str>,
    pub(super) notes: &'static str,
    pub(super) arch: &'static str,
    pub(super) lr: f64,
    pub(super) weight_decay: f64,
    pub(super) batch_size: u64,
    pub(super) augment: &'static str,
    pub(super) class_weight: f64,
    pub(super) seed: u64,
    pub(super) ending: Ending,
    /// On two GPUs, whose state is recorded.
    pub(super) gpus: bool,
    /// Two ranks write.
    pub(super) ranks: bool,
    /// With every kind of value that there is.
    pub(super) extras: bool,
    /// The fraction of a layer's units that are dead at the end.
    pub(super) dead: f64,
    /// Killed and taken up again at this fraction.
    pub(super) resumed: Option<f64>,
}

/// How a run ends; a fraction is of its steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    Finished,
    Crashed(f64),
    Stopped(f64, &'static str),
    /// The loss is NaN from here on.
    Diverged(f64),
    Failed(f64, &'static str),
}

impl Plan {
    /// How good the run can get, as its area under the ROC curve would be.
    pub(super) fn skill(&self) -> f64 {
        let rate = (self.lr / 3e-3).log10();
        let depth = match self.arch {
            "resnet14" => 0.006,
            "resnet20" => 0.009,
            _ => 0.0,
        };
        let augment = match self.augment {
            "none" => -0.02,
            "light" => -0.006,
            "heavy" => -0.004,
            _ => 0.0,
        };
        let weight = -0.012 * (self.class_weight - 0.5).powi(2) * 4.0;
        let luck = 0.003 * Rng::new(self.seed, self.number).normal();
        (0.978 - 0.025 * rate * rate + depth + augment + weight + luck).clamp(0.55, 0.999)
    }

    /// The distance between classes that is reached, in standard deviations of a logit.
    pub(super) fn strength(&self) -> f64 {
        2.9 * ((self.skill() - 0.5) / 0.478).powi(5)
    }
}

pub(super) fn plans(seed: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut put = |group, change: &dyn Fn(&mut Plan)| {
        let number = plans.len() as u64 + 1;
        let mut rng = Rng::new(seed, 0x1000 + number);
        let time = Timestamp(MONDAY + number as i64 * HOUR * 2 + rng.below(3000) as i64 * SECOND);
        let mut plan = Plan {
            number,
            id: book::id(time, &mut rng),
            name: book::name(&mut rng, number),
            time,
            group,
            tags: Vec::new(),
            notes: "",
            arch: "resnet8",
            lr: 3e-3,
            weight_decay: 0.05,
            batch_size: 32,
            augment: "medium",
            class_weight: 0.5,
            seed: 1,
            ending: Ending::Finished,
            gpus: false,
            ranks: false,
            extras: false,
            dead: 0.0,
            resumed: None,
        };
        change(&mut plan);
        plan.tags.insert(0, plan.arch);
        plans.push(plan);
    };
    for lr in [1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 6e-3, 1.2e-2, 5e-2] {
        put(Some("lr-sweep"), &move |plan| {
            plan.lr = lr;
            if lr > 2e-2 {
                plan.ending = Ending::Diverged(0.11);
                plan.notes = "Far too high on purpose: where does it break?";
            }
        });
    }
    for augment in ["none", "light", "medium", "heavy"] {
        for run_seed in [1, 2] {
            put(Some("augment"), &move |plan| {
                plan.augment = augment;
                plan.seed = run_seed;
                plan.dead = if augment == "none" { 0.96 } else { 0.0 };
                if augment == "heavy" && run_seed == 2 {
                    plan.ending = Ending::Crashed(0.58);
                }
            });
        }
    }
    for arch in ["resnet8", "resnet14", "resnet20"] {
        for run_seed in [1, 2] {
            put(Some("depth"), &move |plan| {
                plan.arch = arch;
                plan.seed = run_seed;
                plan.gpus = true;
                plan.batch_size = 64;
                plan.ranks = arch == "resnet20" && run_seed == 2;
                if arch == "resnet20" && run_seed == 1 {
                    plan.tags.push("candidate");
                    plan.notes = "Candidate for line 3. Recall on voids must stay above 0.9 on the test boards.";
                    plan.extras = true;
                }
            });
        }
    }
    for weight in [0.0, 0.25, 0.75, 1.0] {
        put(Some("class-weight"), &move |plan| {
            plan.class_weight = weight;
            plan.weight_decay = 0.02;
            if weight == 0.0 {
                plan.ending = Ending::Stopped(
                    0.5,
                    "asked from the dashboard: no recall on tombstones after 12 epochs",
                );
            }
        });
    }
    put(None, &|plan| {
        plan.tags.push("debug");
        plan.ending = Ending::Failed(
            0.02,
            "cannot read data/solder-joints/void/01734.png: unexpected end of file",
        );
    });
    put(None, &|plan| {
        plan.ending = Ending::Stopped(0.27, "interrupted");
        plan.tags.push("debug");
    });
    put(None, &|plan| {
        plan.arch = "resnet14";
        plan.lr = 4e-3;
        plan.resumed = Some(0.55);
        plan.tags.extend(["candidate", "baseline"]);
        plan.notes = "Resumed after the power went on Tuesday.";
        plan.extras = true;
    });
    put(None, &|plan| {
        plan.arch = "resnet14";
        plan.augment = "heavy";
        plan.gpus = true;
        plan.tags.push("nightly");
        plan.extras = true;
    });
    plans
}

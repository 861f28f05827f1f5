//! What burn's metrics are called in a run.

use std::sync::Arc;

use burn_train::metric::store::Split;
use burn_train::metric::{MetricAttributes, MetricDefinition};
use cresset_run::{Definition, Run};

/// The metric that is recorded as `train/lr` whether or not it is registered.
const LEARNING_RATE: &str = "Learning Rate";

/// A metric, as it is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// burn's name.
    pub(crate) name: Arc<String>,
    slug: String,
    /// 0.01 for percentages.
    scale: f64,
}

impl Named {
    pub(crate) fn new(definition: &MetricDefinition) -> Self {
        let unit = unit(definition);
        Self {
            name: Arc::clone(&definition.name),
            slug: slug(&definition.name),
            scale: if unit == Some("%") { 0.01 } else { 1.0 },
        }
    }

    /// `train/loss` of each batch.
    pub(crate) fn of_batch(&self, split: &Split) -> String {
        format!("{}/{}", prefix(split), self.slug)
    }

    /// `train/epoch_loss`, `val/loss` of a whole pass.
    pub(crate) fn of_pass(&self, split: &Split) -> String {
        match split {
            Split::Train => format!("train/epoch_{}", self.slug),
            split => self.of_batch(split),
        }
    }

    /// The value as it is recorded: percentages as parts of one.
    pub(crate) fn value(&self, value: f64) -> f64 {
        // 1.0 keeps every bit.
        value * self.scale
    }

    pub(crate) fn is_loss(&self) -> bool {
        self.slug == "loss"
    }

    pub(crate) fn is_learning_rate(&self) -> bool {
        *self.name == LEARNING_RATE
    }
}

/// Tells the run the unit and the direction of a metric.
pub(crate) fn define(run: &Run, definition: &MetricDefinition) {
    let MetricAttributes::Numeric(attributes) = &definition.attributes else {
        return;
    };
    let slug = slug(&definition.name);
    if *definition.name == LEARNING_RATE {
        return;
    }
    for name in [slug.clone(), format!("epoch_{slug}")] {
        let mut said = Definition::new(format!("*/{name}"));
        if let Some(unit) = unit(definition).filter(|unit| *unit != "%") {
            said = said.unit(unit);
        }
        run.define(if attributes.higher_is_better {
            said.maximize()
        } else {
            said.minimize()
        });
    }
}

fn unit(definition: &MetricDefinition) -> Option<&str> {
    match &definition.attributes {
        MetricAttributes::Numeric(attributes) => attributes.unit.as_deref(),
        MetricAttributes::None => None,
    }
}

/// The part of a key that says which data a value is of.
fn prefix(split: &Split) -> String {
    match split {
        Split::Train => "train".to_owned(),
        Split::Valid => "val".to_owned(),
        Split::Test(None) => "test".to_owned(),
        Split::Test(Some(name)) => test_prefix(name),
    }
}

/// `test` for the set of that name, `test/night` for another.
pub(crate) fn test_prefix(name: &str) -> String {
    match slug(name).as_str() {
        "" | "test" => "test".to_owned(),
        name => format!("test/{name}"),
    }
}

/// `Top-K Accuracy @ 5` becomes `top-k_accuracy_@_5`.
fn slug(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join("_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use burn_train::metric::{MetricId, NumericAttributes};

    use super::*;

    fn named(name: &str, unit: Option<&str>) -> Named {
        let name = Arc::new(name.to_owned());
        Named::new(&MetricDefinition {
            metric_id: MetricId::new(Arc::clone(&name)),
            name,
            description: None,
            attributes: MetricAttributes::Numeric(NumericAttributes {
                unit: unit.map(str::to_owned),
                higher_is_better: true,
            }),
        })
    }

    #[test]
    fn keys_are_those_of_other_frameworks() {
        let (train, val) = (Split::Train, Split::Valid);
        let loss = named("Loss", None);
        assert_eq!(loss.of_batch(&train), "train/loss");
        assert_eq!(loss.of_pass(&train), "train/epoch_loss");
        assert_eq!(loss.of_pass(&val), "val/loss");
        assert_eq!(loss.value(0.1), 0.1);
        let accuracy = named("Top-K  Accuracy", Some("%"));
        assert_eq!(accuracy.of_pass(&val), "val/top-k_accuracy");
        assert_eq!(accuracy.value(50.0), 0.5);
        for (name, prefix) in [
            ("Test", "test"),
            ("", "test"),
            ("Night shift", "test/night_shift"),
        ] {
            assert_eq!(test_prefix(name), prefix);
        }
    }
}

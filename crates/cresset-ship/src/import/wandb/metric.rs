//! Names and definitions of metrics.

use cresset_record::{Definition, Goal, SummaryRule};

use crate::wandb::our_name;
use crate::wandb::read::Metric;

/// Cresset's key of a system metric, where it has the same in the same unit; else W&B's name with slashes.
pub(super) fn ours(name: &str) -> String {
    let (name, label) = name
        .split_once("/l:")
        .map_or((name, None), |(n, l)| (n, Some(l)));
    let key = our_name(name);
    match label {
        None => format!("system/{key}"),
        Some(label) => format!("system/{label}/{key}"),
    }
}

pub(super) fn definition(metric: &Metric) -> Definition {
    let rule = |field: &u32| match field {
        1 => Some(SummaryRule::Min),
        2 => Some(SummaryRule::Max),
        3 => Some(SummaryRule::Mean),
        4 => Some(SummaryRule::Best),
        5 => Some(SummaryRule::Last),
        6 => Some(SummaryRule::None),
        _ => None,
    };
    Definition {
        goal: match metric.goal {
            1 => Some(Goal::Minimize),
            2 => Some(Goal::Maximize),
            _ => None,
        },
        step_metric: (!metric.step_metric.is_empty()).then(|| metric.step_metric.clone()),
        // Of several rules one stands in the summary; the values for all are in the series.
        summary: metric.summary.iter().find_map(rule),
        hidden: metric.is_hidden.then_some(true),
        ..Definition::new(metric.name.clone())
    }
}

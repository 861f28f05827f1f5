//! Gradients and parameters of a network that does not exist.

use anyhow::Result;
use cresset_record::TensorStats;
use cresset_run::stats::tensor_stats_f32;

use super::plan::Plan;
use crate::book::Book;
use crate::rng::Rng;

/// Values that are drawn of a tensor; larger ones are counted as many times over.
const DRAWN: usize = 1200;

/// A trained variable.
pub(super) struct Variable {
    pub(super) name: String,
    size: usize,
    /// Standard deviation of its initial values.
    scale: f64,
    /// Of a normalisation: values around one.
    is_gain: bool,
}

/// The variables of a network, in order of their names.
pub(super) fn variables(plan: &Plan) -> Vec<Variable> {
    let blocks = match plan.arch {
        "resnet14" => 2,
        "resnet20" => 3,
        _ => 1,
    };
    let mut all = Vec::new();
    let mut conv = |name: String, (from, to, kernel): (usize, usize, usize), norm: String| {
        let fan_in = from * kernel * kernel;
        all.push(Variable {
            name: format!("{name}.weight"),
            size: fan_in * to,
            scale: (2.0 / fan_in as f64).sqrt(),
            is_gain: false,
        });
        for (part, is_gain) in [("bias", false), ("weight", true)] {
            all.push(Variable {
                name: format!("{norm}.{part}"),
                size: to,
                scale: 0.02,
                is_gain,
            });
        }
    };
    conv("conv1".to_owned(), (3, 16, 3), "bn1".to_owned());
    let mut channels = 16;
    for stage in 0..3 {
        let width = 16 << stage;
        for block in 0..blocks {
            let at = format!("layer{}.{block}", stage + 1);
            conv(
                format!("{at}.conv1"),
                (channels, width, 3),
                format!("{at}.bn1"),
            );
            conv(
                format!("{at}.conv2"),
                (width, width, 3),
                format!("{at}.bn2"),
            );
            if channels != width {
                conv(
                    format!("{at}.downsample.0"),
                    (channels, width, 1),
                    format!("{at}.downsample.1"),
                );
            }
            channels = width;
        }
    }
    for (part, size) in [("bias", 6), ("weight", 6 * channels)] {
        all.push(Variable {
            name: format!("fc.{part}"),
            size,
            scale: 0.08,
            is_gain: false,
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// One observation, `done` being the fraction of training that is over.
pub(super) fn observe(
    book: &mut Book,
    plan: &Plan,
    variables: &[Variable],
    (step, done, rate): (u64, f64, f64),
    broken: Option<f64>,
    rng: &mut Rng,
) -> Result<()> {
    let mut squares = 0.0;
    let mut row = Vec::new();
    for (place, variable) in variables.iter().enumerate() {
        let depth = place as f64 / variables.len() as f64;
        let mut scale = 0.02 * variable.scale * (1.5 - depth) * (1.0 / (1.0 + 6.0 * done)).sqrt();
        let mut dead = 0.02;
        if plan.dead > 0.0 && variable.name.starts_with("layer2.0.") {
            dead = plan.dead * done.powf(0.3);
            scale *= 1.0 - 0.8 * done;
        }
        // Divergence: gradients grow a hundredfold before the first NaN.
        let bad = broken.map_or(0.0, |b| if b >= 1.0 { 1.0 } else { 0.0 });
        if let Some(b) = broken {
            scale *= 100f64.powf(b.min(1.0));
        }
        let gradient = draw(variable.size, rng, |rng| {
            if rng.uniform() < dead {
                0.0
            } else if bad > 0.0 && rng.uniform() < 0.02 + depth * 0.9 {
                f64::NAN
            } else {
                // Heavier tails than a normal has.
                scale * rng.normal() * (0.4 * rng.normal()).exp()
            }
        });
        squares += gradient.sum_sq;
        let spread = variable.scale * (1.0 + 0.6 * done);
        let centre = if variable.is_gain {
            1.0 - 0.1 * done
        } else {
            0.0
        };
        let parameter = draw(variable.size, rng, |rng| centre + spread * rng.normal());
        let ratio = rate * 0.4 / (1.0 + 3.0 * depth) * (0.1 * rng.normal()).exp();
        row.push((format!("update_ratio/{}", variable.name), ratio));
        book.histogram(step, &format!("gradients/{}", variable.name), gradient)?;
        book.histogram(step, &format!("parameters/{}", variable.name), parameter)?;
    }
    row.push(("gradients/norm".to_owned(), squares.sqrt()));
    book.row(step, &row)
}

fn draw(size: usize, rng: &mut Rng, mut value: impl FnMut(&mut Rng) -> f64) -> TensorStats {
    let drawn = size.min(DRAWN);
    let values: Vec<f32> = (0..drawn).map(|_| value(rng) as f32).collect();
    let one = tensor_stats_f32(&values);
    let mut all = one.clone();
    for _ in 1..size / drawn.max(1) {
        all.merge(&one);
    }
    all
}

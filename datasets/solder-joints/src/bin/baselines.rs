//! Measures how far two models without any idea of shape get on a data set: logistic regression on
//! pixels and nearest neighbours. A data set they solve is no test of a network.
//!
//! `baselines FOLDER [--size N]…`. Everything a model leaves open (size of the pictures, contrast
//! normalisation, regularisation, number of neighbours) is chosen on the validation split; the test
//! split is looked at once. Exits with failure when a baseline gets past its limit.

#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

use std::path::PathBuf;
use std::process::ExitCode;

use rayon::prelude::*;
use solder_joints::{ImageFolder, LoadOptions, Split, Subset};

/// Limits of the macro AUC on the test split.
const LOGISTIC_LIMIT: f64 = 0.85;
const NEIGHBOUR_LIMIT: f64 = 0.90;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, String> {
    let (mut folder, mut sizes) = (None, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--size" {
            let size = args
                .next()
                .and_then(|size| size.parse().ok())
                .ok_or("--size needs a number")?;
            sizes.push(size);
        } else {
            folder = Some(PathBuf::from(arg));
        }
    }
    let folder = folder.ok_or("usage: baselines FOLDER [--size N]…")?;
    if sizes.is_empty() {
        sizes = vec![8, 16, 32, 64];
    }

    let (mut logistic, mut neighbours) = (Best::default(), Best::default());
    for size in sizes {
        let images = ImageFolder::open(
            &folder,
            &LoadOptions {
                size,
                ..LoadOptions::default()
            },
        )
        .map_err(|error| error.to_string())?;
        for standardised in [false, true] {
            let data = Data::new(&images, standardised).map_err(|skipped| skipped.reason)?;
            let what = format!(
                "{size} × {size}{}",
                if standardised {
                    ", contrast normalised"
                } else {
                    ""
                }
            );
            for decay in [1e-4, 1e-2, 1.0] {
                let model = Logistic::fit(&data, decay);
                logistic.offer(&data, format!("{what}, weight decay {decay}"), |x| {
                    model.scores(x)
                });
            }
            let found = [Split::Val, Split::Test].map(|split| data.neighbours(split));
            for k in [1, 3, 7, 15, 31, 63] {
                let votes = |split: usize| {
                    found[split]
                        .iter()
                        .map(|near| data.votes(&near[..k]))
                        .collect()
                };
                neighbours.offer_scores(&data, format!("{what}, k = {k}"), votes(0), votes(1));
            }
            eprintln!(
                "{what}: logistic {}, neighbours {}",
                logistic.latest(),
                neighbours.latest()
            );
        }
    }
    let fine = [
        logistic.report("logistic regression on pixels", LOGISTIC_LIMIT),
        neighbours.report("nearest neighbours", NEIGHBOUR_LIMIT),
    ];
    Ok(fine == [true, true])
}

/// The variant that is best on the validation split.
#[derive(Default)]
struct Best {
    val: f64,
    test: f64,
    per_class: Vec<(String, f64)>,
    what: String,
    latest: f64,
}

impl Best {
    fn offer(&mut self, data: &Data, what: String, scores: impl Fn(&[f32]) -> Vec<f32>) {
        let [val, test] =
            [&data.val, &data.test].map(|set| set.x.iter().map(|x| scores(x)).collect());
        self.offer_scores(data, what, val, test);
    }

    fn offer_scores(&mut self, data: &Data, what: String, val: Vec<Vec<f32>>, test: Vec<Vec<f32>>) {
        let mean = |aucs: &[f64]| aucs.iter().sum::<f64>() / aucs.len() as f64;
        self.latest = mean(&data.aucs(&val, &data.val.y));
        if self.latest > self.val {
            let aucs = data.aucs(&test, &data.test.y);
            let per_class = data
                .classes
                .iter()
                .cloned()
                .zip(aucs.iter().copied())
                .collect();
            *self = Self {
                val: self.latest,
                test: mean(&aucs),
                per_class,
                what,
                latest: self.latest,
            };
        }
    }

    fn latest(&self) -> String {
        format!("{:.3} (best so far {:.3})", self.latest, self.val)
    }

    fn report(&self, model: &str, limit: f64) -> bool {
        let fine = self.test < limit;
        println!(
            "{model}: macro AUC {:.4} on test, {:.4} on val ({}); limit {limit}: {}",
            self.test,
            self.val,
            self.what,
            if fine { "holds" } else { "EXCEEDED" }
        );
        for (class, auc) in &self.per_class {
            println!("    {auc:.3} {class}");
        }
        fine
    }
}

struct Set {
    x: Vec<Vec<f32>>,
    y: Vec<u32>,
}

/// All pictures as vectors, each pixel centred and scaled by the training split.
struct Data {
    classes: Vec<String>,
    train: Set,
    val: Set,
    test: Set,
}

impl Data {
    fn new(images: &ImageFolder, standardised: bool) -> Result<Self, solder_joints::Skipped> {
        let load = |split: Split| -> Result<Set, solder_joints::Skipped> {
            let subset: Subset = images.split(split);
            let mut x = Vec::with_capacity(subset.len());
            for &index in subset.indices() {
                let mut pixels: Vec<f32> = images
                    .pixels(index)?
                    .iter()
                    .map(|&p| f32::from(p) / 255.0)
                    .collect();
                if standardised {
                    standardise(&mut pixels);
                }
                x.push(pixels);
            }
            Ok(Set {
                x,
                y: subset.labels(),
            })
        };
        let (mut train, mut val, mut test) =
            (load(Split::Train)?, load(Split::Val)?, load(Split::Test)?);
        let n = train.x.len() as f32;
        let width = train.x.first().map_or(0, Vec::len);
        let mean: Vec<f32> = (0..width)
            .map(|i| train.x.iter().map(|x| x[i]).sum::<f32>() / n)
            .collect();
        let scale: Vec<f32> = (0..width)
            .map(|i| {
                (train
                    .x
                    .iter()
                    .map(|x| (x[i] - mean[i]).powi(2))
                    .sum::<f32>()
                    / n)
                    .sqrt()
                    .max(1e-3)
                    .recip()
            })
            .collect();
        for x in [&mut train, &mut val, &mut test]
            .into_iter()
            .flat_map(|set| &mut set.x)
        {
            for i in 0..width {
                x[i] = (x[i] - mean[i]) * scale[i];
            }
        }
        Ok(Self {
            classes: images.classes().to_vec(),
            train,
            val,
            test,
        })
    }

    /// The 63 nearest training pictures of each picture of a split: their labels and distances, nearest first.
    fn neighbours(&self, split: Split) -> Vec<Vec<(f32, u32)>> {
        let set = if split == Split::Val {
            &self.val
        } else {
            &self.test
        };
        set.x
            .par_iter()
            .map(|x| {
                let mut near: Vec<(f32, u32)> = self
                    .train
                    .x
                    .iter()
                    .zip(&self.train.y)
                    .map(|(t, &y)| (distance(x, t), y))
                    .collect();
                near.sort_by(|a, b| a.0.total_cmp(&b.0));
                near.truncate(63);
                near
            })
            .collect()
    }

    /// Share of each class among the neighbours, nearer ones counting more.
    fn votes(&self, near: &[(f32, u32)]) -> Vec<f32> {
        let mut votes = vec![0.0; self.classes.len()];
        for &(distance, label) in near {
            votes[label as usize] += 1.0 / (distance.sqrt() + 1e-3);
        }
        let sum: f32 = votes.iter().sum();
        votes.iter().map(|vote| vote / sum).collect()
    }

    /// Of each class against the rest.
    fn aucs(&self, scores: &[Vec<f32>], labels: &[u32]) -> Vec<f64> {
        (0..self.classes.len())
            .map(|class| {
                let scored: Vec<(f32, bool)> = scores
                    .iter()
                    .zip(labels)
                    .map(|(s, &y)| (s[class], y as usize == class))
                    .collect();
                auc(scored)
            })
            .collect()
    }
}

/// Each picture to mean 0 and variance 1 on its own: takes exposure and contrast out of it.
fn standardise(pixels: &mut [f32]) {
    let n = pixels.len() as f32;
    let mean = pixels.iter().sum::<f32>() / n;
    let deviation = (pixels.iter().map(|p| (p - mean).powi(2)).sum::<f32>() / n)
        .sqrt()
        .max(1e-3);
    for pixel in pixels {
        *pixel = (*pixel - mean) / deviation;
    }
}

/// Squared Euclidean distance, in eight sums so that the compiler can use vector instructions.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += (a[i] - b[i]) * (a[i] - b[i]);
        }
    }
    sums.iter().sum()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum()
}

/// Area under the ROC curve by ranks (Mann–Whitney); equal scores share their ranks.
fn auc(mut scored: Vec<(f32, bool)>) -> f64 {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = scored.len() as f64 - positives;
    let (mut ranks, mut from) = (0.0, 0);
    while from < scored.len() {
        let equal = scored[from..]
            .iter()
            .take_while(|(score, _)| *score == scored[from].0)
            .count();
        let rank = from as f64 + (equal as f64 + 1.0) * 0.5;
        ranks += rank
            * scored[from..from + equal]
                .iter()
                .filter(|(_, positive)| *positive)
                .count() as f64;
        from += equal;
    }
    (ranks - positives * (positives + 1.0) * 0.5) / (positives * negatives)
}

/// Multinomial logistic regression, fitted by Nesterov's accelerated gradient descent on all pictures.
struct Logistic {
    /// One row of weights for each class.
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl Logistic {
    const STEPS: usize = 120;

    fn fit(data: &Data, decay: f32) -> Self {
        let (n, width, classes) = (
            data.train.x.len(),
            data.train.x[0].len(),
            data.classes.len(),
        );
        let mut model = Self {
            weights: vec![vec![0.0; width]; classes],
            bias: vec![0.0; classes],
        };
        let mut previous = vec![vec![0.0; width]; classes];
        // The loss curves at most as half the largest eigenvalue of the pixels' covariance, plus decay.
        let rate = 1.0 / (0.5 * largest_eigenvalue(&data.train.x) + decay);
        for step in 0..Self::STEPS {
            let momentum = step as f32 / (step as f32 + 3.0);
            for (weights, previous) in model.weights.iter_mut().zip(&mut previous) {
                for (w, p) in weights.iter_mut().zip(previous) {
                    let ahead = *w + momentum * (*w - *p);
                    *p = *w;
                    *w = ahead;
                }
            }
            let errors: Vec<Vec<f32>> = data
                .train
                .x
                .par_iter()
                .zip(&data.train.y)
                .map(|(x, &y)| {
                    let mut p = model.scores(x);
                    p[y as usize] -= 1.0;
                    p
                })
                .collect();
            model
                .weights
                .par_iter_mut()
                .zip(model.bias.par_iter_mut())
                .enumerate()
                .for_each(|(class, (w, b))| {
                    let mut gradient: Vec<f32> = w.iter().map(|w| w * decay).collect();
                    for (x, error) in data.train.x.iter().zip(&errors) {
                        let e = error[class] / n as f32;
                        *b -= e * 0.5;
                        for (g, x) in gradient.iter_mut().zip(x) {
                            *g += e * x;
                        }
                    }
                    for (w, g) in w.iter_mut().zip(gradient) {
                        *w -= rate * g;
                    }
                });
        }
        model
    }

    /// Probability of each class.
    fn scores(&self, x: &[f32]) -> Vec<f32> {
        let logits: Vec<f32> = self
            .weights
            .iter()
            .zip(&self.bias)
            .map(|(w, b)| dot(w, x) + b)
            .collect();
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exp: Vec<f32> = logits.iter().map(|logit| (logit - top).exp()).collect();
        let sum: f32 = exp.iter().sum();
        exp.iter().map(|e| e / sum).collect()
    }
}

/// Of the covariance of `x`, by power iteration.
fn largest_eigenvalue(x: &[Vec<f32>]) -> f32 {
    let mut v = vec![1.0 / (x[0].len() as f32).sqrt(); x[0].len()];
    let mut value = 1.0;
    for _ in 0..8 {
        let mut next = vec![0.0; v.len()];
        for x in x {
            let along = dot(x, &v);
            for (n, x) in next.iter_mut().zip(x) {
                *n += along * x;
            }
        }
        value = dot(&next, &next).sqrt();
        v = next.iter().map(|n| n / value).collect();
    }
    value / x.len() as f32
}

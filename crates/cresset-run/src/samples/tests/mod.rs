mod expected;
mod pass;

use cresset_record::Figure;

use super::*;
use expected::EXPECTED;
use pass::{Expected, Pass, close};

fn check(report: &Report<u64>, expected: &Expected, tolerance: f64) {
    let name = expected.name;
    assert_eq!(report.rows, expected.rows as u64, "{name}");
    assert!(close(report.accuracy, expected.accuracy, 1e-12), "{name}");
    assert!(
        close(report.loss, expected.loss, tolerance),
        "{name} {:?}",
        report.loss
    );
    let means = &report.means;
    assert!(
        close(means.precision, expected.macro_precision, 1e-12),
        "{name} {means:?}"
    );
    assert!(
        close(means.recall, expected.macro_recall, 1e-12),
        "{name} {means:?}"
    );
    assert!(
        close(means.f1, expected.macro_f1, 1e-12),
        "{name} {means:?}"
    );
    for (class, (support, [precision, recall, f1, auc, average_precision])) in
        report.classes.iter().zip(expected.each)
    {
        assert_eq!(class.support, *support, "{name} {class:?}");
        assert!(
            close(class.precision, *precision, 1e-12),
            "{name} {class:?}"
        );
        assert!(close(class.recall, *recall, 1e-12), "{name} {class:?}");
        assert!(close(class.f1, *f1, 1e-12), "{name} {class:?}");
        assert!(close(class.auc, *auc, tolerance), "{name} {class:?} {auc}");
        assert!(
            close(class.average_precision, *average_precision, tolerance),
            "{name} {class:?}"
        );
    }
    let counts = (0..expected.classes as u32)
        .flat_map(|truth| (0..expected.classes as u32).map(move |said| (truth, said)))
        .map(|(truth, said)| report.count(truth, said));
    assert!(counts.eq(expected.confusion.iter().copied()), "{name}");
}

#[test]
fn all_metrics_are_those_of_scikit_learn() {
    for expected in EXPECTED {
        let pass = Pass::of(expected);
        let report = pass.report(Evaluation::new(pass.names()));
        assert!(!report.approximate);
        check(&report, expected, 1e-12);
    }
}

#[test]
fn probabilities_and_binary_logits_give_the_same() {
    for expected in EXPECTED {
        let pass = Pass::of(expected);
        let probabilities = pass.probabilities();
        let evaluation = Evaluation::new(pass.names());
        let report = pass.report_of(evaluation, &probabilities, Scores::Probabilities);
        // Rounded to f32, equal answers may differ in the last bit, which breaks ties.
        let tolerance = if expected.grid > 0.0 { 1e-2 } else { 1e-6 };
        check(&report, expected, tolerance);
    }
    let expected = EXPECTED
        .iter()
        .find(|expected| expected.name == "binary")
        .unwrap();
    let pass = Pass::of(expected);
    let differences: Vec<f32> = pass.logits.chunks(2).map(|row| row[1] - row[0]).collect();
    let evaluation = Evaluation::new(["no", "yes"]);
    let report = pass.report_of(evaluation, &differences, Scores::BinaryLogits);
    check(&report, expected, 1e-6);
}

#[test]
fn a_pass_too_long_for_exact_scores_is_approximated() {
    let pass = Pass::generate(9, 30_000, 3, 3, 0.0);
    let exact = pass.report(Evaluation::new(pass.names()));
    // Room for a third of the scores, or for 2,500 bins a class; the full size has 16,384.
    let binned = pass.report(Evaluation::with_max_exact(pass.names(), 30_000));
    assert!(!exact.approximate && binned.approximate);
    assert_eq!(exact.loss, binned.loss);
    assert_eq!(exact.mistakes, binned.mistakes);
    for (exact, binned) in exact.classes.iter().zip(&binned.classes) {
        assert_eq!(
            (exact.precision, exact.recall),
            (binned.precision, binned.recall)
        );
        assert!(
            close(binned.auc, exact.auc.unwrap(), 1e-4),
            "{exact:?} {binned:?}"
        );
        let precision = exact.average_precision.unwrap();
        assert!(
            close(binned.average_precision, precision, 2e-3),
            "{exact:?} {binned:?}"
        );
    }
}

#[test]
fn thinned_curves_keep_their_shape() {
    let pass = Pass::generate(10, 20_000, 2, 2, 0.0);
    let report = pass.report(Evaluation::new(pass.names()));
    // Youden's J, the largest distance from the diagonal, over all thresholds.
    let mut rows: Vec<(f32, u32)> = (pass.logits.chunks(2).zip(&pass.targets))
        .map(|(z, target)| (z[0] - z[1], *target))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let totals = [0, 1].map(|class| rows.iter().filter(|row| row.1 == class).count() as f64);
    let mut seen = [0.0; 2];
    let mut youden = 0f64;
    for (_, target) in rows {
        seen[target as usize] += 1.0;
        youden = youden.max(seen[1] / totals[1] - seen[0] / totals[0]);
    }
    for (key, figure) in report.figures("val") {
        let (Figure::Roc { curves } | Figure::PrecisionRecall { curves }) = &figure else {
            continue;
        };
        let curve = &curves[1];
        assert_eq!(figure.check(), Ok(()));
        assert!((100..=200).contains(&curve.x.len()), "{}", curve.x.len());
        let drawn: f64 = (1..curve.x.len())
            .map(|i| (curve.x[i] - curve.x[i - 1]) * (curve.y[i] + curve.y[i - 1]) / 2.0)
            .sum();
        assert!(
            close(curve.area, drawn, 1e-3),
            "{key}: {drawn} for {:?}",
            curve.area
        );
        if key == "val/roc" {
            let kept = curve
                .x
                .iter()
                .zip(&curve.y)
                .map(|(x, y)| y - x)
                .fold(0.0, f64::max);
            assert!((kept - youden).abs() < 1e-12, "{kept} for {youden}");
        }
    }
}

#[test]
fn the_most_confident_mistakes_are_kept_with_their_images() {
    let pass = Pass::generate(11, 400, 3, 3, 0.0);
    let evaluation = Evaluation::new(pass.names())
        .mistakes_per_pair(2)
        .max_mistakes(9);
    let report = pass.report(evaluation);
    assert_eq!(report.mistakes.len(), 9);
    assert!(
        report
            .mistakes
            .iter()
            .all(|mistake| mistake.image == Some(mistake.sample.dataset_index))
    );
    assert!(
        report
            .mistakes
            .windows(2)
            .all(|pair| pair[0].sample.confidence >= pair[1].sample.confidence)
    );
    let probabilities = pass.probabilities();
    let of_pair = |truth: u32, said: u32| {
        let mut found: Vec<f32> = (probabilities.chunks(3).zip(&pass.targets))
            .filter(|(p, target)| {
                **target == truth && p[said as usize] == p.iter().copied().fold(0.0, f32::max)
            })
            .map(|(p, _)| p[said as usize])
            .collect();
        found.sort_by(|a, b| b.total_cmp(a));
        found
    };
    let mistake = &report.mistakes[0].sample;
    let number = |name: &str| name[1..].parse::<u32>().unwrap();
    let best = of_pair(
        number(&mistake.true_class),
        number(&mistake.predicted_class),
    );
    assert!((mistake.confidence - best[0]).abs() < 1e-6);
}

#[test]
fn ties_are_kept_in_the_order_of_the_data_set() {
    let mut evaluation = Evaluation::<()>::new(["a", "b"]).mistakes_per_pair(2);
    let push = |evaluation: &mut Evaluation<()>, indices: &[u64]| {
        let targets = vec![0; indices.len()];
        let logits: Vec<f32> = indices.iter().flat_map(|_| [0.0, 1.0]).collect();
        let batch = Batch {
            scores: Scores::Logits(&logits),
            targets: &targets,
            indices,
        };
        evaluation.push(&batch).unwrap()
    };
    let first = push(&mut evaluation, &[7, 9, 3]);
    let rows: Vec<usize> = first.iter().map(Kept::row).collect();
    assert_eq!(rows, [0, 2], "row 1 was displaced within its batch");
    assert!(push(&mut evaluation, &[8]).is_empty());
    assert_eq!(push(&mut evaluation, &[5]).len(), 1);
    assert!(
        !evaluation.attach(&first[0], ()),
        "index 7 was displaced by 5"
    );
    let kept: Vec<u64> = (evaluation.report().mistakes.iter())
        .map(|mistake| mistake.sample.dataset_index)
        .collect();
    assert_eq!(kept, [3, 5]);
}

#[test]
fn bad_rows_are_left_out_counted_and_named() {
    let mut evaluation = Evaluation::<()>::new(["a", "b"]);
    let batch = Batch {
        scores: Scores::Logits(&[1.0, 0.0, f32::NAN, 0.0, 0.0, 1.0]),
        targets: &[0, 1, 2],
        indices: &[10, 11, 12],
    };
    assert!(evaluation.push(&batch).unwrap().is_empty());
    let report = evaluation.report();
    assert_eq!(
        (report.rows, report.bad_rows, report.accuracy),
        (1, 2, Some(1.0))
    );
    let named: Vec<String> = (report.first_bad_rows.iter())
        .map(|row| format!("{}: {}", row.dataset_index, row.fault))
        .collect();
    assert_eq!(
        named,
        [
            "11: a score is NaN or infinite",
            "12: target 2, but there are 2 classes"
        ]
    );
    assert!(
        report
            .scalars("val")
            .contains(&("val/bad_rows".to_owned(), 2.0))
    );
}

#[test]
fn a_batch_that_does_not_fit_is_refused_whole() {
    let refused = |classes: &[&str], scores: Scores<'_>, targets: &[u32], indices: &[u64]| {
        let mut evaluation = Evaluation::<()>::new(classes.to_vec());
        let batch = Batch {
            scores,
            targets,
            indices,
        };
        let error = evaluation.push(&batch).unwrap_err();
        assert_eq!(evaluation.report().rows, 0);
        error.to_string()
    };
    let three = ["a", "b", "c"];
    assert_eq!(
        refused(&three, Scores::Logits(&[0.0; 5]), &[0, 1], &[0, 1]),
        "5 scores for 2 targets with 3 scores each; expected 6"
    );
    assert_eq!(
        refused(&three, Scores::Logits(&[0.0; 6]), &[0, 1], &[0]),
        "1 indices for 2 targets; give the place in the data set of each row"
    );
    assert_eq!(
        refused(&three, Scores::BinaryLogits(&[0.0; 2]), &[0, 1], &[0, 1]),
        "one logit a row tells two classes apart, but there are 3; push one logit a class"
    );
    let mut evaluation = Evaluation::<()>::new(three);
    let batch = |scores| Batch {
        scores,
        targets: &[0],
        indices: &[0],
    };
    evaluation.push(&batch(Scores::Logits(&[0.0; 3]))).unwrap();
    let probabilities = batch(Scores::Probabilities(&[0.0, 0.0, 1.0]));
    assert_eq!(
        evaluation.push(&probabilities).unwrap_err(),
        BatchError::MixedScores
    );
    assert_eq!(evaluation.report().rows, 1);
}

#[test]
fn an_empty_pass_has_no_metrics() {
    for classes in [vec![], vec!["only"], vec!["a", "b"]] {
        let report = Evaluation::<()>::new(classes.clone()).report();
        assert_eq!((report.rows, report.accuracy, report.loss), (0, None, None));
        assert!(report.scalars("val").is_empty() && report.figures("val").is_empty());
        assert_eq!(report.means.without_auc, classes);
    }
    let mut no_classes = Evaluation::<()>::new([""; 0]);
    let batch = Batch {
        scores: Scores::Logits(&[]),
        targets: &[0],
        indices: &[0],
    };
    assert!(no_classes.push(&batch).unwrap().is_empty());
    assert_eq!(no_classes.report().bad_rows, 1);
}

#[test]
fn keys_and_figures_are_named_as_documented() {
    let pass = Pass::generate(12, 50, 2, 2, 0.0);
    let report = pass.report(Evaluation::new(["good", "good"]));
    let scalars = report.scalars("val");
    let keys: Vec<&str> = scalars.iter().map(|(key, _)| key.as_str()).collect();
    let expected = "val/accuracy val/loss val/auc val/average_precision val/precision val/recall val/f1 \
                    val/precision/good val/recall/good val/f1/good val/auc/good \
                    val/precision/good(1) val/recall/good(1) val/f1/good(1) val/auc/good(1)";
    assert_eq!(keys.join(" ").replace("good (1)", "good(1)"), expected);
    assert!(report.scalars("").iter().any(|(key, _)| key == "accuracy"));
    let figures = report.figures("val");
    let names: Vec<&str> = figures.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        names,
        ["val/confusion_matrix", "val/roc", "val/precision_recall"]
    );
    assert!(figures.iter().all(|(_, figure)| figure.check().is_ok()));
    let table = report.table();
    assert_eq!(table.rows.len(), 2);
    assert!(
        table
            .rows
            .iter()
            .all(|row| row.len() == table.columns.len())
    );
}

#[test]
fn many_classes_stay_within_bounds() {
    let pass = Pass::generate(13, 3000, 600, 600, 0.0);
    let report = pass.report(Evaluation::new(pass.names()));
    assert!(report.scalars("val").len() < 10);
    assert_eq!(report.table().rows.len(), 600);
    let figures = report.figures("val");
    assert_eq!(figures.len(), 2, "no confusion matrix");
    let Figure::Roc { curves } = &figures[0].1 else {
        panic!("{:?}", figures[0])
    };
    assert_eq!(curves.len(), MAX_CURVES);
    let worst = report
        .classes
        .iter()
        .filter_map(|class| class.auc)
        .fold(1.0, f64::min);
    assert!(curves.iter().any(|curve| curve.area == Some(worst)));
}

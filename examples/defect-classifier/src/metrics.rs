/// How well a classifier did on one pass over a split.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
    /// Unweighted mean of the one-vs-rest areas under the ROC curve.
    pub(crate) macro_auc: f64,
    /// Share of each class that was found; NaN for a class that does not occur.
    pub(crate) recall: Vec<f64>,
}

impl Metrics {
    /// From the class probabilities of each sample, its label and the mean loss.
    pub(crate) fn new(probabilities: &[Vec<f32>], labels: &[u32], loss: f64) -> Self {
        let classes = probabilities.first().map_or(0, Vec::len);
        let (mut found, mut occurs) = (vec![0usize; classes], vec![0usize; classes]);
        for (p, &label) in probabilities.iter().zip(labels) {
            let predicted = (0..classes).max_by(|&a, &b| p[a].total_cmp(&p[b]));
            occurs[label as usize] += 1;
            found[label as usize] += usize::from(predicted == Some(label as usize));
        }
        let areas: Vec<f64> = (0..classes)
            .filter_map(|class| {
                let scores = probabilities.iter().map(|p| p[class]);
                area_under_roc(
                    scores
                        .zip(labels.iter().map(|&label| label as usize == class))
                        .collect(),
                )
            })
            .collect();
        Self {
            loss,
            accuracy: found.iter().sum::<usize>() as f64 / labels.len() as f64,
            macro_auc: areas.iter().sum::<f64>() / areas.len() as f64,
            recall: found
                .iter()
                .zip(&occurs)
                .map(|(&found, &occurs)| found as f64 / occurs as f64)
                .collect(),
        }
    }
}

/// The probability that a positive outranks a negative (Mann and Whitney, 1947), ties counting half. `None`
/// without both kinds.
fn area_under_roc(mut scored: Vec<(f32, bool)>) -> Option<f64> {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scored.iter().filter(|(_, positive)| *positive).count();
    let negatives = scored.len() - positives;
    let (mut wins, mut below) = (0.0, 0.0);
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let tied_positives = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        let tied_negatives = tied.len() as f64 - tied_positives;
        wins += tied_positives * (below + 0.5 * tied_negatives);
        below += tied_negatives;
    }
    (positives > 0 && negatives > 0).then(|| wins / (positives as f64 * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let area = |scores: &[(f32, bool)]| area_under_roc(scores.to_vec());
        assert_eq!(
            area(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]),
            Some(0.75)
        );
        assert_eq!(area(&[(0.5, false), (0.5, true), (0.5, true)]), Some(0.5));
        assert_eq!(area(&[(0.9, false), (0.1, true)]), Some(0.0));
        assert_eq!(area(&[(0.9, true)]), None);
    }

    #[test]
    fn counts_and_means() {
        let probabilities = [
            vec![0.8, 0.1, 0.1],
            vec![0.2, 0.7, 0.1],
            vec![0.6, 0.3, 0.1],
            vec![0.1, 0.9, 0.0],
        ];
        let metrics = Metrics::new(&probabilities, &[0, 1, 1, 0], 0.5);
        assert_eq!(metrics.accuracy, 0.5);
        assert_eq!(metrics.recall[..2], [0.5, 0.5]);
        assert!(metrics.recall[2].is_nan());
        // Class 0: positives 0.8 and 0.1 against 0.2 and 0.6. Class 1: 0.7 and 0.3 against 0.1 and 0.9.
        assert_eq!(metrics.macro_auc, 0.5);
    }
}

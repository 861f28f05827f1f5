//! What is pushed into an evaluation.

use thiserror::Error;

/// Some rows of an evaluation pass: what the model said of them and what is true.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// What the model said.
    pub scores: Scores<'a>,
    /// The true class of each row.
    pub targets: &'a [u32],
    /// The place of each row in the data set; as many as `targets`.
    pub indices: &'a [u64],
}

/// What a model said of the rows of a batch. One evaluation takes one kind.
#[derive(Clone, Copy, Debug)]
pub enum Scores<'a> {
    /// Unnormalised scores, row-major `[rows, classes]`; the softmax of each row is taken.
    Logits(&'a [f32]),
    /// Probabilities that sum to one in each row, row-major `[rows, classes]`. Logits are better where there are any:
    /// a probability so close to one that it is one cannot be told from another such.
    Probabilities(&'a [f32]),
    /// One logit a row, of the second of two classes; its sigmoid is taken.
    BinaryLogits(&'a [f32]),
}

/// Which kind of scores an evaluation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Logits,
    Probabilities,
    BinaryLogits,
}

/// A batch that cannot be taken in. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// There are more or fewer scores than rows and classes ask for.
    #[error("{found} scores for {rows} targets with {columns} scores each; expected {}", rows * columns)]
    ScoreCount {
        /// How many scores there are.
        found: usize,
        /// How many targets there are.
        rows: usize,
        /// How many scores a row has.
        columns: usize,
    },
    /// There are more or fewer indices than targets.
    #[error("{found} indices for {rows} targets; give the place in the data set of each row")]
    IndexCount {
        /// How many indices there are.
        found: usize,
        /// How many targets there are.
        rows: usize,
    },
    /// One logit a row was given, but there are not two classes.
    #[error(
        "one logit a row tells two classes apart, but there are {classes}; push one logit a class"
    )]
    NotBinary {
        /// How many classes there are.
        classes: usize,
    },
    /// Earlier batches had another kind of scores, with which these cannot be compared.
    #[error(
        "this batch has another kind of scores than the ones before; push the same variant of `Scores` in a pass"
    )]
    MixedScores,
}

impl<'a> Batch<'a> {
    /// Checks all lengths; gives the scores as rows of as many columns.
    pub(super) fn rows(&self, classes: usize) -> Result<(&'a [f32], usize), BatchError> {
        let (values, columns) = match self.scores {
            Scores::Logits(values) | Scores::Probabilities(values) => (values, classes),
            Scores::BinaryLogits(_) if classes != 2 => {
                return Err(BatchError::NotBinary { classes });
            }
            Scores::BinaryLogits(values) => (values, 1),
        };
        let rows = self.targets.len();
        if values.len() != rows * columns {
            return Err(BatchError::ScoreCount {
                found: values.len(),
                rows,
                columns,
            });
        }
        if self.indices.len() != rows {
            return Err(BatchError::IndexCount {
                found: self.indices.len(),
                rows,
            });
        }
        Ok((values, columns))
    }
}

impl Scores<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Logits(_) => Kind::Logits,
            Self::Probabilities(_) => Kind::Probabilities,
            Self::BinaryLogits(_) => Kind::BinaryLogits,
        }
    }
}

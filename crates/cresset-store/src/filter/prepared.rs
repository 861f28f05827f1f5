//! A filter made ready to be asked of many runs.

use cresset_record::Timestamp;

use super::ast::{Expr, Literal, Operator, Test, TimeSpan};
use super::eval;
use crate::row::{FieldPath, Row};
use crate::values::{Names, Symbol};

/// A filter whose fields are looked up and whose values are read.
#[derive(Debug)]
pub(crate) struct Prepared(Node);

#[derive(Debug)]
enum Node {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Compare(FieldPath, Operator, Wanted),
    In(FieldPath, Vec<Wanted>),
}

/// A written value with all that it can mean.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) literal: Literal,
    pub(super) number: Option<f64>,
    pub(super) time: Option<TimeSpan>,
    /// The name that it writes, if any run uses it.
    pub(super) name: Option<Symbol>,
}

impl Prepared {
    pub(super) fn new(expr: &Expr, names: &Names) -> Self {
        Self(Node::new(expr, names))
    }

    /// Whether the run passes at the time `now`.
    pub(crate) fn matches(&self, run: &Row, now: Timestamp) -> bool {
        self.0.matches(run, now)
    }
}

impl Node {
    fn new(expr: &Expr, names: &Names) -> Self {
        let all = |parts: &[Expr]| parts.iter().map(|part| Self::new(part, names)).collect();
        match expr {
            Expr::Or(parts) => Self::Or(all(parts)),
            Expr::And(parts) => Self::And(all(parts)),
            Expr::Not(inner) => Self::Not(Box::new(Self::new(inner, names))),
            Expr::Test(Test::Compare {
                field,
                operator,
                value,
            }) => Self::Compare(
                FieldPath::new(field, names),
                *operator,
                Wanted::new(value, names),
            ),
            Expr::Test(Test::In { field, values }) => Self::In(
                FieldPath::new(field, names),
                values.iter().map(|v| Wanted::new(v, names)).collect(),
            ),
        }
    }

    fn matches(&self, run: &Row, now: Timestamp) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.matches(run, now)),
            Self::And(parts) => parts.iter().all(|part| part.matches(run, now)),
            Self::Not(inner) => !inner.matches(run, now),
            Self::Compare(field, operator, wanted) => run
                .value(field, now)
                .is_some_and(|found| eval::compare(found, *operator, wanted)),
            Self::In(field, values) => run.value(field, now).is_some_and(|found| {
                values
                    .iter()
                    .any(|wanted| eval::compare(found, Operator::Eq, wanted))
            }),
        }
    }
}

impl Wanted {
    fn new(literal: &Literal, names: &Names) -> Self {
        Self {
            number: literal.number(),
            time: literal.time(),
            name: names.get(literal.text()),
            literal: literal.clone(),
        }
    }
}

//! The language that picks runs: `val/auc > 0.94 and tags has "v4"`.
//!
//! The command line, the API and the dashboard share it.
//!
//! ```text
//! filter     = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" filter ")" | test
//! test       = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "has" ) value
//!            | field [ "not" ] "in" "(" value { "," value } ")"
//! field      = word | quoted
//! value      = word | quoted
//! ```
//!
//! A test of a field that a run does not have is false, whatever the operator, and so is any comparison with NaN.
//! What values mean is decided by what they are compared with; see `ast::Literal`.

mod ast;
mod error;
mod eval;
mod lexer;
mod parser;
#[cfg(test)]
pub(crate) mod plain;
mod prepared;
#[cfg(test)]
mod tests;

use std::fmt;

use ast::Expr;
#[cfg(test)]
use ast::{Literal, Operator, Test};
use cresset_record::Timestamp;

use crate::document::RunDocument;
use crate::row::Row;
use crate::values::{Names, Pool};

pub use error::FilterError;
pub(crate) use prepared::Prepared;

/// A filter of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expr);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What was expected instead, and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(Self)
    }

    /// Whether a run passes. [`crate::Store::runs`] asks thousands of runs in the time that this takes for ten.
    #[must_use]
    pub fn matches(&self, run: &RunDocument) -> bool {
        let mut pool = Pool::default();
        let row = Row::new(run, &mut pool);
        self.prepare(&pool.names).matches(&row, Timestamp::now())
    }

    /// The paths of all fields that it asks for, in order.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.0.each_field(&mut |field| fields.push(field));
        fields
    }

    /// The filter for runs that use these names.
    pub(crate) fn prepare(&self, names: &Names) -> Prepared {
        Prepared::new(&self.0, names)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

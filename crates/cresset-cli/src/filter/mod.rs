//! The language that picks runs: `val/auc > 0.94 and tags has "v4"`.
//!
//! Self-contained: it knows nothing of files or terminals and sees a run only through [`Fields`], so that the
//! command line, the API and the dashboard can share it.
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
mod fields;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;

use ast::Expr;
#[cfg(test)]
use ast::{Literal, Operator, Test};
pub(crate) use error::FilterError;
pub(crate) use fields::{Fields, built_in, lookup};

/// A filter, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter(Expr);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What was expected instead, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(Self)
    }

    /// Whether the run with these fields passes.
    pub(crate) fn matches(&self, run: &impl Fields) -> bool {
        eval::matches(&self.0, run)
    }

    /// The paths of all fields that it asks for, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.0.each_field(&mut |field| fields.push(field));
        fields
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

//! Tokens to a tree, by recursive descent.

use super::ast::{Expr, Literal, Operator, Test};
use super::error::FilterError;
use super::lexer::{Token, TokenKind, is_keyword, tokens};
use crate::row::{BuiltIn, Kind};

/// How deep parentheses and `not` may nest: far beyond what people write, far below what the stack holds.
const MAX_DEPTH: usize = 64;

/// Reads a filter.
pub(super) fn parse(source: &str) -> Result<Expr, FilterError> {
    let tokens = tokens(source)?;
    let mut parser = Parser {
        source,
        tokens: &tokens,
        next: 0,
        depth: 0,
    };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(parser.error_at(
            token.at,
            format!(
                "expected `and`, `or` or the end, found {}",
                token.kind.describe()
            ),
        )),
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.next += usize::from(token.is_some());
        token
    }

    /// Takes the next token if it is this word of the language.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword_at(self.next, keyword);
        self.next += usize::from(found);
        found
    }

    fn is_keyword_at(&self, place: usize, keyword: &str) -> bool {
        matches!(self.tokens.get(place).map(|t| &t.kind),
            Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> FilterError {
        FilterError::new(self.source, at, message)
    }

    /// An error at the next token, or at the end.
    fn expected(&self, what: &str) -> FilterError {
        match self.peek() {
            Some(token) => self.error_at(
                token.at,
                format!("expected {what}, found {}", token.kind.describe()),
            ),
            None => self.error_at(
                self.source.len(),
                format!("expected {what}, found the end of the filter"),
            ),
        }
    }

    fn any(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take_keyword("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn all(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.factor()?];
        while self.take_keyword("and") {
            parts.push(self.factor()?);
        }
        Ok(one_or(parts, Expr::And))
    }

    fn factor(&mut self) -> Result<Expr, FilterError> {
        let at = self.peek().map_or(self.source.len(), |t| t.at);
        if self.depth >= MAX_DEPTH {
            return Err(self.error_at(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let factor = self.factor_inside(at);
        self.depth -= 1;
        factor
    }

    fn factor_inside(&mut self, at: usize) -> Result<Expr, FilterError> {
        if self.take_keyword("not") {
            return Ok(Expr::Not(Box::new(self.factor()?)));
        }
        if !matches!(self.peek().map(|t| &t.kind), Some(TokenKind::Open)) {
            return self.test();
        }
        self.next += 1;
        let inside = self.any()?;
        match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Close) => {
                self.next += 1;
                Ok(inside)
            }
            Some(_) => Err(self.expected("`and`, `or` or `)`")),
            None => Err(self.error_at(at, "this parenthesis is not closed; add `)`")),
        }
    }

    fn test(&mut self) -> Result<Expr, FilterError> {
        let field = self.field()?;
        if self.is_keyword_at(self.next, "not") && self.is_keyword_at(self.next + 1, "in") {
            self.next += 2;
            let test = Expr::Test(self.in_list(field)?);
            return Ok(Expr::Not(Box::new(test)));
        }
        if self.take_keyword("in") {
            return self.in_list(field).map(Expr::Test);
        }
        let operator = self.operator(&field)?;
        let at = self.peek().map_or(self.source.len(), |t| t.at);
        let value = self.value(&format!("a value after `{}`", operator.text()))?;
        self.check(&field, operator, &value, at)?;
        Ok(Expr::Test(Test::Compare {
            field,
            operator,
            value,
        }))
    }

    fn field(&mut self) -> Result<String, FilterError> {
        const WHAT: &str = "a field such as `val/auc`, `config.lr` or `state`";
        match self.peek().map(|t| (t.at, &t.kind)) {
            Some((_, TokenKind::Word(word))) if is_keyword(word) => Err(self.expected(WHAT)),
            Some((at, TokenKind::Word(word))) if word.parse::<f64>().is_ok() => Err(self.error_at(
                at,
                format!(
                    "the field comes first, then the value: write `val/auc > {word}`; \
                     a series called {word} needs quotes"
                ),
            )),
            Some((_, TokenKind::Word(text) | TokenKind::Quoted(text))) => {
                self.next += 1;
                Ok(text.clone())
            }
            _ => Err(self.expected(WHAT)),
        }
    }

    fn operator(&mut self, field: &str) -> Result<Operator, FilterError> {
        if self.take_keyword("has") {
            return Ok(Operator::Has);
        }
        match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Sign(operator)) => {
                self.next += 1;
                Ok(*operator)
            }
            _ => Err(self.expected(&format!(
                "one of = != < <= > >= ~ has in after the field `{field}`"
            ))),
        }
    }

    fn value(&mut self, what: &str) -> Result<Literal, FilterError> {
        let value = match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Word(word)) if !is_keyword(word) => Literal::Word(word.clone()),
            Some(TokenKind::Quoted(text)) => Literal::Quoted(text.clone()),
            _ => return Err(self.expected(what)),
        };
        self.next += 1;
        Ok(value)
    }

    fn in_list(&mut self, field: String) -> Result<Test, FilterError> {
        if !matches!(self.peek().map(|t| &t.kind), Some(TokenKind::Open)) {
            return Err(self.expected("`(` and a list of values after `in`"));
        }
        self.next += 1;
        let mut values = Vec::new();
        loop {
            let at = self.peek().map_or(self.source.len(), |t| t.at);
            let value = self.value("a value in the list")?;
            self.check(&field, Operator::Eq, &value, at)?;
            values.push(value);
            match self.take().map(|t| &t.kind) {
                Some(TokenKind::Comma) => {}
                Some(TokenKind::Close) => return Ok(Test::In { field, values }),
                found => {
                    self.next -= usize::from(found.is_some());
                    return Err(self.expected("`,` or `)`"));
                }
            }
        }
    }

    /// Refuses a value that could never match, where a run without a match would leave people wondering.
    fn check(
        &self,
        field: &str,
        operator: Operator,
        value: &Literal,
        at: usize,
    ) -> Result<(), FilterError> {
        if matches!(operator, Operator::Like | Operator::Has) {
            return Ok(());
        }
        let kind = BuiltIn::of(field).map_or(Kind::Any, BuiltIn::kind);
        let wrong = match kind {
            Kind::Seconds if value.number().is_none() => {
                "needs a duration such as `90s`, `5m` or `1h30m`".to_owned()
            }
            Kind::Time if value.time().is_none() => {
                "needs a day such as `2026-11-01` or a time such as `2026-11-01T08:30`".to_owned()
            }
            Kind::Word(words) if !words.contains(&value.text()) => {
                format!("is one of {}", words.join(", "))
            }
            Kind::Any if operator.orders() && has_no_order(value) => {
                return Err(self.error_at(
                    at,
                    format!(
                        "`{}` needs a number, a duration or a time, found {value}; put it in quotes to compare as text",
                        operator.text()
                    ),
                ));
            }
            _ => return Ok(()),
        };
        Err(self.error_at(at, format!("`{field}` {wrong}, found {value}")))
    }
}

fn has_no_order(value: &Literal) -> bool {
    matches!(value, Literal::Word(_)) && value.number().is_none() && value.time().is_none()
}

fn one_or(mut parts: Vec<Expr>, many: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        many(parts)
    }
}

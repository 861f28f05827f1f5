//! What a filter says, as a tree. Printing a tree and parsing the text gives the same tree.

use std::fmt;

use super::lexer::{is_keyword, is_word_char};

/// A condition on a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// One of these holds; two or more.
    Or(Vec<Expr>),
    /// All of these hold; two or more.
    And(Vec<Expr>),
    /// This does not hold.
    Not(Box<Expr>),
    /// A test of one field.
    Test(Test),
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// The field against one value.
    Compare {
        /// The field's path.
        field: String,
        /// How.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// The field is equal to one of these; one or more.
    In {
        /// The field's path.
        field: String,
        /// The values.
        values: Vec<Literal>,
    },
}

/// How a field and a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// Equal.
    Eq,
    /// There, and not equal.
    Ne,
    /// Less, or earlier.
    Lt,
    /// Less or equal.
    Le,
    /// Greater, or later.
    Gt,
    /// Greater or equal.
    Ge,
    /// Text that matches a pattern in which `*` stands for anything; without a `*`, text that contains it.
    Like,
    /// A list with this element, an object with this key, or a text with this part.
    Has,
}

impl Expr {
    /// Gives the path of every field that is tested.
    pub(super) fn each_field<'a>(&'a self, give: &mut impl FnMut(&'a str)) {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().for_each(|p| p.each_field(give)),
            Self::Not(inner) => inner.each_field(give),
            Self::Test(Test::Compare { field, .. } | Test::In { field, .. }) => give(field),
        }
    }
}

impl Operator {
    /// The operator as it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Like => "~",
            Self::Has => "has",
        }
    }

    /// Whether it asks for an order.
    pub(super) fn orders(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

/// A value as written. A bare word is a number (`1e-3`), a duration (`1h30m`), a day (`2026-11-01`) or an instant
/// (`2026-11-01T08:00`), if it reads as one and the field has such a value; else it is text. A quoted one is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// Without quotes.
    Word(String),
    /// In quotes.
    Quoted(String),
}

impl Literal {
    /// The text, without quotes.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Quoted(text) => text,
        }
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(text) => Some(text),
            Self::Quoted(_) => None,
        }
    }

    /// The number that a bare word writes; a duration is its seconds.
    pub(super) fn number(&self) -> Option<f64> {
        let word = self.word()?;
        word.parse().ok().or_else(|| seconds(word))
    }

    /// The stretch of time that a bare word names: a day, or an instant.
    pub(super) fn time(&self) -> Option<TimeSpan> {
        time_span(self.word()?)
    }
}

/// From the first instant to the one after the last, in microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeSpan {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Seconds of a duration such as `90s`, `1h30m` or `1.5d`.
fn seconds(word: &str) -> Option<f64> {
    let mut rest = word;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let factor = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    (!word.is_empty()).then_some(total)
}

/// A day is the machine's own; an instant without an offset is in its time zone.
fn time_span(word: &str) -> Option<TimeSpan> {
    let zone = jiff::tz::TimeZone::system();
    let instant = |from: jiff::Timestamp| TimeSpan {
        from: from.as_microsecond(),
        to: from.as_microsecond() + 1,
    };
    if let Ok(time) = word.parse::<jiff::Timestamp>() {
        return Some(instant(time));
    }
    if word.contains(['T', 't']) {
        let time: jiff::civil::DateTime = word.parse().ok()?;
        return Some(instant(time.to_zoned(zone).ok()?.timestamp()));
    }
    // The parser of dates also takes forms such as 20261101, which are rather numbers here.
    let day: jiff::civil::Date = word.contains('-').then(|| word.parse().ok())??;
    let begin = |d: jiff::civil::Date| {
        let zoned = d.to_zoned(zone.clone()).ok()?;
        Some(zoned.timestamp().as_microsecond())
    };
    Some(TimeSpan {
        from: begin(day)?,
        to: begin(day.tomorrow().ok()?)?,
    })
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => join(f, parts, " or ", |p| matches!(p, Self::Or(_))),
            Self::And(parts) => join(f, parts, " and ", |p| {
                matches!(p, Self::Or(_) | Self::And(_))
            }),
            Self::Not(inner) if matches!(**inner, Self::Or(_) | Self::And(_)) => {
                write!(f, "not ({inner})")
            }
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

/// The parts with a word between them, those in parentheses that need them.
fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    word: &str,
    needs_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare {
                field,
                operator,
                value,
            } => {
                write_field(f, field)?;
                write!(f, " {} {value}", operator.text())
            }
            Self::In { field, values } => {
                write_field(f, field)?;
                f.write_str(" in (")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Quoted(text) => write_quoted(f, text),
        }
    }
}

/// A field needs quotes where it would not be read back as a field.
fn write_field(f: &mut fmt::Formatter<'_>, field: &str) -> fmt::Result {
    let plain = !field.is_empty()
        && field.chars().all(is_word_char)
        && !is_keyword(field)
        && field.parse::<f64>().is_err();
    if plain {
        f.write_str(field)
    } else {
        write_quoted(f, field)
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

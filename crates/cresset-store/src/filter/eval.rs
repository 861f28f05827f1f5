//! Compares a value of a run with one that a filter writes.

use std::cmp::Ordering;

use super::ast::{Literal, Operator};
use super::prepared::Wanted;
use crate::values::{Value, rfc3339};

/// Whether the comparison holds.
pub(super) fn compare(found: Value<'_>, operator: Operator, wanted: &Wanted) -> bool {
    match operator {
        Operator::Like => found
            .plain_text()
            .is_some_and(|text| is_like(&text, wanted.literal.text())),
        Operator::Has => has(found, wanted),
        _ => order(found, wanted).is_some_and(|order| match operator {
            Operator::Eq => order == Order::Equal,
            Operator::Ne => order != Order::Equal,
            Operator::Lt => order == Order::Less,
            Operator::Le => matches!(order, Order::Less | Order::Equal),
            Operator::Gt => order == Order::Greater,
            Operator::Ge => matches!(order, Order::Greater | Order::Equal),
            Operator::Like | Operator::Has => false,
        }),
    }
}

/// How a found value stands to a written one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    Equal,
    Greater,
    /// Of different kinds: not equal, and in no order.
    Different,
}

impl From<Ordering> for Order {
    fn from(order: Ordering) -> Self {
        match order {
            Ordering::Less => Self::Less,
            Ordering::Equal => Self::Equal,
            Ordering::Greater => Self::Greater,
        }
    }
}

/// `None` where NaN takes part: it is neither equal nor different nor in any order.
fn order(found: Value<'_>, wanted: &Wanted) -> Option<Order> {
    if let Some(written) = wanted.number
        && let Some(found) = number_of(found)
    {
        return compare_numbers(found, written).map(Order::from);
    }
    match found {
        Value::Text(text) => Some(order_of_text(text, wanted)),
        Value::Time(time) => Some(match wanted.time {
            Some(_) => order_of_time(time.0, wanted),
            None => order_of_text(&rfc3339(time), wanted),
        }),
        _ => Some(if is_same(found, wanted.literal.text()) {
            Order::Equal
        } else {
            Order::Different
        }),
    }
}

/// Whether a value without an order is the one that the text writes.
fn is_same(found: Value<'_>, text: &str) -> bool {
    match found {
        Value::Null => text == "null",
        _ => found.plain_text().is_some_and(|found| found == text),
    }
}

fn order_of_text(text: &str, wanted: &Wanted) -> Order {
    if wanted.time.is_some()
        && let Ok(instant) = text.parse::<jiff::Timestamp>()
    {
        return order_of_time(instant.as_microsecond(), wanted);
    }
    match &wanted.literal {
        Literal::Quoted(written) => text.cmp(written).into(),
        Literal::Word(written) if text == written => Order::Equal,
        // A bare word that asks for an order is a number or a time, and the text is neither.
        Literal::Word(_) => Order::Different,
    }
}

fn order_of_time(at: i64, wanted: &Wanted) -> Order {
    match wanted.time {
        Some(span) if at < span.from => Order::Less,
        Some(span) if at < span.to => Order::Equal,
        Some(_) => Order::Greater,
        None => Order::Different,
    }
}

/// A number, or a text that writes one: JSON has no NaN and no infinities.
fn number_of(found: Value<'_>) -> Option<f64> {
    match found {
        Value::Text(text) => text.parse().ok(),
        _ => found.number(),
    }
}

/// An `f32` that became an `f64` on its way here is equal to the decimal that people wrote for it: 0.001 to `1e-3`,
/// although the nearest `f32` is 0.0010000000475.
fn compare_numbers(found: f64, written: f64) -> Option<Ordering> {
    let order = found.partial_cmp(&written)?;
    let as_f32 = found as f32;
    // The decimal of an f32 is nearer to it than any other f32, and to print it takes a while.
    let near = (found - written).abs() <= found.abs() * 1e-6 + f64::from(f32::from_bits(2));
    let from_f32 = near
        && f64::from(as_f32) == found
        && as_f32.is_finite()
        && as_f32.to_string().parse() == Ok(written);
    Some(if from_f32 { Ordering::Equal } else { order })
}

fn is_like(text: &str, pattern: &str) -> bool {
    if pattern.contains('*') {
        cresset_record::pattern_matches(pattern, text)
    } else {
        text.contains(pattern)
    }
}

fn has(found: Value<'_>, wanted: &Wanted) -> bool {
    let is_equal = |element: Value<'_>| order(element, wanted) == Some(Order::Equal);
    match found {
        Value::List(list) => list.iter().any(|cell| is_equal(cell.into())),
        Value::Texts(list) => list.iter().any(|text| is_equal(Value::Text(text))),
        Value::Object(object) => wanted.name.is_some_and(|name| object.get(name).is_some()),
        Value::Text(text) => text.contains(wanted.literal.text()),
        Value::Time(time) => rfc3339(time).contains(wanted.literal.text()),
        _ => false,
    }
}

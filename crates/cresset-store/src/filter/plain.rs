//! The language asked in the dullest way: of JSON that is built for each question.

use std::cmp::Ordering;

use cresset_record::{State, Timestamp};
use serde_json::{Map, Value as Json, json};

use super::Filter;
use super::ast::{Expr, Literal, Operator, Test};
use crate::document::RunDocument;
use crate::values::rfc3339;

/// Whether the run passes.
pub(crate) fn passes(filter: &Filter, run: &RunDocument, now: Timestamp) -> bool {
    matches(&filter.0, run, now)
}

/// The value of a field, if the run has it.
pub(crate) fn field(run: &RunDocument, path: &str, now: Timestamp) -> Option<Json> {
    let optional = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    let seconds = |from: Timestamp, to: Timestamp| json!(to.seconds_since(from).max(0.0));
    match path {
        "name" => Some(json!(run.name)),
        "id" => Some(json!(run.key.run.as_str())),
        "project" => Some(json!(run.key.project.as_str())),
        "state" => Some(json!(run.state.word())),
        "reason" => run.state.reason().map(|reason| json!(reason)),
        "duration" => Some(match (run.created, run.active) {
            (None, _) => json!(0.0),
            (Some(created), _) if run.state == State::Running => seconds(created, now),
            (Some(created), active) => seconds(created, active.unwrap_or(created)),
        }),
        "age" => Some(seconds(run.created?, now)),
        "created" => Some(json!(rfc3339(run.created?))),
        "group" => optional(&run.group),
        "job_type" => optional(&run.job_type),
        "tags" => Some(json!(run.tags)),
        "notes" => Some(json!(run.notes)),
        "host" => run.environment.get("host")?.get("name").cloned(),
        "alerts" => Some(json!(run.alerts.0)),
        "lost" => Some(json!(
            run.lost.values().map(|l| l.points + l.values).sum::<u64>()
        )),
        "damage" => Some(json!(run.damage.len())),
        "config" => Some(Json::Object(run.config.clone())),
        _ => nested(run, path).cloned(),
    }
}

fn nested<'a>(run: &'a RunDocument, path: &str) -> Option<&'a Json> {
    if let Some(value) = run.summary.get(path) {
        return Some(value);
    }
    let (place, rest) = path.split_once('.')?;
    match place {
        "config" => lookup(&run.config, rest),
        "environment" => lookup(&run.environment, rest),
        "summary" => lookup(&run.summary, rest),
        _ => lookup(&run.summary, path),
    }
}

/// The value at a dotted path in nested JSON. Keys that hold dots themselves are found too; lists are entered by
/// number.
fn lookup<'a>(object: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inside = object.get(&path[..dot])?;
        enter(inside, &path[dot + 1..])
    })
}

fn enter<'a>(value: &'a Json, path: &str) -> Option<&'a Json> {
    match value {
        Json::Object(object) => lookup(object, path),
        Json::Array(list) => {
            let (index, rest) = path
                .split_once('.')
                .map_or((path, None), |(index, rest)| (index, Some(rest)));
            let element = list.get(index.parse::<usize>().ok()?)?;
            rest.map_or(Some(element), |rest| enter(element, rest))
        }
        _ => None,
    }
}

fn matches(expr: &Expr, run: &RunDocument, now: Timestamp) -> bool {
    match expr {
        Expr::Or(parts) => parts.iter().any(|p| matches(p, run, now)),
        Expr::And(parts) => parts.iter().all(|p| matches(p, run, now)),
        Expr::Not(inner) => !matches(inner, run, now),
        Expr::Test(Test::Compare {
            field: path,
            operator,
            value,
        }) => field(run, path, now).is_some_and(|found| compare(&found, *operator, value)),
        Expr::Test(Test::In {
            field: path,
            values,
        }) => field(run, path, now).is_some_and(|found| {
            values
                .iter()
                .any(|value| compare(&found, Operator::Eq, value))
        }),
    }
}

fn compare(found: &Json, operator: Operator, value: &Literal) -> bool {
    match operator {
        Operator::Like => text_of(found).is_some_and(|text| is_like(&text, value.text())),
        Operator::Has => has(found, value),
        _ => order(found, value).is_some_and(|order| match operator {
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
fn order(found: &Json, value: &Literal) -> Option<Order> {
    if let (Some(found), Some(number)) = (number_of(found), value.number()) {
        return compare_numbers(found, number).map(Order::from);
    }
    if let Json::String(text) = found {
        if let (Ok(instant), Some(span)) = (text.parse::<jiff::Timestamp>(), value.time()) {
            let at = instant.as_microsecond();
            return Some(if at < span.from {
                Order::Less
            } else if at < span.to {
                Order::Equal
            } else {
                Order::Greater
            });
        }
        return Some(match value {
            Literal::Quoted(written) => text.cmp(written).into(),
            Literal::Word(written) if text == written => Order::Equal,
            // A bare word that asks for an order is a number or a time, and the text is neither.
            Literal::Word(_) => Order::Different,
        });
    }
    let same = match found {
        Json::Bool(b) => value.text() == if *b { "true" } else { "false" },
        Json::Null => value.text() == "null",
        Json::Number(n) => n.to_string() == value.text(),
        _ => false,
    };
    Some(if same { Order::Equal } else { Order::Different })
}

/// A number, or a text that writes one: JSON has no NaN and no infinities.
fn number_of(found: &Json) -> Option<f64> {
    match found {
        Json::Number(n) => n.as_f64(),
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An `f32` that became an `f64` on its way here is equal to the decimal that people wrote for it: 0.001 to `1e-3`,
/// although the nearest `f32` is 0.0010000000475.
fn compare_numbers(found: f64, written: f64) -> Option<Ordering> {
    let order = found.partial_cmp(&written)?;
    let as_f32 = found as f32;
    let from_f32 = f64::from(as_f32) == found
        && as_f32.is_finite()
        && as_f32.to_string().parse() == Ok(written);
    Some(if from_f32 { Ordering::Equal } else { order })
}

fn text_of(found: &Json) -> Option<String> {
    match found {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(found.to_string()),
        _ => None,
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    if pattern.contains('*') {
        cresset_record::pattern_matches(pattern, text)
    } else {
        text.contains(pattern)
    }
}

fn has(found: &Json, value: &Literal) -> bool {
    match found {
        Json::Array(list) => list
            .iter()
            .any(|element| order(element, value) == Some(Order::Equal)),
        Json::Object(object) => object.contains_key(value.text()),
        Json::String(text) => text.contains(value.text()),
        _ => false,
    }
}

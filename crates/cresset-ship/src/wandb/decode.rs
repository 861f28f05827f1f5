//! Bytes as W&B's records: the other way round than `record`.

use serde_json::Value as Json;

use crate::proto::{Field, Fields, Malformed};

use super::read::{Item, Metric, Record, Run, Value};

type Decoded<T> = Result<T, Malformed>;

/// One record.
pub(crate) fn record(bytes: &[u8]) -> Decoded<Record> {
    let mut found = Record::Other(0);
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        // Its number, and who asked whom: no part of what it says.
        if matches!(number, 1 | 16 | 19 | 200) {
            continue;
        }
        let Field::Bytes(body) = field else {
            continue;
        };
        found = match number {
            2 => history(body)?,
            3 => Record::Summary(items(body, 1)?),
            4 | 13 => output(body)?,
            5 => Record::Config(items(body, 1)?),
            7 => stats(body)?,
            10 => alert(body)?,
            12 => Record::Metric(metric(body)?),
            17 => Record::Run(Box::new(run(body)?)),
            18 => Record::Exit {
                code: int(body, 1)?,
            },
            21 => Record::Header {
                producer: text(message(body, 1)?, 1)?,
            },
            other => Record::Other(other),
        };
    }
    Ok(found)
}

fn history(body: &[u8]) -> Decoded<Record> {
    let step = match find(body, 2)? {
        Some(step) => u64::try_from(int(step.bytes()?, 1)?).ok(),
        None => None,
    };
    let items = items(body, 1)?;
    Ok(Record::History { step, items })
}

fn output(body: &[u8]) -> Decoded<Record> {
    Ok(Record::Output {
        time: time(message(body, 2)?)?,
        is_error: int(body, 1)? == 0,
        text: text(body, 3)?,
    })
}

fn stats(body: &[u8]) -> Decoded<Record> {
    Ok(Record::Stats {
        time: time(message(body, 2)?)?,
        items: items(body, 3)?,
    })
}

fn alert(body: &[u8]) -> Decoded<Record> {
    Ok(Record::Alert {
        title: text(body, 1)?,
        text: text(body, 2)?,
        level: text(body, 3)?,
    })
}

fn metric(body: &[u8]) -> Decoded<Metric> {
    let name = match text(body, 1)? {
        name if name.is_empty() => text(body, 2)?,
        name => name,
    };
    let mut summary = Vec::new();
    for field in Fields::of(message(body, 7)?) {
        let (number, field) = field?;
        if field.int() == Ok(1) {
            summary.push(number);
        }
    }
    Ok(Metric {
        name,
        step_metric: text(body, 4)?,
        is_hidden: int(message(body, 6)?, 2)? != 0,
        summary,
        goal: int(body, 8)?,
    })
}

fn run(body: &[u8]) -> Decoded<Run> {
    let mut tags = Vec::new();
    for field in Fields::of(body) {
        let (number, field) = field?;
        if number == 10 {
            tags.push(lossy(field)?);
        }
    }
    let start_time = match find(body, 17)? {
        Some(start) => Some(time(start.bytes()?)?),
        None => None,
    };
    Ok(Run {
        id: text(body, 1)?,
        entity: text(body, 2)?,
        project: text(body, 3)?,
        config: items(message(body, 4)?, 1)?,
        summary: items(message(body, 5)?, 1)?,
        group: text(body, 6)?,
        job_type: text(body, 7)?,
        display_name: text(body, 8)?,
        notes: text(body, 9)?,
        tags,
        host: text(body, 13)?,
        start_time,
    })
}

/// Items of history, config, summary or stats, which are alike.
fn items(body: &[u8], number: u32) -> Decoded<Vec<Item>> {
    let mut items = Vec::new();
    for field in Fields::of(body) {
        let (found, field) = field?;
        if found == number {
            items.extend(item(field.bytes()?)?);
        }
    }
    Ok(items)
}

fn item(body: &[u8]) -> Decoded<Option<Item>> {
    let (mut path, mut json) = (Vec::new(), String::new());
    for field in Fields::of(body) {
        let (number, field) = field?;
        match number {
            1 | 2 => path.push(lossy(field)?),
            16 => json = lossy(field)?,
            _ => {}
        }
    }
    // Some clients write an empty key beside the path.
    if path.len() > 1 && path.first().is_some_and(String::is_empty) {
        path.remove(0);
    }
    Ok(value(&json).map(|value| Item { path, value }))
}

/// A value as W&B writes it; `None` if it is no JSON even so.
fn value(text: &str) -> Option<Value> {
    match text {
        "NaN" => return Some(Value::Number(f64::NAN)),
        "Infinity" => return Some(Value::Number(f64::INFINITY)),
        "-Infinity" => return Some(Value::Number(f64::NEG_INFINITY)),
        _ => {}
    }
    let json = serde_json::from_str(text).or_else(|_| serde_json::from_str(&finite(text)));
    Some(match json.ok()? {
        Json::Number(number) => Value::Number(number.as_f64()?),
        json => Value::Json(json),
    })
}

/// `null` for numbers that JSON has not, outside of strings.
fn finite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_quoted) = (text, false);
    while let Some(c) = rest.chars().next() {
        let token = ["NaN", "Infinity", "-Infinity"].into_iter();
        let token = token.filter(|_| !is_quoted).find(|t| rest.starts_with(t));
        if let Some(token) = token {
            out.push_str("null");
            rest = &rest[token.len()..];
            continue;
        }
        let taken = match c {
            '\\' if is_quoted => rest.chars().take(2).map(char::len_utf8).sum(),
            c => c.len_utf8(),
        };
        is_quoted ^= c == '"';
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// The last field of this number, which is the one that counts.
fn find(body: &[u8], number: u32) -> Decoded<Option<Field<'_>>> {
    let mut last = None;
    for field in Fields::of(body) {
        let (found, field) = field?;
        if found == number {
            last = Some(field);
        }
    }
    Ok(last)
}

fn message(body: &[u8], number: u32) -> Decoded<&[u8]> {
    find(body, number)?.map_or(Ok(&[]), Field::bytes)
}

fn int(body: &[u8], number: u32) -> Decoded<i64> {
    find(body, number)?.map_or(Ok(0), Field::int)
}

fn text(body: &[u8], number: u32) -> Decoded<String> {
    find(body, number)?.map_or(Ok(String::new()), lossy)
}

/// Console output need not be UTF-8.
fn lossy(field: Field<'_>) -> Decoded<String> {
    Ok(String::from_utf8_lossy(field.bytes()?).into_owned())
}

fn time(body: &[u8]) -> Decoded<i64> {
    let (seconds, nanos) = (int(body, 1)?, int(body, 2)?);
    Ok(seconds
        .saturating_mul(1_000_000)
        .saturating_add(nanos / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_has_not_are_read() {
        assert!(matches!(value("NaN"), Some(Value::Number(n)) if n.is_nan()));
        assert_eq!(value("1.7956811e+09"), Some(Value::Number(1.7956811e9)));
        let json = value(r#"{"a\"NaN":[NaN,-Infinity,"Infinity"]}"#);
        let expected = serde_json::json!({"a\"NaN": [null, null, "Infinity"]});
        assert_eq!(json, Some(Value::Json(expected)));
        assert_eq!(value("nonsense"), None);
    }
}

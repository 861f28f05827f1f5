//! Values as W&B's JSON has them: with NaN and infinities.

use serde_json::Value as Json;

/// A number. JSON has no NaN and no infinities; W&B writes them in its files as Python does, and its server reads them so.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        let word = if value > 0.0 { "Infinity" } else { "-Infinity" };
        word.to_owned()
    } else {
        Json::from(value).to_string()
    }
}

/// A key and a value as W&B's records have them: objects are taken apart, each leaf with the path to it.
pub(crate) fn flatten(key: &str, text: &str) -> Vec<(Vec<String>, String)> {
    let path = vec![key.to_owned()];
    let object = text.starts_with('{').then(|| serde_json::from_str(text));
    match object {
        Some(Ok(json)) => {
            let mut leaves = Vec::new();
            take_apart(path, &json, &mut leaves);
            leaves
        }
        _ => vec![(path, text.to_owned())],
    }
}

fn take_apart(path: Vec<String>, json: &Json, leaves: &mut Vec<(Vec<String>, String)>) {
    match json {
        Json::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                let mut path = path.clone();
                path.push(key.clone());
                take_apart(path, value, leaves);
            }
        }
        leaf => leaves.push((path, leaf.to_string())),
    }
}

/// An object of values that are JSON already.
pub(crate) fn object<'a>(items: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("{");
    for (key, value) in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Json::from(key).to_string());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_has_not() {
        let numbers = [0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let items: Vec<_> = numbers.iter().map(|n| number(*n)).collect();
        assert_eq!(items, ["0.1", "NaN", "Infinity", "-Infinity"]);
        let row = object([("a\"b", "NaN"), ("c", "1")]);
        assert_eq!(row, r#"{"a\"b":NaN,"c":1}"#);
    }

    #[test]
    fn objects_are_taken_apart() {
        let leaves = flatten("h", r#"{"_type":"histogram","b":{"c":[1]},"d":{}}"#);
        let leaves: Vec<_> = leaves
            .iter()
            .map(|(p, t)| (p.join("|"), t.as_str()))
            .collect();
        let leaves: Vec<_> = leaves.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        let expected = [
            ("h|_type", "\"histogram\""),
            ("h|b|c", "[1]"),
            ("h|d", "{}"),
        ];
        assert_eq!(leaves, expected);
        assert_eq!(flatten("a/b", "NaN")[0].0, ["a/b"]);
    }
}

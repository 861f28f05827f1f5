//! Nested JSON as leaves with dotted paths, as filters write them.

use serde_json::{Map, Value as Json};

/// The leaves of an object, in its order. Lists and empty objects are leaves.
pub(crate) fn leaves(object: &Map<String, Json>) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    walk(object, "", &mut found);
    found
}

fn walk<'a>(object: &'a Map<String, Json>, prefix: &str, found: &mut Vec<(String, &'a Json)>) {
    for (key, value) in object {
        let path = format!("{prefix}{key}");
        match value {
            Json::Object(inner) if !inner.is_empty() => walk(inner, &format!("{path}."), found),
            _ => found.push((path, value)),
        }
    }
}

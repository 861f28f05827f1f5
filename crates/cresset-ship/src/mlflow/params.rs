//! Config as MLflow's params: one level of names, each with a text that never changes.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::api::Found;
use super::names;

/// Longest value, in characters (`MAX_PARAM_VAL_LENGTH` in `mlflow/utils/validation.py`); the whole stands in `config.json`.
const MAX_VALUE: usize = 6000;

/// Names and values: `{"optimizer": {"lr": 0.1}}` becomes `optimizer.lr` = `0.1`. Texts go as they are, lists and what else has no level of
/// its own as JSON.
pub(super) fn flat(config: &Map<String, Json>) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    flatten(&mut Vec::new(), config, &mut flat);
    let mut taken = HashSet::new();
    let named = flat.into_iter().map(|(path, value)| {
        let mut name = names::entity(&path.join("."));
        if !taken.insert(name.clone()) {
            // Such as `a.b` beside `b` in `a`.
            let digest = names::digest(&path.join("\0"), 6);
            name = names::entity(&format!("{name}-{digest}"));
            taken.insert(name.clone());
        }
        (name, names::cut(&value, MAX_VALUE))
    });
    named.collect()
}

fn flatten<'a>(
    path: &mut Vec<&'a str>,
    config: &'a Map<String, Json>,
    flat: &mut Vec<(Vec<&'a str>, String)>,
) {
    for (name, value) in config {
        path.push(name);
        match value {
            Json::Object(inner) if !inner.is_empty() => flatten(path, inner, flat),
            Json::String(text) => flat.push((path.clone(), text.clone())),
            value => flat.push((path.clone(), value.to_string())),
        }
        path.pop();
    }
}

/// What the server is to be told of config.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// A param that is not there yet.
    Param(&'a str, &'a str),
    /// A tag with the value that a param, which cannot change, no longer has; or has again.
    Tag(String, &'a str),
}

/// What of `wanted` the run `there` does not say yet.
pub(super) fn news<'a>(wanted: &'a [(String, String)], there: &Found) -> Vec<News<'a>> {
    let of = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<HashMap<_, _>>();
    let (params, tags) = (of(&there.params), of(&there.tags));
    let news = wanted.iter().filter_map(|(name, value)| {
        let Some(first) = params.get(name) else {
            return Some(News::Param(name, value));
        };
        let tag = format!("config.{name}");
        let now = tags.get(&names::entity(&tag)).unwrap_or(first);
        (now != value).then_some(News::Tag(tag, value))
    });
    news.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_config_becomes_one_level() {
        let config = json!({
            "optimizer": {"name": "adamw", "lr": 3e-4, "betas": [0.9, 0.999]},
            "empty": {}, "none": null, "amp": true, "optimizer.lr": "two",
        });
        let flat = flat(config.as_object().unwrap());
        let flat: Vec<_> = flat.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            flat[..6],
            [
                ("optimizer.name", "adamw"),
                ("optimizer.lr", "0.0003"),
                ("optimizer.betas", "[0.9,0.999]"),
                ("empty", "{}"),
                ("none", "null"),
                ("amp", "true"),
            ]
        );
        assert!(flat[6].0.starts_with("optimizer.lr-") && flat[6].1 == "two");
    }

    #[test]
    fn what_is_there_already_is_not_sent_again() {
        let long = "ü".repeat(MAX_VALUE + 1);
        let config = json!({"a": "1", "b": "2", "c": long});
        let wanted = flat(config.as_object().unwrap());
        assert!(wanted[2].1.ends_with('…') && wanted[2].1.chars().count() == MAX_VALUE);
        let there = Found {
            id: String::new(),
            artifact_uri: String::new(),
            params: vec![("a".into(), "0".into()), wanted[2].clone()],
            tags: Vec::new(),
        };
        assert_eq!(
            news(&wanted, &there),
            [News::Tag("config.a".into(), "1"), News::Param("b", "2")]
        );
    }

    #[test]
    fn what_changes_back_says_so() {
        let there = Found {
            id: String::new(),
            artifact_uri: String::new(),
            params: vec![("a".into(), "0".into())],
            tags: vec![("config.a".into(), "1".into())],
        };
        for (value, expected) in [("0", Some("0")), ("1", None), ("2", Some("2"))] {
            let wanted = [("a".to_owned(), value.to_owned())];
            let expected = expected.map(|value| News::Tag("config.a".into(), value));
            assert_eq!(news(&wanted, &there), Vec::from_iter(expected));
        }
    }
}

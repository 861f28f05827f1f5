//! Config as MLflow's params: one level of names, each with a text that never changes.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

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

/// Which of `wanted` are new, and which are there with another value.
pub(super) fn news<'a>(
    wanted: &'a [(String, String)],
    there: &[(String, String)],
) -> (Vec<&'a (String, String)>, Vec<&'a (String, String)>) {
    let there: HashMap<&str, &str> = there
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for param in wanted {
        match there.get(param.0.as_str()) {
            None => new.push(param),
            Some(value) if *value != param.1 => changed.push(param),
            Some(_) => {}
        }
    }
    (new, changed)
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
        let there = [("a".into(), "0".into()), wanted[2].clone()];
        let (new, changed) = news(&wanted, &there);
        assert_eq!((new, changed), (vec![&wanted[1]], vec![&wanted[0]]));
    }
}

//! The values of a row, put together from the paths to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::wandb::read::{Item, Value};

/// Deeper than this nobody nests.
const MAX_DEPTH: usize = 64;

/// The values of a row, by what they are.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Their keys at the top.
    pub(super) tops: BTreeSet<String>,
    pub(super) scalars: Vec<(String, f64)>,
    pub(super) texts: Vec<(String, String)>,
    /// Objects of a type of W&B's.
    pub(super) typed: Vec<(String, Map<String, Json>)>,
    /// What has no place, and what it is.
    pub(super) others: Vec<(String, &'static str)>,
}

impl Tree {
    pub(super) fn of(items: impl Iterator<Item = Item>) -> Self {
        let mut items: Vec<Item> = items.flat_map(opened).collect();
        let typed: BTreeSet<Vec<String>> = items
            .iter()
            .filter_map(|item| match item.path.split_last() {
                Some((last, parent)) if last == "_type" => Some(parent.to_vec()),
                _ => None,
            })
            .collect();
        let mut tree = Self::default();
        let mut objects: BTreeMap<Vec<String>, Map<String, Json>> = BTreeMap::new();
        for item in items.drain(..) {
            tree.tops.extend(item.path.first().cloned());
            // The outermost: masks and boxes are typed as well, within an image.
            let depth = (1..item.path.len()).find(|n| typed.contains(&item.path[..*n]));
            if let Some(depth) = depth {
                let (key, rest) = item.path.split_at(depth);
                let object = objects.entry(key.to_vec()).or_default();
                merge(object, rest, json(&item.value));
                continue;
            }
            // As W&B shows a nested value.
            let key = item.path.join(".");
            match item.value {
                Value::Number(number) => tree.scalars.push((key, number)),
                Value::Json(Json::Bool(yes)) => tree.scalars.push((key, f64::from(u8::from(yes)))),
                Value::Json(Json::String(text)) => tree.texts.push((key, text)),
                Value::Json(Json::Array(_)) => tree.others.push((key, "list")),
                // Nothing was logged.
                Value::Json(_) => {}
            }
        }
        let objects = objects.into_iter();
        tree.typed = objects
            .map(|(path, object)| (path.join("."), object))
            .collect();
        tree
    }
}

/// Older clients do not take objects apart.
fn opened(item: Item) -> Vec<Item> {
    match item.value {
        Value::Json(Json::Object(object)) if item.path.len() < MAX_DEPTH => {
            let items = object.into_iter().flat_map(|(key, value)| {
                let mut path = item.path.clone();
                path.push(key);
                let value = match value {
                    Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
                    other => Value::Json(other),
                };
                opened(Item { path, value })
            });
            items.collect()
        }
        value => vec![Item {
            path: item.path,
            value,
        }],
    }
}

/// Numbers that JSON has not are `null`; whole numbers are whole.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => Json::from(*n as i64),
        Value::Number(n) => Json::from(*n),
        Value::Json(json) => json.clone(),
    }
}

/// Sets the value at a path; what stands in the way makes room.
pub(super) fn merge(object: &mut Map<String, Json>, path: &[String], value: Json) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let next = object.entry(first.clone());
            let next = next.or_insert_with(|| Map::new().into());
            if !next.is_object() {
                *next = Map::new().into();
            }
            if let Json::Object(next) = next
                && path.len() < MAX_DEPTH
            {
                merge(next, rest, value);
            }
        }
    }
}

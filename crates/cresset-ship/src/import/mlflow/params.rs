//! MLflow's params, which are all texts, as config.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// Params as config. Of a run that came from here a param has the value of its first day; what changed later is a tag.
pub(super) fn config(
    params: &[(String, String)],
    tags: &BTreeMap<String, String>,
    came_from_here: bool,
) -> Map<String, Json> {
    let params = params.iter().map(|(name, text)| {
        let later = tags.get(&format!("config.{name}"));
        let text = later.filter(|_| came_from_here).unwrap_or(text);
        (name.clone(), value(text))
    });
    params.collect()
}

/// What a text most likely was: a number, a truth, a list or nothing, as Python and JSON write them; else a text.
fn value(text: &str) -> Json {
    match text {
        "True" => return true.into(),
        "False" => return false.into(),
        "None" => return Json::Null,
        _ => {}
    }
    let is_text = || Json::from(text);
    let Ok(value) = serde_json::from_str::<Json>(text) else {
        return is_text();
    };
    match &value {
        _ if text.trim() != text => is_text(),
        Json::String(_) => is_text(),
        // More digits than a number holds: an id, say.
        Json::Number(number) if number.is_f64() && text.bytes().all(|b| b.is_ascii_digit()) => {
            is_text()
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_become_what_they_were() {
        for (text, expected) in [
            ("0.0003", json!(0.0003)),
            ("1e-05", json!(1e-5)),
            ("-7", json!(-7)),
            ("True", json!(true)),
            ("false", json!(false)),
            ("None", json!(null)),
            ("[0.9, 0.999]", json!([0.9, 0.999])),
            ("{\"a\": 1}", json!({"a": 1})),
            ("{'a': 1}", json!("{'a': 1}")),
            ("adamw", json!("adamw")),
            ("\"adamw\"", json!("\"adamw\"")),
            ("", json!("")),
            (" 1", json!(" 1")),
            ("007", json!("007")),
            ("1e999", json!("1e999")),
            (
                "123456789012345678901234567890",
                json!("123456789012345678901234567890"),
            ),
            ("nan", json!("nan")),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}

//! What a server heard, without what differs from run to run.

use serde_json::{Map, Value as Json, json};

use crate::double::Exchange;

/// Lines of a stream's file, put together from all requests by their offsets.
pub(crate) fn streamed(heard: &[Exchange], file: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for request in heard.iter().filter(|e| e.is_stream()) {
        let json = request.json();
        let Some(part) = json["files"].get(file) else {
            continue;
        };
        let offset = part["offset"].as_u64().unwrap() as usize;
        for (i, line) in part["content"].as_array().unwrap().iter().enumerate() {
            let line = renumbered(line.as_str().unwrap());
            assert!(offset + i <= lines.len(), "a gap in {file}");
            lines.truncate(offset + i);
            lines.push(line);
        }
    }
    lines
}

pub(crate) fn streamed_rows(heard: &[Exchange]) -> Vec<Json> {
    let lines = streamed(heard, "wandb-history.jsonl");
    let rows = lines.iter().map(|line| parse(line));
    rows.map(|row| timeless(row.as_object().unwrap().clone()))
        .collect()
}

pub(crate) fn streamed_summary(heard: &[Exchange]) -> Json {
    let lines = streamed(heard, "wandb-summary.json");
    timeless(parse(lines.last().unwrap()).as_object().unwrap().clone())
}

/// Console lines without their times.
pub(crate) fn console(heard: &[Exchange]) -> Vec<String> {
    let lines = streamed(heard, "output.log");
    lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect()
}

/// The end that the stream was told: whether all went well.
pub(crate) fn exit(heard: &[Exchange]) -> Vec<(Json, Json)> {
    let requests = heard.iter().filter(|e| e.is_stream()).map(Exchange::json);
    let ends = requests.filter(|json| json.get("complete").is_some());
    ends.map(|json| (json["complete"].clone(), json["exitcode"].clone()))
        .collect()
}

/// Config as the last request about the run has it, without what tells clients apart.
pub(crate) fn config(heard: &[Exchange]) -> Json {
    let asked = heard.iter().filter_map(|e| e.variables("upsertBucket"));
    let mut configs =
        asked.filter_map(|v| serde_json::from_str::<Json>(v["config"].as_str()?).ok());
    let mut config = configs.next_back().unwrap();
    let wandb = config["_wandb"]["value"].as_object_mut().unwrap();
    wandb.retain(|key, _| key == "m");
    // Metrics have no order, but where one names another by its number.
    sorted(&config)
}

/// JSON as Python writes it: NaN and infinities become text.
pub(crate) fn parse(text: &str) -> Json {
    let plain = [
        ("NaN", "\"NaN\""),
        ("-Infinity", "\"-Infinity\""),
        ("Infinity", "\"Infinity\""),
    ];
    if let Ok(json) = serde_json::from_str(text) {
        return json;
    }
    let mut text = text.to_owned();
    for (token, quoted) in plain {
        text = text.replace(&format!(":{token}"), &format!(":{quoted}"));
        if text == token {
            text = quoted.to_owned();
        }
    }
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// Without what differs from run to run.
pub(crate) fn timeless(mut row: Map<String, Json>) -> Json {
    for name in ["_timestamp", "_runtime", "_wandb"] {
        row.remove(name);
    }
    whole_numbers(&mut row);
    sorted(&Json::Object(row))
}

/// W&B's client has a count of its own, one behind the step, in names of files.
pub(crate) fn renumbered(text: &str) -> String {
    text.replace("page_6_", "page_7_")
}

/// W&B writes 1.0 as 1.
pub(crate) fn whole_numbers(row: &mut Map<String, Json>) {
    row.values_mut().for_each(as_float);
}

fn as_float(value: &mut Json) {
    match value {
        Json::Number(number) => *value = json!(number.as_f64().unwrap()),
        Json::Object(object) => whole_numbers(object),
        Json::Array(list) => list.iter_mut().for_each(as_float),
        _ => {}
    }
}

pub(crate) fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(object) => {
            let mut keys: Vec<_> = object.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let keys = keys.into_iter().map(|(k, v)| (k.clone(), sorted(v)));
            Json::Object(keys.collect())
        }
        Json::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

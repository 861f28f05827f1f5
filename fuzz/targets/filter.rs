//! Any text as a filter, asked of a run whose config and summary are any JSON: the filter, a line feed, the JSON.
#![no_main]

use std::collections::BTreeMap;

use cresset_record::{Project, RunId, State, Timestamp};
use cresset_store::{Filter, RunDocument, RunKey};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value as Json};

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let (filter, json) = text.split_once('\n').unwrap_or((&text, ""));
    let filter = match Filter::parse(filter) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!((1..=filter.chars().count() + 1).contains(&error.column()));
            return;
        }
    };
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{printed}");
    assert!(!filter.fields().is_empty());

    let values: Map<String, Json> = serde_json::from_str(json).unwrap_or_default();
    let run = run(values);
    let passes = filter.matches(&run);
    let negated = Filter::parse(&format!("not ({printed})"));
    // At the bound of nesting the negation cannot be read.
    if let Ok(negated) = negated {
        assert_ne!(negated.matches(&run), passes, "{printed}");
    }
});

fn run(values: Map<String, Json>) -> RunDocument {
    RunDocument {
        key: RunKey {
            project: Project::try_from("solder".to_owned()).expect("a name"),
            run: RunId::try_from("r1".to_owned()).expect("an id"),
        },
        ordinal: 0,
        version: 1,
        name: "amber-harbor-1".into(),
        state: State::Finished,
        created: Some(Timestamp(1_793_527_200_000_000)),
        active: Some(Timestamp(1_793_527_260_000_000)),
        group: None,
        job_type: None,
        tags: vec!["v4".into()],
        notes: String::new(),
        config: values.clone(),
        config_history: Vec::new(),
        summary: values,
        environment: Map::new(),
        definitions: Vec::new(),
        writers: Vec::new(),
        resumed: Vec::new(),
        lost: BTreeMap::new(),
        damage: Vec::new(),
        alerts: (0, 0),
        console_lines: 0,
        last_step: None,
        log_bytes: 0,
    }
}

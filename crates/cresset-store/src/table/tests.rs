//! The table against a dull second one that builds JSON for every look at a value.

use cresset_record::{Definition, Goal, State, Timestamp};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::fixture::{document, key, object};
use super::rows::Rows;
use super::survey::survey;
use super::{Field, FieldKind, FieldSource, RunGroup, RunPage, TableQuery};
use crate::document::RunDocument;
use crate::error::StoreError;
use crate::filter::{Filter, plain};
use crate::row::Row;

/// An hour after the run of the fixtures began.
const NOW: Timestamp = Timestamp(1_793_530_800_000_000);

fn rows(runs: &[RunDocument]) -> Rows {
    let mut rows = Rows::default();
    runs.iter().for_each(|run| rows.put(run));
    rows
}

fn ask(runs: &[RunDocument], query: &TableQuery) -> Result<RunPage, StoreError> {
    let rows = rows(runs);
    let project = rows.project(&key("solder", "x").project);
    let all = project.into_iter().flat_map(|p| p.iter());
    query.answer(all, rows.names(), 7, NOW)
}

fn query() -> TableQuery {
    TableQuery {
        limit: usize::MAX,
        ..TableQuery::default()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The same question, answered without any cleverness.
mod dull {
    use super::*;

    pub(super) fn runs<'a>(runs: &'a [RunDocument], query: &TableQuery) -> Vec<&'a RunDocument> {
        let filter = Filter::parse(&query.filter).ok();
        let search = query.search.to_lowercase();
        let mut passing: Vec<&RunDocument> = runs
            .iter()
            .filter(|run| filter.as_ref().is_none_or(|f| plain::passes(f, run, NOW)))
            .filter(|run| {
                let mut texts = vec![&run.name, &run.notes];
                texts.extend(&run.tags);
                texts.extend(&run.group);
                texts
                    .iter()
                    .any(|text| text.to_lowercase().contains(&search))
                    || run.key.run.as_str().to_lowercase().contains(&search)
            })
            .collect();
        // Sorting by the last field first, as a stable sort keeps what was there.
        passing.sort_by(|a, b| (b.created, &b.key.run).cmp(&(a.created, &a.key.run)));
        for field in query.sort.iter().rev() {
            let (path, descending) = match field.strip_prefix('-') {
                Some(path) => (path, true),
                None => (field.as_str(), false),
            };
            passing.sort_by(|a, b| {
                let (a, b) = (sort_key(a, path), sort_key(b, path));
                let by_value = a.1.total_cmp(&b.1).then(a.2.cmp(&b.2));
                a.0.cmp(&b.0).then(if descending {
                    by_value.reverse()
                } else {
                    by_value
                })
            });
        }
        passing
    }

    fn sort_key(run: &RunDocument, path: &str) -> (u8, f64, String) {
        match plain::field(run, path, NOW) {
            None | Some(Json::Null) => (3, 0.0, String::new()),
            Some(value) => match number(&value) {
                Some(n) if n.is_nan() => (2, 0.0, String::new()),
                Some(n) => (0, n, String::new()),
                None => (1, 0.0, text(&value)),
            },
        }
    }

    pub(super) fn number(value: &Json) -> Option<f64> {
        match value {
            Json::Number(n) => n.as_f64(),
            Json::String(text) if ["NaN", "inf", "-inf"].contains(&text.as_str()) => {
                text.parse().ok()
            }
            _ => None,
        }
    }

    fn text(value: &Json) -> String {
        match value {
            Json::String(text) => text.clone(),
            Json::Array(list) => {
                let parts: Vec<String> = list.iter().map(text).collect();
                format!("[{}]", parts.join(", "))
            }
            Json::Object(map) => {
                let mut parts: Vec<(&String, &Json)> = map.iter().collect();
                parts.sort_by_key(|(name, _)| *name);
                let write = |(name, value): (&String, &Json)| format!("{name}: {}", text(value));
                let parts: Vec<String> = parts.into_iter().map(write).collect();
                format!("{{{}}}", parts.join(", "))
            }
            other => other.to_string(),
        }
    }

    /// Paths of all that is no object, as filters read them.
    pub(super) fn leaves(run: &RunDocument) -> Vec<String> {
        let mut paths = Vec::new();
        for (name, value) in &run.config {
            descend(&format!("config.{name}"), value, &mut paths);
        }
        for (name, value) in &run.summary {
            descend(name, value, &mut paths);
        }
        paths
    }

    fn descend(path: &str, value: &Json, paths: &mut Vec<String>) {
        match value {
            Json::Object(inside) if !inside.is_empty() => {
                for (name, value) in inside {
                    descend(&format!("{path}.{name}"), value, paths);
                }
            }
            _ => paths.push(path.to_owned()),
        }
    }

    pub(super) fn groups(
        runs: &[&RunDocument],
        query: &TableQuery,
    ) -> Vec<(Vec<Json>, Vec<String>)> {
        let mut groups: Vec<(Vec<Json>, Vec<String>)> = Vec::new();
        for run in runs {
            let value = |path: &String| plain::field(run, path, NOW).unwrap_or(Json::Null);
            let key: Vec<Json> = query.group.iter().map(value).collect();
            let place = groups.iter().position(|(known, _)| *known == key);
            let place = place.unwrap_or_else(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(run.key.run.as_str().to_owned());
        }
        groups
    }
}

fn value() -> impl Strategy<Value = Json> {
    let plain = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3i64..4).prop_map(Json::from),
        Just(json!(u64::MAX)),
        Just(json!(0.001f32)),
        Just(json!(0.001)),
        Just(json!(-0.0)),
        Just(json!(1e300)),
        Just(json!("NaN")),
        Just(json!("inf")),
        Just(json!("-inf")),
        Just(json!("adamw")),
        Just(json!("50")),
        Just(json!("2026-11-01T10:00:00Z")),
    ];
    plain.prop_recursive(3, 12, 3, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(name(), inside, 0..3)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just("a.b"),
        Just("val/auc"),
        Just("0"),
        Just(""),
    ]
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let inside = prop::collection::vec(name(), 1..4).prop_map(|names| names.join("."));
    let place = prop_oneof![
        Just(""),
        Just("config."),
        Just("summary."),
        Just("environment.")
    ];
    prop_oneof![
        3 => (place, inside).prop_map(|(place, inside)| format!("{place}{inside}")),
        1 => prop::sample::select(vec![
            "name", "id", "project", "state", "reason", "duration", "age", "created", "group", "job_type",
            "tags", "notes", "host", "alerts", "lost", "damage", "config", "environment", "none",
        ]).prop_map(str::to_owned),
    ]
}

fn run() -> impl Strategy<Value = RunDocument> {
    let map = || prop::collection::btree_map(name(), value(), 0..4);
    let state = prop_oneof![
        Just(State::Running),
        Just(State::Finished),
        Just(State::Failed("NaN".into())),
        Just(State::Crashed)
    ];
    let labels = (
        prop::sample::select(vec!["amber-1", "Ärger", "calm-2"]),
        prop::sample::subsequence(vec!["v3", "v4"], 0..=2),
        prop::option::of(Just("g".to_owned())),
    );
    (
        map(),
        map(),
        map(),
        state,
        prop::option::of(0i64..3),
        labels,
    )
        .prop_map(
            |(config, summary, environment, state, created, (name, tags, group))| {
                let mut run = document("solder", "r");
                run.config = config.into_iter().collect();
                run.summary = summary.into_iter().collect();
                run.environment = environment.into_iter().collect();
                run.state = state;
                run.created = created.map(|hours| Timestamp(NOW.0 - hours * 3_600_000_000));
                run.name = name.to_owned();
                run.tags = words(&tags);
                run.group = group;
                run
            },
        )
}

fn runs() -> impl Strategy<Value = Vec<RunDocument>> {
    prop::collection::vec(run(), 0..8).prop_map(|mut runs| {
        for (i, run) in runs.iter_mut().enumerate() {
            run.key = key("solder", &format!("r{i}"));
            run.ordinal = i as u64;
        }
        runs
    })
}

fn filter() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">=", "~", "has"]);
    let value = prop::sample::select(vec![
        "1",
        "0.001",
        "1e-3",
        "adamw",
        "\"adamw\"",
        "50",
        "\"50\"",
        "true",
        "null",
        "NaN",
        "inf",
        "2026-11-01",
        "1h",
        "a",
        "v4",
        "finished",
        "*",
        "solder",
        "18446744073709551615",
        "\"NaN\"",
        "''",
    ]);
    let test = (path(), operator, value, any::<bool>()).prop_map(|(path, operator, value, not)| {
        let not = if not { "not " } else { "" };
        let text = format!("{not}\"{path}\" {operator} {value}");
        // Values that could never match are refused.
        match Filter::parse(&text) {
            Ok(_) => text,
            Err(_) => format!("{not}\"{path}\" ~ {value}"),
        }
    });
    prop::collection::vec((test, any::<bool>()), 1..4).prop_map(|tests| {
        let mut text = String::new();
        for (i, (test, and)) in tests.into_iter().enumerate() {
            if i > 0 {
                text.push_str(if and { " and " } else { " or " });
            }
            text.push_str(&test);
        }
        text
    })
}

fn ids(page: &RunPage) -> Vec<&str> {
    let ids = page.runs.iter().map(|run| run.head.key.run.as_str());
    ids.collect()
}

proptest! {
    #[test]
    fn filters_pass_what_plain_filters_pass(runs in runs(), filter in filter()) {
        let query = TableQuery { filter, ..query() };
        let page = ask(&runs, &query).unwrap();
        let dull: Vec<&str> = dull::runs(&runs, &query).iter().map(|run| run.key.run.as_str()).collect();
        prop_assert_eq!(ids(&page), dull);
        prop_assert_eq!((page.total, page.matched), (runs.len(), page.runs.len()));
        let parsed = Filter::parse(&query.filter).unwrap();
        let one = runs.iter().filter(|run| {
            // It asks at a later time.
            !query.filter.contains("age") && !query.filter.contains("duration") && parsed.matches(run)
        });
        prop_assert!(query.filter.contains("age") || query.filter.contains("duration") || one.count() == page.matched);
    }

    #[test]
    fn runs_are_sorted_searched_and_cut_as_by_hand(
        runs in runs(),
        sort in prop::collection::vec((path(), any::<bool>()), 0..3),
        search in prop::sample::select(vec!["", "V4", "är", "r1", "calm", "nothing"]),
        (offset, limit) in (0usize..4, 0usize..9),
    ) {
        let sort = sort
            .into_iter()
            .map(|(path, descending)| format!("{}{path}", if descending { "-" } else { "" }))
            .filter(|field| !field.trim_start_matches('-').is_empty())
            .collect();
        let query = TableQuery { sort, search: search.to_owned(), offset, limit, ..query() };
        let page = ask(&runs, &query).unwrap();
        let dull = dull::runs(&runs, &query);
        let part: Vec<&str> = dull.iter().skip(offset).take(limit).map(|run| run.key.run.as_str()).collect();
        prop_assert_eq!(ids(&page), part);
        prop_assert_eq!(page.matched, dull.len());
    }

    #[test]
    fn columns_hold_what_filters_see(runs in runs(), columns in prop::collection::vec(path(), 0..4)) {
        let page = ask(&runs, &TableQuery { columns: columns.clone(), ..query() }).unwrap();
        for (row, run) in page.runs.iter().zip(dull::runs(&runs, &query())) {
            for path in &columns {
                let value = row.values.iter().find(|(p, _)| **p == **path).map(|(_, value)| value.clone());
                prop_assert_eq!(value, plain::field(run, path, NOW), "{}", path);
            }
        }
        let page = ask(&runs, &TableQuery { columns: words(&["*"]), ..query() }).unwrap();
        for (row, run) in page.runs.iter().zip(dull::runs(&runs, &query())) {
            let mut paths: Vec<&str> = row.values.iter().map(|(path, _)| &**path).collect();
            let mut expected = dull::leaves(run);
            paths.sort_unstable();
            paths.dedup();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(paths, expected);
            for (path, value) in &row.values {
                prop_assert_eq!(Some(value.clone()), plain::field(run, path, NOW), "{}", path);
            }
        }
    }

    #[test]
    fn groups_are_those_made_by_hand(
        runs in runs(),
        group in prop::collection::vec(path(), 1..3),
        column in path(),
    ) {
        let query = TableQuery { group, columns: vec![column.clone()], ..query() };
        let page = ask(&runs, &query).unwrap();
        let dull = dull::groups(&dull::runs(&runs, &query), &query);
        let keys: Vec<(Vec<Json>, Vec<String>)> =
            page.groups.iter().map(|g| (g.key.clone(), g.ids.clone())).collect();
        prop_assert_eq!(keys, dull);
        for group in &page.groups {
            prop_assert_eq!(group.runs, group.ids.len());
            check_numbers(group, &runs, &column);
        }
    }

    #[test]
    fn fields_count_what_runs_have(runs in runs()) {
        let rows = rows(&runs);
        let project = rows.project(&key("solder", "x").project);
        let all: Vec<&Row> = project.into_iter().flat_map(|p| p.iter()).collect();
        for field in survey(&all, rows.names(), NOW) {
            if field.source == FieldSource::Environment {
                continue;
            }
            let values: Vec<Json> =
                runs.iter().filter_map(|run| plain::field(run, &field.path, NOW)).collect();
            if field.source == FieldSource::Run {
                prop_assert_eq!(field.runs as usize, values.len(), "{}", field.path);
            }
            prop_assert!(field.values.iter().all(|value| values.contains(value)), "{:?}", field);
            let numbers = values.iter().filter_map(dull::number).filter(|n| n.is_finite());
            if let Some((low, high)) = field.range {
                prop_assert!(numbers.clone().any(|n| n == low) && numbers.clone().any(|n| n == high));
            }
        }
    }
}

fn check_numbers(group: &RunGroup, runs: &[RunDocument], column: &str) {
    let of_group = runs
        .iter()
        .filter(|run| group.ids.iter().any(|id| id == run.key.run.as_str()));
    let numbers: Vec<f64> = of_group
        .filter_map(|run| dull::number(&plain::field(run, column, NOW)?))
        .filter(|n| n.is_finite())
        .collect();
    let Some(spread) = group.numbers.first() else {
        assert!(numbers.is_empty());
        return;
    };
    assert_eq!(spread.count, numbers.len() as u64);
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
    let mean = numbers
        .iter()
        .map(|n| n / numbers.len() as f64)
        .sum::<f64>();
    assert!(near(spread.mean, mean), "{spread:?} {numbers:?}");
    let extreme = |pick: fn(f64, f64) -> f64| numbers.iter().copied().reduce(pick).unwrap();
    assert_eq!(
        (spread.min, spread.max),
        (extreme(f64::min), extreme(f64::max))
    );
    if numbers.len() < 2 {
        assert!(spread.std.is_nan());
    } else if mean.abs() < 1e6 {
        let squares: f64 = numbers.iter().map(|n| (n - mean).powi(2)).sum();
        assert!(near(
            spread.std,
            (squares / (numbers.len() - 1) as f64).sqrt()
        ));
    }
}

fn refused(query: &TableQuery) -> (String, Option<usize>) {
    match ask(&[], query) {
        Err(StoreError::Invalid { message, column }) => (message, column),
        other => panic!("{other:?}"),
    }
}

#[test]
fn questions_without_sense_are_refused() {
    let sort = TableQuery {
        sort: words(&["name", "--x"]),
        ..query()
    };
    let (message, column) = refused(&sort);
    assert!(message.contains("`--x`") && column.is_none(), "{message}");
    let filter = TableQuery {
        filter: "val/auc >".into(),
        ..query()
    };
    let (message, column) = refused(&filter);
    assert!(message.contains("expected a value"), "{message}");
    assert_eq!(column, Some(10));
    let columns = TableQuery {
        columns: vec!["a".into(); 1_001],
        ..query()
    };
    assert!(refused(&columns).0.contains("1001"));
}

#[test]
fn rows_come_change_and_go() {
    let mut rows = Rows::default();
    let project = key("solder", "x").project;
    for i in 0..5 {
        rows.put(&document("solder", &format!("r{i}")));
    }
    rows.put(&document("other", "r0"));
    let mut renamed = document("solder", "r4");
    renamed.name = "calm-reef-4".into();
    rows.put(&renamed);
    rows.remove(&project, &key("solder", "r1").run);
    rows.remove(&project, &key("solder", "r1").run);
    rows.set_version(&project, 9);
    let left = rows.project(&project).unwrap();
    let mut names: Vec<&str> = left.iter().map(|row| row.head.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["calm-reef-4", "r0", "r2", "r3"]);
    let moved = left.get(&key("solder", "r4").run).unwrap();
    assert_eq!((moved.head.name.as_str(), left.version), ("calm-reef-4", 9));
    assert!(left.get(&key("solder", "r1").run).is_none());
}

#[test]
fn fields_say_what_their_values_are() {
    let mut runs: Vec<RunDocument> = (0..3)
        .map(|i| document("solder", &format!("r{i}")))
        .collect();
    let (mixed, auc) = (
        [json!(1), json!("a"), json!(null)],
        [json!(0.9), json!("NaN"), json!(0.8)],
    );
    for (i, run) in runs.iter_mut().enumerate() {
        run.ordinal = i as u64;
        run.config = object(json!({
            "lr": 0.1, "optimizer": {"name": "adamw", "betas": [0.9]}, "amp": i == 0, "mixed": mixed[i].clone(),
        }));
        run.summary = object(json!({"val/auc": auc[i].clone(), "name": "taken"}));
        run.definitions = vec![Definition::new("val/*").maximize().unit("1")];
        run.tags = words(&["v4"]);
    }
    runs[0].environment = object(json!({"host": {"name": "box"}}));
    let rows = rows(&runs);
    let project = rows.project(&key("solder", "x").project).unwrap();
    let all: Vec<&Row> = project.iter().collect();
    let fields = survey(&all, rows.names(), NOW);
    let of = |path: &str| -> &Field { fields.iter().find(|f| f.path == path).unwrap() };
    let auc = of("val/auc");
    assert_eq!(
        (auc.kind, auc.source, auc.runs),
        (FieldKind::Number, FieldSource::Summary, 3)
    );
    assert_eq!(
        (auc.range, auc.goal),
        (Some((0.8, 0.9)), Some(Goal::Maximize))
    );
    assert_eq!((auc.unit.as_deref(), auc.distinct), (Some("1"), 3));
    assert_eq!(of("config.amp").values, [json!(false), json!(true)]);
    assert_eq!(of("config.amp").kind, FieldKind::Bool);
    assert_eq!(of("config.mixed").kind, FieldKind::Mixed);
    assert_eq!(of("config.optimizer.betas").kind, FieldKind::List);
    assert_eq!(of("summary.name").values, [json!("taken")]);
    assert_eq!(of("environment.host.name").runs, 1);
    assert_eq!(
        (of("tags").kind, of("created").kind),
        (FieldKind::List, FieldKind::Time)
    );
    assert_eq!(of("duration").kind, FieldKind::Seconds);
    assert!(fields.iter().all(|field| field.path != "config.optimizer"));
}

#[test]
fn a_long_text_is_cut_and_a_shared_one_is_kept_once() {
    let mut runs = [document("solder", "r0"), document("solder", "r1")];
    for run in &mut runs {
        run.environment = object(json!({"git": {"diff": "é".repeat(1 << 20)}}));
    }
    let rows = rows(&runs);
    let project = rows.project(&key("solder", "x").project).unwrap();
    let environments: Vec<_> = project.iter().map(|row| &row.environment).collect();
    assert!(std::sync::Arc::ptr_eq(environments[0], environments[1]));
    let text = environments[0].to_json(rows.names())["git"]["diff"]
        .as_str()
        .map(str::len);
    assert_eq!(text, Some(4 << 10));
}

//! The table of 10,000 runs with 100 columns, by processor time of the thread that asks.

use std::fs;
use std::hint::black_box;

use anyhow::{Result, ensure};
use cresset_benches::{Budget, Curve, Figures, thread_cpu_seconds};
use cresset_record::{
    End, FrameBuilder, Key, KeyId, LogWriter, Outcome, Rank, Record, Root, RunId, Start, Timestamp,
};
use cresset_store::{Store, TableQuery};
use serde_json::{Map, Value as Json, json};

use crate::runs::project;

const RUNS: u64 = 10_000;
/// Fields of the config, and keys of the summary.
const HALF: u64 = 50;
const ROUNDS: u32 = 20;
const BEGIN: Timestamp = Timestamp(1_793_527_200_000_000);

/// Measures the index of many short runs and questions to their table.
pub(crate) fn measure(shrink: u64, figures: &mut Figures) -> Result<()> {
    let runs = RUNS / shrink;
    let many = Many::index(runs)?;
    let mut show = |what: &str, ms: f64, budget| {
        let name = format!("table of {runs} runs, {what}, processor time");
        figures.add(name, ms, "ms", budget);
    };
    show("index from nothing", many.index_ms, Budget::None);
    let spent = cpu_ms();
    let all = many.ask(&TableQuery::default())?;
    ensure!(all as u64 == runs, "{all} runs of {runs}");
    show("first question", cpu_ms() - spent, Budget::None);
    for (what, query) in queries() {
        show(what, many.cost_of(&query)?, Budget::AtMost(100.0));
    }
    Ok(())
}

/// How the index and its answers grow with runs.
pub(crate) fn grow(shrink: u64) -> Result<[Curve; 2]> {
    let mut index = Curve::new("to index them, processor time", "runs", "ms");
    let mut answer = Curve::new(
        "a page of 200 with 100 columns, filtered and sorted, processor time",
        "runs",
        "ms",
    );
    let query = wide();
    for runs in [10, 100, 1000, RUNS / shrink] {
        let many = Many::index(runs)?;
        index.push(runs as f64, many.index_ms);
        answer.push(runs as f64, many.cost_of(&query)?);
    }
    Ok([index, answer])
}

/// Runs and their index.
struct Many {
    store: Store,
    index_ms: f64,
    _dir: tempfile::TempDir,
}

impl Many {
    fn index(runs: u64) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let root = Root::new(dir.path());
        for i in 0..runs {
            record(&root, i)?;
        }
        let store = Store::open(root)?;
        let spent = cpu_ms();
        store.refresh()?;
        Ok(Self {
            store,
            index_ms: cpu_ms() - spent,
            _dir: dir,
        })
    }

    /// How many runs pass.
    fn ask(&self, query: &TableQuery) -> Result<usize> {
        Ok(black_box(self.store.runs(&project()?, query)?).matched)
    }

    /// Milliseconds of an answer, asked before.
    fn cost_of(&self, query: &TableQuery) -> Result<f64> {
        ensure!(self.ask(query)? > 0, "nothing passes");
        let spent = cpu_ms();
        for _ in 0..ROUNDS {
            self.ask(query)?;
        }
        Ok((cpu_ms() - spent) / f64::from(ROUNDS))
    }
}

const FILTER: &str =
    "val/metric_7 > 0.25 and config.group_1.value_3 != 3 and state = finished and tags has v4";

/// The page that the budget is for.
fn wide() -> TableQuery {
    TableQuery {
        filter: FILTER.into(),
        sort: vec!["-val/metric_3".to_owned()],
        columns: vec!["*".to_owned()],
        limit: 200,
        ..TableQuery::default()
    }
}

fn queries() -> Vec<(&'static str, TableQuery)> {
    let query = || TableQuery {
        limit: 200,
        ..TableQuery::default()
    };
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    vec![
        ("all, newest first", query()),
        (
            "filtered by 4 fields and sorted by one",
            TableQuery {
                columns: Vec::new(),
                ..wide()
            },
        ),
        ("the same with 100 columns", wide()),
        (
            "all sorted by text and number",
            TableQuery {
                sort: texts(&["config.group_0.value_0", "val/metric_9"]),
                ..query()
            },
        ),
        (
            "searched",
            TableQuery {
                search: "HARBOR-77".into(),
                ..query()
            },
        ),
        (
            "grouped, with mean and deviation of 100 columns",
            TableQuery {
                group: texts(&["config.group_0.value_0"]),
                columns: texts(&["*"]),
                ..query()
            },
        ),
        (
            "all 10,000 with 64 columns",
            TableQuery {
                columns: (0..50)
                    .map(|i| format!("val/metric_{i}"))
                    .chain((0..10).map(|i| format!("config.group_1.value_{i}")))
                    .collect(),
                limit: 10_000,
                ..TableQuery::default()
            },
        ),
    ]
}

fn cpu_ms() -> f64 {
    thread_cpu_seconds() * 1e3
}

/// A finished run with nested config, an environment, and a value of each key.
fn record(root: &Root, i: u64) -> Result<()> {
    let run = RunId::try_from(format!("r{i:06}"))?;
    let dir = root.run(&project()?, &run);
    fs::create_dir_all(dir.path())?;
    let noise = |k: u64| ((i * 2_654_435_761 + k * 40_503) % 10_007) as f64 / 10_007.0;
    let mut config = Map::new();
    for group in 0..5 {
        let values = (0..HALF / 5).map(|k| {
            let value = match (group, k) {
                (0, 0) => json!(["adam", "adamw", "sgd", "lion"][(i % 4) as usize]),
                (1, _) => json!(i % 7),
                _ => json!(noise(group * 10 + k)),
            };
            (format!("value_{k}"), value)
        });
        config.insert(format!("group_{group}"), Json::Object(values.collect()));
    }
    let mut frame = FrameBuilder::default();
    let start = Start {
        run,
        project: project()?,
        name: format!("amber-harbor-{i}"),
        rank: Rank(0),
        world_size: None,
        time: Timestamp(BEGIN.0 + i as i64 * 1_000_000),
        group: None,
        job_type: None,
        tags: vec![if i.is_multiple_of(2) { "v4" } else { "v3" }.to_owned()],
        notes: String::new(),
        config,
        cresset_version: "0.1.0".into(),
    };
    frame.push(&Record::Start(Box::new(start)))?;
    let environment = json!({
        "host": {"name": format!("box-{}", i % 3), "cpus": 64},
        "git": {"commit": format!("{:040x}", i / 100), "dirty": false},
        "crates": (0..40).map(|c| (format!("crate-{c}"), json!("1.2.3"))).collect::<Map<_, _>>(),
    });
    let environment = environment.as_object().cloned().unwrap_or_default();
    frame.push(&Record::Environment(environment))?;
    let keys: Vec<KeyId> = (0..HALF as u32).map(KeyId).collect();
    for &id in &keys {
        let key = Key::new(&format!("val/metric_{}", id.0))?;
        frame.push(&Record::Key { id, key })?;
    }
    let points: Vec<_> = keys
        .iter()
        .map(|&id| (id, noise(u64::from(id.0))))
        .collect();
    frame.push_row(1, Timestamp(BEGIN.0 + 1), &points);
    let end = End {
        time: Timestamp(BEGIN.0 + i as i64 * 1_000_000 + 60_000_000),
        outcome: Outcome::Finished,
    };
    frame.push(&Record::End(end))?;
    LogWriter::create(&dir, Rank(0))?.append(&mut frame)?;
    Ok(())
}

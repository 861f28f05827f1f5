//! What a table of 10,000 runs with 100 columns costs:
//! `cargo test --release -p cresset-store --test measure_table -- --ignored --nocapture`

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};

use cresset_record::{
    End, FrameBuilder, Key, KeyId, LogWriter, Outcome, Project, Rank, Record, Root, RunId, Start,
    Timestamp,
};
use cresset_store::{Store, TableQuery};
use serde_json::{Map, Value as Json, json};

const RUNS: u64 = 10_000;
const HALF: u64 = 50;
const ROUNDS: u32 = 50;
const BEGIN: Timestamp = Timestamp(1_793_527_200_000_000);

#[test]
#[ignore = "measures, and takes a while"]
fn the_table_of_ten_thousand_runs() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root::new(dir.path());
    (0..RUNS).for_each(|i| record(&root, i));
    let store = Store::open(root).unwrap();
    let spent = cpu_ms();
    store.refresh().unwrap();
    println!("index of {RUNS} runs: {:.0} ms", cpu_ms() - spent);
    let project = project();
    let before = allocated();
    let spent = cpu_ms();
    let all = ask(&store, &project, &TableQuery::default());
    assert_eq!(all, RUNS as usize);
    println!("first question: {:.0} ms", cpu_ms() - spent);
    println!("memory: {:.1} MB", (allocated() - before) as f64 / 1e6);

    let query = || TableQuery {
        limit: 200,
        ..TableQuery::default()
    };
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let filter =
        "val/metric_7 > 0.25 and config.group_1.value_3 != 3 and state = finished and tags has v4";
    for (what, query) in [
        ("all, newest first", query()),
        (
            "filtered by 4 fields and sorted by one",
            TableQuery {
                filter: filter.into(),
                sort: texts(&["-val/metric_3"]),
                ..query()
            },
        ),
        (
            "the same with 100 columns",
            TableQuery {
                filter: filter.into(),
                sort: texts(&["-val/metric_3"]),
                columns: texts(&["*"]),
                ..query()
            },
        ),
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
    ] {
        let matched = ask(&store, &project, &query);
        let spent = cpu_ms();
        for _ in 0..ROUNDS {
            ask(&store, &project, &query);
        }
        let each = (cpu_ms() - spent) / f64::from(ROUNDS);
        println!("{what}: {each:.1} ms of processor time, {matched} pass");
    }
    let spent = cpu_ms();
    let fields = store.fields(&project).unwrap();
    println!("{} fields: {:.0} ms", fields.len(), cpu_ms() - spent);
}

/// Milliseconds that this thread has computed: a busy machine makes the clock's figures useless.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e6
}

fn ask(store: &Store, project: &Project, query: &TableQuery) -> usize {
    let page = store.runs(project, query).unwrap();
    black_box(page).matched
}

fn project() -> Project {
    Project::try_from("measured".to_owned()).unwrap()
}

fn record(root: &Root, i: u64) {
    let run = RunId::try_from(format!("r{i:06}")).unwrap();
    let dir = root.run(&project(), &run);
    fs::create_dir_all(dir.path()).unwrap();
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
        project: project(),
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
    frame.push(&Record::Start(Box::new(start))).unwrap();
    let environment = json!({
        "host": {"name": format!("box-{}", i % 3), "cpus": 64},
        "git": {"commit": format!("{:040x}", i / 100), "dirty": false},
        "crates": (0..40).map(|c| (format!("crate-{c}"), json!("1.2.3"))).collect::<Map<_, _>>(),
    });
    let environment = environment.as_object().cloned().unwrap();
    frame.push(&Record::Environment(environment)).unwrap();
    let keys: Vec<KeyId> = (0..HALF as u32).map(KeyId).collect();
    for &id in &keys {
        let key = Key::new(&format!("val/metric_{}", id.0)).unwrap();
        frame.push(&Record::Key { id, key }).unwrap();
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
    frame.push(&Record::End(end)).unwrap();
    LogWriter::create(&dir, Rank(0))
        .unwrap()
        .append(&mut frame)
        .unwrap();
}

/// Counts what is allocated: resident memory hardly changes where the index left room.
struct Counting;

static ALLOCATED: AtomicI64 = AtomicI64::new(0);

#[expect(unsafe_code, reason = "the trait is unsafe to implement")]
// SAFETY: all is left to the system's allocator, with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated() -> i64 {
    ALLOCATED.load(Ordering::Relaxed)
}

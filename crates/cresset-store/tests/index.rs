//! The index gives the same answers as the logs, however it came to be.

mod common;

use std::fs;

use common::logs::{Growing, KEYS, Random, ops, write};
use common::reference::check_chart;
use common::{key, project, query};
use cresset_record::*;
use cresset_store::*;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

/// Few, as each is long; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(24, |_| ProptestConfig::default().cases)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 60, failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))), ..ProptestConfig::default() })]

    /// Indexed in random pieces while the log grows by random bytes, by stores that are opened anew now and then; then made
    /// anew at once. Both give what the logs say.
    #[test]
    fn any_log_in_any_pieces(ops in ops(), seed in any::<u64>()) {
        let folder = tempfile::tempdir().unwrap();
        let source = Root::new(folder.path().join("source")).run(&project(), &key("r").run);
        write(&source, &ops);
        let root = Root::new(folder.path().join("target"));
        let mut random = Random(seed);
        let mut growing = Growing::new(&source, root.run(&project(), &key("r").run));
        let mut store = Store::open(root.clone()).unwrap();
        while !growing.is_done() {
            growing.grow(&mut random);
            if random.next().is_multiple_of(3) {
                let refreshed = store.refresh().unwrap();
                prop_assert_eq!(refreshed.refused, vec![]);
            }
            if random.next().is_multiple_of(9) {
                store = Store::open(root.clone()).unwrap();
            }
        }
        if random.next().is_multiple_of(2) {
            store.refresh().unwrap();
            check(&root, &store, &mut random);
        }
        growing.die();
        store.refresh().unwrap();
        check(&root, &store, &mut random);
        store.rebuild().unwrap();
        check(&root, &store, &mut random);
    }
}

fn check(root: &Root, store: &Store, random: &mut Random) {
    let key = key("r");
    let view = RunView::open(root.run(&key.project, &key.run)).unwrap();
    let document = store.run(&key).unwrap();
    assert_eq!(document.name, view.name());
    assert_eq!(document.state, view.state());
    same_summary(&document.summary, &view.summary());
    if let Some(start) = view.start() {
        assert_eq!(
            (&document.config, &document.tags),
            (&start.config, &start.tags)
        );
        assert_eq!(document.created, Some(start.time));
    }
    assert_eq!(document.damage, view.damage());
    let lost = document.lost.iter().map(|(r, l)| (*r, l.points, l.values));
    let expected = view.lost().iter().map(|(r, l)| (*r, l.points, l.values));
    assert!(lost.eq(expected));
    let console = store
        .console(
            &key,
            &ConsoleQuery {
                limit: 1000,
                ..ConsoleQuery::default()
            },
        )
        .unwrap();
    assert!(
        console.lines.iter().map(|l| &l.line).eq(view.console())
            || view.console().len() > 1000
            || ranks(&view) > 1
    );
    assert_eq!(console.total, view.console().len() as u64);
    let (alerts, _) = store
        .alerts(&key.project, Some(&key.run), Level::Trace, 0, 0)
        .unwrap();
    assert_eq!(
        (alerts, document.alerts.0),
        (view.alerts().len() as u64, view.alerts().len() as u64)
    );
    check_series_list(store, &view);
    check_media(store, &view, &key);
    check_histograms(store, &view, &key);
    let axes = [
        Axis::Step,
        Axis::Step,
        Axis::Relative,
        Axis::Wall,
        Axis::Metric("epoch".into()),
        Axis::Metric("lr".into()),
    ];
    for _ in 0..12 {
        let mut q = query(
            &key,
            KEYS[random.next() as usize % 4],
            [3, 20, 100, 400][random.next() as usize % 4],
        );
        q.axis = axes[random.next() as usize % axes.len()].clone();
        check_chart(&view, store, &q);
        // A window between two points of the answer, and a little beside them.
        let x = store.chart(&q).unwrap().grid.x;
        if !x.is_empty() {
            let mut ends = [
                x[random.next() as usize % x.len()],
                x[random.next() as usize % x.len()],
            ];
            ends.sort_by(f64::total_cmp);
            let nudge = random.next() % 2;
            q.from = Some(ends[0] + nudge as f64 * 0.5);
            q.to = (!random.next().is_multiple_of(4)).then_some(ends[1]);
            check_chart(&view, store, &q);
        }
    }
}

fn ranks(view: &RunView) -> usize {
    let mut ranks: Vec<Rank> = view.series().map(|(_, r, _)| r).collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks.len().max(
        view.dir()
            .segments()
            .unwrap()
            .iter()
            .map(|s| s.0)
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
    )
}

/// Means are sums that were rounded in another order.
fn same_summary(found: &Map<String, Json>, expected: &Map<String, Json>) {
    assert!(
        found.keys().eq(expected.keys()),
        "{found:?} instead of {expected:?}"
    );
    for (name, value) in expected {
        let close = match (found[name].as_f64(), value.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * 1e6f64.max(b.abs()) || a == b,
            _ => found[name] == *value,
        };
        assert!(close, "{name}: {} instead of {value}", found[name]);
    }
}

fn check_series_list(store: &Store, view: &RunView) {
    let list = store.series(&project(), None).unwrap();
    let mut expected: std::collections::BTreeMap<&str, (u64, Option<u64>)> =
        std::collections::BTreeMap::new();
    for (key, _, series) in view.series().filter(|(_, _, s)| !s.points().is_empty()) {
        let entry = expected.entry(key.as_str()).or_default();
        entry.0 += series.points().len() as u64;
        entry.1 = entry.1.max(series.last().map(|p| p.step));
    }
    let scalars = list.iter().filter(|i| i.kind == SeriesKind::Scalar);
    let found: Vec<_> = scalars
        .map(|i| (i.key.as_str(), (i.count, i.last_step)))
        .collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
}

fn check_media(store: &Store, view: &RunView, key: &RunKey) {
    let page = store
        .media(
            key,
            &MediaQuery {
                limit: 10_000,
                ascending: true,
                ..MediaQuery::default()
            },
        )
        .unwrap();
    let mut expected: Vec<(u64, String, Rank, Media)> = Vec::new();
    for (name, rank, media) in view.media() {
        expected.extend(
            media
                .iter()
                .map(|m| (m.step, name.as_str().to_owned(), rank, m.value.clone())),
        );
    }
    expected.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    let found: Vec<_> = page
        .items
        .into_iter()
        .map(|m| (m.step, m.key, m.rank, m.media))
        .collect();
    assert_eq!(found, expected);
}

fn check_histograms(store: &Store, view: &RunView, key: &RunKey) {
    let mut tensors = store.tensors(key, "").unwrap();
    tensors.sort_by(|a, b| (&a.key, a.rank).cmp(&(&b.key, b.rank)));
    let expected: Vec<_> = view
        .histograms()
        .filter(|(_, _, h)| !h.is_empty())
        .collect();
    assert_eq!(tensors.len(), expected.len());
    for (tensor, (name, rank, values)) in tensors.iter().zip(expected) {
        assert_eq!(
            (tensor.key.as_str(), tensor.rank, tensor.observations),
            (name.as_str(), rank, values.len() as u64)
        );
        let series = store
            .histograms(key, name.as_str(), rank, (0, u64::MAX), 2)
            .unwrap();
        let mut all = TensorStats::default();
        for value in values {
            all.merge(&value.value);
        }
        let count: u64 = series.columns.iter().map(|c| c.stats.count).sum();
        assert_eq!(count, all.count);
        assert!(series.columns.len() <= 2);
    }
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    for id in ["good", "cut", "newer"] {
        let dir = root.run(&project(), &key(id).run);
        write(
            &dir,
            &[
                (0, common::logs::Op::Summary("x".into(), 1.0)),
                (0, common::logs::Op::End(true)),
            ],
        );
    }
    let cut = root.run(&project(), &key("cut").run).segment(Rank(0), 0);
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 3]).unwrap();
    fs::create_dir_all(root.path().join("tests/not a run")).unwrap();
    fs::create_dir_all(root.path().join("tests/empty")).unwrap();
    fs::write(root.path().join("tests/file"), "x").unwrap();
    let newer = root.run(&project(), &key("newer").run).segment(Rank(0), 0);
    let mut bytes = fs::read(&newer).unwrap();
    bytes[8] = 9;
    let crc = crc(&bytes[..40]);
    bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    fs::write(&newer, bytes).unwrap();
    let store = Store::open(root.clone()).unwrap();
    let refreshed = store.refresh().unwrap();
    assert_eq!(refreshed.changes.len(), 2, "{refreshed:?}");
    assert_eq!(refreshed.refused.len(), 1, "{refreshed:?}");
    assert!(refreshed.refused[0].1.contains("version 9"));
    let cut = store.run(&key("cut")).unwrap();
    assert_eq!((cut.damage.len(), &cut.state), (1, &State::Crashed));
    // A run whose folder vanishes is gone; one that is begun anew under the same id is read anew.
    fs::remove_dir_all(root.run(&project(), &key("good").run).path()).unwrap();
    let dir = root.run(&project(), &key("cut").run);
    fs::remove_dir_all(dir.path()).unwrap();
    write(
        &dir,
        &[
            (0, common::logs::Op::Summary("y".into(), 1.0)),
            (0, common::logs::Op::End(true)),
        ],
    );
    let refreshed = store.refresh().unwrap();
    let mut kinds: Vec<_> = refreshed
        .changes
        .iter()
        .map(|c| (c.key.run.to_string(), c.kind))
        .collect();
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert_eq!(kinds[1], ("good".to_owned(), ChangeKind::Gone));
    assert!(store.run(&key("cut")).unwrap().summary.contains_key("y"));
    assert!(matches!(
        store.run(&key("good")),
        Err(StoreError::NotFound(_))
    ));
}

/// CRC32C, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & 0u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

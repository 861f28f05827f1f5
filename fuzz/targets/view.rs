//! Any payloads as the log of a run.
#![no_main]

#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;
#[path = "../../crates/cresset-record/tests/common/raw.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod raw;

use std::sync::LazyLock;

use cresset_record::{Goal, Rank, RunDir, RunView, SummaryRule};
use libfuzzer_sys::fuzz_target;

static DIR: LazyLock<RunDir> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("cresset-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a folder for temporary files");
    RunDir::new(path)
});

fuzz_target!(|input: &[u8]| {
    let mut segment = raw::head(1, 0, 0, &[]);
    let mut rest = input;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (payload, after) = after.split_at(length);
        segment.extend(raw::frame(payload));
        rest = after;
    }
    std::fs::write(DIR.segment(Rank(0), 0), segment).expect("room for a file");
    let view = RunView::open(DIR.clone()).expect("a file that can be read");
    let _ = (
        view.name(),
        view.state(),
        view.duration_seconds(),
        view.summary(),
        view.lost(),
    );
    let _ = (
        view.start(),
        view.environment(),
        view.console(),
        view.alerts(),
        view.damage(),
    );
    for (key, _, series) in view.series() {
        let _ = (
            view.definition(key.as_str()),
            series.by_step(),
            series.last(),
        );
        for rule in [
            SummaryRule::Min,
            SummaryRule::Max,
            SummaryRule::Mean,
            SummaryRule::Best,
        ] {
            let _ = series.summarise(rule, Some(Goal::Maximize));
        }
    }
    for logged in view.histograms().flat_map(|(_, _, logged)| logged) {
        let _ = (
            logged.value.quantile(0.5),
            logged.value.std(),
            logged.value.histogram.buckets().count(),
        );
    }
    let _ = view
        .media()
        .map(|(_, _, logged)| logged.len())
        .sum::<usize>();
});

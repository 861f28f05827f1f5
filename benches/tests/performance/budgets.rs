//! The budgets that the project set itself before there was any code, each with the figure that it is held against.

use std::fmt::Write as _;

use cresset_benches::Row;

use crate::results::Results;
use crate::tables::ratio;

/// What, the kind of its file, and the name of the figure there.
const BUDGETS: [(&str, &str, &str); 24] = [
    (
        "scalar call, 5 values, p50",
        "record",
        "log call of 5 scalars, by handles, p50",
    ),
    (
        "the same, p99",
        "record",
        "log call of 5 scalars, by handles, p99",
    ),
    (
        "the same, `Written`, p50",
        "record",
        "log call of 5 scalars, Written, p50",
    ),
    (
        "sustained scalars to disk, a core",
        "record",
        "points a second of processor time, to the disk",
    ),
    (
        "the same by the clock",
        "record",
        "points a second, to the disk",
    ),
    ("bytes a point, live", "record", "bytes a point, noisy f64"),
    (
        "at rest, noisy f64",
        "store",
        "bytes a point at rest, noisy f64",
    ),
    (
        "at rest, smooth f32",
        "store",
        "bytes a point at rest, smooth f32",
    ),
    (
        "SIGKILL at 1,000 steps/s, worst loss",
        "record",
        "lost by SIGKILL at 1,000 calls a second, worst",
    ),
    ("the same, `Written`", "record", "the same, Written"),
    (
        "image 64×64 on the caller's thread",
        "record",
        "image of 64×64 on the caller's thread, p50",
    ),
    (
        "histogram of 1 M f32",
        "record",
        "histogram of 1 M f32 on the caller's thread",
    ),
    (
        "watch on the training thread, every step",
        "record",
        "watch at every step, share of the training thread",
    ),
    (
        "fused statistics and histogram, a thread",
        "record",
        "statistics and histogram in one pass, f32 from memory",
    ),
    ("resident memory added", "record", "resident memory added"),
    (
        "the same with telemetry and shipping",
        "ship",
        "memory added with telemetry and shipping, in the program that trains",
    ),
    (
        "start to first log",
        "record",
        "start to the first log, new folder",
    ),
    ("finish of a short run", "record", "finish of 100 points"),
    (
        "chart of 10 M points at 1,000 buckets, API",
        "dashboard",
        "chart of 10 M points at 1,000 buckets, first answer of a server",
    ),
    (
        "runs table, 10,000 × 100, filter and sort",
        "store",
        "table of 10000 runs, the same with 100 columns, processor time",
    ),
    (
        "1,000 runs × 10 points/s into a server, lag p99",
        "ship",
        "the same, p99",
    ),
    (
        "catching up with one backlog",
        "ship",
        "points a second, catching up with one backlog",
    ),
    (
        "a call with shipping, over one without",
        "ship",
        "the one over the other",
    ),
    (
        "telemetry of 8 GPUs at 1 Hz",
        "telemetry",
        "telemetry at 1 Hz with 8 GPUs of the fake library, processor time of its threads",
    ),
];

/// All of them, and how many hold.
pub(crate) fn table(results: &Results) -> String {
    let mut text = String::from(
        "| what | budget | measured | | best of the others | times better |\n|---|--:|--:|---|--:|--:|\n",
    );
    let mut held = 0;
    for (what, kind, name) in BUDGETS {
        let row = row(results, kind, name);
        let holds = row.holds();
        assert!(holds.is_some(), "`{name}` of {kind} has no budget");
        held += u32::from(holds == Some(true));
        let _ = writeln!(
            text,
            "| {what} | {} | {} | {} | {} | {} |",
            row.budget(),
            row.measured(),
            row.word(),
            row.best(),
            ratio(&row)
        );
    }
    let _ = writeln!(text, "\n{held} of {} hold.", BUDGETS.len());
    text
}

fn row(results: &Results, kind: &str, name: &str) -> Row {
    let mut rows = results.of(kind).rows().into_iter();
    let row = rows.find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("{kind} has no figure `{name}`"))
}

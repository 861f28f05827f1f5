//! Tables in Markdown.

use std::fmt::Write as _;

use cresset_benches::{Budget, Row, number};

use crate::results::Results;

/// All figures of a kind and its curves, with the machine and the file.
pub(crate) fn rows(results: &Results, kind: &str) -> String {
    let kept = results.of(kind);
    let mut text = String::new();
    if let Some(machine) = kept.machine() {
        let _ = write!(text, "{machine}. ");
    }
    let _ = writeln!(
        text,
        "All figures: [{0}](../benches/results/{0}).",
        kept.file
    );
    let rows = kept.rows();
    let has_peers = rows.iter().any(|row| row.peer.is_some());
    if !rows.is_empty() {
        text += match has_peers {
            true => {
                "\n| what | measured | budget | | best of the others | times better |\n|---|--:|--:|---|--:|--:|\n"
            }
            false => "\n| what | measured | budget | |\n|---|--:|--:|---|\n",
        };
    }
    for row in &rows {
        let (name, measured, budget) = (&row.name, row.measured(), row.budget());
        let _ = write!(text, "| {name} | {measured} | {budget} | {} |", row.word());
        if has_peers {
            let _ = write!(text, " {} | {} |", row.best(), ratio(row));
        }
        text += "\n";
    }
    for curve in &kept.curves() {
        let _ = write!(text, "\n{curve}");
    }
    text
}

/// How many times better than the best of the others.
pub(crate) fn ratio(row: &Row) -> String {
    let ratio = row.peer_value.map(|peer| match row.budget() {
        Budget::AtLeast(_) => row.value / peer,
        _ => peer / row.value,
    });
    ratio
        .filter(|ratio| ratio.is_finite())
        .map_or_else(String::new, number)
}

/// Label and figure of `record`, ours first.
const BESIDE: [(&str, &str); 10] = [
    ("log call of 5 scalars, p50, µs", "scalars.call_p50_us"),
    ("the same, p99, µs", "scalars.call_p99_us"),
    (
        "points a second until all is in files",
        "scalars.points_per_s",
    ),
    ("bytes a point, noisy f64", "scalars.bytes_per_point"),
    ("memory added, MiB", "scalars.memory_mib"),
    ("image of 64×64, p50, µs", "images.image_p50_us"),
    ("histogram of 1 M f32, ms", "histograms.histogram_ms"),
    ("start to the first log, ms", "short.start_ms"),
    ("finish of 100 points, ms", "short.finish_ms"),
    ("lost by SIGKILL, ms of logging, worst", "kill.buffered_ms"),
];

/// Ours has a measurement of its own for these.
const OURS: [(&str, &str); 1] = [("scalars.points_per_s", "throughput.points_per_s")];

/// What recording costs, tracker by tracker.
pub(crate) fn peers(results: &Results) -> String {
    let json = &results.of("record").json;
    let all = json["peers"].as_object().unwrap();
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    let mut text = format!("| | Cresset | {} |\n", names.join(" | "));
    let _ = writeln!(text, "|---|--:|{}", "--:|".repeat(names.len()));
    for (label, figure) in BESIDE {
        let own = OURS.iter().find(|(theirs, _)| *theirs == figure);
        let own = own.map_or(figure, |(_, own)| own);
        let cell = |value: &serde_json::Value| value.as_f64().map_or("–".to_owned(), number);
        let _ = write!(text, "| {label} | {} |", cell(&json["figures"][own]));
        for name in &names {
            let _ = write!(text, " {} |", cell(&all[*name][figure]));
        }
        text += "\n";
    }
    text
}

/// Label and figure of `readers`.
const READ: [(&str, &str); 8] = [
    (
        "from the start of the server until it can answer, s",
        "ready_s",
    ),
    ("chart, first answer, ms", "chart_first_ms"),
    ("chart, again, ms", "chart_ms"),
    ("points that make the chart", "chart_count"),
    ("table of runs, first answer, ms", "table_first_ms"),
    ("table of runs, again, ms", "table_ms"),
    ("memory of the server, MiB", "memory_mib"),
    ("bytes a point on the disk", "bytes_a_point"),
];

/// What servers answer, tracker by tracker.
pub(crate) fn readers(results: &Results) -> String {
    let all = results.of("readers").json.as_object().unwrap();
    let mut text = String::from("| 1 M points of one series; 1,000 runs |");
    for name in all.keys() {
        // The packages that it needs beside.
        let name = name.split(' ').next().unwrap_or(name).replace("==", " ");
        let _ = write!(text, " {name} |");
    }
    let _ = writeln!(text, "\n|---|{}", "--:|".repeat(all.len()));
    for (label, figure) in READ {
        let _ = write!(text, "| {label} |");
        for figures in all.values() {
            let _ = write!(text, " {} |", number(figures[figure].as_f64().unwrap()));
        }
        text += "\n";
    }
    text
}

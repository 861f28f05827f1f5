//! The table, for people as Markdown and for programs as JSON.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cresset_benches::{Row as Reported, machine};
use serde_json::{Value as Json, json};

use crate::figures::Figures;
use crate::peers::Peer;
use crate::table::{Against, ROWS, Row};

/// Prints the table; writes it to `file` as JSON.
pub(crate) fn show(ours: &Figures, peers: &[Peer], file: Option<&Path>) -> Result<()> {
    let machine = machine();
    println!("\n{machine}\n");
    println!("| what | measured | budget | | best peer |\n|---|--:|--:|---|--:|");
    let mut rows = Vec::new();
    let (mut held, mut of) = (0, 0);
    for row in ROWS {
        let Some(&value) = ours.get(row.figure) else {
            continue;
        };
        let mut reported = Reported::new(row.name.to_owned(), value, row.unit, row.budget);
        if let Some((peer, value)) = best(row, peers) {
            reported.peer = Some(peer.name.clone());
            reported.peer_value = Some(value);
        }
        let holds = reported.holds();
        of += u32::from(holds.is_some());
        held += u32::from(holds == Some(true));
        println!("{}", line(&reported));
        rows.push(reported);
    }
    println!("\n{held} of {of} budgets hold");
    if let Some(file) = file {
        let all: serde_json::Map<String, Json> = peers
            .iter()
            .map(|peer| (peer.name.clone(), json!(peer.figures)))
            .collect();
        let report = json!({"machine": machine, "rows": rows, "figures": ours, "peers": all});
        let text = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The peer that does best, and its figure.
fn best<'a>(row: &Row, peers: &'a [Peer]) -> Option<(&'a Peer, f64)> {
    let figures = peers.iter().filter(|peer| match row.against {
        Against::Nobody => false,
        Against::All => true,
        Against::Durable => peer.durable,
        Against::Buffered => !peer.durable,
    });
    let figures = figures.filter_map(|peer| Some((peer, *peer.figures.get(row.peer_figure())?)));
    if row.more_is_better() {
        figures.max_by(|a, b| a.1.total_cmp(&b.1))
    } else {
        figures.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn line(row: &Reported) -> String {
    let (name, measured, budget) = (&row.name, row.measured(), row.budget());
    format!(
        "| {name} | {measured} | {budget} | {} | {} |",
        row.word(),
        row.best()
    )
}

//! What the index of runs costs and how fast it answers.
//!
//! `cargo xtask bench store`, or `cargo run --release -p cresset-benches --bin store -- [--quick] [--json FILE]`
//!
//! Indexing is measured by processor time, reading the logs included; charts in a process of their own that has never
//! opened the index before (the file is in the system's cache), the least of a few; the table by processor time.
#![expect(
    clippy::print_stdout,
    reason = "what a benchmark prints is what it is for"
)]

mod chart;
mod index;
mod runs;
mod table;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use cresset_benches::Figures;

#[derive(Parser)]
#[command(about = "Measures the index of runs")]
struct Options {
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A tenth of the points, for a first look.
    #[arg(long)]
    quick: bool,
    /// Answers one chart from the index in this folder, in this process.
    #[arg(long, hide = true)]
    chart: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "")]
    axis: String,
    /// Only so many of the first steps, but for a few.
    #[arg(long, hide = true)]
    zoom: Option<u64>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(folder) = &options.chart {
        return chart::answer(folder, &options.axis, options.zoom);
    }
    let shrink = if options.quick { 10 } else { 1 };
    let mut figures = Figures::default();
    index::measure(shrink, &mut figures)?;
    chart::measure(shrink, &mut figures)?;
    table::measure(shrink, &mut figures)?;
    for curve in chart::grow(shrink)? {
        figures.draw(curve);
    }
    for curve in table::grow(shrink)? {
        figures.draw(curve);
    }
    figures.show(options.json.as_deref())
}

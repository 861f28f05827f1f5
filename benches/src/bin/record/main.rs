//! What recording costs, beside other trackers.
//!
//! `cargo xtask bench`, or `cargo run --release -p cresset-benches --bin record -- --help`
//!
//! Each measurement is a process of its own, repeated; figures are medians. A row of the table says where its figure comes
//! from in [`table`]; what is done for it is in [`parts`], and for other trackers in `benches/peers/worker.py`.
#![expect(
    clippy::print_stdout,
    reason = "what a benchmark prints is what it is for"
)]

mod beside;
mod crash;
mod figures;
mod parts;
mod peers;
mod report;
mod table;
mod workplace;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use figures::Figures;
use parts::Part;
use workplace::Workplace;

#[derive(Parser)]
#[command(about = "Measures what recording costs")]
struct Options {
    /// Also writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// One repetition of each measurement, for a first look.
    #[arg(long)]
    quick: bool,
    /// Also measures other trackers, installed from PyPI into the user's cache.
    #[arg(long)]
    peers: bool,
    /// Takes one measurement in this process, with this folder as its own.
    #[arg(long, requires = "dir", hide = true)]
    part: Option<Part>,
    #[arg(long, hide = true)]
    dir: Option<PathBuf>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let (Some(part), Some(dir)) = (options.part, options.dir) {
        let figures = part.measure(&dir)?;
        println!("{}", serde_json::to_string(&figures)?);
        return Ok(());
    }

    let workplace = Workplace::new()?;
    let repetitions = if options.quick { 1 } else { 5 };
    let mut ours = Figures::default();
    for part in Part::ALL {
        eprintln!("measuring {part}");
        ours.extend(part.repeat(&workplace, repetitions)?);
    }
    eprintln!("measuring what kills lose");
    ours.extend(crash::measure(
        &workplace,
        if options.quick { 4 } else { 20 },
    )?);
    eprintln!("measuring statistics and watch");
    ours.extend(beside::measure());

    let peers = if options.peers {
        peers::measure(&workplace, if options.quick { 1 } else { 3 })?
    } else {
        Vec::new()
    };
    report::show(&ours, &peers, options.json.as_deref())
}

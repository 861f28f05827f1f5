//! A program that indexes a folder of runs: `indexer FOLDER [KIB]`, with so many KiB more of memory than it has when it begins.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use cresset_record::Root;
use cresset_store::Store;
use rustix::process::{Resource, Rlimit, setrlimit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("indexer FOLDER [KIB]")?;
    if let Some(kib) = arguments.next() {
        let most = Some(address_space()? + (kib.parse::<u64>()? << 10));
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        setrlimit(Resource::As, limit)?;
    }
    let store = Store::open(Root::new(folder))?;
    let refreshed = store.refresh()?;
    println!("{} points", refreshed.points);
    Ok(())
}

/// Bytes of addresses that this process has.
fn address_space() -> Result<u64, Box<dyn std::error::Error>> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

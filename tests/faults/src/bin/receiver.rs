//! A server that takes in a run from the folder `FROM`, as its arguments say: `receiver FROM TO INDEX [WORD…]`.
//!
//! | word | |
//! |---|---|
//! | `pieces=N` | dies after so many pieces, where it stands |
//! | `end=abort` | dies when all has come and it was not yet let go |
//!
//! What its sender believes is told, a line each, in the file `$FAULT_MARKS`: `blobs N`, and `all`. A sender that comes again reads there what it believes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

#[path = "../carrier.rs"]
mod carrier;

use carrier::{Belief, carry, key_of};
use cresset_record::Root;
use cresset_store::Store;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, index, words @ ..] = &arguments[..] else {
        return Err("receiver FROM TO INDEX [WORD…]".into());
    };
    let pieces = words.iter().find_map(|word| word.strip_prefix("pieces="));
    let mut left: Option<u64> = pieces.map(str::parse).transpose()?;
    let dies = words.iter().any(|word| word == "end=abort");
    let marks = std::env::var_os("FAULT_MARKS").ok_or("FAULT_MARKS names the file of promises")?;
    let known = fs::read_to_string(&marks).unwrap_or_default();
    let blobs = known.lines().rev();
    let blobs = blobs.filter_map(|line| line.strip_prefix("blobs ")).next();
    let mut blobs: Option<u64> = blobs.map(str::parse).transpose()?;
    let mut marks = OpenOptions::new().create(true).append(true).open(marks)?;

    let source = Root::new(from);
    let source = source.runs()?.pop().ok_or("no run in FROM")?;
    let key = key_of(&source)?;
    fs::create_dir_all(to)?;
    let store = Store::open_apart(Root::new(to), Path::new(index))?;
    let mut failed = Ok(());
    // A server that says no is asked again, by a sender that begins with what it believes.
    let mut tries = 5;
    while let Err(error) = carry(&source, &store, &key, blobs, |belief| {
        if let Some(Belief::Blobs(last)) = belief {
            blobs = Some(last);
        }
        let line = match belief {
            Some(Belief::Blobs(last)) => format!("blobs {last}\n"),
            Some(Belief::All) => "all\n".to_owned(),
            None if dies => std::process::abort(),
            None => return true,
        };
        failed = marks.write_all(line.as_bytes());
        left = left.map(|left| left.saturating_sub(1));
        if left == Some(0) {
            std::process::abort();
        }
        failed.is_ok()
    }) {
        tries -= 1;
        if tries == 0 {
            return Err(error);
        }
    }
    Ok(failed?)
}

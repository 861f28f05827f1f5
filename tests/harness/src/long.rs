//! One series that is longer than any screen is wide.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use cresset_record::{Definition, Outcome, Timestamp};

use crate::book::{self, Book, MONDAY};
use crate::rng::Rng;

/// Also writes the values themselves to a file, eight bytes each, little-endian: other trackers are to have the same.
pub(crate) fn write(out: &Path, seed: u64, points: u64, values: Option<&Path>) -> Result<()> {
    let mut values = values.map(File::create).transpose()?.map(BufWriter::new);
    let mut rng = Rng::new(seed, 0x4000);
    let time = Timestamp(MONDAY);
    let start = book::start("long", &book::id(time, &mut rng), "long-haul-1", time)?;
    let mut book = Book::begin(out, start, &[Definition::new("*/loss").minimize()])?;
    let loss = book.key("train/loss")?;
    for step in 0..points {
        let trend = 0.1 + 4.0 / (1.0 + step as f64 / 50_000.0).sqrt();
        // Noise in all bits of the mantissa, as losses of batches have it.
        let value = trend * (1.0 + 0.1 * rng.normal());
        book.row_of(step, &[(loss, value)])?;
        if let Some(file) = &mut values {
            file.write_all(&value.to_le_bytes())?;
        }
        book.now.0 += 900 + (rng.next() % 200) as i64;
    }
    book.end(Outcome::Finished)?;
    if let Some(mut file) = values {
        file.flush()?;
    }
    println!("{points} points in {}", out.display());
    Ok(())
}

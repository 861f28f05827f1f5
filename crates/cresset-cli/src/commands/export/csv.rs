//! CSV as in RFC 4180, with LF line ends. Numbers read back as themselves; `NaN`, `inf` and `-inf` are as Python and R
//! read them, and a value that was not logged is empty.

use std::io::{self, Write};
use std::iter::Peekable;
use std::vec::IntoIter;

use cresset_record::{Key, Point, Rank};

use super::Exported;

/// One row a value.
pub(super) fn write_long(series: &Exported, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "rank,key,step,time_us,value")?;
    for (rank, key, point) in series.points() {
        let Point { step, time, value } = point;
        write!(out, "{},", rank.0)?;
        write_text(out, key.as_str())?;
        write!(out, ",{step},{},", time.0)?;
        write_number(out, value)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// One row a step and rank, one column a series. A step that has several values of one key has as many rows; the time
/// is that of the row's earliest value.
pub(super) fn write_wide(series: &Exported, out: &mut impl Write) -> io::Result<()> {
    let mut keys: Vec<&Key> = series.all.iter().map(|(_, key, _)| *key).collect();
    keys.sort();
    keys.dedup();
    write!(out, "rank,step,time_us")?;
    for key in &keys {
        out.write_all(b",")?;
        write_text(out, key.as_str())?;
    }
    out.write_all(b"\n")?;
    let mut ranks: Vec<Rank> = series.all.iter().map(|(rank, _, _)| *rank).collect();
    ranks.dedup();
    for rank in ranks {
        write_rank(series, rank, &keys, out)?;
    }
    Ok(())
}

fn write_rank(
    series: &Exported,
    rank: Rank,
    keys: &[&Key],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut columns: Vec<Peekable<IntoIter<Point>>> = keys
        .iter()
        .map(|key| {
            let found = series.all.iter().find(|(r, k, _)| *r == rank && k == key);
            let points = found.map(|(_, _, s)| s.by_step()).unwrap_or_default();
            points.into_iter().peekable()
        })
        .collect();
    let mut row: Vec<Option<Point>> = Vec::with_capacity(keys.len());
    loop {
        let next = columns.iter_mut().filter_map(|c| Some(c.peek()?.step));
        let Some(step) = next.min() else {
            return Ok(());
        };
        row.clear();
        row.extend(columns.iter_mut().map(|c| c.next_if(|p| p.step == step)));
        let time = row.iter().flatten().map(|p| p.time.0).min();
        write!(out, "{},{step},{}", rank.0, time.unwrap_or_default())?;
        for cell in &row {
            out.write_all(b",")?;
            if let Some(point) = cell {
                write_number(out, point.value)?;
            }
        }
        out.write_all(b"\n")?;
    }
}

/// In quotes where it holds what would end the field. Keys hold no control characters.
fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    if text.contains([',', '"']) {
        write!(out, "\"{}\"", text.replace('"', "\"\""))
    } else {
        out.write_all(text.as_bytes())
    }
}

fn write_number(out: &mut impl Write, value: f64) -> io::Result<()> {
    let magnitude = value.abs();
    // Display never uses exponents: 1e300 would take 301 digits.
    if value.is_finite() && value != 0.0 && !(1e-5..1e16).contains(&magnitude) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts() {
        let number = |v| {
            let mut out = Vec::new();
            write_number(&mut out, v).unwrap();
            String::from_utf8(out).unwrap()
        };
        for value in [0.1, -1e-300, 1e300, 123_456.75, 5e-324, f64::MAX, -0.0] {
            let text = number(value);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            assert!(text.len() < 25, "{text}");
        }
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(odd.map(number), ["NaN", "inf", "-inf"]);
        let mut out = Vec::new();
        write_text(&mut out, "loss, \"total\"").unwrap();
        assert_eq!(out, b"\"loss, \"\"total\"\"\"");
    }
}

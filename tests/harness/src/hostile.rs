//! What nobody should log, and folders as accidents and attackers leave them. Nothing of it may run, hang or hide the rest.
//!
//! Whatever manages to run in a browser calls `pwned()`, sets `window.__pwned` or asks for something at `evil.invalid`.

mod damage;
mod media;
mod words;

use std::path::Path;

use anyhow::Result;
use cresset_record::{Alert, ConsoleLine, Definition, Outcome, Rank, Record, Timestamp};
use cresset_run::Level;
use serde_json::{Map, Value as Json, json};

use crate::book::{self, Book, HOUR, MONDAY};
use crate::rng::Rng;
use words::{NAMES, WORDS, long};

pub(crate) fn write(out: &Path, seed: u64) -> Result<()> {
    let mut rng = Rng::new(seed, 0x8000);
    for (i, project) in NAMES.iter().enumerate() {
        names(out, project, i as u64, &mut rng)?;
    }
    let mut number = 0;
    let mut begin = |name: &str| {
        number += 1;
        let time = Timestamp(MONDAY + number * HOUR);
        let id = book::id(time, &mut Rng::new(seed, 0x8100 + number as u64));
        Book::begin(out, book::start("hostile", &id, name, time)?, &[])
    };
    words(begin("words")?)?;
    media::write(begin("media")?)?;
    values(begin("values")?)?;
    times(begin("times")?)?;
    keys(begin("keys")?)?;
    config(begin("config")?)?;
    flood(begin("flood")?)?;
    ranks(out)?;
    let damaged: Vec<Book> = (0..damage::KINDS)
        .map(|i| begin(&format!("damaged {i}")))
        .collect::<Result<_>>()?;
    damage::write(out, damaged)?;
    println!("hostile runs in {}", out.display());
    Ok(())
}

/// A project with a bad name, with one plain run in it.
fn names(out: &Path, project: &str, number: u64, rng: &mut Rng) -> Result<()> {
    let time = Timestamp(MONDAY + number as i64 * HOUR);
    let mut start = book::start(project, &book::id(time, rng), project, time)?;
    start.group = Some(project.to_owned());
    start.tags = vec![project.to_owned(), "plain".to_owned()];
    let mut book = Book::begin(out, start, &[])?;
    for step in 0..20 {
        book.row(step, &[("train/loss", 1.0 / (step + 1) as f64)])?;
    }
    book.end(Outcome::Failed {
        reason: project.to_owned(),
    })
}

/// Bad words wherever a run has room for words.
fn words(mut book: Book) -> Result<()> {
    for (i, word) in WORDS.iter().enumerate() {
        let key: String = word.chars().filter(|c| !c.is_control()).take(100).collect();
        if !key.is_empty() {
            for step in 0..10 {
                book.row(step, &[(format!("{key}/loss"), (step + i as u64) as f64)])?;
            }
            book.record(&Record::Define(
                Definition::new(format!("{key}/loss"))
                    .unit(*word)
                    .step_metric(*word),
            ))?;
        }
        book.text(i as u64, "said", word)?;
        book.summary(Map::from_iter([((*word).to_owned(), json!(word))]))?;
        book.record(&Record::Alert(Alert {
            time: book.now,
            level: Level::Error,
            title: (*word).to_owned(),
            text: format!("{word}\n{word}"),
            step: Some(i as u64),
        }))?;
        book.record(&Record::Console(ConsoleLine {
            time: book.now,
            level: Level::Warn,
            target: (*word).to_owned(),
            message: (*word).to_owned(),
            fields: Map::from_iter([((*word).to_owned(), json!(word))]),
        }))?;
    }
    let words: Vec<Json> = WORDS.iter().map(|word| json!(word)).collect();
    book.record(&Record::Environment(
        json!({
            "program": {"executable": WORDS[0], "arguments": words, "directory": WORDS[1]},
            "git": {"remote": "javascript:pwned()", "branch": WORDS[0], "commit": WORDS[2], "dirty": "yes", "diff": format!("+{}\n-{}\n", WORDS[0], WORDS[1])},
            "host": WORDS[0], "gpus": {"model": 7}, "crates": ["candle"], WORDS[0]: WORDS[1],
        })
        .as_object()
        .cloned()
        .unwrap_or_default(),
    ))?;
    let labels = cresset_record::LabelUpdate {
        name: Some(WORDS[0].to_owned()),
        notes: Some(WORDS.join("\n")),
        tags: Some(WORDS.iter().map(|word| (*word).to_owned()).collect()),
        group: Some(long(3000)),
    };
    book.record(&Record::Label(labels))?;
    book.end(Outcome::Stopped {
        reason: WORDS.join(" "),
    })
}

/// Numbers at the ends of what there is.
fn values(mut book: Book) -> Result<()> {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -0.0,
        0.0,
        f64::from_bits(0x7FF0_0000_0000_0001),
    ];
    for step in 0..400u64 {
        let value = odd[step as usize % odd.len()];
        book.row(
            step,
            &[
                ("mixed/loss", value),
                ("only/nan", f64::NAN),
                ("only/infinity", f64::INFINITY),
                ("only/largest", f64::MAX),
                ("constant", 7.0),
            ],
        )?;
    }
    // Steps at the ends, backwards and again and again.
    for step in [
        0,
        u64::MAX,
        u64::MAX - 1,
        1 << 53,
        (1 << 53) + 1,
        5,
        5,
        5,
        3,
        0,
    ] {
        book.row(step, &[("steps/odd", step as f64)])?;
    }
    for step in (0..3000u64).rev() {
        book.row(step, &[("steps/backwards", step as f64)])?;
        book.row(7, &[("steps/same", step as f64)])?;
    }
    book.row(1, &[("one/point", 1.0)])?;
    book.end(Outcome::Finished)
}

/// Clocks that jump, and times that no calendar has.
fn times(mut book: Book) -> Result<()> {
    let usual = book.now;
    for (step, time) in [
        0,
        i64::MAX,
        i64::MIN,
        -1,
        usual.0,
        usual.0 - HOUR,
        usual.0 + 1,
    ]
    .into_iter()
    .enumerate()
    {
        book.now = Timestamp(time);
        book.row(step as u64, &[("clock", step as f64)])?;
        book.text(step as u64, "clock/said", "when?")?;
        book.record(&Record::Console(ConsoleLine {
            time: book.now,
            level: Level::Info,
            target: String::new(),
            message: "when?".to_owned(),
            fields: Map::new(),
        }))?;
    }
    book.now = Timestamp(i64::MAX);
    book.end(Outcome::Finished)
}

/// More keys than anyone can look at, some of them long.
fn keys(mut book: Book) -> Result<()> {
    for i in 0..3000 {
        book.row(i, &[(format!("part {}/layer.{i}/value", i % 40), i as f64)])?;
    }
    for key in [
        "/".to_owned(),
        "//".to_owned(),
        "a//b/".to_owned(),
        "/leading".to_owned(),
        "..".to_owned(),
        "../../up".to_owned(),
        "config.lr".to_owned(),
        "state".to_owned(),
        "name".to_owned(),
        "a > 1 and b".to_owned(),
        "\"quoted\"".to_owned(),
        "back\\slash".to_owned(),
        "per%20cent%2F".to_owned(),
        "question?x=1&y=2#z".to_owned(),
        "comma,comma".to_owned(),
        "*".to_owned(),
        "__proto__".to_owned(),
        "constructor/prototype".to_owned(),
        "ключ/значение".to_owned(),
        "鍵/値".to_owned(),
        "k".repeat(512),
        format!("{}/x", "deep/".repeat(100)),
    ] {
        for step in 0..5 {
            book.row(step, &[(key.as_str(), step as f64)])?;
        }
    }
    book.end(Outcome::Finished)
}

/// Settings that are deep, wide, long, and named like parts of a language.
fn config(mut book: Book) -> Result<()> {
    let mut deep = json!("bottom");
    for level in 0..90 {
        deep = json!({format!("level {level}"): deep});
    }
    let wide: Map<String, Json> = (0..2000)
        .map(|i| (format!("option {i}"), json!(i)))
        .collect();
    let values = json!({
        "deep": deep, "wide": wide, "long": long(200_000),
        "__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "toString": 1, "hasOwnProperty": null,
        "large": u64::MAX, "small": i64::MIN, "tiny": 5e-324, "huge": 1.7976931348623157e308,
        "mixed": [1, "a", null, {"b": [true]}], "empty": {}, "none": [], "dotted.name": 1, "lr": "fast", "": "no name",
        "<b>bold</b>": "<i>italic</i>",
    });
    book.record(&Record::Config(cresset_record::ConfigUpdate {
        time: book.now,
        values: values.as_object().cloned().unwrap_or_default(),
    }))?;
    book.row(0, &[("loss", 1.0)])?;
    book.end(Outcome::Finished)
}

/// Far more lines and alerts than fit a screen.
fn flood(mut book: Book) -> Result<()> {
    for i in 0..20_000u64 {
        let message = match i % 1000 {
            0 => long(20_000),
            1 => "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}\u{0}\u{8}".to_owned(),
            _ => format!("line {i}"),
        };
        book.now.0 += 1000;
        book.record(&Record::Console(ConsoleLine {
            time: book.now,
            level: [
                Level::Trace,
                Level::Debug,
                Level::Info,
                Level::Warn,
                Level::Error,
            ][i as usize % 5],
            target: "flood".to_owned(),
            message,
            fields: Map::new(),
        }))?;
        if i % 10 == 0 {
            book.record(&Record::Alert(Alert {
                time: book.now,
                level: Level::Warn,
                title: format!("alert {i}"),
                text: String::new(),
                step: Some(i),
            }))?;
        }
    }
    book.end(Outcome::Finished)
}

/// Ranks that do not agree on what run they are of.
fn ranks(out: &Path) -> Result<()> {
    for rank in [0u32, 1, 7, u32::MAX] {
        let time = Timestamp(MONDAY + i64::from(rank % 8));
        let mut start = book::start("hostile", "ranks-disagree", &format!("rank {rank}"), time)?;
        start.rank = Rank(rank);
        start.world_size = Some(2);
        let mut book = Book::begin(out, start, &[])?;
        for step in 0..10 {
            book.row(step, &[("loss", f64::from(rank % 10) + step as f64)])?;
        }
        book.end(if rank == 1 {
            Outcome::Failed {
                reason: "rank 1 only".to_owned(),
            }
        } else {
            Outcome::Finished
        })?;
    }
    Ok(())
}

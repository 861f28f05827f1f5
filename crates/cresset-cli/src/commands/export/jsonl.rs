//! JSON Lines: the log as it is, record by record, with keys instead of their numbers.
//!
//! What every segment of a log repeats (its head, definitions, …) comes once. Points that a resumed process logged
//! again are there twice, with a `resume` line between them: of that rank, what stands before it with a step of
//! `from_step` or later is superseded.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use anyhow::Context;
use cresset_record::{
    Follower, KeyId, Rank, Record, Row, RunDir, TensorStats, Timestamp, json_number,
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::select::is_chosen;

/// Writes all records of a run; with patterns, only values of keys that match, and everything that has no key.
pub(super) fn write(run: RunDir, patterns: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    let mut follower = Follower::new(run);
    let mut writer = Writer {
        out,
        patterns,
        keys: BTreeMap::new(),
        said: HashMap::new(),
    };
    while let Some(batch) = follower.next_batch().context("cannot read the run")? {
        for record in batch.records {
            writer.write(batch.rank, record)?;
        }
    }
    for damage in follower.damage() {
        writer.object("damage", damage.rank, json!(damage))?;
    }
    Ok(())
}

struct Writer<'a, W> {
    out: &'a mut W,
    patterns: &'a [String],
    /// `None` for keys that were not chosen.
    keys: BTreeMap<(Rank, KeyId), Option<String>>,
    /// The last line of each kind that segments repeat.
    said: HashMap<(Rank, String), String>,
}

/// A value of a series.
#[derive(Serialize)]
struct Value<'a, T> {
    record: &'static str,
    rank: Rank,
    key: &'a str,
    step: u64,
    time_us: Timestamp,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize)]
struct Scalar {
    value: Json,
}

impl<W: Write> Writer<'_, W> {
    fn write(&mut self, rank: Rank, record: Record) -> io::Result<()> {
        match record {
            Record::Key { id, key } => {
                let chosen = self.patterns.is_empty() || is_chosen(self.patterns, key.as_str());
                let key = chosen.then(|| key.as_str().to_owned());
                self.keys.insert((rank, id), key);
                Ok(())
            }
            Record::Rows(rows) => rows.iter().try_for_each(|row| self.row(rank, row)),
            Record::Histogram {
                key,
                step,
                time,
                stats,
            } => self.value("histogram", rank, key, step, time, stats_json(&stats)),
            Record::Media {
                key,
                step,
                time,
                media,
            } => self.value("media", rank, key, step, time, json!(media)),
            Record::Start(start) => self.once("start", rank, "", json!(start)),
            Record::Environment(map) => self.once("environment", rank, "", json!({"values": map})),
            Record::Define(definition) => {
                self.once("define", rank, &definition.pattern, json!(definition))
            }
            Record::Summary(map) => self.once("summary", rank, "", json!({"values": map})),
            Record::Resume(resume) => self.object("resume", rank, json!(resume)),
            Record::Config(update) => self.object("config", rank, json!(update)),
            Record::Label(update) => self.object("label", rank, json!(update)),
            Record::Console(line) => self.object("console", rank, json!(line)),
            Record::Alert(alert) => self.object("alert", rank, json!(alert)),
            Record::Lost(lost) => self.object("lost", rank, json!(lost)),
            Record::End(end) => self.object("end", rank, json!(end)),
            Record::Unknown { kind, len } => {
                self.object("unknown", rank, json!({"kind": kind, "bytes": len}))
            }
        }
    }

    fn row(&mut self, rank: Rank, row: &Row) -> io::Result<()> {
        row.points.iter().try_for_each(|&(key, value)| {
            let value = Scalar {
                value: json_number(value),
            };
            self.value("point", rank, key, row.step, row.time, value)
        })
    }

    fn value(
        &mut self,
        record: &'static str,
        rank: Rank,
        key: KeyId,
        step: u64,
        time_us: Timestamp,
        value: impl Serialize,
    ) -> io::Result<()> {
        // A key whose declaration is in a damaged part has the name that other readers give it.
        let patterns = self.patterns;
        let key = self.keys.entry((rank, key)).or_insert_with(|| {
            let name = format!("cresset/undeclared/{}", key.0);
            (patterns.is_empty() || is_chosen(patterns, &name)).then_some(name)
        });
        let Some(key) = key else { return Ok(()) };
        let line = Value {
            record,
            rank,
            key,
            step,
            time_us,
            value,
        };
        serde_json::to_writer(&mut *self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// Writes an object, unless the same was the last of its kind.
    fn once(&mut self, record: &str, rank: Rank, of: &str, fields: Json) -> io::Result<()> {
        let text = fields.to_string();
        let kind = (rank, format!("{record} {of}"));
        if self.said.get(&kind) == Some(&text) {
            return Ok(());
        }
        self.said.insert(kind, text);
        self.object(record, rank, fields)
    }

    /// Writes an object with the kind of record and the rank before its own fields.
    fn object(&mut self, record: &str, rank: Rank, fields: Json) -> io::Result<()> {
        let mut line = Map::new();
        line.insert("record".into(), record.into());
        line.insert("rank".into(), rank.0.into());
        if let Json::Object(fields) = fields {
            // One name for times in all lines, and one that says the unit.
            let renamed = fields.into_iter().map(|(name, value)| match name.as_str() {
                "time" => ("time_us".to_owned(), value),
                _ => (name, value),
            });
            line.extend(renamed);
        }
        serde_json::to_writer(&mut *self.out, &line)?;
        self.out.write_all(b"\n")
    }
}

/// Counts, moments, and the buckets that counted something, as `[lower, upper, count]`.
fn stats_json(stats: &TensorStats) -> Json {
    let buckets: Vec<Json> = stats
        .histogram
        .buckets()
        .filter(|bucket| bucket.count > 0)
        .map(|b| json!([b.lower, b.upper, b.count]))
        .collect();
    json!({
        "count": stats.count,
        "zeros": stats.zeros,
        "nan": stats.nan,
        "pos_inf": stats.pos_inf,
        "neg_inf": stats.neg_inf,
        "min": json_number(stats.min),
        "max": json_number(stats.max),
        "sum": json_number(stats.sum),
        "sum_sq": json_number(stats.sum_sq),
        "buckets": buckets,
    })
}

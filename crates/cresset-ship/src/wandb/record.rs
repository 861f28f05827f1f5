//! W&B's records as bytes: the messages of `wandb/proto/wandb_internal.proto` that a run needs.

use cresset_record::{Definition, Goal, Level, SummaryRule};

use crate::proto::Message;

use super::entry::{Entry, FileKind, Output, Row};
use super::head::Head;
use super::value;

/// What an official client must be able to do to read the file; its own files say so of an old one.
const MIN_CONSUMER: &str = "0.70.0";

/// The first record of a file.
pub(crate) fn header(number: u64) -> Vec<u8> {
    let version = Message::default()
        .bytes(1, concat!("cresset ", env!("CARGO_PKG_VERSION")))
        .bytes(2, MIN_CONSUMER);
    record(number, 21, &Message::default().message(1, &version))
}

/// A record of any other kind.
pub(crate) fn entry(number: u64, entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Run(head) => record(number, 17, &run(head)),
        Entry::Config(items) => {
            let items = items.iter().map(|(path, text)| item(path, text));
            record(number, 5, &all(1, items))
        }
        Entry::Metric(definition) => record(number, 12, &metric(definition)),
        Entry::History(row) => record(number, 2, &history(row)),
        Entry::Summary(items) => {
            let items = items.iter().flat_map(|(key, text)| {
                value::flatten(key, text)
                    .into_iter()
                    .map(|(path, text)| item(&path, &text))
            });
            record(number, 3, &all(1, items))
        }
        Entry::Stats { time, items } => {
            let items = items.iter().map(|(key, value)| {
                Message::default()
                    .bytes(1, key)
                    .bytes(16, value::number(*value))
            });
            let stats = Message::default().message(2, &timestamp(*time));
            let stats = items.fold(stats, |stats, item| stats.message(3, &item));
            record(number, 7, &stats)
        }
        Entry::Output(output) => record(number, 13, &console(output)),
        Entry::Alert { title, text, level } => {
            let alert = Message::default().bytes(1, title).bytes(2, text);
            let alert = alert.bytes(3, severity(*level)).int(4, ALERT_PAUSE_MS);
            record(number, 10, &alert)
        }
        Entry::File { path, kind } => {
            let kind = match kind {
                FileKind::Other => 0,
                FileKind::Media => 2,
            };
            let file = Message::default().bytes(1, path).int(3, kind);
            record(number, 6, &Message::default().message(1, &file))
        }
        Entry::Exit { code, runtime } => {
            let exit = Message::default().int(1, *code).int(2, *runtime);
            record(number, 18, &exit)
        }
    }
}

/// W&B holds back a second alert of the same title for so long: what its client asks for by default.
pub(crate) const ALERT_PAUSE_MS: i64 = 60_000;

/// W&B's words for how urgent an alert is.
pub(crate) fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN",
        _ => "INFO",
    }
}

fn record(number: u64, field: u32, body: &Message) -> Vec<u8> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let record = Message::default().int(1, number).message(field, body);
    record.into_bytes()
}

fn all(field: u32, items: impl Iterator<Item = Message>) -> Message {
    items.fold(Message::default(), |all, item| all.message(field, &item))
}

/// An item of history, summary or config: they are alike but for their names.
fn item(path: &[String], text: &str) -> Message {
    let path = path.iter();
    let item = path.fold(Message::default(), |item, part| item.bytes(2, part));
    item.bytes(16, text)
}

fn timestamp(micros: i64) -> Message {
    let nanos = micros.rem_euclid(1_000_000) * 1000;
    Message::default()
        .int(1, micros.div_euclid(1_000_000))
        .int(2, nanos)
}

fn run(head: &Head) -> Message {
    let config = head
        .config
        .iter()
        .map(|(key, json)| Message::default().bytes(1, key).bytes(16, json.to_string()));
    let run = Message::default()
        .bytes(1, &head.id)
        .bytes(2, &head.entity)
        .bytes(3, &head.project)
        .message(4, &all(1, config))
        .bytes(6, &head.group)
        .bytes(7, &head.job_type)
        .bytes(8, &head.name)
        .bytes(9, &head.notes);
    let tags = head.tags.iter();
    let run = tags.fold(run, |run, tag| run.bytes(10, tag));
    let run = run
        .bytes(13, &head.host)
        .message(17, &timestamp(head.start));
    if head.commit.is_empty() && head.remote.is_empty() {
        return run;
    }
    let git = Message::default()
        .bytes(1, &head.remote)
        .bytes(2, &head.commit);
    run.message(21, &git)
}

fn history(row: &Row) -> Message {
    let added = row.added();
    let items = row.items.iter().chain(&added);
    let items = items.flat_map(|(key, text)| value::flatten(key, text));
    let items = items.map(|(path, text)| item(&path, &text));
    let step = i64::try_from(row.step).unwrap_or(i64::MAX);
    all(1, items).message(2, &Message::default().int(1, step))
}

fn metric(definition: &Definition) -> Message {
    let is_pattern = definition.pattern.contains('*');
    let options = Message::default()
        .int(1, definition.step_metric.is_some().into())
        .int(2, (definition.hidden == Some(true)).into())
        .int(3, 1);
    let metric = Message::default()
        .bytes(if is_pattern { 2 } else { 1 }, &definition.pattern)
        .bytes(4, definition.step_metric.as_deref().unwrap_or_default())
        .message(6, &options);
    let metric = match summary_fields(definition) {
        fields if fields.is_empty() => metric,
        fields => {
            let summary = fields.iter();
            let summary = summary.fold(Message::default(), |m, field| m.int(*field, 1));
            metric.message(7, &summary)
        }
    };
    metric.int(8, goal(definition))
}

/// The fields of W&B's `MetricSummary` that say what a rule says.
pub(crate) fn summary_fields(definition: &Definition) -> Vec<u32> {
    match (definition.summary, definition.goal) {
        (None | Some(SummaryRule::Last), _) | (Some(SummaryRule::Best), None) => Vec::new(),
        (Some(SummaryRule::Min), _) | (Some(SummaryRule::Best), Some(Goal::Minimize)) => vec![1],
        (Some(SummaryRule::Max), _) | (Some(SummaryRule::Best), Some(Goal::Maximize)) => vec![2],
        (Some(SummaryRule::Mean), _) => vec![3],
        (Some(SummaryRule::None), _) => vec![6],
    }
}

/// W&B's number for which way is better.
pub(crate) fn goal(definition: &Definition) -> i64 {
    match definition.goal {
        None => 0,
        Some(Goal::Minimize) => 1,
        Some(Goal::Maximize) => 2,
    }
}

fn console(output: &Output) -> Message {
    let is_plain = !output.is_error;
    Message::default()
        .int(1, i64::from(is_plain))
        .message(2, &timestamp(output.time))
        .bytes(3, format!("{}\n", output.text))
}

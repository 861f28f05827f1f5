//! Hyper-parameters and how it ended, for the hparams plugin.
//!
//! The plugin reads the first message of a kind that it finds in a run, and config may change. So its messages have small files of their own: one
//! before all others that is written anew when config changes, and one after all others that is taken away when the run goes on.

use std::path::Path;

use cresset_record::{Rank, State};
use serde_json::{Map, Value as Json};

use super::file;
use super::message::{self, Summary, hparam, seconds};
use super::state::Written;
use crate::error::ShipError;
use crate::proto::Message;

/// The session's start, if config has changed.
pub(super) fn write_start(folder: &Path, written: &mut Written) -> Result<(), ShipError> {
    let (true, Some(id)) = (written.is_changed, &written.id) else {
        return Ok(());
    };
    let mut start = Message::default();
    for (name, value) in flat(&written.config) {
        let entry = Message::default().bytes(1, name);
        start = start.message(1, &entry.message(2, &hparam(value)));
    }
    // A group of one's own: TensorBoard averages over those that share one.
    let start = start.bytes(4, id).double(5, seconds(written.began));
    let summary = Summary::default().hparams(
        "_hparams_/session_start_info",
        Message::default().message(3, &start),
    );
    let mut bytes = Vec::new();
    message::put_head(&mut bytes, written.began);
    message::put_summary(&mut bytes, written.began, 0, &summary);
    let folder = folder.join(written.folder(Rank(0)));
    file::replace(&folder, &written.rank(Rank(0)).file_name(0), &bytes)
}

/// The session's end.
pub(super) fn write_end(
    folder: &Path,
    written: &mut Written,
    state: &State,
) -> Result<(), ShipError> {
    if written.id.is_none() {
        return Ok(());
    }
    let status = match state {
        State::Finished | State::Stopped(_) => 1,
        State::Failed(_) | State::Crashed => 2,
        State::Running => 3,
    };
    let folder = folder.join(written.folder(Rank(0)));
    let of_rank = written.rank(Rank(0));
    let end = Message::default()
        .int(1, status)
        .double(2, seconds(of_rank.time));
    let summary = Summary::default().hparams(
        "_hparams_/session_end_info",
        Message::default().message(4, &end),
    );
    let mut bytes = Vec::new();
    message::put_head(&mut bytes, of_rank.time);
    message::put_summary(&mut bytes, of_rank.time, 0, &summary);
    of_rank.has_end = true;
    file::replace(&folder, &of_rank.file_name(of_rank.index + 1), &bytes)
}

/// Nested names joined by dots, with their values; lists are values.
pub(super) fn flat(config: &Map<String, Json>) -> Vec<(String, &Json)> {
    let mut found = Vec::new();
    descend("", config, &mut found);
    found
}

fn descend<'a>(above: &str, map: &'a Map<String, Json>, found: &mut Vec<(String, &'a Json)>) {
    for (name, value) in map {
        let name = match above {
            "" => name.clone(),
            above => format!("{above}.{name}"),
        };
        match value {
            Json::Object(inner) if !inner.is_empty() => descend(&name, inner, found),
            value => found.push((name, value)),
        }
    }
}

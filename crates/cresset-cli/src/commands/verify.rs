//! `cresset verify`: reads every byte of a run and says what is not as it was written.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use cresset_record::{
    BlobFolder, BlobRef, Damage, DamageKind, Digest, Follower, KeyId, LabelUpdate, Rank, Record,
    Removed, RunDir,
};
use ratatui::text::{Line, Span};
use serde::Serialize;

use crate::args::VerifyArguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::{human, locate, theme};

/// Runs the command.
pub(crate) fn run(
    a: &VerifyArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let dir = locate::run(dir, &a.run.run)?;
    let report = Report::of(&dir)?;
    if a.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        out.write_all(b"\n")?;
    } else {
        report.print(out)?;
    }
    Ok(if report.intact {
        Exit::Ok
    } else {
        Exit::Damaged
    })
}

/// What was found. Its JSON is what `cresset verify --json` prints.
#[derive(Serialize)]
struct Report {
    run: String,
    /// As the log has it; absent where the head of the run is damaged.
    name: Option<String>,
    path: PathBuf,
    /// Whether everything is as it was written.
    intact: bool,
    /// Whether a process was writing meanwhile.
    live: bool,
    segments: u64,
    bytes: u64,
    frames: u64,
    records: u64,
    blobs: u64,
    blob_bytes: u64,
    /// Blobs that a rule of the project removed; the run's folder says which and when.
    removed_blobs: u64,
    damage: Vec<DamageJson>,
    bad_blobs: Vec<BadBlob>,
}

/// A damaged part of a log.
#[derive(Serialize)]
struct DamageJson {
    file: String,
    rank: Rank,
    segment: u32,
    from: u64,
    to: u64,
    #[serde(flatten)]
    kind: DamageKind,
    #[serde(skip)]
    text: String,
}

/// A blob that is not what its name says.
#[derive(Serialize)]
struct BadBlob {
    digest: Digest,
    file: String,
    what: &'static str,
    /// Details for people.
    text: String,
    /// Who needs it.
    key: String,
    step: u64,
}

/// Where a blob is needed first.
struct Need {
    blob: BlobRef,
    key: String,
    step: u64,
}

impl Report {
    fn of(dir: &RunDir) -> anyhow::Result<Self> {
        let mut reading = Reading::default();
        let mut follower = Follower::new(dir.clone());
        while let Some(batch) = follower.next_batch().context("cannot read the run")? {
            reading.frames += 1;
            reading.records += batch.records.len() as u64;
            for record in batch.records {
                reading.note(batch.rank, record);
            }
        }
        let segments = dir.segments().context("cannot read the run")?;
        let size = |(rank, index): &(Rank, u32)| {
            std::fs::metadata(dir.segment(*rank, *index)).map_or(0, |m| m.len())
        };
        let damage: Vec<_> = follower.damage().iter().map(DamageJson::of).collect();
        let folder = dir.blobs();
        let removed = Removed::read(dir).context("cannot read what was removed of the run")?;
        let is_removed = |need: &&Need| {
            let digest = &need.blob.digest;
            removed.contains_key(digest) && !folder.path(digest).exists()
        };
        let removed_blobs = reading.needs.values().filter(is_removed).count() as u64;
        let bad_blobs: Vec<_> = reading
            .needs
            .values()
            .filter(|need| !is_removed(need))
            .filter_map(|need| BadBlob::check(dir, &folder, need))
            .collect();
        Ok(Self {
            run: dir.id_text().to_owned(),
            name: reading.name,
            path: dir.path().to_owned(),
            intact: damage.is_empty() && bad_blobs.is_empty(),
            live: follower.is_live(),
            bytes: segments.iter().map(size).sum(),
            segments: segments.len() as u64,
            frames: reading.frames,
            records: reading.records,
            blobs: reading.needs.len() as u64,
            blob_bytes: reading.needs.values().map(|n| n.blob.bytes).sum(),
            removed_blobs,
            damage,
            bad_blobs,
        })
    }

    fn print(&self, out: &mut Output) -> io::Result<()> {
        let verdict = match self.intact {
            true => Span::styled("intact", theme::STRONG),
            false => Span::styled("damaged", theme::BAD),
        };
        let called = match &self.name {
            Some(name) => human::clean(&format!("{name} ({})", self.run)),
            None => self.run.clone(),
        };
        let live = match self.live {
            true => ", and still being written",
            false => "",
        };
        out.line(Line::from(vec![
            Span::styled(called, theme::STRONG),
            Span::raw(" is "),
            verdict,
            Span::raw(live),
        ]))?;
        let log = format!(
            "  log    {}, {} in {}, {}",
            human::count(self.segments, "segment"),
            human::count(self.records, "record"),
            human::count(self.frames, "frame"),
            human::bytes(self.bytes),
        );
        out.line(Span::raw(log))?;
        let blobs = format!(
            "  blobs  {}, {}",
            human::count(self.blobs, "blob"),
            human::bytes(self.blob_bytes)
        );
        out.line(Span::raw(blobs))?;
        if self.removed_blobs > 0 {
            let removed = human::count(self.removed_blobs, "blob");
            out.line(Span::raw(format!(
                "         of these, {removed} removed by a rule of the project"
            )))?;
        }
        for damage in &self.damage {
            out.line(Span::styled(format!("  {}", damage.text), theme::BAD))?;
        }
        for bad in &self.bad_blobs {
            let text = format!(
                "  {}: {} (of {}, step {})",
                bad.file,
                bad.text,
                human::clean(&bad.key),
                bad.step
            );
            out.line(Span::styled(text, theme::BAD))?;
        }
        Ok(())
    }
}

/// What the records said on the way.
#[derive(Default)]
struct Reading {
    name: Option<String>,
    frames: u64,
    records: u64,
    keys: BTreeMap<(Rank, KeyId), String>,
    needs: BTreeMap<Digest, Need>,
}

impl Reading {
    fn note(&mut self, rank: Rank, record: Record) {
        match record {
            Record::Start(start) => self.name = Some(start.name),
            Record::Label(LabelUpdate {
                name: Some(name), ..
            }) => self.name = Some(name),
            Record::Key { id, key } => {
                self.keys.insert((rank, id), key.as_str().to_owned());
            }
            Record::Media {
                key, step, media, ..
            } => {
                let key = self.keys.get(&(rank, key)).cloned().unwrap_or_default();
                for blob in media.blobs() {
                    self.needs.entry(blob.digest).or_insert_with(|| Need {
                        blob: blob.clone(),
                        key: key.clone(),
                        step,
                    });
                }
            }
            _ => {}
        }
    }
}

impl BadBlob {
    /// What is wrong with a blob; `None` if nothing is.
    fn check(dir: &RunDir, folder: &BlobFolder, need: &Need) -> Option<Self> {
        let path = folder.path(&need.blob.digest);
        let (what, text) = match Digest::of_file(&path) {
            Ok((digest, bytes)) if bytes == need.blob.bytes && digest == need.blob.digest => {
                return None;
            }
            Ok((_, bytes)) if bytes != need.blob.bytes => (
                "damaged",
                format!("has {bytes} bytes instead of {}", need.blob.bytes),
            ),
            Ok(_) => ("damaged", "its bytes do not match its digest".to_owned()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => ("missing", "is missing".to_owned()),
            Err(e) => ("unreadable", format!("cannot be read: {e}")),
        };
        let file = path.strip_prefix(dir.path()).unwrap_or(&path);
        Some(Self {
            digest: need.blob.digest,
            file: file.display().to_string(),
            what,
            text,
            key: need.key.clone(),
            step: need.step,
        })
    }
}

impl DamageJson {
    fn of(damage: &Damage) -> Self {
        Self {
            file: file_name(damage),
            rank: damage.rank,
            segment: damage.segment,
            from: damage.from,
            to: damage.to,
            kind: damage.kind,
            text: describe(damage),
        }
    }
}

fn file_name(damage: &Damage) -> String {
    let path = RunDir::new("").segment(damage.rank, damage.segment);
    path.display().to_string()
}

/// A damaged part in one line: where, how much, and what it means.
pub(crate) fn describe(damage: &Damage) -> String {
    let Damage { from, to, .. } = damage;
    let length = human::count(to.saturating_sub(*from), "byte");
    let file = file_name(damage);
    match damage.kind {
        DamageKind::TornTail => {
            format!("{file}: bytes {from}..{to}: the last write was cut short ({length})")
        }
        DamageKind::Corrupt => {
            format!("{file}: bytes {from}..{to}: {length} are not what was written")
        }
        DamageKind::MissingFrames { frames } => {
            let frames = human::count(frames, "frame");
            format!("{file}: byte {from}: {frames} missing before it")
        }
        DamageKind::Malformed { records } => {
            let records = human::count(records.into(), "record");
            format!("{file}: bytes {from}..{to}: {records} cannot be understood")
        }
    }
}

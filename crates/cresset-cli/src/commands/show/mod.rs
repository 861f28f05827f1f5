//! `cresset show`: one run on one page.

mod facts;
mod json;
mod machine;
mod pictures;
mod trouble;

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use cresset_record::{Digest, Media, RunView};
use cresset_store::Trashed;
use ratatui::text::{Line, Span};

use crate::args::ShowArguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::overview::Overview;
use crate::{human, index, locate, theme};

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 100;

/// Runs the command.
pub(crate) fn run(a: &ShowArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let dir = locate::run(dir, &a.run.run)?;
    let view = RunView::open(dir).context("cannot read the run")?;
    let overview = Overview::labelled(&view);
    let trashed = index::trashed(view.dir());
    if a.json {
        let shown = json::Shown::of(&view, &overview, trashed.as_ref(), &a.key);
        serde_json::to_writer_pretty(&mut *out, &shown)?;
        out.write_all(b"\n")?;
        return Ok(Exit::Ok);
    }
    let fits = a.width.or(out.width()).map(|width| width.max(20));
    let width = fits.unwrap_or(DEFAULT_WIDTH);
    let everything = ["*".to_owned()];
    let page = Page {
        view: &view,
        overview: &overview,
        trashed: trashed.as_ref(),
        keys: if a.all { &everything } else { &a.key },
        all: a.all,
        log: a.log,
        width,
        fits: fits.map(usize::from),
        file: asked_file(&view, &a.run.run),
    };
    // Patterns ask for pictures, not for everything else.
    if a.key.is_empty() {
        facts::print(&page, out)?;
        machine::print(&page, out)?;
        trouble::print_alerts(&page, out)?;
    }
    let found = pictures::print(&page, out)?;
    if a.key.is_empty() {
        trouble::print_log(&page, out)?;
        trouble::print_losses(&page, out)?;
    } else if !found {
        eprintln!("no series of {} matches", human::clean(&overview.name));
    }
    Ok(Exit::Ok)
}

/// What is printed, and how.
struct Page<'a> {
    view: &'a RunView,
    overview: &'a Overview,
    trashed: Option<&'a Trashed>,
    keys: &'a [String],
    /// With what Cresset records by itself.
    all: bool,
    log: bool,
    /// Columns of a picture.
    width: u16,
    /// Columns that text has to fit into; nobody reads it line by line where there is no terminal.
    fits: Option<usize>,
    /// What the run recorded the file as by which it was asked for.
    file: Option<String>,
}

/// Of many checkpoints of a run, it matters which one the file is.
fn asked_file(view: &RunView, wanted: &str) -> Option<String> {
    let file = Path::new(wanted);
    let (digest, _) = file.is_file().then(|| Digest::of_file(file).ok())??;
    let (key, value) = view.media().find_map(|(key, _, values)| {
        let is_it = |value: &Media| value.blobs().any(|blob| blob.digest == digest);
        Some((key, values.iter().find(|logged| is_it(&logged.value))?))
    })?;
    let caption = value.value.caption.as_deref();
    let caption = caption.map(|text| format!(", {text}")).unwrap_or_default();
    Some(format!("{key} at step {}{caption}", value.step))
}

/// Prints the title of a section, and behind it something quiet.
fn section(out: &mut Output, title: &str, note: &str) -> io::Result<()> {
    out.blank()?;
    out.line(Line::from(vec![
        Span::styled(title.to_owned(), theme::STRONG),
        Span::styled(format!("  {note}"), theme::QUIET),
    ]))
}

//! What went wrong: alerts, the last lines of a run that failed, what was lost and what is damaged.

use std::io;
use std::ops::Range;

use cresset_record::{ConsoleLine, Level, State};
use ratatui::text::{Line, Span};

use super::{Page, section};
use crate::commands::verify::describe;
use crate::messages::{alert_line, console_line, loss_text};
use crate::output::Output;
use crate::{human, theme};

/// The newest alerts that are shown.
const MOST_ALERTS: usize = 10;
/// The last lines of the log of a run that goes on or did not end well.
const LAST_WORDS: usize = 8;
/// Lines of the log that led to the first alert of level error, and that came after it.
const BEFORE_ALERT: usize = 6;
const AFTER_ALERT: usize = 2;

/// Below an alert's title stands its text, behind the time.
const INDENT: &str = "            ";

pub(super) fn print_alerts(page: &Page, out: &mut Output) -> io::Result<()> {
    let alerts = page.view.alerts();
    if alerts.is_empty() {
        return Ok(());
    }
    let shown = &alerts[alerts.len().saturating_sub(MOST_ALERTS)..];
    let note = match alerts.len() - shown.len() {
        0 => String::new(),
        n => format!("{n} earlier: see --json"),
    };
    section(out, "Alerts", &note)?;
    for alert in shown {
        out.line(indented(alert_line(alert)))?;
        for line in alert.text.lines() {
            let line = human::clean(line);
            let room = page.fits.map_or(usize::MAX, |fits| fits - INDENT.len());
            for part in human::wrap(&line, room) {
                out.line(Span::raw(format!("{INDENT}{part}")))?;
            }
        }
    }
    Ok(())
}

fn indented(mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, Span::raw("  "));
    line
}

/// Prints what the program said around the first error, and last.
pub(super) fn print_log(page: &Page, out: &mut Output) -> io::Result<()> {
    let console = page.view.console();
    let title = match page.overview.state {
        State::Running => Some("Last lines of the log"),
        State::Failed(_) | State::Crashed => Some("End of the log"),
        _ => None,
    };
    let last = console.len().saturating_sub(LAST_WORDS);
    let untold = title.map_or(console.len(), |_| last);
    if let Some(range) = around_first_error(page, untold) {
        section(out, "Log around the first error", "")?;
        print_lines(&console[range], out)?;
    }
    if let Some(title) = title.filter(|_| !console.is_empty()) {
        let note = match last {
            0 => String::new(),
            n => format!(
                "{} before: cresset export --format jsonl",
                human::count(n as u64, "line")
            ),
        };
        section(out, title, &note)?;
        print_lines(&console[last..], out)?;
    }
    Ok(())
}

/// The lines around the first alert of level error, of those before `end`.
fn around_first_error(page: &Page, end: usize) -> Option<Range<usize>> {
    let alert = page
        .view
        .alerts()
        .iter()
        .find(|a| a.level == Level::Error)?;
    let lines = page.view.console();
    let at = lines
        .iter()
        .take_while(|line| line.time <= alert.time)
        .count();
    let range = at.saturating_sub(BEFORE_ALERT)..(at + AFTER_ALERT).min(end);
    (!range.is_empty()).then_some(range)
}

fn print_lines(lines: &[ConsoleLine], out: &mut Output) -> io::Result<()> {
    lines
        .iter()
        .try_for_each(|line| out.line(indented(console_line(line))))
}

pub(super) fn print_losses(page: &Page, out: &mut Output) -> io::Result<()> {
    let lost = page.view.lost();
    if !lost.is_empty() {
        section(out, "Lost", "")?;
        for (reason, loss) in lost {
            let what = loss_text(loss.points, loss.values);
            out.line(Line::from(vec![
                Span::styled(format!("  {what}: "), theme::DOUBTFUL),
                Span::raw(reason.describe()),
            ]))?;
        }
    }
    let damage = page.view.damage();
    if !damage.is_empty() {
        section(out, "Damage", "")?;
        for place in damage {
            out.line(Span::styled(format!("  {}", describe(place)), theme::BAD))?;
        }
    }
    Ok(())
}

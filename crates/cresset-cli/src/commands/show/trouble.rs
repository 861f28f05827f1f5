//! What went wrong: alerts, the last lines of a run that failed, what was lost and what is damaged.

use std::io;

use cresset_record::State;
use ratatui::text::{Line, Span};

use super::{Page, section};
use crate::commands::verify::describe;
use crate::messages::{alert_line, console_line, loss_text};
use crate::output::Output;
use crate::{human, theme};

/// The newest alerts that are shown.
const MOST_ALERTS: usize = 10;
/// Lines of the log of a run that did not end well.
const LAST_WORDS: usize = 8;

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
            out.line(Span::raw(format!("            {}", human::clean(line))))?;
        }
    }
    Ok(())
}

fn indented(mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, Span::raw("  "));
    line
}

pub(super) fn print_last_words(page: &Page, out: &mut Output) -> io::Result<()> {
    let console = page.view.console();
    let ended_badly = matches!(page.overview.state, State::Failed(_) | State::Crashed);
    if !ended_badly || console.is_empty() {
        return Ok(());
    }
    section(out, "End of the log", "")?;
    for line in &console[console.len().saturating_sub(LAST_WORDS)..] {
        out.line(indented(console_line(line)))?;
    }
    Ok(())
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

//! Watching without a terminal: a line whenever there is progress, until the run ends.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::{RunView, State, Timestamp};
use ratatui::text::{Line, Span};

use super::POLL;
use crate::exit::Exit;
use crate::messages::{alert_line, console_line, loss_text};
use crate::output::Output;
use crate::{human, select, theme};

/// Values are printed at most this often.
const EVERY: Duration = Duration::from_secs(5);
/// Values on a line.
const MOST_VALUES: usize = 8;

/// Follows the run to its end.
pub(super) fn run(
    mut view: RunView,
    given: Option<&str>,
    patterns: &[String],
    out: &mut Output,
) -> anyhow::Result<Exit> {
    out.line(Line::from(vec![
        Span::raw(human::clean(given.unwrap_or(view.name()))),
        Span::styled(format!("  {}", view.dir().id_text()), theme::QUIET),
    ]))?;
    let mut printed = Printed::default();
    let mut due = Instant::now();
    loop {
        let running = view.state() == State::Running;
        printed.messages(&view, out)?;
        let wanted = !running || Instant::now() >= due;
        if wanted && printed.values(&view, patterns, out)? {
            due = Instant::now() + EVERY;
        }
        out.flush()?;
        if !running {
            break;
        }
        thread::sleep(POLL);
        view.refresh()?;
    }
    print_end(&view, out)?;
    Ok(match view.state() {
        State::Failed(_) | State::Crashed => Exit::RunFailed,
        _ => Exit::Ok,
    })
}

/// What was printed already.
#[derive(Default)]
struct Printed {
    alerts: usize,
    console: usize,
    values: String,
}

impl Printed {
    /// New alerts and lines of the log.
    fn messages(&mut self, view: &RunView, out: &mut Output) -> io::Result<()> {
        for alert in view.alerts().iter().skip(self.alerts) {
            let mut line = alert_line(alert);
            line.spans.insert(1, Span::raw("alert: "));
            out.line(line)?;
        }
        for line in view.console().iter().skip(self.console) {
            out.line(console_line(line))?;
        }
        self.alerts = view.alerts().len();
        self.console = view.console().len();
        Ok(())
    }

    /// The latest values, if they are not those of the line before.
    fn values(
        &mut self,
        view: &RunView,
        patterns: &[String],
        out: &mut Output,
    ) -> io::Result<bool> {
        let series = select::scalars(view, patterns);
        let latest: Vec<_> = series
            .iter()
            .filter_map(|s| Some((s.key, s.ranks.first()?.1.last()?)))
            .collect();
        let Some(newest) = latest
            .iter()
            .map(|(_, point)| *point)
            .max_by_key(|p| p.step)
        else {
            return Ok(false);
        };
        let values: Vec<String> = latest
            .iter()
            .take(MOST_VALUES)
            .map(|(key, point)| {
                let value = human::number(point.value, 5);
                format!("{}={value}", human::clean(key))
            })
            .collect();
        let text = format!("step {}  {}", newest.step, values.join("  "));
        if text == self.values {
            return Ok(false);
        }
        let time = latest.iter().map(|(_, p)| p.time).max();
        let clock = human::clock(time.unwrap_or(Timestamp(0)));
        out.line(Line::from(vec![
            Span::styled(format!("{clock}  "), theme::QUIET),
            Span::raw(text.clone()),
        ]))?;
        self.values = text;
        Ok(true)
    }
}

fn print_end(view: &RunView, out: &mut Output) -> io::Result<()> {
    let state = view.state();
    let mut line = Line::from(vec![
        theme::state(&state),
        Span::raw(format!(
            " after {}",
            human::duration(view.duration_seconds())
        )),
    ]);
    if let Some(reason) = state.reason() {
        line.push_span(Span::raw(format!(": {}", human::clean(reason))));
    }
    out.line(line)?;
    for (reason, loss) in view.lost() {
        let lost = loss_text(loss.points, loss.values);
        out.line(Span::raw(format!("lost {lost}: {}", reason.describe())))?;
    }
    Ok(())
}

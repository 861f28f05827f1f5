//! Alerts, lines of the log and losses, as all commands print them.

use cresset_record::{Alert, ConsoleLine};
use ratatui::text::{Line, Span};

use crate::{human, theme};

/// An alert on one line.
pub(crate) fn alert_line(alert: &Alert) -> Line<'static> {
    let mut line = Line::from(vec![
        Span::styled(format!("{}  ", human::clock(alert.time)), theme::QUIET),
        Span::styled(human::clean(&alert.title), theme::level_style(alert.level)),
    ]);
    if let Some(step) = alert.step.filter(|&step| !names_step(&alert.title, step)) {
        line.push_span(Span::styled(format!("  step {step}"), theme::QUIET));
    }
    line
}

/// Whether a title says at which step, as those of Cresset's own alerts do.
fn names_step(title: &str, step: u64) -> bool {
    let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).collect();
    let step = step.to_string();
    words.windows(2).any(|pair| pair == ["step", &*step])
}

/// A line of the log.
pub(crate) fn console_line(console: &ConsoleLine) -> Line<'static> {
    let style = theme::level_style(console.level);
    let mut line = Line::from(vec![
        Span::styled(format!("{}  ", human::clock(console.time)), theme::QUIET),
        Span::styled(format!("{}  ", theme::level_word(console.level)), style),
    ]);
    if !console.target.is_empty() {
        let target = human::clean(&console.target);
        line.push_span(Span::styled(format!("{target}: "), theme::QUIET));
    }
    line.push_span(Span::raw(human::clean(&console.message)));
    for (name, value) in &console.fields {
        let field = format!("  {}={}", human::clean(name), human::json(value));
        line.push_span(Span::styled(field, theme::QUIET));
    }
    line
}

/// How much was lost, in words.
pub(crate) fn loss_text(points: u64, values: u64) -> String {
    let points_text = human::count(points, "point");
    let values_text = human::count(values, "other value");
    match (points, values) {
        (_, 0) => points_text,
        (0, _) => values_text,
        _ => format!("{points_text} and {values_text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_said_once() {
        let line = |title: &str| {
            let (time, text) = (cresset_record::Timestamp(0), String::new());
            let level = cresset_record::Level::Error;
            let step = Some(70);
            let title = title.to_owned();
            alert_line(&Alert {
                time,
                level,
                title,
                text,
                step,
            })
            .to_string()
        };
        assert!(line("first bad gradient at step 70: head").ends_with("step 70: head"));
        assert!(line("loss is NaN at step 700").ends_with("step 700  step 70"));
        assert!(line("overfits").ends_with("overfits  step 70"));
    }
}

//! Puts the state of the screen into cells. Works at any size; what has no room is left out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use super::app::App;
use crate::chart::Chart;
use crate::messages::{alert_line, console_line, loss_text};
use crate::select::Selected;
use crate::{human, theme};

mod layout;
mod machine;

use layout::{Grid, Parts};

/// Draws everything.
pub(super) fn draw(app: &mut App, area: Rect, buffer: &mut Buffer) {
    if area.width < 4 || area.height == 0 {
        return;
    }
    let troubles = trouble_lines(app);
    let parts = Parts::of(app, area, troubles.len());
    draw_head(app, parts.head, buffer);
    draw_charts(app, parts.charts, buffer);
    machine::draw(app, parts.machine, buffer);
    draw_panel("Alerts and losses", &troubles, parts.troubles, buffer);
    draw_tail(app, parts.tail, buffer);
    draw_foot(app, parts.foot, buffer);
    if app.help {
        draw_help(area, buffer);
    }
}

/// One line that never leaves its area.
fn put(line: &Line, area: Rect, buffer: &mut Buffer) {
    if area.height > 0 {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

fn row(area: Rect, index: u16) -> Rect {
    let y = area.y.saturating_add(index);
    let height = u16::from(y < area.bottom());
    Rect { y, height, ..area }
}

fn draw_head(app: &App, area: Rect, buffer: &mut Buffer) {
    let view = &app.view;
    let state = view.state();
    let name = app.given.as_deref().unwrap_or(view.name());
    let mut left = Line::from(vec![
        Span::styled(human::clean(name), theme::STRONG),
        Span::raw("  "),
        theme::state(&state),
        Span::raw(format!(" {}", human::duration(view.duration_seconds()))),
    ]);
    if let Some(reason) = state.reason() {
        left.push_span(Span::styled(
            format!("  {}", human::clean(reason)),
            theme::BAD,
        ));
    }
    put(&left, row(area, 0), buffer);
    if let Some((step, rate)) = app.progress() {
        let mut right = format!("step {}", human::grouped(step));
        if let Some(rate) = rate {
            right += &format!(" · {}/s", human::number(rate, 3));
        }
        draw_right(&right, left.width(), row(area, 0), buffer);
    }
    let project = view.start().map_or("?", |s| s.project.as_str());
    let about = format!("{} in {}", view.dir().id_text(), human::clean(project));
    let second = match &app.trouble {
        Some(trouble) => Span::styled(human::clean(trouble), theme::BAD),
        None => Span::styled(about, theme::QUIET),
    };
    put(&Line::from(second), row(area, 1), buffer);
}

/// At the right end of a row, if what stands at its left leaves room.
fn draw_right(text: &str, taken: usize, area: Rect, buffer: &mut Buffer) {
    let width = human::width(text);
    if taken + 2 + width <= usize::from(area.width) && area.height > 0 {
        buffer.set_string(area.right() - width as u16, area.y, text, Style::new());
    }
}

fn draw_charts(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let count = app.series().len();
    app.selected = app.selected.min(count.saturating_sub(1));
    if count == 0 {
        let text = match (app.filter.is_empty() && app.typing.is_none(), app.system) {
            (false, _) => "no series has this in its name",
            (true, true) => "no figures of the machine",
            (true, false) => "no values yet",
        };
        put(&Line::styled(text, theme::QUIET), row(area, 0), buffer);
        return;
    }
    if app.zoomed {
        let series = app.series();
        draw_chart(app, &series[app.selected], false, area, buffer);
        return;
    }
    let grid = Grid::of(area, count);
    app.columns = grid.columns;
    app.page = grid.columns * grid.rows;
    let first = grid.first_shown(app.selected);
    for (place, series) in app.series().iter().enumerate().skip(first).take(app.page) {
        let cell = grid.cell(place - first);
        draw_chart(app, series, place == app.selected, cell, buffer);
    }
}

fn draw_chart(app: &App, series: &Selected, selected: bool, area: Rect, buffer: &mut Buffer) {
    let style = match selected {
        true => theme::STRONG.add_modifier(Modifier::REVERSED),
        false => theme::STRONG,
    };
    Chart::new(&app.view, series)
        .log(app.log)
        .title_style(style)
        .render(area, buffer);
}

/// The newest alerts, and all losses, the newest last.
fn trouble_lines(app: &App) -> Vec<Line<'static>> {
    let view = &app.view;
    let mut lines: Vec<Line> = view.alerts().iter().map(alert_line).collect();
    lines.extend(view.lost().iter().map(|(reason, loss)| {
        let lost = loss_text(loss.points, loss.values);
        Line::styled(
            format!("lost {lost}: {}", reason.describe()),
            theme::DOUBTFUL,
        )
    }));
    match view.damage().len() as u64 {
        0 => {}
        n => lines.push(Line::styled(
            format!(
                "{} of the log damaged: see cresset verify",
                human::count(n, "place")
            ),
            theme::BAD,
        )),
    }
    lines
}

/// A title with a rule, and below it the last lines that fit.
fn draw_panel(title: &str, lines: &[Line], area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let rule = usize::from(area.width).saturating_sub(human::width(title) + 1);
    let title = Line::from(vec![
        Span::styled(title.to_owned(), theme::STRONG),
        Span::styled(format!(" {}", "─".repeat(rule)), theme::QUIET),
    ]);
    put(&title, row(area, 0), buffer);
    let room = usize::from(area.height - 1);
    let first = lines.len().saturating_sub(room);
    for (i, line) in lines[first..].iter().enumerate() {
        put(line, row(area, 1 + i as u16), buffer);
    }
}

fn draw_tail(app: &App, area: Rect, buffer: &mut Buffer) {
    let console = app.view.console();
    let room = usize::from(area.height);
    let lines: Vec<Line> = console[console.len().saturating_sub(room)..]
        .iter()
        .map(console_line)
        .collect();
    draw_panel("Log", &lines, area, buffer);
}

fn draw_foot(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = match &app.typing {
        Some(typed) => Line::from(vec![
            Span::styled("/", theme::STRONG),
            Span::raw(human::clean(typed)),
            Span::styled("▏", theme::STRONG),
            Span::styled("  enter keeps, esc leaves", theme::QUIET),
        ]),
        None => keys_line(app),
    };
    put(&line, row(area, 0), buffer);
}

fn keys_line(app: &App) -> Line<'static> {
    let mut spans = Vec::new();
    if !app.filter.is_empty() {
        let shown = format!("/{}  ", human::clean(&app.filter));
        spans.push(Span::styled(shown, theme::STRONG));
    }
    let on = |on: bool| if on { theme::STRONG } else { theme::QUIET };
    let keys = [
        ("q quit", false),
        ("? help", false),
        ("/ filter", !app.filter.is_empty()),
        ("l log axis", app.log),
        ("enter zoom", app.zoomed),
        ("s system", app.system),
        ("t tail", app.tall_tail),
        ("←↑↓→ move", false),
    ];
    for (key, active) in keys {
        spans.push(Span::styled(format!("{key}   "), on(active)));
    }
    Line::from(spans)
}

const HELP: [(&str, &str); 11] = [
    ("arrows, j k, tab", "choose a chart"),
    ("page up, page down", "a screen up or down"),
    ("home, end", "the first, the last chart"),
    ("enter, space", "the chart alone, or all again"),
    ("/", "only keys with this in them; * stands for anything"),
    ("esc", "leave the chart, or the filter"),
    ("l", "logarithmic or linear y axes"),
    ("s", "charts of the machine, or of the training"),
    ("t", "a longer or shorter end of the log"),
    ("?", "this list"),
    ("q, ctrl-c", "quit; the training goes on"),
];

fn draw_help(area: Rect, buffer: &mut Buffer) {
    let keys = HELP.iter().map(|(k, _)| human::width(k)).max().unwrap_or(0);
    let texts = HELP.iter().map(|(_, t)| human::width(t)).max().unwrap_or(0);
    let width = (keys + texts + 6).min(usize::from(area.width)) as u16;
    let height = (HELP.len() as u16 + 2).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    let place = Rect::new(x, y, width, height);
    Clear.render(place, buffer);
    ratatui::widgets::Block::bordered()
        .title(" Keys ")
        .render(place, buffer);
    let inside = place.inner(ratatui::layout::Margin::new(2, 1));
    for (i, (key, text)) in HELP.iter().enumerate() {
        let line = Line::from(vec![
            Span::styled(format!("{key:keys$}  "), theme::STRONG),
            Span::raw(*text),
        ]);
        put(&line, row(inside, i as u16), buffer);
    }
}

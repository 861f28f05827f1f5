//! What the screen shows, and what keys do to it.

use cresset_record::{RunView, State};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::select::{self, Selected};

/// The state of the screen.
pub(super) struct App {
    pub(super) view: RunView,
    /// Another name, which a person gave the run.
    pub(super) given: Option<String>,
    /// Patterns from the command line.
    patterns: Vec<String>,
    /// Which keys are shown, as typed after `/`; empty for all.
    pub(super) filter: String,
    /// What is being typed after `/`.
    pub(super) typing: Option<String>,
    /// Which chart keys act on.
    pub(super) selected: usize,
    /// How many charts stand side by side, and on the screen, as of the last drawing.
    pub(super) columns: usize,
    pub(super) page: usize,
    /// Whether the selected chart has the screen to itself.
    pub(super) zoomed: bool,
    pub(super) log: bool,
    /// Whether the charts are those of the machine.
    pub(super) system: bool,
    /// Whether the log has half of the screen.
    pub(super) tall_tail: bool,
    pub(super) help: bool,
    pub(super) quit: bool,
    /// Why the run could not be read the last time.
    pub(super) trouble: Option<String>,
}

impl App {
    pub(super) fn new(view: RunView, given: Option<String>, patterns: Vec<String>) -> Self {
        Self {
            view,
            given,
            patterns,
            filter: String::new(),
            typing: None,
            selected: 0,
            columns: 1,
            page: 1,
            zoomed: false,
            log: false,
            system: false,
            tall_tail: false,
            help: false,
            quit: false,
            trouble: None,
        }
    }

    /// Reads what is new; `true` if the screen should be drawn again.
    pub(super) fn refresh(&mut self) -> bool {
        let before = self.view.state();
        match self.view.refresh() {
            Ok(news) => {
                let recovered = self.trouble.take().is_some();
                news || recovered || self.view.state() != before
            }
            Err(error) => {
                let trouble = Some(error.to_string());
                let changed = self.trouble != trouble;
                self.trouble = trouble;
                changed
            }
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.view.state() == State::Running
    }

    /// The series that have a chart.
    pub(super) fn series(&self) -> Vec<Selected<'_>> {
        let filter = self.typing.as_ref().unwrap_or(&self.filter);
        if !filter.is_empty() {
            let mut pattern = filter.clone();
            if !pattern.contains('*') {
                pattern = format!("*{pattern}*");
            }
            return select::scalars(&self.view, &[pattern]);
        }
        if self.system {
            return select::scalars(&self.view, &["system/*".to_owned()]);
        }
        select::scalars(&self.view, &self.patterns)
    }

    /// Does what a key asks for.
    pub(super) fn press(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if control => self.quit = true,
            _ if self.help => self.help = false,
            code if self.typing.is_some() => self.type_filter(code),
            code => self.command(code),
        }
    }

    fn type_filter(&mut self, code: KeyCode) {
        let Some(typed) = &mut self.typing else {
            return;
        };
        match code {
            KeyCode::Char(c) => typed.push(c),
            KeyCode::Backspace => {
                typed.pop();
            }
            KeyCode::Enter => {
                self.filter = std::mem::take(typed);
                self.typing = None;
            }
            KeyCode::Esc => self.typing = None,
            _ => return,
        }
        self.selected = 0;
    }

    fn command(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char('q') => self.quit = true,
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('/') => {
                self.typing = Some(String::new());
                self.zoomed = false;
            }
            KeyCode::Char('l') => self.log = !self.log,
            KeyCode::Char('s') => {
                self.system = !self.system;
                self.selected = 0;
            }
            KeyCode::Char('t') => self.tall_tail = !self.tall_tail,
            KeyCode::Enter | KeyCode::Char(' ') => self.zoomed = !self.zoomed,
            KeyCode::Esc if self.zoomed => self.zoomed = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.selected = 0;
            }
            code => self.move_selection(code),
        }
    }

    fn move_selection(&mut self, code: KeyCode) {
        let last = self.series().len().saturating_sub(1);
        let rows = if self.zoomed { 1 } else { self.columns };
        let page = self.page.max(1);
        self.selected = match code {
            KeyCode::Right | KeyCode::Tab => self.selected.saturating_add(1),
            KeyCode::Left | KeyCode::BackTab => self.selected.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.selected.saturating_add(rows),
            KeyCode::Up | KeyCode::Char('k') => self.selected.saturating_sub(rows),
            KeyCode::PageDown => self.selected.saturating_add(page),
            KeyCode::PageUp => self.selected.saturating_sub(page),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => self.selected,
        }
        .min(last);
    }

    /// The highest step, and how many steps a second were made of late.
    pub(super) fn progress(&self) -> Option<(u64, Option<f64>)> {
        /// Points over which the rate is taken.
        const LATELY: usize = 50;
        let own = self
            .view
            .series()
            .filter(|(key, _, _)| !select::is_reserved(key.as_str()));
        let (_, series) = own
            .filter_map(|(_, _, series)| Some((series.last()?, series)))
            .max_by_key(|(last, _)| (last.step, last.time))?;
        let points = series.points();
        let (first, last) = (
            points.get(points.len().saturating_sub(LATELY))?,
            points.last()?,
        );
        let seconds = last.time.seconds_since(first.time);
        let steps = last.step.checked_sub(first.step)?;
        let rate = (seconds > 0.0 && steps > 0).then(|| steps as f64 / seconds);
        Some((series.last()?.step, rate))
    }
}

//! The terminal: taken over, and given back whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::app::App;
use super::{POLL, draw};
use crate::exit::Exit;

/// While a run goes on, its clock does too.
const CLOCK: Duration = Duration::from_secs(1);
/// Reading and drawing take at most one part in so many of the time; a run with millions of points is drawn less often.
const SHARE: u32 = 10;

/// Shows the run until the user has seen enough.
pub(super) fn run(mut app: App) -> anyhow::Result<Exit> {
    let signal = Signal::register()?;
    let mut screen = Screen::open()?;
    let result = show(&mut app, &mut screen.terminal, &signal);
    drop(screen);
    result?;
    signal.follow()?;
    Ok(Exit::Ok)
}

fn show(app: &mut App, terminal: &mut DefaultTerminal, signal: &Signal) -> anyhow::Result<()> {
    let mut dirty = true;
    let mut drawn = Instant::now();
    let mut pause = POLL;
    while !app.quit && signal.number() == 0 {
        let begun = Instant::now();
        dirty |= app.refresh();
        dirty |= app.is_running() && drawn.elapsed() >= CLOCK;
        if dirty {
            terminal
                .draw(|frame| draw::draw(app, frame.area(), frame.buffer_mut()))
                .context("cannot draw on the terminal")?;
            drawn = Instant::now();
            dirty = false;
            pause = POLL.max(begun.elapsed() * SHARE);
        }
        dirty |= react(app, pause, signal)?;
    }
    Ok(())
}

/// Waits for the time given, or until a key was pressed or the size changed; `true` if so.
fn react(app: &mut App, pause: Duration, signal: &Signal) -> anyhow::Result<bool> {
    let until = Instant::now() + pause;
    // In short waits: a signal must not wait for a long pause to end.
    while !event::poll(POLL.min(until.saturating_duration_since(Instant::now())))? {
        if Instant::now() >= until || signal.number() != 0 {
            return Ok(false);
        }
    }
    // What came together is drawn once.
    loop {
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
        {
            app.press(key);
        }
        if app.quit || !event::poll(Duration::ZERO)? {
            return Ok(true);
        }
    }
}

/// The alternate screen in raw mode; left when dropped. A panic leaves it before its message is printed.
struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    fn open() -> anyhow::Result<Self> {
        let terminal = ratatui::try_init().context("cannot use the terminal")?;
        Ok(Self { terminal })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The panic hook has done it already; doing it again would take the cursor back over the panic's message.
        if !std::thread::panicking() {
            // There is no better place left to report that it cannot be restored.
            let _ = ratatui::try_restore();
        }
    }
}

/// The signal that asked to end, if one did.
struct Signal(Arc<AtomicUsize>);

impl Signal {
    fn register() -> anyhow::Result<Self> {
        let number = Arc::new(AtomicUsize::new(0));
        let mut signals = vec![SIGTERM, SIGINT];
        #[cfg(unix)]
        signals.push(signal_hook::consts::SIGHUP);
        for signal in signals {
            let value = usize::try_from(signal).unwrap_or(usize::MAX);
            signal_hook::flag::register_usize(signal, number.clone(), value)
                .context("cannot listen for signals")?;
        }
        Ok(Self(number))
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends as the signal would have ended the process, so that a shell sees why.
    fn follow(&self) -> anyhow::Result<()> {
        match i32::try_from(self.number()) {
            Ok(0) | Err(_) => Ok(()),
            Ok(signal) => Ok(signal_hook::low_level::emulate_default_handler(signal)?),
        }
    }
}

//! `cresset gpu`: the GPUs of this machine and which runs use them, live on a terminal; or what the driver answers, as a script.

mod rows;
#[cfg(test)]
mod tests;
mod users;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use cresset_telemetry::Gpus;
use ratatui::crossterm::cursor::MoveToPreviousLine;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{Clear, ClearType};

use crate::args::GpuArguments;
use crate::exit::Exit;
use crate::output::Output;
use crate::table::Table;

use rows::{Row, rows};
use users::Users;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// The driver of a machine with many GPUs takes its time when it is first asked.
const FIRST: Duration = Duration::from_secs(20);

/// Runs the command.
pub(crate) fn run(a: &GpuArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    if let Some(samples) = a.dump {
        let script = cresset_telemetry::dump(None, samples, EVERY).map_err(|why| anyhow!(why))?;
        out.write_all(script.as_bytes())?;
        return Ok(Exit::Ok);
    }
    let mut gpus = Gpus::open(None);
    let mut users = Users::new(dir);
    let samples = gpus.look(FIRST);
    let looked = rows(&gpus, &samples, &mut users);
    if a.json {
        serde_json::to_writer_pretty(&mut *out, &looked)?;
        out.write_all(b"\n")?;
        return Ok(Exit::Ok);
    }
    if let Some(trouble) = gpus.trouble() {
        return Err(anyhow!("no GPU figures: {trouble}"));
    }
    let mut lines = print(&looked, &gpus, out)?;
    while out.width().is_some() && !a.once {
        out.flush()?;
        std::thread::sleep(EVERY);
        let samples = gpus.look(EVERY * 2);
        let looked = rows(&gpus, &samples, &mut users);
        queue!(
            &mut *out,
            MoveToPreviousLine(lines),
            Clear(ClearType::FromCursorDown)
        )?;
        lines = print(&looked, &gpus, out)?;
    }
    Ok(Exit::Ok)
}

/// Prints the table and says how many lines that took.
fn print(looked: &[Row], gpus: &Gpus, out: &mut Output) -> io::Result<u16> {
    let mut table = Table::new(rows::columns());
    for row in looked {
        table.push(row.cells());
    }
    let left_out = table.print(out)?.join(", ");
    let mut lines = looked.len() + 1;
    let mut notes = Vec::new();
    notes.extend(gpus.trouble().map(str::to_owned));
    if looked.is_empty() {
        notes.push("the driver has no GPU".to_owned());
    }
    if !left_out.is_empty() {
        notes.push(format!("no room for: {left_out}"));
    }
    for note in notes {
        out.line(note)?;
        lines += 1;
    }
    Ok(u16::try_from(lines).unwrap_or(u16::MAX))
}

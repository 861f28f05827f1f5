//! What is told at the end, from the whole log.

use std::collections::VecDeque;

use cresset_record::{Alert, ConsoleLine, Definition, Follower, Level, LossReason, Rank, Record};
use serde_json::json;

use super::visit::Visit;
use crate::error::ShipError;
use crate::sieve::Sieve;

/// Of the console, so many bytes from its beginning and from its end.
const HEAD: usize = 1 << 20;
const TAIL: usize = 4 << 20;

/// What is told at the end.
#[derive(Default)]
struct Closing {
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    /// Console lines between beginning and end.
    cut: u64,
    alerts: Vec<(Rank, Alert)>,
    definitions: Vec<Definition>,
    losses: Vec<(LossReason, u64)>,
}

impl Visit<'_> {
    pub(super) fn closing(&mut self) -> Result<(), ShipError> {
        let mut closing = Closing::default();
        let mut sieve = Sieve::new(self.options.selection.clone());
        let mut follower = Follower::new(self.run.clone());
        while let Some(batch) = follower.next_batch()? {
            for record in sieve.pass(batch.rank, batch.records) {
                closing.take(batch.rank, record);
            }
        }
        if !closing.head.is_empty() {
            self.put("console.log", closing.console().as_bytes())?;
        }
        if !closing.alerts.is_empty() {
            let alerts = closing.alerts.iter();
            let alerts: Vec<_> = alerts
                .map(|(rank, alert)| json!({"rank": rank, "alert": alert}))
                .collect();
            self.put_json("alerts.json", &alerts)?;
        }
        if !closing.definitions.is_empty() {
            self.put_json("definitions.json", &closing.definitions)?;
        }
        if !closing.losses.is_empty() {
            let losses = closing.losses.iter();
            let losses: Vec<String> = losses
                .map(|(reason, n)| format!("{n}: {}", reason.describe()))
                .collect();
            self.out.tag("cresset.lost", &losses.join("; "));
        }
        Ok(())
    }
}

impl Closing {
    fn take(&mut self, rank: Rank, record: Record) {
        match record {
            Record::Console(line) => self.line(printed(rank, &line)),
            Record::Alert(alert) => self.alerts.push((rank, alert)),
            Record::Define(definition) if !self.definitions.contains(&definition) => {
                self.definitions.push(definition);
            }
            Record::Lost(lost) => {
                let n = lost.points.saturating_add(lost.values);
                match self.losses.iter_mut().find(|(why, _)| *why == lost.reason) {
                    Some((_, sum)) => *sum = sum.saturating_add(n),
                    None => self.losses.push((lost.reason, n)),
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, line: String) {
        if self.tail.is_empty() && self.head.len() + line.len() <= HEAD {
            self.head.push_str(&line);
            return;
        }
        self.tail_bytes += line.len();
        self.tail.push_back(line);
        while self.tail_bytes > TAIL {
            let Some(line) = self.tail.pop_front() else {
                break;
            };
            self.tail_bytes -= line.len();
            self.cut += 1;
        }
    }

    fn console(&mut self) -> String {
        let mut console = std::mem::take(&mut self.head);
        if self.cut > 0 {
            let said = format!("… {} lines are left out here …\n", self.cut);
            console.push_str(&said);
        }
        console.extend(self.tail.drain(..));
        console
    }
}

/// Such as `2026-11-26T08:17:39.000001Z  WARN trainer: loss is NaN step=3`.
fn printed(rank: Rank, line: &ConsoleLine) -> String {
    let time = jiff::Timestamp::from_microsecond(line.time.0).unwrap_or_default();
    let level = match line.level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let mut out = format!("{time:.6} {level:>5} ");
    if rank != Rank(0) {
        out.push_str(&format!("[{}] ", rank.0));
    }
    if !line.target.is_empty() {
        out.push_str(&format!("{}: ", line.target));
    }
    out.push_str(&line.message);
    for (name, value) in &line.fields {
        match value.as_str() {
            Some(text) => out.push_str(&format!(" {name}={text}")),
            None => out.push_str(&format!(" {name}={value}")),
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_console_keeps_its_beginning_and_its_end() {
        let mut closing = Closing::default();
        let lines = 200_000u32;
        for i in 0..lines {
            closing.line(format!("{i:>50}\n"));
        }
        let console = closing.console();
        assert!(console.len() < HEAD + TAIL + 100);
        let said: Vec<&str> = console.lines().map(str::trim).collect();
        assert_eq!((said[0], said[said.len() - 1]), ("0", "199999"));
        let gap = said.iter().position(|line| line.contains("left out"));
        let gap = gap.unwrap();
        let before: u32 = said[gap - 1].parse().unwrap();
        let after: u32 = said[gap + 1].parse().unwrap();
        let left_out = after - before - 1;
        assert_eq!(said[gap], format!("… {left_out} lines are left out here …"));
        assert_eq!(said.len() as u32 - 1 + left_out, lines);
    }
}

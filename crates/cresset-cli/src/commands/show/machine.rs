//! What telemetry says at the end: what the run took, and what was wrong with how it used its machine.

use std::io;

use ratatui::text::{Line, Span};
use serde_json::{Map, Value as Json};

use super::{Page, section};
use crate::output::Output;
use crate::{human, theme};

pub(super) fn print(page: &Page, out: &mut Output) -> io::Result<()> {
    let summary = &page.overview.summary;
    let took = took(summary);
    let findings = summary.get("system/diagnosis").and_then(Json::as_array);
    let findings = findings.map_or(&[][..], Vec::as_slice);
    if took.is_empty() && findings.is_empty() {
        return Ok(());
    }
    section(out, "Machine", "charts: --key 'system/*'")?;
    if !took.is_empty() {
        out.line(format!("  {}", took.join("  ")))?;
    }
    for finding in findings {
        let text = |name: &str| human::clean(finding[name].as_str().unwrap_or("?"));
        let seconds = finding["seconds"].as_f64().unwrap_or(0.0);
        out.line(Line::from(vec![
            Span::styled(format!("  {}", text("title")), theme::DOUBTFUL),
            Span::styled(format!("  for {}", human::duration(seconds)), theme::QUIET),
        ]))?;
        out.line(format!("    {}", text("evidence")))?;
    }
    Ok(())
}

/// What the run took all in all, one piece a figure.
fn took(summary: &Map<String, Json>) -> Vec<String> {
    let number = |name: &str| summary.get(&format!("system/total/{name}"))?.as_f64();
    let short = |value: f64| human::number(value, 3);
    let mut pieces = Vec::new();
    pieces.extend(number("gpu_hours").map(|h| format!("{} GPU hours", short(h))));
    if let Some(mean) = number("utilization_mean") {
        let p95 = number("utilization_p95").map(|p| format!(" (p95 {} %)", short(p)));
        pieces.push(format!("busy {} %{}", short(mean), p95.unwrap_or_default()));
    }
    if let Some(bytes) = number("memory_peak") {
        pieces.push(format!("peak memory {}", human::bytes(bytes as u64)));
    }
    if let Some(kwh) = number("energy") {
        let source = summary
            .get("system/total/energy_source")
            .and_then(Json::as_str);
        let note = match source {
            Some("integrated") => " (integrated from power)",
            Some("mixed") => " (in part integrated from power)",
            _ => "",
        };
        pieces.push(format!("{} kWh{note}", short(kwh)));
    }
    pieces.extend(number("co2e").map(|kg| format!("{} kg CO₂e", short(kg))));
    pieces.extend(number("samples_per_second").map(|n| format!("{} samples/s", short(n))));
    pieces.extend(number("samples_per_joule").map(|n| format!("{} samples/J", short(n))));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_took() {
        let summary = serde_json::json!({
            "system/total/gpu_hours": 2.5, "system/total/utilization_mean": 81.3, "system/total/utilization_p95": 97,
            "system/total/energy": 1.234, "system/total/energy_source": "integrated", "system/total/co2e": 0.49,
            "system/total/memory_peak": 3_221_225_472u64, "system/total/samples_per_joule": 2.0, "val/auc": 0.9,
        });
        let took = took(summary.as_object().unwrap()).join("  ");
        assert_eq!(
            took,
            "2.5 GPU hours  busy 81.3 % (p95 97 %)  peak memory 3 GiB  1.23 kWh (integrated from power)  0.49 kg CO₂e  2 samples/J"
        );
        assert!(super::took(&Map::new()).is_empty());
    }
}

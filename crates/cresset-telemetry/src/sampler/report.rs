//! What people are told: alerts when something sets in, and the summary.

use std::collections::BTreeMap;

use cresset_record::Timestamp;
use cresset_run::{Level, Run};

use crate::diagnosis::{Finding, Findings, Kind};
use crate::gpu::{Event, Facts, Stuck};
use crate::keys::{self, GpuId, SYSTEM};

/// A storm of errors is told this often.
const MOST_ERRORS: u32 = 20;

/// Tells, and remembers what was told.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    absent: BTreeMap<GpuId, Vec<&'static str>>,
    errors: u32,
    hanging: Option<Option<GpuId>>,
    written: String,
}

impl Reporter {
    pub(super) fn event(
        &mut self,
        run: &Run,
        findings: &mut Findings,
        event: Event,
        now: Timestamp,
    ) {
        match event {
            Event::Driver(version) => run.set_summary(&nvml_key(), version),
            Event::NoDriver(reason) => run.set_summary(&nvml_key(), reason),
            Event::Found(facts) => {
                for facts in &facts {
                    describe(run, facts);
                    if let Some(gpu) = facts.gpu {
                        self.is_back(run, findings, gpu);
                    }
                }
            }
            Event::Absent(gpu, calls) => {
                let all = self.absent.entry(gpu).or_default();
                all.extend(calls);
                all.dedup();
                run.set_summary(&keys::gpu(gpu, "absent"), &*all);
            }
            Event::Lost(gpu, error) => {
                let finding = Finding {
                    kind: Kind::GpuLost,
                    gpu: Some(gpu),
                    title: format!("GPU {gpu} does not answer any more"),
                    evidence: format!(
                        "the driver says: {error}; nvidia-smi and the kernel's log (dmesg, lines with Xid) tell more"
                    ),
                };
                self.error(run, finding.title.clone(), &finding.evidence);
                findings.event(finding, now);
            }
            Event::Back(gpu) => self.is_back(run, findings, gpu),
            Event::Xid(gpu, xid) => {
                let title = format!("GPU {gpu} reported an error: Xid {xid}");
                self.error(run, title, meaning(xid));
            }
        }
    }

    fn is_back(&self, run: &Run, findings: &mut Findings, gpu: GpuId) {
        let was_lost = findings.over(Kind::GpuLost, Some(gpu));
        if was_lost && self.errors <= MOST_ERRORS {
            run.alert(Level::Info, format!("GPU {gpu} answers again"), "");
        }
    }

    fn error(&mut self, run: &Run, title: String, text: &str) {
        self.errors += 1;
        if self.errors <= MOST_ERRORS {
            run.alert(Level::Error, title, text);
        }
    }

    pub(super) fn hangs(
        &mut self,
        run: &Run,
        findings: &mut Findings,
        stuck: Stuck,
        now: Timestamp,
    ) {
        let who = match stuck.gpu {
            Some(gpu) => format!("GPU {gpu}"),
            None => "the NVIDIA driver".to_owned(),
        };
        let finding = Finding {
            kind: Kind::GpuSilent,
            gpu: stuck.gpu,
            title: format!("A call to {who} hangs"),
            evidence: format!(
                "it was asked for its {} {:.0} s ago; GPU figures are missing until it answers, and training goes on",
                stuck.call.name(),
                stuck.since.elapsed().as_secs_f64()
            ),
        };
        if self.hanging != Some(stuck.gpu) {
            self.hanging = Some(stuck.gpu);
            run.alert(Level::Warn, finding.title.clone(), finding.evidence.clone());
        }
        findings.event(finding, now);
    }

    pub(super) fn answers_again(&mut self, findings: &mut Findings) {
        if let Some(gpu) = self.hanging.take() {
            findings.over(Kind::GpuSilent, gpu);
        }
    }

    /// Tells of new findings and keeps the list in the summary up to date.
    pub(super) fn findings(&mut self, run: &Run, findings: &Findings, new: Vec<Finding>) {
        for finding in new {
            run.alert(Level::Warn, finding.title, finding.evidence);
        }
        if findings.is_empty() {
            return;
        }
        let json = findings.to_json();
        let text = json.to_string();
        if text != self.written {
            run.set_summary(&format!("{SYSTEM}/diagnosis"), &json);
            self.written = text;
        }
    }
}

fn nvml_key() -> String {
    format!("{SYSTEM}/telemetry/nvml")
}

fn describe(run: &Run, facts: &Facts) {
    let Some(gpu) = facts.gpu else { return };
    for (name, text) in [
        ("model", &facts.model),
        ("uuid", &facts.uuid),
        ("bus", &facts.bus),
    ] {
        if !text.is_empty() {
            run.set_summary(&keys::gpu(gpu, name), text);
        }
    }
}

/// What the common errors mean, by NVIDIA's list of Xid errors.
fn meaning(xid: u64) -> &'static str {
    match xid {
        13 => "an exception in a kernel, most often an access out of bounds in the program",
        31 => "an access of the program to memory that is not mapped",
        43 => "the program's channel was stopped after an error of the program's own",
        45 => "channels were removed after an earlier error",
        48 => "a memory error that could not be corrected",
        62 | 119 | 120 => "the GPU's own firmware failed; the GPU may need a reset",
        63 | 64 => "memory was retired or remapped after errors",
        74 => "an error of an NVLink",
        79 => "the GPU has fallen off the bus; the machine may need a restart",
        92 => "many memory errors were corrected",
        94 | 95 => "a memory error; the programs that it hit were ended",
        _ => "NVIDIA's list of Xid errors tells what it means",
    }
}

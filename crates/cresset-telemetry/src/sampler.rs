//! The thread that samples: keeps the rhythm, asks the GPUs' thread, looks at the host, logs.

mod report;
mod series;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use cresset_record::Timestamp;
use cresset_run::Run;

use crate::diagnosis::{Findings, diagnose};
use crate::gpu::{Answer, Asked, Call, Driver, Nvml, Ours, Request, Stuck, Visible};
use crate::host::Host;
use crate::meter::Meters;
use crate::rhythm::{Beat, Rhythm};
use crate::sample::Sample;
use crate::telemetry::{End, Settings};
use crate::totals::{Rates, Totals};

use report::Reporter;
use series::Logged;

/// What is diagnosed at a time: samples of so many seconds, and so many of them.
const WINDOW_SECONDS: f64 = 60.0;
const WINDOW: usize = 120;
/// Seconds between two diagnoses.
const DIAGNOSE_EVERY: f64 = 5.0;
/// A call to the driver that takes longer hangs.
const HANGS: Duration = Duration::from_secs(2);
/// Without its persistence daemon a driver wakes GPUs when it is first asked, which takes seconds for each.
const START_HANGS: Duration = Duration::from_secs(60);
/// How long the last sample of a run may wait for the driver.
const LAST_PATIENCE: Duration = Duration::from_millis(30);
/// Between looks at whether the run ends.
const SLICE: Duration = Duration::from_millis(20);

/// One run's sampling.
pub(crate) struct Sampler {
    run: Run,
    settings: Settings,
    rhythm: Rhythm,
    began: Instant,
    began_at: Timestamp,
    host: Host,
    nested: bool,
    /// `None` where there is nobody to ask.
    driver: Option<Driver>,
    /// When the request that is not answered yet was left.
    asked: Option<Instant>,
    logged: Logged,
    meters: Meters,
    totals: Totals,
    window: VecDeque<Sample>,
    findings: Findings,
    reporter: Reporter,
    diagnosed: f64,
    hangs: bool,
    last: f64,
}

impl Sampler {
    pub(crate) fn new(run: Run, settings: Settings) -> Self {
        let began = Instant::now();
        let visible = Visible {
            buses: settings.buses.clone(),
            ..Visible::from_environment()
        };
        let nvml = Nvml {
            library: settings.library.clone(),
            visible,
        };
        Self {
            rhythm: Rhythm::new(began, settings.interval),
            began,
            began_at: Timestamp::now(),
            host: Host::new(),
            nested: is_nested(),
            driver: Driver::start(nvml),
            asked: None,
            logged: Logged::begin(&run),
            meters: Meters::default(),
            totals: Totals::default(),
            window: VecDeque::new(),
            findings: Findings::default(),
            reporter: Reporter::default(),
            diagnosed: 0.0,
            hangs: false,
            last: f64::NEG_INFINITY,
            run,
            settings,
        }
    }

    /// Samples until the run ends.
    pub(crate) fn work(mut self, end: &End) {
        if let Some(key) = &self.settings.throughput {
            self.run.track_mean(key);
        }
        while !end.comes_before(self.rhythm.due()) {
            let beat = self.rhythm.beat(Instant::now());
            self.sample(beat, end);
            if self.last - self.diagnosed >= DIAGNOSE_EVERY {
                self.diagnose();
            }
        }
        self.finish(end);
    }

    fn sample(&mut self, beat: Beat, end: &End) {
        self.ask(beat.number, false);
        let now = Instant::now();
        let host = self.host.look(now);
        let patience = (self.settings.interval / 2).min(Duration::from_millis(500));
        let answer = self.answer(now + patience, end);
        let sample = self.put_together(now, host, answer);
        let late = (beat.late > self.rhythm.tolerance()).then_some(beat.late.as_secs_f64());
        let missed = (beat.missed > 0).then(|| f64::from(beat.missed));
        self.logged.log(&self.run, &sample, late, missed);
        self.keep(sample);
    }

    /// The last sample, for what happened since the one before.
    fn finish(mut self, end: &End) {
        let now = Instant::now();
        let since_last = now.duration_since(self.began).as_secs_f64() - self.last;
        if since_last >= self.settings.interval.as_secs_f64() / 5.0 {
            let number = self.rhythm.beat(now).number;
            self.ask(number, true);
            let host = self.host.look(now);
            let answer = self.answer(now + LAST_PATIENCE, end);
            let sample = self.put_together(now, host, answer);
            self.logged.log(&self.run, &sample, None, None);
            self.keep(sample);
        }
        self.diagnose();
        let rates = Rates {
            grams_per_kwh: self.settings.grams_per_kwh,
            throughput: self.run.tracked_mean(),
        };
        let summary = self.totals.summary(&self.meters, rates);
        for (key, value) in &summary {
            self.run.set_summary(key, value);
        }
    }

    fn ask(&mut self, number: u32, brief: bool) {
        let Some(driver) = &mut self.driver else {
            return;
        };
        if self.asked.is_some() {
            return;
        }
        driver.ask(Request {
            number,
            ours: Ours {
                pids: self.host.pids().to_vec(),
                nested: self.nested,
            },
            brief,
        });
        self.asked = Some(Instant::now());
    }

    /// The driver's answer, if it comes before `until`.
    fn answer(&mut self, until: Instant, end: &End) -> Answer {
        let Some(driver) = &mut self.driver else {
            return Answer::default();
        };
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match driver.answer(left.min(SLICE)) {
                Asked::Answer(mut answer) => {
                    let asked = self.asked.take();
                    let waited = asked.map_or(Duration::ZERO, |asked| asked.elapsed());
                    if waited > HANGS.max(self.settings.interval * 2) {
                        // Figures this old are not of this moment.
                        answer.gpus.clear();
                    }
                    if std::mem::take(&mut self.hangs) {
                        self.reporter.answers_again(&mut self.findings);
                    }
                    return answer;
                }
                Asked::Waiting(stuck) => {
                    let over = left.is_zero()
                        || (end.comes_before(Instant::now()) && left > LAST_PATIENCE);
                    if over {
                        self.report_hang(stuck);
                        return Answer::default();
                    }
                }
                Asked::Nobody => {
                    self.driver = None;
                    self.asked = None;
                    return Answer::default();
                }
            }
        }
    }

    fn report_hang(&mut self, stuck: Option<Stuck>) {
        let limit = match stuck.map(|stuck| stuck.call) {
            Some(Call::Begin | Call::List) => START_HANGS,
            _ => HANGS,
        };
        if let Some(stuck) = stuck
            && stuck.since.elapsed() >= limit
        {
            self.hangs = true;
            let now = self.now();
            self.reporter
                .hangs(&self.run, &mut self.findings, stuck, now);
        }
    }

    fn put_together(
        &mut self,
        now: Instant,
        host: crate::sample::HostSample,
        answer: Answer,
    ) -> Sample {
        let at = self.now();
        for event in answer.events {
            self.reporter
                .event(&self.run, &mut self.findings, event, at);
        }
        let seconds = now.duration_since(self.began).as_secs_f64();
        let mut gpus = answer.gpus;
        for gpu in &mut gpus {
            let read = gpu.read.map_or(now, |read| read.max(self.began));
            let read = read.duration_since(self.began).as_secs_f64();
            self.meters.settle(read, gpu);
        }
        Sample {
            seconds,
            host,
            gpus,
        }
    }

    fn keep(&mut self, sample: Sample) {
        self.totals.add(&sample);
        self.last = sample.seconds;
        let begins = sample.seconds - WINDOW_SECONDS;
        self.window.push_back(sample);
        let is_old = |w: &VecDeque<Sample>| w.front().is_some_and(|s| s.seconds < begins);
        while self.window.len() > WINDOW || is_old(&self.window) {
            self.window.pop_front();
        }
    }

    fn diagnose(&mut self) {
        let found = diagnose(&self.window);
        let now = self.now();
        let passed = self.last - self.diagnosed;
        self.diagnosed = self.last;
        let new = self.findings.update(found, now, passed);
        self.reporter.findings(&self.run, &self.findings, new);
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.began_at.0 + self.began.elapsed().as_micros() as i64)
    }
}

/// Whether this process numbers processes otherwise than the machine does. The first name space of a machine has a fixed
/// number in Linux.
fn is_nested() -> bool {
    const FIRST: &str = "pid:[4026531836]";
    std::fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() != FIRST)
}

//! A program that trains and records, as its arguments say: `trainer FOLDER RUN [WORD…]`.
//!
//! | word | |
//! |---|---|
//! | `written`, `synced` | the durability; else values are buffered |
//! | `resume` | goes on with the run, if it has begun, after its last step |
//! | `steps=N` | logs so many steps, 10 if absent |
//! | `pause=MS` | before each |
//! | `for=MS` | goes on with steps until so much time is over |
//! | `until=FILE` | goes on with steps until there is such a file |
//! | `then=N` | so many steps more, without a pause |
//! | `flush=N` | after each Nth step waits until the disk has all |
//! | `text` | each tenth step has a text of its own that is kept as a blob |
//! | `starve` | opens files until there are no more descriptors; after half of the steps it lets them go |
//! | `starve=before` | the same, from before the run begins |
//! | `carry=FOLDER` | after each third step, and at the end, carries the run to a server that keeps its runs in `FOLDER/runs` |
//! | `end=abort` | dies where it stands; else it finishes |
//!
//! It ends when it is asked to stop. What has been promised is told, a line each, in the file `$FAULT_MARKS` or on standard output: `step N` after the log call
//! returned, `flushed` after the disk had all, `finished` after the run did, and `carried N` after the server took what there was, which then is also in `FOLDER/N`. The last line of the output is JSON about the whole.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../carrier.rs"]
mod carrier;

use cresset_record::{Root, RunDir};
use cresset_run::{Durability, Run, StartError, init};
use cresset_store::Store;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, id, words @ ..] = &arguments[..] else {
        return Err("trainer FOLDER RUN [WORD…]".into());
    };
    let has = |word: &str| words.iter().any(|w| w == word);
    let value = |word: &str| {
        words
            .iter()
            .find_map(|w| w.strip_prefix(word)?.strip_prefix('='))
    };
    let number = |word: &str| value(word).and_then(|text| text.parse::<u64>().ok());
    let mut marks: Box<dyn Write> = match std::env::var_os("FAULT_MARKS") {
        Some(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        None => Box::new(io::stdout()),
    };

    let mut starving = match value("starve") {
        Some("before") => starve(),
        _ => Vec::new(),
    };
    let begin = || {
        let durability = match () {
            () if has("synced") => Durability::Synced,
            () if has("written") => Durability::Written,
            () => Durability::Buffered,
        };
        init("faults").dir(folder).durability(durability)
    };
    let resumed = has("resume").then(|| begin().resume(id).start());
    let run = match resumed {
        None | Some(Err(StartError::NotFound { .. })) => begin().id(id).start()?,
        Some(other) => other?,
    };
    if has("starve") {
        starving = starve();
    }
    let first = next_step(&run);
    let steps = number("steps").unwrap_or(10);
    let pause = number("pause").map(Duration::from_millis);
    let end = Instant::now() + Duration::from_millis(number("for").unwrap_or(0));
    let until = value("until").map(Path::new);
    let server = value("carry").map(|folder| Server::open(Path::new(folder)));
    let server = server.transpose()?;
    let source = run.dir().map(RunDir::new);
    let carried = server.as_ref().zip(source.as_ref());
    let switches = voluntary_switches();
    let mut step = first;
    let mut then = number("then").unwrap_or(0);
    loop {
        let waits = Instant::now() < end || until.is_some_and(|file| !file.exists());
        if step >= first + steps && !waits {
            if then == 0 {
                break;
            }
            then -= 1;
        } else if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
        if step == first + steps / 2 {
            starving.clear();
        }
        run.log(step, [("loss", step as f64), ("lr", 0.5)]);
        if has("text") && step % 10 == 5 {
            run.log_value(step, "said", format!("step {step} {}", "x".repeat(5000)));
        }
        marks.write_all(format!("step {step}\n").as_bytes())?;
        if let Some(every) = number("flush")
            && (step + 1).is_multiple_of(every)
        {
            if !run.flush(Duration::from_secs(60)) {
                return Err("the disk did not take all within a minute".into());
            }
            marks.write_all(b"flushed\n")?;
        }
        if let Some((server, source)) = carried.filter(|_| step % 3 == 2) {
            server.take(source, false, &mut marks)?;
        }
        step += 1;
        if let Some(reason) = run.stop_requested() {
            run.stop(reason);
            break;
        }
    }
    let switches = voluntary_switches() - switches;
    if value("end") == Some("abort") {
        std::process::abort();
    }
    let finished = run.finish();
    if finished.complete {
        marks.write_all(b"finished\n")?;
    }
    if let Some((server, source)) = carried {
        server.take(source, true, &mut marks)?;
    }
    let told = json!({
        "first": first, "steps": step - first, "lost": finished.lost, "complete": finished.complete, "switches": switches,
    });
    println!("{told}");
    Ok(())
}

/// A server that runs in this process.
struct Server<'a> {
    folder: &'a Path,
    store: Store,
}

impl<'a> Server<'a> {
    fn open(folder: &'a Path) -> Result<Self, Box<dyn std::error::Error>> {
        let (runs, index) = (folder.join("runs"), folder.join("index"));
        fs::create_dir_all(&runs)?;
        fs::create_dir_all(&index)?;
        let store = Store::open_apart(Root::new(runs), &index)?;
        Ok(Self { folder, store })
    }

    /// Takes what there is of the run, and keeps a copy of what it has then.
    fn take(
        &self,
        source: &RunDir,
        ends: bool,
        marks: &mut dyn Write,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let key = carrier::key_of(source)?;
        carrier::carry(source, &self.store, &key, None, |belief| {
            belief.is_some() || ends
        })?;
        let number = (1..)
            .find(|number| !self.folder.join(number.to_string()).exists())
            .unwrap_or(0);
        let here = self.store.root().run(&key.project, &key.run);
        let copy = Root::new(self.folder.join(number.to_string())).run(&key.project, &key.run);
        fs::create_dir_all(copy.path())?;
        for (rank, index) in here.segments()? {
            fs::copy(here.segment(rank, index), copy.segment(rank, index))?;
        }
        marks.write_all(format!("carried {number}\n").as_bytes())?;
        Ok(())
    }
}

/// The step after the last that the run has.
fn next_step(run: &Run) -> u64 {
    let dir = run.dir().map(cresset_record::RunDir::new);
    let view = dir.and_then(|dir| cresset_record::RunView::open(dir).ok());
    let last = view.and_then(|view| {
        view.series_of("loss")?
            .points()
            .iter()
            .map(|p| p.step)
            .max()
    });
    last.map_or(0, |step| step + 1)
}

/// All descriptors that this process may have.
fn starve() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// How often this thread gave up the processor of itself, which is when it waited for something.
fn voluntary_switches() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

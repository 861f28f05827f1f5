//! `cresset sync`: carries runs elsewhere.

mod bar;

use std::collections::{HashSet, VecDeque};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::RunDir;
use cresset_ship::{Destination, Progress, Shipment, Step, limit_rate};

use crate::args::SyncArguments;
use crate::credentials::Credentials;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{human, locate};
use bar::Bar;

/// Runs that are carried at the same time.
const AT_ONCE: usize = 8;
/// A run that has nothing new is looked at again after this time.
const LOOK: Duration = Duration::from_millis(200);
/// With `--watch`, new runs are looked for at this interval.
const SCAN: Duration = Duration::from_secs(2);
/// On a terminal, how far it is is shown at this interval.
const SHOW: Duration = Duration::from_millis(100);

pub(crate) fn run(a: &SyncArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let credentials = Arc::new(Credentials::read()?);
    let places = places(&a.to, &credentials)?;
    if a.dry_run {
        return dry_run(a, dir, &places, out);
    }
    limit_rate(a.limit_rate.unwrap_or_default());
    let work = Work {
        queue: Mutex::default(),
        changed: Condvar::new(),
        frames: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        patience: Duration::from_secs(a.patience),
        watches: a.watch,
        waits_for_more: a.watch && a.runs.is_empty(),
    };
    let (said, hears) = mpsc::channel();
    let mut known = HashSet::new();
    let mut tally = Tally::default();
    // Of what goes on for ever there is no end to show.
    let mut bar = (!a.watch).then(Bar::on_terminal).flatten();
    thread::scope(|scope| -> anyhow::Result<()> {
        let _ends = Ends(&work);
        for run in chosen(&a.runs, dir)? {
            if let Some(bar) = &mut bar {
                bar.add(bytes(&run)? * places.len() as u64);
            }
            if a.again {
                places.iter().try_for_each(|place| place.ask_again(&run))?;
            }
            tally.begun += work.begin(run, &places, &credentials, &mut known);
        }
        let threads = match work.waits_for_more {
            true => AT_ONCE,
            false => AT_ONCE.min(tally.begun),
        };
        for _ in 0..threads {
            let said = said.clone();
            scope.spawn(|| work.carry(said));
        }
        drop(said);
        let mut scanned = Instant::now();
        loop {
            let patience = if bar.is_some() { SHOW } else { SCAN };
            let heard = hears.recv_timeout(patience);
            if let Some(bar) = &bar {
                let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
                bar.show(of(&work.bytes), of(&work.frames));
            }
            match (heard, &bar) {
                (Ok(news), Some(bar)) => bar.beside(|| tally.tell(&news, out))?,
                (Ok(news), None) => tally.tell(&news, out)?,
                (Err(mpsc::RecvTimeoutError::Timeout), _) => {}
                (Err(mpsc::RecvTimeoutError::Disconnected), _) => return Ok(()),
            }
            if work.waits_for_more && scanned.elapsed() >= SCAN {
                for run in chosen(&a.runs, dir)? {
                    tally.begun += work.begin(run, &places, &credentials, &mut known);
                }
                scanned = Instant::now();
            }
        }
    })?;
    drop(bar);
    tally.conclude(out)
}

/// The places that are named, else `$CRESSET_TARGET`, else the server that the user is logged in to.
fn places(named: &[String], credentials: &Credentials) -> anyhow::Result<Vec<Destination>> {
    let set = [env::var("CRESSET_TARGET").unwrap_or_default()];
    let mut named = if named.is_empty() { &set } else { named };
    let logged_in = credentials.only_server().map(|server| [server.to_owned()]);
    if named.iter().all(|list| list.trim().is_empty()) {
        named = logged_in.as_ref().map_or(&[], |server| server);
    }
    let places = Destination::list(named).map_err(|error| Failure::usage(error.to_string()))?;
    if places.is_empty() {
        return Err(Failure::usage(
            "where to? Name a place with --to or $CRESSET_TARGET, or log in to a server with `cresset login`",
        ));
    }
    Ok(places)
}

fn chosen(named: &[String], dir: Option<&Path>) -> anyhow::Result<Vec<RunDir>> {
    if named.is_empty() {
        return locate::runs(&locate::root(dir)?);
    }
    named.iter().map(|name| locate::run(dir, name)).collect()
}

fn dry_run(
    a: &SyncArguments,
    dir: Option<&Path>,
    places: &[Destination],
    out: &mut Output,
) -> anyhow::Result<Exit> {
    for run in chosen(&a.runs, dir)? {
        for place in places {
            let what = match place.has_all_of(&run) {
                true => "is there already".to_owned(),
                false => format!("{} of log at most", human::bytes(bytes(&run)?)),
            };
            out.line(human::clean(&format!("{} to {place}: {what}", title(&run))))?;
        }
    }
    Ok(Exit::Ok)
}

/// How long a run's log is.
fn bytes(run: &RunDir) -> anyhow::Result<u64> {
    let lengths = run.segments()?.into_iter().map(|(rank, index)| {
        let path = run.segment(rank, index);
        path.metadata().map_or(0, |data| data.len())
    });
    Ok(lengths.sum())
}

/// The shipments that wait for one of the threads.
struct Work {
    queue: Mutex<Queue>,
    /// There is more to carry, or no more.
    changed: Condvar,
    /// Carried so far.
    frames: AtomicU64,
    /// Of all logs together, gone through so far.
    bytes: AtomicU64,
    patience: Duration,
    /// Goes on with runs while they are written.
    watches: bool,
    /// And with runs that begin.
    waits_for_more: bool,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Turn>,
    /// Those that a thread has.
    out: usize,
    ends: bool,
}

struct Turn {
    shipment: Shipment,
    next: Instant,
    /// Since when nobody answers.
    unheard: Option<Instant>,
    frames: u64,
    /// Of the log, gone through so far.
    bytes: u64,
}

/// What became of a shipment.
struct News {
    title: String,
    place: String,
    what: What,
}

enum What {
    Done {
        frames: u64,
    },
    /// Level with a run that goes on.
    Level {
        frames: u64,
    },
    Waits {
        error: String,
        pause: Duration,
    },
    GaveUp {
        error: String,
    },
}

/// Whatever ends the loop ends the threads.
struct Ends<'a>(&'a Work);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.lock().ends = true;
        self.0.changed.notify_all();
    }
}

impl Turn {
    fn due(&self) -> Instant {
        self.next.max(self.shipment.due())
    }
}

impl Work {
    /// Begins to carry a run to the places that do not have all of it; how many.
    fn begin(
        &self,
        run: RunDir,
        places: &[Destination],
        credentials: &Arc<Credentials>,
        known: &mut HashSet<PathBuf>,
    ) -> usize {
        if !known.insert(run.path().to_owned()) {
            return 0;
        }
        let turns = places.iter().map(|place| {
            let (credentials, of) = (Arc::clone(credentials), place.clone());
            let secrets = move |name: &str| credentials.secret(&of, name);
            Turn {
                shipment: Shipment::new(run.clone(), place.clone(), secrets),
                next: Instant::now(),
                unheard: None,
                frames: 0,
                bytes: 0,
            }
        });
        self.lock().waiting.extend(turns);
        self.changed.notify_all();
        places.len()
    }

    /// A thread: takes turns until there are none.
    fn carry(&self, said: mpsc::Sender<News>) {
        while let Some(mut turn) = self.take() {
            let again = self.step(&mut turn, &said);
            let mut queue = self.lock();
            queue.out -= 1;
            if again {
                queue.waiting.push_back(turn);
                // It may be due before what the others wait for, and this thread may be busy with another by then.
                self.changed.notify_one();
            } else {
                self.changed.notify_all();
            }
        }
    }

    /// The first that is due, once there is one; `None` at the end.
    fn take(&self) -> Option<Turn> {
        let mut queue = self.lock();
        loop {
            if queue.ends || (queue.waiting.is_empty() && queue.out == 0 && !self.waits_for_more) {
                return None;
            }
            let now = Instant::now();
            let place = queue.waiting.iter().position(|turn| turn.due() <= now);
            if let Some(turn) = place.and_then(|place| queue.waiting.remove(place)) {
                queue.out += 1;
                return Some(turn);
            }
            let next = queue.waiting.iter().map(Turn::due).min();
            let wait = next.map_or(SCAN, |next| next.saturating_duration_since(now));
            let waited = self.changed.wait_timeout(queue, wait);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Carries some of one run; `true` if it is to be gone on with.
    fn step(&self, turn: &mut Turn, said: &mpsc::Sender<News>) -> bool {
        let tell = |turn: &Turn, what| {
            // Who would hear it has gone: the command is ending.
            let _ = said.send(News {
                title: title(turn.shipment.run()),
                place: turn.shipment.to().to_string(),
                what,
            });
        };
        match turn.shipment.step() {
            Ok(Step::Carried(progress)) => {
                turn.unheard = None;
                self.note(turn, progress);
                turn.next = Instant::now();
                if progress.is_done {
                    tell(
                        turn,
                        What::Done {
                            frames: turn.frames,
                        },
                    );
                    return false;
                }
                if progress.is_level {
                    turn.next += LOOK;
                    if !self.watches {
                        tell(
                            turn,
                            What::Level {
                                frames: turn.frames,
                            },
                        );
                    }
                    return self.watches;
                }
                true
            }
            Ok(Step::Waits { error, pause }) => {
                let since = *turn.unheard.get_or_insert_with(Instant::now);
                let error = error.to_string();
                if !self.watches && since.elapsed() + pause > self.patience {
                    tell(turn, What::GaveUp { error });
                    return false;
                }
                tell(turn, What::Waits { error, pause });
                true
            }
            Err(error) => {
                let error = error.to_string();
                tell(turn, What::GaveUp { error });
                false
            }
        }
    }

    fn note(&self, turn: &mut Turn, progress: Progress) {
        turn.frames += progress.frames;
        self.frames.fetch_add(progress.frames, Ordering::Relaxed);
        // It may go back: then the difference wraps, and so does the sum.
        let more = progress.bytes.wrapping_sub(turn.bytes);
        self.bytes.fetch_add(more, Ordering::Relaxed);
        turn.bytes = progress.bytes;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of all.
#[derive(Default)]
struct Tally {
    begun: usize,
    failed: usize,
    /// What was last said of trouble, so that it is not said for each run.
    trouble: Option<(String, Instant)>,
}

impl Tally {
    fn tell(&mut self, news: &News, out: &mut Output) -> anyhow::Result<()> {
        use std::io::Write;
        let News { title, place, what } = news;
        let frames = |frames: &u64| match frames {
            0 => "nothing was missing".to_owned(),
            frames => human::count(*frames, "frame") + " carried",
        };
        let line = match what {
            What::Done { frames: carried } => {
                format!("{title}: all of it is at {place} ({})", frames(carried))
            }
            What::Level { frames: carried } => {
                format!(
                    "{title}: level with it at {place}, and it goes on ({})",
                    frames(carried)
                )
            }
            What::Waits { error, pause } => {
                let said = self.trouble.as_ref();
                let is_said = said.is_some_and(|(last, at)| {
                    last == place && at.elapsed() < Duration::from_secs(10)
                });
                if !is_said {
                    let pause = pause.as_secs_f64();
                    eprintln!("cresset: {}; again in {pause:.1} s", human::clean(error));
                    self.trouble = Some((place.clone(), Instant::now()));
                }
                return Ok(());
            }
            What::GaveUp { error } => {
                self.failed += 1;
                eprintln!("cresset: {title}: {}", human::clean(error));
                return Ok(());
            }
        };
        out.line(human::clean(&line))?;
        out.flush()?;
        Ok(())
    }

    fn conclude(&self, out: &mut Output) -> anyhow::Result<Exit> {
        if self.begun == 0 {
            out.line("there are no runs here")?;
        }
        if self.failed > 0 {
            let of = human::count(self.begun as u64, "run");
            eprintln!(
                "cresset: {} of {of} not carried to the end; what is left goes with the next `cresset sync`",
                self.failed
            );
            return Ok(Exit::Error);
        }
        Ok(Exit::Ok)
    }
}

/// A run's name and id.
fn title(run: &RunDir) -> String {
    let name = locate::head(run).map(|start| start.name);
    match name {
        Some(name) => format!("{name} ({})", run.id_text()),
        None => run.id_text().to_owned(),
    }
}

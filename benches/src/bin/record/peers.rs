//! Other trackers, measured by `benches/peers/worker.py` with the same work.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::crash::loss_ms;
use crate::figures::{Figures, bytes_in, medians, of_process};
use crate::workplace::{Workplace, cache};

/// A tracker and its figures, by the names of ours.
pub(crate) struct Peer {
    /// With version.
    pub(crate) name: String,
    /// A call has stored its values when it returns.
    pub(crate) durable: bool,
    pub(crate) figures: Figures,
}

struct Package {
    name: &'static str,
    durable: bool,
}

const PACKAGES: [Package; 7] = [
    package("tensorboardX", false),
    package("trackio", false),
    package("wandb", false),
    package("mlflow", true),
    package("aim", true),
    package("neptune-scale", true),
    package("swanlab", false),
];

const fn package(name: &'static str, durable: bool) -> Package {
    Package { name, durable }
}

/// What the workers know to measure.
const PARTS: [&str; 4] = ["scalars", "images", "histograms", "short"];

/// Installs and measures all of them; one that fails is left out, with a word why.
pub(crate) fn measure(workplace: &Workplace, repetitions: usize) -> Result<Vec<Peer>> {
    let mut peers = Vec::new();
    for package in &PACKAGES {
        match Python::of(package.name)
            .and_then(|python| of_package(workplace, package, &python, repetitions))
        {
            Ok(peer) => peers.push(peer),
            Err(e) => eprintln!("{}: {e:#}", package.name),
        }
    }
    Ok(peers)
}

fn of_package(
    workplace: &Workplace,
    package: &Package,
    python: &Python,
    repetitions: usize,
) -> Result<Peer> {
    let version = python.version(package.name)?;
    let mut figures = Figures::new();
    for part in PARTS {
        eprintln!("measuring {part} of {} {version}", package.name);
        let runs: Result<Vec<Figures>> = (0..repetitions)
            .map(|_| python.once(workplace, package.name, part))
            .collect();
        match runs {
            Ok(runs) => figures.extend(
                medians(&runs)
                    .into_iter()
                    .map(|(name, value)| (format!("{part}.{name}"), value)),
            ),
            Err(e) => eprintln!("{} {part}: {e:#}", package.name),
        }
    }
    eprintln!("measuring what kills lose of {} {version}", package.name);
    match python.loss_ms(workplace, package.name, repetitions) {
        Ok(worst) => {
            figures.insert("kill.buffered_ms".to_owned(), worst);
        }
        Err(e) => eprintln!("{} killed: {e:#}", package.name),
    }
    Ok(Peer {
        name: format!("{} {version}", package.name),
        durable: package.durable,
        figures,
    })
}

/// A virtual environment with one tracker in it.
struct Python {
    program: PathBuf,
}

impl Python {
    /// Made on first use and kept in the user's cache.
    fn of(package: &str) -> Result<Self> {
        let folder = cache()?.join("peers").join(package);
        let python = Self {
            program: folder.join("bin").join("python"),
        };
        let ready = folder.join("ready");
        if !ready.exists() {
            eprintln!("installing {package} into {}", folder.display());
            succeed(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&folder),
            )
            .context("needs python3 with venv: apt-get install python3-venv")?;
            succeed(Command::new(&python.program).args([
                "-m", "pip", "install", "--quiet", package, "numpy", "pillow",
            ]))?;
            std::fs::write(ready, "")?;
        }
        Ok(python)
    }

    fn version(&self, package: &str) -> Result<String> {
        let ask = "import sys, importlib.metadata; print(importlib.metadata.version(sys.argv[1]))";
        let output = Command::new(&self.program)
            .args(["-c", ask, package])
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The worker in `dir`; what a tracker keeps for its user, and not for the run, is in `home`.
    fn worker(&self, package: &str, part: &str, dir: &TempDir, home: &TempDir) -> Command {
        let worker = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/worker.py");
        let mut command = Command::new(&self.program);
        command
            .args([worker, package, part])
            .env("HOME", home.path())
            .current_dir(dir);
        command
    }

    /// The worst loss of so many kills, in ms of logging.
    fn loss_ms(&self, workplace: &Workplace, package: &str, kills: usize) -> Result<f64> {
        let mut worst: f64 = 0.0;
        for kill in 0..kills as u64 {
            let (dir, home) = (workplace.fresh_folder()?, workplace.fresh_folder()?);
            // Long enough for what a tracker writes every half second.
            let alive = Duration::from_millis(3000 + kill * 79);
            let kept = || {
                // A process of its own may still write what it has.
                thread::sleep(Duration::from_secs(3));
                let kept = of_process(&mut self.worker(package, "kept", &dir, &home))?;
                let steps = kept.get("steps").context("it does not say what it kept")?;
                Ok(*steps as usize)
            };
            let mut process = self.worker(package, "killed", &dir, &home);
            worst = worst.max(loss_ms(&mut process, alive, kept)?);
        }
        Ok(worst)
    }

    fn once(&self, workplace: &Workplace, package: &str, part: &str) -> Result<Figures> {
        let (folder, home) = (workplace.fresh_folder()?, workplace.fresh_folder()?);
        let dir = folder.path();
        let process = || of_process(&mut self.worker(package, part, &folder, &home));
        let mut figures = process()?;
        if let Some(points) = figures.remove("points") {
            figures.insert("bytes_per_point".into(), bytes_in(dir)? as f64 / points);
        }
        if part == "short" {
            for (name, value) in process()? {
                figures.insert(format!("again_{name}"), value);
            }
        }
        Ok(figures)
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cresset::Run;

/// The dashboard beside the training: a process of its own, whose troubles are never the training's.
pub(crate) struct Dashboard {
    /// The folder of runs; `None` if nothing is recorded.
    root: Option<PathBuf>,
    child: Option<Child>,
}

impl Dashboard {
    pub(crate) fn of(run: &Run) -> Self {
        // `<root>/<project>/<run>`
        let root = run.dir().and_then(|dir| dir.ancestors().nth(2));
        Self {
            root: root.map(Path::to_owned),
            child: None,
        }
    }

    /// What a person types to open it.
    pub(crate) fn command(&self) -> Option<String> {
        let root = self.root.as_ref()?;
        let usual = env::current_dir().is_ok_and(|here| here.join(".cresset") == *root);
        Some(if usual {
            "cresset ui".to_owned()
        } else {
            format!("cresset ui {}", root.display())
        })
    }

    /// Opens it, in the browser as well. What goes wrong is told and no more.
    pub(crate) fn open(&mut self) {
        let Some(root) = &self.root else {
            eprintln!("note: nothing is recorded, so there is no dashboard to open");
            return;
        };
        let (mut command, what) = cresset();
        println!("opening the dashboard: {what} ui {}", root.display());
        match command.arg("ui").arg(root).stdin(Stdio::null()).spawn() {
            Ok(child) => self.child = Some(child),
            Err(e) => eprintln!("note: the dashboard does not open: cannot run {what}: {e}"),
        }
    }

    /// After training, until it is closed or `stop` is set.
    pub(crate) fn keep_open(mut self, stop: &AtomicBool) {
        let Some(child) = &mut self.child else { return };
        if matches!(child.try_wait(), Ok(None)) && !stop.load(Ordering::Relaxed) {
            println!("the dashboard stays open; Ctrl-C closes it");
        }
        while matches!(child.try_wait(), Ok(None)) && !stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The command `cresset`: the installed one, the one that was built beside this program, or the one of this workspace.
fn cresset() -> (Command, String) {
    let name = format!("cresset{}", env::consts::EXE_SUFFIX);
    let installed = env::var_os("PATH")
        .into_iter()
        .flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let beside = env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(Path::to_owned);
    let found = installed
        .chain(beside)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file());
    if let Some(file) = found {
        return (Command::new(&file), file.display().to_string());
    }
    let mut command = Command::new("cargo");
    command
        .args(["run", "--release", "--quiet", "--package", "cresset-cli"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .arg("--");
    (command, "cargo run --release -p cresset-cli --".to_owned())
}

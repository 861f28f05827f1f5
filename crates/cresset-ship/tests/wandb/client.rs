//! W&B's own package, which `CRESSET_WANDB_PYTHON` has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::double::{self, Double};

fn python() -> PathBuf {
    let python = env::var_os("CRESSET_WANDB_PYTHON");
    python.expect("set by `cargo xtask test`").into()
}

/// Runs a script of this folder that ends in an error.
pub(crate) fn failing_script(name: &str, double: &Double, within: &Path) {
    let mut command = of_script(name, &[]);
    let output = settled(&mut command, Some(double), within).output();
    assert!(!output.unwrap().status.success());
}

/// Runs a script of this folder; what it prints.
pub(crate) fn script(
    name: &str,
    arguments: &[&str],
    double: Option<&Double>,
    within: &Path,
) -> String {
    run(&mut of_script(name, arguments), double, within)
}

fn of_script(name: &str, arguments: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wandb")
        .join(name);
    let mut command = Command::new(python());
    command.arg(script).args(arguments);
    command
}

/// With nothing of the machine's own settings, and nothing left there.
fn settled<'a>(
    command: &'a mut Command,
    double: Option<&Double>,
    within: &Path,
) -> &'a mut Command {
    command.current_dir(within).env("WANDB_SILENT", "true");
    for folder in [
        "WANDB_CONFIG_DIR",
        "WANDB_CACHE_DIR",
        "WANDB_DATA_DIR",
        "HOME",
    ] {
        command.env(folder, within.join("home"));
    }
    command.env("WANDB_API_KEY", double::KEY);
    match double {
        Some(double) => command.env("WANDB_BASE_URL", double.url()),
        None => command.env("WANDB_MODE", "offline"),
    }
}

fn run(command: &mut Command, double: Option<&Double>, within: &Path) -> String {
    let output = settled(command, double, within).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{complaints}");
    said
}

/// `wandb sync` of a folder.
pub(crate) fn sync(folder: &Path, double: &Double, within: &Path) {
    let wandb = python().parent().unwrap().join("wandb");
    let mut command = Command::new(wandb);
    command.arg("sync").arg(folder);
    let said = run(&mut command, Some(double), within);
    assert!(!said.to_lowercase().contains("error"), "{said}");
}

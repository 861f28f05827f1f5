//! Runs other programs.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::root;

/// `cargo` with arguments, in the folder of the workspace.
pub(crate) fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    // The cargo that runs us, so that one toolchain builds everything.
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// What cargo says of the packages of the workspace in the folder `root`, as JSON.
///
/// # Errors
/// If cargo cannot tell.
pub(crate) fn metadata(root: &Path) -> Result<String> {
    let mut metadata = cargo(["metadata", "--format-version=1", "--no-deps"]);
    read(metadata.current_dir(root))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    let set = env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty());
    // A relative path is meant from where cargo was started, which for us is the workspace.
    root().join(set.map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// Runs `command`, its output shown.
///
/// # Errors
/// If it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", describe(command));
    }
    Ok(())
}

/// Runs `command`, its output shown and also returned, line by line and without colours; `true` if it succeeded.
///
/// # Errors
/// If it cannot be started or its output cannot be read.
pub(crate) fn run_and_keep(command: &mut Command) -> Result<(bool, Vec<String>)> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let kept = Mutex::new(Vec::new());
    thread::scope(|scope| {
        scope.spawn(|| pass_on(stdout, io::stdout(), &kept));
        scope.spawn(|| pass_on(stderr, io::stderr(), &kept));
    });
    let status = child.wait().with_context(|| cannot_start(command))?;
    let lines = kept
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((status.success(), lines))
}

/// What `command` prints on stdout, nothing shown but its errors.
///
/// # Errors
/// If it cannot be started or fails.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", describe(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed no UTF-8", describe(command)))
}

/// Whether `command` can be run and succeeds; nothing is shown.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn pass_on(from: Option<impl io::Read>, mut to: impl Write, kept: &Mutex<Vec<String>>) {
    let Some(from) = from else { return };
    for line in BufReader::new(from).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).into_owned();
        // Nobody listens any more: the program must be able to end all the same.
        let _ = writeln!(to, "{line}");
        if let Ok(mut kept) = kept.lock() {
            kept.push(without_colours(&line));
        }
    }
}

/// Takes out the sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            let _ = chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

fn announce(command: &Command) {
    println!("\n$ {}", describe(command));
}

fn cannot_start(command: &Command) -> String {
    format!("cannot run `{}`", describe(command))
}

/// The command as one would type it.
fn describe(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        Some(format!(
            "{}={:?} ",
            name.to_string_lossy(),
            value?.to_string_lossy()
        ))
    });
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let args = command
        .get_args()
        .map(|arg| format!(" {}", arg.to_string_lossy()));
    set.chain([program.to_string_lossy().into_owned()])
        .chain(args)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn colours_are_taken_out() {
        let coloured =
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m2 failed\u{1b}[39m\u{1b}[22m (64)";
        assert_eq!(
            super::without_colours(coloured),
            "      Tests  2 failed (64)"
        );
    }
}

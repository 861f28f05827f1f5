//! Runs the binary in a folder of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A working directory with a folder of runs.
pub(crate) struct Project {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(".cresset")).unwrap();
        Self { folder }
    }

    /// The working directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of runs.
    pub(crate) fn root(&self) -> std::path::PathBuf {
        self.path().join(".cresset")
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cresset"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("CRESSET_DIR")
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR")
            .env("TZ", "UTC")
            .env("TERM", "xterm-256color")
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn cresset(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments), self)
    }
}

impl Ended {
    /// Runs a command to its end; the working directory reads `HERE` in what it prints.
    pub(crate) fn of(command: &mut Command, project: &Project) -> Self {
        let output = command.output().unwrap();
        let here = project.path().canonicalize().unwrap();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(here.to_str().unwrap(), "HERE")
                .replace(project.path().to_str().unwrap(), "HERE")
        };
        Self {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// What it printed, where it did what was asked and had nothing to complain of.
    #[track_caller]
    pub(crate) fn printed(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout
    }

    /// Everything, for snapshots of failures.
    pub(crate) fn all(&self) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        format!("code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

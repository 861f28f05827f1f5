//! A shell in a folder of its own, which finds the command that was just built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use tempfile::TempDir;

const CRESSET: &str = env!("CARGO_BIN_EXE_cresset");

/// A working directory, and a home in which nobody has logged in.
pub(crate) struct Shell {
    folder: TempDir,
    home: TempDir,
}

/// What a script printed, errors among it as on a terminal.
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) status: ExitStatus,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let [folder, home] = [(); 2].map(|()| TempDir::new().unwrap());
        Self { folder, home }
    }

    /// Where runs are.
    pub(crate) fn runs(&self) -> PathBuf {
        self.folder.path().join(".cresset")
    }

    /// Runs a script up to the first command that fails. The guides' server, `https://cresset.example.org`, is whatever the script
    /// calls `$server`.
    pub(crate) fn run(&self, script: &str) -> Printed {
        let script = script.replace("https://cresset.example.org", "$server");
        let output = self
            .command(&format!("exec 2>&1\n{script}"))
            .stderr(Stdio::null())
            .output()
            .unwrap();
        Printed {
            text: String::from_utf8(output.stdout).unwrap(),
            status: output.status,
        }
    }

    /// Whether the command knows every word of this call: with `--help` behind it, it reads them and does nothing. Where anything may
    /// stand, as behind `tag`, that is one more word, and there is no run for it here.
    pub(crate) fn parses(&self, call: &str) -> Result<(), String> {
        const USAGE: i32 = 2;
        let output = self.command(&format!("{call} --help")).output().unwrap();
        match output.status.code() {
            Some(USAGE) | None => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Some(_) => Ok(()),
        }
    }

    fn command(&self, script: &str) -> Command {
        let mut path = vec![Path::new(CRESSET).parent().unwrap().to_owned()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        let mut shell = Command::new("sh");
        shell
            .args(["-e", "-c", script])
            .current_dir(self.folder.path())
            .env("PATH", env::join_paths(path).unwrap())
            .env("HOME", self.home.path())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        for (variable, _) in env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("CRESSET_") || name.starts_with("XDG_") || name == "COLUMNS" {
                shell.env_remove(&variable);
            }
        }
        shell
    }
}

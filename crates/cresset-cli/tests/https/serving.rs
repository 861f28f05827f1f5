//! `cresset serve` as a process.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const CRESSET: &str = env!("CARGO_BIN_EXE_cresset");

/// A server with a key for writing, until this is dropped.
pub(crate) struct Serving {
    pub(crate) dir: TempDir,
    pub(crate) key: String,
    /// Where it says that it is.
    pub(crate) url: String,
    process: Child,
}

impl Serving {
    pub(crate) fn start<S: AsRef<str>>(arguments: &[S]) -> Self {
        Self::with(arguments, &[])
    }

    /// One with these variables set.
    pub(crate) fn with<S: AsRef<str>>(arguments: &[S], variables: &[(&str, &Path)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut made = Command::new(CRESSET);
        made.arg("--dir").arg(dir.path());
        let made = made
            .args(["key", "create", "team", "--role", "write"])
            .output()
            .unwrap();
        let mut serve = Command::new(CRESSET);
        serve.arg("--dir").arg(dir.path());
        serve.args(["serve", "--bind", "127.0.0.1:0", "--log", "debug"]);
        serve.args(arguments.iter().map(AsRef::as_ref));
        for name in ["CRESSET_CA_FILE", "SSL_CERT_FILE"] {
            serve.env_remove(name);
        }
        serve.envs(variables.iter().copied());
        let log = File::create(dir.path().join("log")).unwrap();
        let mut process = serve.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut first = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut first).unwrap();
        let url = first.split(' ').next().unwrap().to_owned();
        Self {
            key: String::from_utf8(made.stdout).unwrap().trim().to_owned(),
            dir,
            url,
            process,
        }
    }

    pub(crate) fn port(&self) -> &str {
        let authority = self.url.split('/').nth(2).unwrap();
        authority.split(':').nth(1).unwrap()
    }

    /// What it has said so far on standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn said(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    both.concat()
}

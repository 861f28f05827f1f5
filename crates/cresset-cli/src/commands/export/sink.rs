//! Where an export goes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

const BUFFER: usize = 1 << 16;

/// Standard output, or a file that appears under its name only when it is whole.
pub(super) enum Sink {
    Stdout(BufWriter<Stdout>),
    File {
        writer: BufWriter<File>,
        temporary: Temporary,
        target: PathBuf,
    },
}

/// A file that goes away unless it is kept.
pub(super) struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Nothing more can be done about a leftover.
            let _ = fs::remove_file(path);
        }
    }
}

impl Sink {
    pub(super) fn stdout() -> Self {
        Self::Stdout(BufWriter::with_capacity(BUFFER, io::stdout()))
    }

    /// # Errors
    /// If no file can be made beside `target`.
    pub(super) fn file(target: &Path) -> anyhow::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = target.with_file_name(name);
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", target.display()))?;
        Ok(Self::File {
            writer: BufWriter::with_capacity(BUFFER, file),
            temporary: Temporary(Some(path)),
            target: target.to_owned(),
        })
    }

    /// Everything was written.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut writer) => Ok(writer.flush()?),
            Self::File {
                mut writer,
                mut temporary,
                target,
            } => {
                let failed = || format!("cannot write {}", target.display());
                writer.flush().with_context(failed)?;
                if let Some(path) = &temporary.0 {
                    fs::rename(path, &target).with_context(failed)?;
                }
                temporary.0 = None;
                Ok(())
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(writer) => writer.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(writer) => writer.flush(),
            Self::File { writer, .. } => writer.flush(),
        }
    }
}

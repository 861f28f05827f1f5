//! Event files on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::message;
use super::state::OfRank;
use crate::error::ShipError;

/// So many bytes are written at a time.
const SPILL: usize = 1 << 20;

/// An event file that is written on.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    length: u64,
}

impl EventFile {
    /// Opens a rank's file, makes it where needed, and cuts off what was not acknowledged.
    pub(super) fn open(folder: &Path, written: &mut OfRank) -> Result<Self, ShipError> {
        fs::create_dir_all(folder).map_err(ShipError::disk(folder))?;
        if written.has_end {
            // Somebody took the run up again. TensorBoard goes from file to file and never back, so what comes next needs a later one.
            remove(&folder.join(written.file_name(written.index + 1)))?;
            written.index += 2;
            written.length = 0;
            written.has_end = false;
        }
        let path = folder.join(written.file_name(written.index));
        let opened = open(&path, written.length).map_err(ShipError::disk(&path))?;
        let mut buffer = Vec::new();
        if written.length == 0 {
            message::put_head(&mut buffer, written.time);
            if written.index == 1 {
                // TensorBoard takes the first start of a session for the beginning, and only others for a return to their step.
                message::put_restart(&mut buffer, written.time, 0);
            }
        }
        Ok(Self {
            path,
            file: opened,
            buffer,
            length: written.length,
        })
    }

    /// What is to be written next.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes what there is, if that is much.
    pub(super) fn spill(&mut self) -> Result<(), ShipError> {
        match self.buffer.len() < SPILL {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Writes all and returns the file's length.
    pub(super) fn finish(mut self) -> Result<u64, ShipError> {
        self.flush()?;
        // The length must not come to the disk before what it counts.
        self.file.sync_data().map_err(ShipError::disk(&self.path))?;
        Ok(self.length)
    }

    fn flush(&mut self) -> Result<(), ShipError> {
        let written = self.file.write_all(&self.buffer);
        written.map_err(ShipError::disk(&self.path))?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn open(path: &Path, length: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // A file that should be there and is not must not be begun in its middle.
    let mut file = options
        .write(true)
        .create(length == 0)
        .truncate(false)
        .open(path)?;
    let found = file.metadata()?.len();
    if found < length {
        let why = format!(
            "it has {found} bytes, and {length} were written; delete it and the run's ledger to write it anew"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    if found > length {
        file.set_len(length)?;
    }
    file.seek(SeekFrom::Start(length))?;
    Ok(file)
}

/// Writes a small file at once or not at all.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ShipError> {
    fs::create_dir_all(folder).map_err(ShipError::disk(folder))?;
    // TensorBoard reads whatever has `tfevents` in its name.
    let beside = folder.join("cresset.new");
    let path = folder.join(name);
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(ShipError::disk(path))
}

fn remove(path: &Path) -> Result<(), ShipError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ShipError::disk(path)(error)),
        _ => Ok(()),
    }
}

//! Names that survive a loss of power: of a file that was synchronised nothing is found unless its folder was, too.

use std::io;
use std::path::Path;

#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Elsewhere a folder cannot be synchronised; file systems there keep names with the files.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folders that a run brings with it: its project's, the root, and where that is. Without their names on the disk there is no run.
pub(crate) fn sync_ancestors(run: &Path) -> io::Result<()> {
    for folder in run.ancestors().skip(1).take(3) {
        match sync_folder(folder) {
            // Of a folder that we may not read we have not made the next one either.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

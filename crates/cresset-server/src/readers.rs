//! Who else can read a file with a secret.

use std::path::Path;

/// Says so, where everybody on the machine can read what is only for the server.
pub(crate) fn warn_of(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).map(|file| file.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o004 != 0) {
            tracing::warn!(
                file = %file.display(),
                "everybody on this machine can read this file, which holds a secret of the server; `chmod 600` mends that"
            );
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}

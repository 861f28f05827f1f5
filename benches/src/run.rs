//! Runs that are measured.

use anyhow::{Result, ensure};
use cresset_run::Run;

/// Ends the run; a measurement in which anything was lost is none.
///
/// # Errors
/// If anything was.
pub fn finish(run: Run) -> Result<()> {
    let finished = run.finish();
    ensure!(finished.complete && finished.lost == 0, "{finished:?}");
    Ok(())
}

//! `cresset backup`: makes, checks and restores backups.

use std::path::Path;

use cresset_record::Root;
use cresset_store::{Backup, backups, check_backup, restore_backup, thin_backups};

use crate::args::{BackupArguments, BackupCommand, BackupCreateArguments, BackupRestoreArguments};
use crate::exit::Exit;
use crate::human;
use crate::output::Output;

pub(crate) fn run(
    arguments: &BackupArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    match &arguments.command {
        BackupCommand::Create(a) => create(a, dir, out)?,
        BackupCommand::List(a) => {
            for backup in backups(&a.to)? {
                out.line(described(&backup))?;
            }
        }
        BackupCommand::Verify(a) => {
            let bad = check_backup(&a.backup)?;
            for file in &bad {
                out.line(human::clean(&format!("{}: {}", file.file, file.why)))?;
            }
            if !bad.is_empty() {
                return Ok(Exit::Damaged);
            }
            out.line(format!("{} is whole", a.backup.display()))?;
        }
        BackupCommand::Restore(a) => restore(a, out)?,
    }
    Ok(Exit::Ok)
}

fn create(a: &BackupCreateArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<()> {
    let store = super::store(dir)?;
    let made = store.back_up(&a.to)?;
    out.line(described(&made))?;
    if let Some(keep) = a.keep {
        for path in thin_backups(&a.to, keep)? {
            out.line(format!("{} is removed", path.display()))?;
        }
    }
    Ok(())
}

fn described(backup: &Backup) -> String {
    format!(
        "{}: {}, {}, of which {} are new",
        backup.path.display(),
        human::count(backup.runs, "run"),
        human::bytes(backup.bytes),
        human::bytes(backup.new_bytes)
    )
}

fn restore(a: &BackupRestoreArguments, out: &mut Output) -> anyhow::Result<()> {
    let root = Root::new(&a.to);
    let store = restore_backup(&a.backup, &root)?;
    let runs = store.root().runs()?.len() as u64;
    out.line(format!(
        "{} restored into {}",
        human::count(runs, "run"),
        a.to.display()
    ))?;
    // What came to the old folder after the backup is still where it was sent from.
    eprintln!(
        "runs that were sent after the backup come again with `cresset sync --again` where they were recorded"
    );
    Ok(())
}

//! Commands for whoever runs a server for others.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::KeyRole;

/// Say who may do what at `cresset serve`, and take it back
#[derive(Debug, Args)]
pub(crate) struct UserArguments {
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    #[command(visible_alias = "add")]
    Set(UserSetArguments),
    Remove(UserRemoveArguments),
    /// List users, with what they may and how many keys they hold
    List,
}

/// Say what a user may, in place of what was said before
///
/// A new name makes a user. `cresset key create NAME --user USER` makes keys for them, which allow no more than that.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: reads everything, writes in one project\n  cresset user set alice --role read --in solder=write"
)]
pub(crate) struct UserSetArguments {
    /// The user's name
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// The role in all projects that are not private; `admin` in those too
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<KeyRole>,
    /// The role in one project; may be given several times
    #[arg(long = "in", value_name = "PROJECT=ROLE")]
    pub(crate) projects: Vec<String>,
}

/// Remove a user, and all keys of theirs at once
#[derive(Debug, Args)]
pub(crate) struct UserRemoveArguments {
    /// The user's name
    #[arg(value_name = "USER")]
    pub(crate) user: String,
}

/// List projects; set who sees one, how much it may hold, and what of it goes with time
#[derive(Debug, Args)]
pub(crate) struct ProjectArguments {
    #[command(subcommand)]
    pub(crate) command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// List projects, with their room and what is set for them
    List,
    Set(ProjectSetArguments),
}

/// Set something for a project; what is not named stays as it is
///
/// What rules remove, they remove within the hour while `cresset serve` or `cresset ui` runs, and go on to. So they are only tried
/// first: this says what would go, and --yes sets them. Runs with the tag `keep` keep everything, and logs stay whole: only
/// the bytes of checkpoints and media go, and the run says which.
#[derive(Debug, Args)]
pub(crate) struct ProjectSetArguments {
    /// The project
    #[arg(value_name = "PROJECT")]
    pub(crate) project: String,
    /// Only those see it who have a role in this very project, or who are admin everywhere
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no, num_args = 0..=1, default_missing_value = "yes")]
    pub(crate) private: Option<bool>,
    /// What its runs may hold in all, such as 50GB, or `none`; what is sent beyond is refused
    #[arg(long, value_name = "SIZE")]
    pub(crate) quota: Option<String>,
    /// Keep so many checkpoints of each series of a run, the latest, or `none` for all
    #[arg(long, value_name = "N")]
    pub(crate) keep_checkpoints: Option<String>,
    /// Keep images, tables, sounds and the like for so many days, or `none` for good
    #[arg(long, value_name = "DAYS")]
    pub(crate) media_days: Option<String>,
    /// Set rules that remove something
    #[arg(long)]
    pub(crate) yes: bool,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".into()),
    }
}

/// Say who changed what: labels, the trash, keys, users, projects, what was received and what rules removed
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Only in this project
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Only to this run, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// Only by this key or user
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
    /// At most so many changes, the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Print a JSON object a line instead, one a change
    #[arg(long)]
    pub(crate) json: bool,
}

/// Back up the runs of a folder, and what people said of them
///
/// A backup is itself a folder of runs that all commands read: `cresset runs --dir BACKUP`. It can be made while runs are written
/// and a server answers.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    #[command(subcommand)]
    pub(crate) command: BackupCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    Create(BackupCreateArguments),
    List(BackupListArguments),
    Verify(BackupVerifyArguments),
    Restore(BackupRestoreArguments),
}

/// Make a backup beside those that are there
///
/// What has not changed since the last one takes no room again.
#[derive(Debug, Args)]
pub(crate) struct BackupCreateArguments {
    /// The folder of backups, on another disk
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
    /// Then remove all but the last N
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<usize>,
}

/// List the backups of a folder
#[derive(Debug, Args)]
pub(crate) struct BackupListArguments {
    /// The folder of backups
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
}

/// Read every byte of a backup; ends with code 4 if something is not as it was written
#[derive(Debug, Args)]
pub(crate) struct BackupVerifyArguments {
    /// A backup
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
}

/// Make a folder of runs from a backup: logs, blobs, labels, users and keys
#[derive(Debug, Args)]
pub(crate) struct BackupRestoreArguments {
    /// A backup
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// A new folder
    #[arg(value_name = "DIR")]
    pub(crate) to: PathBuf,
}

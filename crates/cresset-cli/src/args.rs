//! The command line.

mod team;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cresset_server::{BasePath, Issuer, Network};

use crate::{exit, human};
pub(crate) use team::*;

/// Look at, watch, compare, export and check the runs that Cresset recorded.
#[derive(Debug, Parser)]
#[command(name = "cresset", version, after_help = exit::HELP, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What all commands take.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of all commands")]
pub(crate) struct GlobalArguments {
    /// The folder of the runs [default: $CRESSET_DIR, else the nearest .cresset here or above]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// When to use colour; `auto` means on a terminal, unless $NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ui(UiArguments),
    Runs(RunsArguments),
    Show(ShowArguments),
    Diff(DiffArguments),
    Watch(WatchArguments),
    Export(ExportArguments),
    Verify(VerifyArguments),
    Tag(TagArguments),
    Stop(StopArguments),
    Delete(DeleteArguments),
    Restore(RestoreArguments),
    Trash(TrashArguments),
    Sync(SyncArguments),
    Login(LoginArguments),
    Import(ImportArguments),
    Index(IndexArguments),
    Gpu(GpuArguments),
    Serve(ServeArguments),
    Key(KeyArguments),
    User(UserArguments),
    Project(ProjectArguments),
    Audit(AuditArguments),
    Backup(BackupArguments),
}

/// The run that a command is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgument {
    /// The run: its id or the beginning of it, its name, its folder, a file that it recorded, or `latest`
    #[arg(value_name = "RUN", default_value = "latest")]
    pub(crate) run: String,
}

/// List runs as a table
///
/// Without --columns the table shows name, id, state, duration and age, and those values of the summary whose
/// series have a goal, or else the first few. The best value of a column with a goal is bold.
#[derive(Debug, Args)]
#[command(after_help = RUNS_HELP)]
pub(crate) struct RunsArguments {
    /// Only runs that pass, such as `val/auc > 0.94 and tags has "v4"`
    #[arg(long, short, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Sort by these fields, separated by commas; `-` before a field puts the highest first
    #[arg(
        long,
        short,
        value_name = "FIELDS",
        default_value = "-created",
        allow_hyphen_values = true,
        value_delimiter = ','
    )]
    pub(crate) sort: Vec<String>,
    /// Show these fields, separated by commas
    #[arg(long, short, value_name = "FIELDS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Only runs of this project
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// At most so many runs
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print a JSON array instead, one object a run, with all fields but environment
    #[arg(long)]
    pub(crate) json: bool,
}

const RUNS_HELP: &str = r#"Fields:
  name id project state reason duration age created group job_type tags notes host
  alerts lost damage       how many of each
  config.KEY               a hyper-parameter, nested with dots: config.optimizer.lr
  environment.KEY          what surrounded the run: environment.git.commit
  KEY                      a value of the summary: val/auc; summary.KEY if it is named as a field

Filters:
  FIELD OPERATOR VALUE, with = != < <= > >=, joined by and, or, not and parentheses
  name ~ res*-v4           text with * for anything; without a *, text that contains it
  tags has v4              a list with this element
  state in (failed, crashed)
  duration > 1h30m         units us ms s m h d w
  created >= 2026-11-01    a day, or a time such as 2026-11-01T08:30
  "val/auc (macro)" > 0.9  quotes for names and values with odd characters
  A run without the field passes no test of it; NaN passes none either."#;

/// Show one run: overview, charts, histograms over time, alerts, and what was lost
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Everything: also what Cresset records by itself (system/, gradients/, parameters/, update_ratio/), and all charts
    #[arg(long, conflicts_with = "key")]
    pub(crate) all: bool,
    /// Only the series that match, such as `val/*`; may be given several times
    #[arg(long, short, value_name = "PATTERN")]
    pub(crate) key: Vec<String>,
    /// Logarithmic y axes
    #[arg(long)]
    pub(crate) log: bool,
    /// Width in columns [default: that of the terminal, or 100]
    #[arg(long, value_name = "N")]
    pub(crate) width: Option<u16>,
    /// Print a JSON object instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what differs between runs: config, environment and summary
///
/// The environment has the code (commit, uncommitted changes), the compiler, crate versions, the host and its GPUs. What is the
/// same in all runs is left out, and so is what differs in any two runs, such as process ids, and what Cresset records by itself.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cresset diff calm-harbor-1 late-ember-9")]
pub(crate) struct DiffArguments {
    /// The runs, as `cresset show` takes them; the first is what the others are compared with
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub(crate) runs: Vec<String>,
    /// Also what differs in any two runs, and what Cresset records by itself
    #[arg(long)]
    pub(crate) all: bool,
    /// Print a JSON object instead, with whole values
    #[arg(long)]
    pub(crate) json: bool,
}

/// Follow one run live: charts, alerts, losses and the log
///
/// On a terminal this is a full-screen view; press ? for its keys. Elsewhere it prints a line whenever there is
/// progress, and ends with the run.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Only the series that match, such as `val/*`; may be given several times
    #[arg(long, short, value_name = "PATTERN")]
    pub(crate) key: Vec<String>,
}

/// Write one run's data in an open format
///
/// csv      one row a step and rank, one column a series; --long for one row a value
/// jsonl    every record of the log, in order: one JSON object a line, "record" says what it is
/// parquet  one row a value: rank, key, step, time_us, value
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// The format [default: by the ending of --output, else csv]
    #[arg(long, short, value_name = "FORMAT")]
    pub(crate) format: Option<ExportFormat>,
    /// The file to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Only the series that match, such as `val/*`; may be given several times
    #[arg(long, short, value_name = "PATTERN")]
    pub(crate) key: Vec<String>,
    /// For csv: one row a value instead of one row a step
    #[arg(long)]
    pub(crate) long: bool,
}

/// A format that runs can be exported to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Csv,
    Jsonl,
    Parquet,
}

/// Check one run: every frame of its logs and every blob against its checksum
///
/// Ends with code 4 if anything is damaged, a last write cut short included.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Print a JSON object instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// Open the dashboard on the runs of a folder
///
/// It is for this machine only and needs no key; on another machine, `ssh -L 7878:localhost:7878 HOST` brings it here.
/// If a dashboard of the same folder is open already, that one is shown.
#[derive(Debug, Args)]
pub(crate) struct UiArguments {
    /// A folder with a .cresset in it, or a folder of runs itself [default: as of --dir]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// The port; if it is taken, the next free one
    #[arg(long, value_name = "PORT", default_value_t = 7878)]
    pub(crate) port: u16,
    /// Do not open a browser
    #[arg(long)]
    pub(crate) no_open: bool,
}

/// Serve the dashboard and the API to others, who need a key
///
/// Make a key first: `cresset key create NAME --role read`. As soon as there is one it is needed, on this machine too.
/// Where the network is not your own, give it a certificate, or put a proxy that speaks HTTPS before it.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// A folder with a .cresset in it, or a folder of runs itself [default: as of --dir]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Where to listen, such as 0.0.0.0:7878
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7878")]
    pub(crate) bind: SocketAddr,
    /// A name under which browsers reach this server; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,
    /// Speak HTTPS with this certificate, in PEM form, with those of authorities behind it; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM form
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A proxy has this server under a path, such as /cresset, whether it passes that on or not
    #[arg(long, value_name = "PATH", default_value = "")]
    pub(crate) base_path: BasePath,
    /// An address or network of proxies, such as 10.0.0.0/8, whose X-Forwarded-… and Forwarded headers say who asks; may be
    /// given several times
    #[arg(long, value_name = "ADDR")]
    pub(crate) trust_proxy: Vec<Network>,
    /// Send the login cookie over HTTPS only, behind a proxy that speaks it and does not say so in its headers
    #[arg(long)]
    pub(crate) secure_cookie: bool,
    #[command(flatten)]
    pub(crate) oidc: OidcArguments,
    /// What to write to standard error: `debug` has a line for each request
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LogLevel,
}

/// How people log in by OpenID Connect.
#[derive(Debug, Args)]
pub(crate) struct OidcArguments {
    /// Let people log in by OpenID Connect with this issuer, as users that `cresset user set` made; a key, or a login, is needed then
    #[arg(long, value_name = "URL", requires = "oidc_client_id")]
    pub(crate) oidc_issuer: Option<Issuer>,
    /// What the issuer calls this server
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    pub(crate) oidc_client_id: Option<String>,
    /// A file with the client's secret [default: $CRESSET_OIDC_CLIENT_SECRET; a public client has none]
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    pub(crate) oidc_client_secret_file: Option<PathBuf>,
    /// The claim that has the name of a user; `email` counts only where the issuer says that it is verified
    #[arg(
        long,
        value_name = "CLAIM",
        default_value = "email",
        requires = "oidc_issuer"
    )]
    pub(crate) oidc_user_claim: String,
    /// What the login page calls the issuer [default: its host]
    #[arg(long, value_name = "NAME", requires = "oidc_issuer")]
    pub(crate) oidc_name: Option<String>,
    /// How long people stay logged in
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=8760), requires = "oidc_issuer")]
    pub(crate) oidc_hours: u16,
}

/// How much is written to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// Make, list and take back keys for `cresset serve`
#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    Create(KeyCreateArguments),
    Revoke(KeyRevokeArguments),
    /// List keys, without their secrets
    List,
}

/// Make a key and print it, this once
///
/// Only a hash of it is kept.
#[derive(Debug, Args)]
pub(crate) struct KeyCreateArguments {
    /// A name for people, such as who or what will use it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it allows: `read` to look; `write` for sending runs, labels, views, the trash and stopping too; `admin` for deleting for
    /// good and for settings too [default with --user: what the user may]
    #[arg(long, value_name = "ROLE", required_unless_present = "user")]
    pub(crate) role: Option<KeyRole>,
    /// Only this project [default: all]
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Whose it is: it allows no more than they may, and goes with them
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// It opens nothing any more after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
    pub(crate) days: Option<u32>,
}

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyRole {
    Read,
    Write,
    Admin,
}

/// Take a key back, at once
#[derive(Debug, Args)]
pub(crate) struct KeyRevokeArguments {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// Add and remove tags of one run
///
/// The tags that a person sets stand from then on; what the program set them to is not looked at any more.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cresset tag amber-harbor-7 +baseline -draft")]
pub(crate) struct TagArguments {
    /// The run: its id or the beginning of it, its name, its folder, or `latest`
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// `+TAG` adds a tag, `-TAG` removes one
    #[arg(value_name = "+TAG|-TAG", required = true, allow_hyphen_values = true)]
    pub(crate) changes: Vec<String>,
}

/// Ask one run to stop
///
/// Its program is told about once a second and decides itself where to stop; the run then ends as stopped.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// The run: its id or the beginning of it, its name, its folder, or `latest`
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// What is kept with the run as the reason
    #[arg(long, value_name = "TEXT", default_value = "asked by cresset stop")]
    pub(crate) reason: String,
}

/// Put runs into the trash
///
/// They can be taken back for 7 days, or for as many days as $CRESSET_TRASH_DAYS says; then the indexer removes them for
/// good. A run that is being written cannot be deleted.
#[derive(Debug, Args)]
pub(crate) struct DeleteArguments {
    #[command(flatten)]
    pub(crate) which: WhichArguments,
}

/// Take runs out of the trash
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    pub(crate) which: WhichArguments,
}

/// Some runs, or all of a project.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct WhichArguments {
    /// The runs: their ids or the beginnings of them, or their names
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,
    /// All runs of this project
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
}

/// List what is in the trash
#[derive(Debug, Args)]
pub(crate) struct TrashArguments {
    /// Remove all of it for good
    #[arg(long)]
    pub(crate) empty: bool,
}

/// Carry runs to a server or to another tracker: what is not there yet, each thing once
///
/// What is written beside a run says how far it was carried, so that this can be stopped and started at any time. Without
/// runs, all of the folder are carried. The key for a server is $CRESSET_API_KEY, or what `cresset login` keeps.
#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The runs: their ids or the beginnings of them, their names, their folders, or `latest` [default: all]
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,
    /// Where to: a Cresset server's address, mlflow+https://…, wandb+https://…, wandb:FOLDER (offline runs) or
    /// tensorboard:FOLDER, each with what it may see, such as ?keys=val/*&without=val/images/*&redact=config.data_path,console; several
    /// times for several places [default: $CRESSET_TARGET, or the server that you are logged in to]
    #[arg(long = "to", value_name = "PLACE")]
    pub(crate) to: Vec<String>,
    /// Go on while runs are written; without runs, also with those that begin, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// Only say what would be carried
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask Cresset servers anew what they have, also of what was carried to the end: after one was restored from a backup
    #[arg(long)]
    pub(crate) again: bool,
    /// Give up after so many seconds in which a server could not be reached
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) patience: u64,
    /// Send no more than so many bytes a second, over all runs and places, such as 10MB or 500k
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) limit_rate: Option<u64>,
}

/// Bytes a second.
fn rate(text: &str) -> Result<u64, String> {
    // Slower, a server takes connections that wait for their turn for dead.
    const LEAST: u64 = 50_000;
    match human::parse_bytes(text) {
        None => Err("give a size, such as 10MB".to_owned()),
        Some(rate) if rate < LEAST => {
            Err("at least 50k are needed, so that no connection is silent for long".to_owned())
        }
        Some(rate) => Ok(rate),
    }
}

/// Keep the key of a server, for `cresset sync`
#[derive(Debug, Args)]
pub(crate) struct LoginArguments {
    /// The server's address, such as https://cresset.example.org
    #[arg(value_name = "SERVER")]
    pub(crate) server: String,
    /// Forget the key instead
    #[arg(long)]
    pub(crate) forget: bool,
}

/// Bring runs of other trackers
///
/// Each becomes a run of its own; what was brought already is not brought twice.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What the sources are
    #[arg(value_enum, value_name = "KIND")]
    pub(crate) from: ImportSource,
    /// Files or folders; of MLflow the server's address, such as https://mlflow.example.org
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// Into this project; of MLflow, else into one named as the experiment
    #[arg(long, short, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Of MLflow, only this experiment; several times for several
    #[arg(long = "experiment", value_name = "NAME")]
    pub(crate) experiments: Vec<String>,
    /// Name the run [default: as the source does]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Put the runs into a group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Tag the runs; several times for several tags
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// A hyper-parameter that the source does not tell, such as lr=0.001; several times for several
    #[arg(long = "config", value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
}

/// What runs are brought from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ImportSource {
    /// Folders with TensorBoard's event files; each folder below that has some is a run
    Tensorboard,
    /// A table with a row of names; a column `step` if there is one
    Csv,
    /// W&B's offline runs: folders `offline-run-…`, or the `.wandb` files in them
    Wandb,
    /// The runs of an MLflow tracking server, which knows who asks by `MLFLOW_TRACKING_TOKEN`, or by `MLFLOW_TRACKING_USERNAME` and
    /// `MLFLOW_TRACKING_PASSWORD`
    Mlflow,
}

/// Look after the index, from which runs are listed and shown in the dashboard
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct IndexArguments {
    #[command(subcommand)]
    pub(crate) command: IndexCommand,
}

/// What is to be done with the index.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Say where it is, and what it holds
    Status,
    /// Make it anew from the logs; what people said of runs stays
    Rebuild,
    /// Read all logs anew and say where the index differs from them; ends with code 4 if it does
    Check,
}

/// Show this machine's GPUs and which runs use them, live on a terminal
///
/// NVIDIA's are shown, all of them, whatever $CUDA_VISIBLE_DEVICES says. $CRESSET_NVML is the path of NVIDIA's
/// management library where the system does not find it.
#[derive(Debug, Args)]
pub(crate) struct GpuArguments {
    /// Print the table once, as elsewhere than on a terminal
    #[arg(long)]
    pub(crate) once: bool,
    /// Print a JSON array instead, one object a GPU
    #[arg(long, conflicts_with = "dump")]
    pub(crate) json: bool,
    /// Print what the driver answers to each call, N times a second apart [default N: 10], and what each call took: for
    /// reports of figures that are wrong
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) dump: Option<u32>,
}

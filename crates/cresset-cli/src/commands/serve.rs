//! `cresset serve`: the dashboard and the API for others.

use std::env;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use cresset_server::{Access, ClientSecret, OidcOptions, Options, Server, TlsFiles};
use cresset_ship::trusted_authorities;
use cresset_store::Store;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::filter::LevelFilter;

use crate::args::{LogLevel, OidcArguments, ServeArguments};
use crate::exit::{Exit, Failure};
use crate::locate;
use crate::output::Output;

/// Has the client's secret, where no file does.
const CLIENT_SECRET: &str = "CRESSET_OIDC_CLIENT_SECRET";

pub(crate) fn run(
    arguments: &ServeArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let root = locate::folder_of_runs(arguments.folder.as_deref(), dir)?;
    let store = Store::open(root.clone())?;
    announce(arguments.log);
    let keys = store.keys()?.len();
    let tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    let oidc = oidc(&arguments.oidc)?;
    let issuer = arguments.oidc.oidc_issuer.is_some();
    let options = Options {
        address: arguments.bind,
        // On this machine no key is needed as long as there is none. Through a proxy others come, and with an issuer those that it knows.
        access: if keys == 0
            && arguments.bind.ip().is_loopback()
            && arguments.trust_proxy.is_empty()
            && !issuer
        {
            Access::UntilKeys
        } else {
            Access::Keys
        },
        host_names: arguments.host_name.clone(),
        secure_cookie: arguments.secure_cookie,
        tls: tls.clone(),
        base_path: arguments.base_path.clone(),
        trusted_proxies: arguments.trust_proxy.clone(),
        oidc,
    };
    let access = match (options.access, keys) {
        (Access::Keys, 0) if issuer => "to users who log in".to_owned(),
        (Access::Open | Access::UntilKeys, _) => "without a key, until there is one".to_owned(),
        (Access::Keys, 1) => "to the holder of 1 key".to_owned(),
        (Access::Keys, keys) => format!("to the holders of {keys} keys"),
    };
    let runtime = runtime()?;
    let end = EndRequests::listen(&runtime)?;
    let server = runtime
        .block_on(Server::bind(store, options))
        .map_err(|error| match error {
            cresset_server::BindError::NoKeys { .. } => Failure::usage(error.to_string()),
            error => error.into(),
        })?;
    out.line(format!(
        "{}://{}{} shows {} {access}",
        if tls.is_some() { "https" } else { "http" },
        server.local_addr(),
        arguments.base_path,
        root.path().display()
    ))?;
    out.flush()?;
    serve(&runtime, server, end)?;
    Ok(Exit::Ok)
}

/// How people log in, if by OpenID Connect.
fn oidc(arguments: &OidcArguments) -> anyhow::Result<Option<OidcOptions>> {
    let Some((issuer, client_id)) = arguments
        .oidc_issuer
        .clone()
        .zip(arguments.oidc_client_id.clone())
    else {
        return Ok(None);
    };
    let client_secret = match &arguments.oidc_client_secret_file {
        Some(file) => Some(ClientSecret::read(file).map_err(|e| Failure::usage(e.to_string()))?),
        None => env::var(CLIENT_SECRET)
            .ok()
            .and_then(|text| ClientSecret::new(&text)),
    };
    Ok(Some(OidcOptions {
        issuer,
        client_id,
        client_secret,
        user_claim: arguments.oidc_user_claim.clone(),
        name: arguments.oidc_name.clone(),
        life: Duration::from_secs(3600 * u64::from(arguments.oidc_hours)),
        tls: trusted_authorities()?,
    }))
}

/// Threads for a server. What blocks has threads of its own, of which the server bounds the number.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    raise_limit_of_files();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.clamp(1, 4))
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .context("cannot start the server's threads")
}

/// As many open files as the server lets connections in and what they ask for may need: shells begin with fewer, and then
/// whoever opens many connections takes the index its files.
fn raise_limit_of_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        const WANTED: u64 = 4096;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
        if current.is_some_and(|current| current < wanted) {
            let raised = Rlimit {
                current: Some(wanted),
                maximum,
            };
            // Where it cannot be, connections that find no file wait for others to end.
            let _ = setrlimit(Resource::Nofile, raised);
        }
    }
}

/// Answers until somebody asks to end; who asks twice does not want to wait.
pub(super) fn serve(runtime: &Runtime, server: Server, mut end: EndRequests) -> anyhow::Result<()> {
    let shutdown = async {
        end.next().await;
        tokio::spawn(async move {
            end.next().await;
            std::process::exit(130);
        });
    };
    Ok(runtime.block_on(server.serve(shutdown))?)
}

/// Ctrl-C and, on Unix, SIGTERM. They are heard from the moment that this is made, which is before anybody is told that
/// the server is there.
pub(super) struct EndRequests {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl EndRequests {
    pub(super) fn listen(runtime: &Runtime) -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let _inside = runtime.enter();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl EndRequests {
    pub(super) fn listen(_: &Runtime) -> anyhow::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        // Where it cannot be heard, the system ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Writes what the server has to say to standard error.
pub(super) fn announce(level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // A file, or a journal, has no colours.
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .finish();
    // It fails only if there is one already, which then does the same.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

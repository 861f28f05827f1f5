//! `cresset ui`: the dashboard on this machine.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use cresset_record::Root;
use cresset_server::{BindError, Options, Server};
use cresset_store::Store;
use serde_json::Value as Json;

use super::serve::{EndRequests, announce, runtime, serve};
use crate::args::{LogLevel, UiArguments};
use crate::exit::Exit;
use crate::locate;
use crate::output::Output;

/// Ports that are tried, from the one asked for.
const TRIED: u16 = 32;
/// How long another program may take to say who it is.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) fn run(
    arguments: &UiArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let root = locate::folder_of_runs(arguments.folder.as_deref(), dir)?;
    let store = Store::open(root.clone())?;
    announce(LogLevel::Warn);
    let runtime = runtime()?;
    let end = EndRequests::listen(&runtime)?;
    let server = match runtime.block_on(listen(&root, &store, arguments.port))? {
        Found::Free(server) => *server,
        Found::Open(address) => {
            let url = url(address);
            out.line(format!("{url} shows {} already", root.path().display()))?;
            out.flush()?;
            open(arguments, &url);
            return Ok(Exit::Ok);
        }
    };
    let url = url(server.local_addr());
    out.line(format!("{url} shows {}", root.path().display()))?;
    out.flush()?;
    open(arguments, &url);
    serve(&runtime, server, end)?;
    Ok(Exit::Ok)
}

enum Found {
    /// A server on a free port.
    Free(Box<Server>),
    /// Another program that shows the same folder.
    Open(SocketAddr),
}

/// Listens on the first port that is free, unless the same folder is shown on one before it.
async fn listen(root: &Root, store: &Store, port: u16) -> anyhow::Result<Found> {
    let mut last = None;
    for port in (port..=u16::MAX).take(TRIED.into()) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let options = Options {
            address,
            ..Options::default()
        };
        match Server::bind(store.clone(), options).await {
            Ok(server) => return Ok(Found::Free(Box::new(server))),
            Err(error @ BindError::Taken { .. }) => {
                if shows(address).is_some_and(|shown| Path::new(&shown) == root.path()) {
                    return Ok(Found::Open(address));
                }
                last = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let error = last.context("no port could be tried")?;
    Err(error).with_context(|| format!("no free port among {TRIED} from {port}"))
}

/// The folder that the server at this address shows, if it is one of ours.
fn shows(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let request =
        format!("GET /api/v1/server HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // Whatever it is, it is not read for long.
    let _ = stream.take(1 << 16).read_to_end(&mut answer);
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    if !head.starts_with("HTTP/1.1 200") {
        return None;
    }
    let body: Json = serde_json::from_str(body).ok()?;
    Some(body.get("root")?.as_str()?.to_owned())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Opens a browser, where there is a screen for it. It is a comfort: the address is printed.
fn open(arguments: &UiArguments, url: &str) {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let screen = !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    if arguments.no_open || !screen || set("SSH_CONNECTION") {
        return;
    }
    if let Err(error) = open::that_detached(url) {
        eprintln!("cresset: no browser could be opened ({error}); the address is above");
    }
}

//! A real TensorBoard.

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// TensorBoard over one folder, all of which is loaded.
pub(crate) struct Board {
    server: Child,
    base: String,
}

impl Board {
    /// By the loader in Python, which keeps all, and loads all before it serves.
    pub(crate) fn start(logdir: &Path) -> Self {
        Self::with(
            logdir,
            &[
                "--load_fast=false",
                "--samples_per_plugin=scalars=9999,histograms=999,images=99,audio=99,text=999",
                "--reload_interval=0",
                "--reload_task=blocking",
            ],
        )
    }

    /// By the loader that people get unless they ask for another; it loads while it serves.
    pub(crate) fn start_fast(logdir: &Path) -> Self {
        Self::with(logdir, &["--load_fast=true"])
    }

    fn with(logdir: &Path, settings: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = Command::new(python())
            .args(["-m", "tensorboard.main", "--host=127.0.0.1"])
            .args(settings)
            .arg(format!("--port={port}"))
            .arg("--logdir")
            .arg(logdir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let board = Self {
            server,
            base: format!("http://127.0.0.1:{port}/data/"),
        };
        board.wait("a server", |board| {
            ureq::get(format!("{}runs", board.base)).call().is_ok()
        });
        board
    }

    /// Waits until something is so.
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            let patience = Duration::from_secs(120);
            assert!(began.elapsed() < patience, "TensorBoard has not got {what}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Json {
        let request = ureq::get(format!("{}{path}", self.base)).query_pairs(query.iter().copied());
        let text = request.call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let mut answer = ureq::get(format!("{}{path}", self.base)).call().unwrap();
        answer.body_mut().read_to_vec().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Json) -> Json {
        let request = ureq::post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A Python that has TensorBoard.
fn python() -> String {
    env::var("CRESSET_TENSORBOARD_PYTHON").expect("set by `cargo xtask test`")
}

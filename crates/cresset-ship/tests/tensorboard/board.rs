//! A real TensorBoard.

use std::env;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// TensorBoard over one folder, all of which is loaded.
pub struct Board {
    server: Child,
    base: String,
}

impl Board {
    pub fn start(logdir: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = Command::new(python())
            .args([
                "-m",
                "tensorboard.main",
                "--load_fast=false",
                "--host=127.0.0.1",
            ])
            .arg("--samples_per_plugin=scalars=9999,histograms=999,images=99,audio=99,text=999")
            // Loads all before it serves.
            .args(["--reload_interval=0", "--reload_task=blocking"])
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
        let began = Instant::now();
        while ureq::get(format!("{}runs", board.base)).call().is_err() {
            assert!(began.elapsed() < Duration::from_secs(120), "no TensorBoard");
            thread::sleep(Duration::from_millis(50));
        }
        board
    }

    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Json {
        let request = ureq::get(format!("{}{path}", self.base)).query_pairs(query.iter().copied());
        let text = request.call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let mut answer = ureq::get(format!("{}{path}", self.base)).call().unwrap();
        answer.body_mut().read_to_vec().unwrap()
    }

    pub fn post(&self, path: &str, body: &Json) -> Json {
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

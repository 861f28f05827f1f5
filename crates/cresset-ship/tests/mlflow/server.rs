//! A real MLflow server: one for all tests, as it takes ten seconds to begin.

use std::env;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);
/// Ends the server when its standard input ends: also when the tests are killed.
const GUARD: &str = "set -m; \"$@\" & p=$!; read -r _; kill -- -$p; wait $p";

/// A real MLflow server.
pub(crate) struct Server {
    folder: TempDir,
    python: PathBuf,
    port: u16,
    address: String,
    running: Option<Child>,
}

/// The server, for one test at a time.
pub(crate) fn server() -> MutexGuard<'static, Server> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Mutex::new(Server::new()));
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    if server.running.is_none() {
        server.start();
    }
    server
}

impl Server {
    fn new() -> Self {
        let python = env::var_os("CRESSET_MLFLOW_PYTHON");
        let python = python.expect("CRESSET_MLFLOW_PYTHON is set by `cargo xtask test`");
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        Self {
            folder: tempfile::tempdir().unwrap(),
            python: python.into(),
            port,
            address: format!("http://127.0.0.1:{port}"),
            running: None,
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn start(&mut self) {
        let folder = self.folder.path().display();
        let child = Command::new("bash")
            .args(["-c", GUARD, "guard"])
            .arg(&self.python)
            .args([
                "-m",
                "mlflow",
                "server",
                "--host",
                "127.0.0.1",
                "--workers",
                "1",
            ])
            .args(["--port", &self.port.to_string()])
            .args([
                "--backend-store-uri",
                &format!("sqlite:///{folder}/mlflow.db"),
            ])
            .args(["--artifacts-destination", &format!("{folder}/artifacts")])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            // Seven processes for jobs of language models.
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(child);
        let began = Instant::now();
        while !self.answers() {
            assert!(began.elapsed() < PATIENCE, "MLflow does not begin");
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        let began = Instant::now();
        while self.answers() {
            assert!(began.elapsed() < PATIENCE, "MLflow does not end");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        TcpStream::connect(address).is_ok()
    }

    /// An experiment whose artifacts are somewhere else.
    pub(crate) fn experiment_with_artifacts_at(&self, name: &str, location: &str) {
        let create =
            "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).create_experiment(*sys.argv[2:])";
        let output = Command::new(&self.python)
            .args(["-c", create, self.address(), name, location])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    /// Logs runs of this kind by MLflow's own client; their ids by name.
    pub(crate) fn write(&self, experiment: &str, kind: &str) -> Json {
        self.script("write.py", &[experiment, kind])
    }

    /// The runs of an experiment, as MLflow's own client gives them.
    pub(crate) fn read(&self, experiment: &str) -> Vec<Json> {
        let runs = self.script("read.py", &[experiment]);
        serde_json::from_value(runs).unwrap()
    }

    /// What a script says of this server.
    fn script(&self, name: &str, arguments: &[&str]) -> Json {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mlflow");
        let output = Command::new(&self.python)
            .arg(Path::new(folder).join(name))
            .arg(self.address())
            .args(arguments)
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let said = String::from_utf8_lossy(&output.stdout);
        // MLflow's client says where runs are to be seen.
        serde_json::from_str(said.lines().next_back().unwrap()).unwrap()
    }
}

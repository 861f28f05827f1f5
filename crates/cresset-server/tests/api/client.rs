//! A client that sends what it is told to, byte by byte, and a server to send it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use cresset_record::Root;
use cresset_server::{Options, Server};
use cresset_store::Store;
use serde_json::Value as Json;
use tokio::sync::oneshot;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a port of its own, until this is dropped.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// A server of the folder, as `cresset ui` starts it.
    pub(crate) fn open(root: &Root) -> Self {
        Self::with(root, Options::default())
    }

    pub(crate) fn with(root: &Root, options: Options) -> Self {
        // What the folder holds is known when the first question comes.
        let store = Store::open(root.clone()).unwrap();
        store.refresh().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(Server::bind(store, options)).unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let shutdown = async {
                let _ = stopped.await;
            };
            runtime.block_on(server.serve(shutdown)).unwrap();
        });
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Asks the server to end, and waits for it.
    pub(crate) fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A request to this server, with the headers that any client sends.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let request = Request {
            address: self.address,
            line: format!("{method} {path} HTTP/1.1"),
            headers: Vec::new(),
            body: Vec::new(),
            is_chunked: false,
        };
        request.header("host", &format!("localhost:{}", self.address.port()))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// What an address of the API gives, without the `/api/v1` before it.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Json {
        let answer = self.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// A request of the holder of a key, which may be a change.
    pub(crate) fn ask(&self, key: &str, method: &str, path: &str, body: &Json) -> Answer {
        let request = self.request(method, path).key(key);
        request.header("x-cresset", "1").json(body).send()
    }

    /// A change, as the dashboard sends it.
    pub(crate) fn change(&self, method: &str, path: &str, body: &Json) -> Answer {
        self.request(method, &format!("/api/v1{path}"))
            .header("x-cresset", "1")
            .json(body)
            .send()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

#[derive(Clone)]
pub(crate) struct Request {
    address: SocketAddr,
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_chunked: bool,
}

impl Request {
    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes all headers of a name away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    /// Says who asks.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn json(self, body: &Json) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A body whose length is not said before: it is in chunks already.
    pub(crate) fn chunks(mut self, body: Vec<u8>) -> Self {
        self.is_chunked = true;
        self.body(body)
    }

    /// Sends it and reads the whole answer.
    #[track_caller]
    pub(crate) fn send(self) -> Answer {
        self.header("connection", "close").open().finish()
    }

    /// Sends it and reads the head of the answer.
    #[track_caller]
    pub(crate) fn open(mut self) -> Opened {
        if !self.body.is_empty() && !self.is_chunked {
            let length = self.body.len().to_string();
            self = self.header("content-length", &length);
        }
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        open(self.address, &bytes)
    }
}

/// Sends bytes as they are and reads the head of the answer.
#[track_caller]
pub(crate) fn open(address: SocketAddr, bytes: &[u8]) -> Opened {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has seen enough hangs up before all is sent.
    let _ = stream.write_all(bytes);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status in {line:?}"));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Opened {
        status,
        headers,
        reader,
    }
}

/// An answer whose body is still to be read.
pub(crate) struct Opened {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
}

impl Opened {
    /// A line of a body that comes in chunks; `None` at its end. Each chunk must hold whole lines.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size];
        self.reader.read_exact(&mut chunk).ok()?;
        let mut end = String::new();
        self.reader.read_line(&mut end).ok()?;
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    fn finish(mut self) -> Answer {
        let chunked = self
            .headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let mut body = Vec::new();
        if chunked {
            loop {
                let mut size = String::new();
                self.reader.read_line(&mut size).unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                self.reader.read_exact(&mut chunk).unwrap();
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..size]);
            }
        } else {
            let _ = self.reader.read_to_end(&mut body);
        }
        Answer {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header; empty where it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The cookie of this name as it is set, with all that is said of it; empty where it is not.
    pub(crate) fn cookie(&self, name: &str) -> &str {
        let all = self.headers.iter().filter(|(n, _)| n == "set-cookie");
        all.map(|(_, value)| value.as_str())
            .find(|value| value.split('=').next() == Some(name))
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text()))
    }

    /// The code of an error, and a look at its form.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/json");
        let error = self.json()["error"].clone();
        let message = error["message"].as_str().unwrap();
        assert!(message.len() > 10, "{message}");
        (self.status, error["code"].as_str().unwrap().to_owned())
    }
}

/// Waits until something is so; what others do takes its time.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not within {PATIENCE:?}");
}

//! A small W&B server that writes down what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};

/// A key of the form that W&B's client takes.
pub(crate) const KEY: &str = "0123456789012345678901234567890123456789";

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// `null` if the body is none.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.path.ends_with("/file_stream")
    }

    /// The variables of a GraphQL request that names this.
    pub(crate) fn variables(&self, operation: &str) -> Option<Json> {
        let json = self.json();
        let is_asked = self.path == "/graphql" && json["query"].as_str()?.contains(operation);
        is_asked.then(|| json["variables"].clone())
    }
}

/// The server; ends with the process.
#[derive(Clone)]
pub(crate) struct Double {
    port: u16,
    heard: Arc<Mutex<Vec<Exchange>>>,
    /// What file streams are answered with.
    pub(crate) reply: Arc<Mutex<Json>>,
    /// So many more file streams are too many, and are to come again after seven seconds.
    pub(crate) limited: Arc<Mutex<u32>>,
}

impl Double {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let double = Self {
            port: listener.local_addr().unwrap().port(),
            heard: Arc::default(),
            reply: Arc::new(Mutex::new(json!({}))),
            limited: Arc::default(),
        };
        let serving = double.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                // A client that goes away is no fault of ours.
                thread::spawn(move || serving.serve(stream).ok());
            }
        });
        double
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn heard(&self) -> Vec<Exchange> {
        self.heard.lock().unwrap().clone()
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        loop {
            let mut first = String::new();
            if reader.read_line(&mut first)? == 0 {
                return Ok(());
            }
            let mut words = first.split(' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            let (method, path) = (word(), word());
            let (mut length, mut authorization) = (0, None);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let line = line.trim_end();
                if line.is_empty() {
                    break;
                }
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.trim();
                match name.to_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "authorization" => authorization = Some(value.to_owned()),
                    "transfer-encoding" => panic!("{value} is not understood here"),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let exchange = Exchange {
                method,
                path,
                authorization,
                body,
            };
            if exchange.is_stream() && self.is_too_much() {
                let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0";
                write!(stream, "{head}\r\n\r\n")?;
                continue;
            }
            let reply = self.reply(&exchange).to_string();
            self.heard.lock().unwrap().push(exchange);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
            write!(stream, "{head}: {}\r\n\r\n{reply}", reply.len())?;
        }
    }

    fn is_too_much(&self) -> bool {
        let mut limited = self.limited.lock().unwrap();
        let is = *limited > 0;
        *limited = limited.saturating_sub(1);
        is
    }

    fn reply(&self, asked: &Exchange) -> Json {
        if asked.is_stream() {
            return self.reply.lock().unwrap().clone();
        }
        if asked.path != "/graphql" {
            return json!({});
        }
        if let Some(variables) = asked.variables("upsertBucket") {
            let project = json!({"id": "p", "name": variables["project"], "entity": {"id": "e", "name": "team"}});
            let bucket = json!({"id": "storage", "name": variables["name"], "displayName": variables["displayName"], "description": null,
                "config": "{}", "sweepName": null, "project": project, "historyLineCount": 0});
            return json!({"data": {"upsertBucket": {"bucket": bucket, "inserted": true}}});
        }
        if let Some(variables) = asked.variables("createRunFiles") {
            let files = variables["files"].as_array().unwrap().iter();
            let files: Vec<Json> = files
                .map(|file| json!({"name": file, "uploadUrl": format!("{}/put/{}", self.url(), file.as_str().unwrap())}))
                .collect();
            let created =
                json!({"runID": "storage", "uploadHeaders": ["X-Cresset:yes"], "files": files});
            return json!({"data": {"createRunFiles": created}});
        }
        if asked.variables("notifyScriptableRunAlert").is_some() {
            return json!({"data": {"notifyScriptableRunAlert": {"success": true}}});
        }
        if asked.variables("viewer").is_some() {
            let viewer = json!({"id": "u", "entity": "team", "username": "u", "email": "u@example.org", "admin": false, "flags": "{}",
                "teams": {"edges": []}});
            let versions = json!({"max_cli_version": "0.99.0"});
            let server =
                json!({"cliVersionInfo": versions, "latestLocalVersionInfo": null, "features": []});
            return json!({"data": {"viewer": viewer, "serverInfo": server}});
        }
        if asked.variables("RunResumeStatus").is_some() {
            return json!({"data": {"model": {"id": "p", "name": "harbor", "entity": {"id": "e", "name": "team"}, "bucket": null}}});
        }
        // As of a server that does not know the question; clients go on without.
        json!({"errors": [{"message": "unknown"}], "data": null})
    }
}

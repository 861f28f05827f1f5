//! A network with troubles.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is wrong with a network.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    /// The answer to everything that is asked for the first time is lost.
    LosesAnswers,
    /// Nothing may be uploaded.
    RefusesUploads,
    /// After so many requests nobody answers any more.
    EndsAfter(usize),
}

/// Passes requests on to a server, with troubles.
pub(crate) struct Proxy {
    address: String,
    lost: Arc<AtomicUsize>,
}

impl Proxy {
    /// In front of the server at `behind`.
    pub(crate) fn new(behind: &str, trouble: Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behind = behind.strip_prefix("http://").unwrap().to_owned();
        let lost = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lost);
        let known = Arc::new(Mutex::new(HashSet::new()));
        thread::spawn(move || {
            for client in listener.incoming() {
                let (behind, count, known) = (behind.clone(), count.clone(), known.clone());
                thread::spawn(move || pass(client.unwrap(), &behind, trouble, &count, &known));
            }
        });
        Self { address, lost }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many answers were lost; of one that ends, how many requests there were.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

/// One request a connection.
fn pass(
    client: TcpStream,
    behind: &str,
    trouble: Trouble,
    lost: &AtomicUsize,
    known: &Mutex<HashSet<Vec<u8>>>,
) {
    let mut client = BufReader::new(client);
    let (mut request, mut line, mut length) = (Vec::new(), String::new(), 0);
    while client.read_line(&mut line).is_ok_and(|n| n > 2) {
        let lower = line.to_ascii_lowercase();
        if let Some(n) = lower.strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
        request.extend_from_slice(line.as_bytes());
        line.clear();
    }
    if request.is_empty() {
        return;
    }
    request.extend_from_slice(b"connection: close\r\n\r\n");
    client
        .by_ref()
        .take(length)
        .read_to_end(&mut request)
        .unwrap();
    if trouble == Trouble::RefusesUploads && request.starts_with(b"PUT ") {
        let no = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large";
        let _ = client.get_mut().write_all(no.as_bytes());
        return;
    }
    if let Trouble::EndsAfter(most) = trouble
        && lost.fetch_add(1, Ordering::Relaxed) >= most
    {
        return;
    }
    let mut server = TcpStream::connect(behind).unwrap();
    server.write_all(&request).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    if trouble == Trouble::LosesAnswers && known.lock().unwrap().insert(request) {
        lost.fetch_add(1, Ordering::Relaxed);
    } else {
        let _ = client.get_mut().write_all(&answer);
    }
}

//! A network that fails: connections are cut in the middle, answers are lost, and requests come twice and late.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Stands between senders and a server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    trouble: Arc<Trouble>,
}

#[derive(Default)]
struct Trouble {
    is_calm: AtomicBool,
    /// Nobody is heard, but connections stay: as when a cable is pulled.
    is_mute: AtomicBool,
    seed: AtomicU64,
    /// Whole requests that passed, to come again later.
    passed: Mutex<Vec<Vec<u8>>>,
    cut: AtomicU64,
    repeated: AtomicU64,
}

impl Proxy {
    /// Begins to fail in ways that follow from `seed`.
    pub(crate) fn start(server: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let trouble = Arc::new(Trouble::default());
        trouble.seed.store(seed, Ordering::Relaxed);
        let shared = Arc::clone(&trouble);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || pass(client, server, &shared));
            }
        });
        Self { port, trouble }
    }

    pub(crate) fn calm_down(&self) {
        self.trouble.is_calm.store(true, Ordering::Relaxed);
        self.trouble.is_mute.store(false, Ordering::Relaxed);
    }

    pub(crate) fn mute(&self, is_mute: bool) {
        self.trouble.is_mute.store(is_mute, Ordering::Relaxed);
    }

    /// Connections that were cut, and requests that were repeated.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (count(&self.trouble.cut), count(&self.trouble.repeated))
    }
}

fn pass(client: TcpStream, server: u16, trouble: &Arc<Trouble>) {
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let number = trouble.seed.fetch_add(0x9e37_79b9, Ordering::Relaxed);
    let mut dice = fastrand::Rng::with_seed(number);
    let is_calm = trouble.is_calm.load(Ordering::Relaxed);
    // Bytes until the cut, of requests and of answers.
    let mut limit =
        |chance: f64, most: u64| (!is_calm && dice.f64() < chance).then(|| dice.u64(1..most));
    let (there, back) = (limit(0.4, 200_000), limit(0.3, 2_000));
    let repeats = !is_calm && dice.f64() < 0.3;
    let (client_2, upstream_2) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    let shared = Arc::clone(trouble);
    let answers = thread::spawn(move || copy(upstream_2, client_2, back, &shared, None));
    let mut sent = Vec::new();
    copy(client, upstream, there, trouble, Some(&mut sent));
    let _ = answers.join();
    if repeats {
        repeat(sent, server, trouble, &mut dice);
    }
}

/// Copies until the end or the cut.
fn copy(
    mut from: TcpStream,
    mut to: TcpStream,
    limit: Option<u64>,
    trouble: &Trouble,
    mut kept: Option<&mut Vec<u8>>,
) {
    let mut left = limit.unwrap_or(u64::MAX);
    let mut piece = vec![0; 16 << 10];
    while let Ok(n) = from.read(&mut piece) {
        while trouble.is_mute.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        let n = (n as u64).min(left) as usize;
        left -= n as u64;
        if let Some(kept) = kept.as_deref_mut().filter(|kept| kept.len() < 4 << 20) {
            kept.extend_from_slice(&piece[..n]);
        }
        if n == 0 || to.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    if left == 0 {
        trouble.cut.fetch_add(1, Ordering::Relaxed);
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Sends what passed earlier once more, in an order of its own.
fn repeat(sent: Vec<u8>, server: u16, trouble: &Trouble, dice: &mut fastrand::Rng) {
    let again = {
        let mut passed = trouble.passed.lock().unwrap();
        passed.push(sent);
        let place = dice.usize(..passed.len());
        passed.swap_remove(place)
    };
    let Ok(mut upstream) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let _ = upstream.set_read_timeout(Some(Duration::from_millis(200)));
    if upstream.write_all(&again).is_ok() {
        trouble.repeated.fetch_add(1, Ordering::Relaxed);
        let _ = upstream.read(&mut [0; 1024]);
    }
}

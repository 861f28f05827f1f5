//! Large blobs through a network that cuts them off, and pieces that are not what they seem.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cresset_record::Root;
use cresset_run::{File, init};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Server, assert_same, cresset, within};

/// Bytes that cannot be packed.
fn noise(bytes: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(3);
    std::iter::repeat_with(|| dice.u8(..)).take(bytes).collect()
}

/// Between a sender and a server: cuts the first connection that carries so many bytes there, and counts all that pass.
fn cutter(server: u16, after: u64) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let passed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&passed);
    thread::spawn(move || {
        let is_cut = Arc::new(AtomicU64::new(0));
        for client in listener.incoming().flatten() {
            let (counted, is_cut) = (Arc::clone(&counted), Arc::clone(&is_cut));
            thread::spawn(move || pass(client, server, after, &counted, &is_cut));
        }
    });
    (port, passed)
}

fn pass(mut client: TcpStream, server: u16, after: u64, counted: &AtomicU64, is_cut: &AtomicU64) {
    let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
    let (mut back_from, mut back_to) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
    let (mut own, mut piece) = (0, vec![0; 16 << 10]);
    while let Ok(n @ 1..) = client.read(&mut piece) {
        counted.fetch_add(n as u64, Ordering::Relaxed);
        own += n as u64;
        if own >= after && is_cut.swap(1, Ordering::Relaxed) == 0 {
            break;
        }
        if upstream.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    let _ = (
        client.shutdown(Shutdown::Both),
        upstream.shutdown(Shutdown::Both),
    );
}

#[test]
fn a_large_blob_that_is_cut_goes_on_from_there() {
    const SIZE: usize = 20 << 20;
    let here = tempfile::tempdir().unwrap();
    let model = here.path().join("model.bin");
    std::fs::write(&model, noise(SIZE)).unwrap();
    let runs = here.path().join("runs");
    let run = init("large").dir(&runs).id("one").start().unwrap();
    run.log_value(0, "model", File::new(&model));
    assert_eq!(run.finish().lost, 0);
    let server = Server::start();
    let (port, passed) = cutter(server.port, SIZE as u64 * 6 / 10);
    let address = format!("http://127.0.0.1:{port}");
    let synced = cresset(&runs, Some(&server.key), &["sync", "--to", &address]);
    assert!(synced.status.success(), "{synced:?}");
    let said = String::from_utf8_lossy(&synced.stderr);
    assert!(said.contains("again in"), "{said}");
    assert_same(&Root::new(&runs), &server.root(), 1);
    // What was in the air when it was cut comes twice; without the beginning that was kept, it would be 1.6 times all.
    let passed = passed.load(Ordering::Relaxed);
    assert!(passed < SIZE as u64 * 13 / 10, "{passed} bytes for {SIZE}");
    let run = server.root().runs().unwrap().remove(0);
    assert!(within(5, || !run.path().join("incoming").exists()));
}

#[test]
fn the_rate_is_held_over_all_runs() {
    let here = tempfile::tempdir().unwrap();
    for id in ["one", "two"] {
        let path = here.path().join(id);
        let mut bytes = noise(1 << 20);
        bytes.extend(id.as_bytes());
        std::fs::write(&path, bytes).unwrap();
        let run = init("slow")
            .dir(here.path().join("runs"))
            .id(id)
            .start()
            .unwrap();
        run.log_value(0, "file", File::new(&path));
        run.finish();
    }
    let (runs, server) = (here.path().join("runs"), Server::start());
    let address = format!("http://127.0.0.1:{}", server.port);
    let began = Instant::now();
    let arguments = ["sync", "--to", &address, "--limit-rate", "1MB"];
    let synced = cresset(&runs, Some(&server.key), &arguments);
    assert!(synced.status.success(), "{synced:?}");
    // The last 32 KiB of two connections wait for nobody.
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1900), "{took:?} for 2 MiB");
    assert_same(&Root::new(&runs), &server.root(), 2);
    let wrong = cresset(&runs, None, &["sync", "--limit-rate", "10kB"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("at least 50k"));
}

#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    peak.parse::<u64>().unwrap() << 10
}

#[test]
#[cfg(target_os = "linux")]
fn a_piece_that_would_become_huge_is_refused_and_costs_no_memory() {
    let server = Server::start();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..512 {
        packed.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let ask = |encoding: &str, body: &[u8]| {
        let mut server_side = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let head = format!(
            "POST /api/v1/projects/p/runs/r/intake/0/0 HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\n\
             x-cresset: 1\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            server.port,
            server.key,
            body.len()
        );
        server_side.write_all(head.as_bytes()).unwrap();
        server_side.write_all(body).unwrap();
        let mut answer = Vec::new();
        let _ = server_side.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(packed.len() < 1 << 20);
    ask("gzip", b"");
    let process = server.process.as_ref().unwrap().id();
    let before = peak_memory(process);
    for _ in 0..4 {
        let answer = ask("gzip", &packed);
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    // 512 MiB were packed; a piece may have 12, which a buffer that grows holds twice for a moment.
    let grown = peak_memory(process).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    for (encoding, body, status) in [
        ("gzip", &packed[..100], "400"),
        ("gzip", &b"no gzip"[..], "400"),
        ("br", &packed[..], "415"),
    ] {
        let answer = ask(encoding, body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

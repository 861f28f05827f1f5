//! What comes twice, late or not at all.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use cresset_record::RunDir;
use cresset_run::Image;
use cresset_ship::mlflow::{Credentials, MlflowRun};
use cresset_ship::{Events, Ledger, Target};
use serde_json::json;

use crate::proxy::{Proxy, Trouble};
use crate::server::server;
use crate::support::{carry, points, record, scalars, sorted};

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn twice_is_once() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "twice");
    let server = server();
    carry(server.address(), &run);
    let once = server.read("twice");
    fs::remove_file(run.path().join("ship-mlflow.json")).unwrap();
    carry(server.address(), &run);
    assert_eq!(server.read("twice"), once);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn lost_answers_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("lost").dir(root.path()).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    scalars(&run);
    run.update_config(&json!({"lr": 0.1}));
    run.set_summary("best", 0.5);
    let pixels = vec![9u8; 12];
    run.log_value(3, "picture", Image::from_hwc_u8(pixels, 2, 2, 3).unwrap());
    drop(run);
    let server = server();
    let proxy = Proxy::new(server.address(), Trouble::LosesAnswers);
    for attempt in 0.. {
        let sink = MlflowRun::new(proxy.address(), &Credentials::None).unwrap();
        let ledger = Ledger::open(&dir, "mlflow", proxy.address()).unwrap();
        let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
        match events.carry() {
            Ok(progress) if progress.is_done => break,
            Err(error) => assert!(error.is_temporary(), "{error}"),
            Ok(_) => {}
        }
        assert!(attempt < 100);
    }
    assert!(proxy.lost() > 10, "{}", proxy.lost());
    let runs = server.read("lost");
    assert_eq!(runs.len(), 1);
    let there = &runs[0];
    assert_eq!(there["status"], "FINISHED");
    assert_eq!(there["params"], json!({"lr": "0.1"}));
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&dir)["train/loss"]
    );
    let received = &there["metrics"]["system/network_receive_megabytes"];
    assert_eq!(received.as_array().unwrap().len(), 50);
    let artifacts = there["artifacts"].as_object().unwrap();
    let images = artifacts.keys().filter(|path| path.starts_with("images/"));
    assert_eq!(images.count(), 2);
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn a_server_that_was_away_gets_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("away").dir(root.path()).start().unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    let mut server = server();
    let address = server.address().to_owned();
    let sink = MlflowRun::new(&address, &Credentials::None).unwrap();
    let ledger = Ledger::open(&dir, "mlflow", &address).unwrap();
    let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
    let level = |events: &mut Events<MlflowRun>, frames: u64| {
        let mut carried = 0;
        while carried < frames {
            carried += events.carry().unwrap().frames;
        }
    };
    run.log(0, [("loss", 1.0)]);
    level(&mut events, 2);

    server.stop();
    run.log(1, [("loss", 0.5)]);
    run.update_config(&json!({"lr": 0.1}));
    drop(run);
    let error = events.carry().unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(error.to_string().contains(&address), "{error}");
    // As after a kill of the one who carries.
    drop(events);

    server.start();
    carry(&address, &dir);
    let runs = server.read("away");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["params"]["lr"], "0.1");
    assert_eq!(sorted(&runs[0]["metrics"]["loss"]), points(&dir)["loss"]);
    assert_eq!(runs[0]["status"], "FINISHED");
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn artifacts_that_the_server_does_not_keep_are_counted() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "bucket");
    let server = server();
    server.experiment_with_artifacts_at("bucket", "s3://somewhere/else");
    carry(server.address(), &run);
    let there = &server.read("bucket")[0];
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&run)["train/loss"]
    );
    let told = there["tags"]["cresset.artifacts"].as_str().unwrap();
    assert!(told.contains("s3://somewhere/else"), "{told}");
    let left_out = there["tags"]["cresset.left_out"].as_str().unwrap();
    assert!(
        left_out.contains("artifacts, which the server does not keep"),
        "{left_out}"
    );
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn what_cannot_be_carried_holds_nothing_up() {
    let root = tempfile::tempdir().unwrap();
    let run = record(root.path(), "held");
    fs::remove_dir_all(run.path().join("blobs")).unwrap();
    let server = server();
    let proxy = Proxy::new(server.address(), Trouble::RefusesUploads);
    carry(proxy.address(), &run);
    let there = &server.read("held")[0];
    assert_eq!(there["status"], "FINISHED");
    assert_eq!(
        sorted(&there["metrics"]["train/loss"]),
        points(&run)["train/loss"]
    );
    let left_out = there["tags"]["cresset.left_out"].as_str().unwrap();
    for what in ["gone here", "gone or damaged here", "the server refused"] {
        assert!(left_out.contains(what), "{left_out}");
    }
    let told = there["tags"]["cresset.artifacts"].as_str().unwrap();
    assert!(told.contains("413: too large"), "{told}");
}

#[test]
#[ignore = "needs MLflow: cargo xtask test"]
fn runs_that_begin_together_make_one_experiment() {
    let root = tempfile::tempdir().unwrap();
    let runs = [1, 2, 3, 4].map(|i| {
        let run = cresset_run::init("together")
            .dir(root.path())
            .start()
            .unwrap();
        run.log(0, [("loss", f64::from(i))]);
        RunDir::new(run.dir().unwrap())
    });
    let server = server();
    let address = server.address();
    thread::scope(|scope| {
        for run in &runs {
            scope.spawn(move || carry(address, run));
        }
    });
    assert_eq!(server.read("together").len(), 4);
}

/// Answers every request with this, until the test is over.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            let mut length = 0;
            while stream.read_line(&mut line).is_ok_and(|n| n > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(n) = lower.strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
                line.clear();
            }
            io::copy(&mut stream.by_ref().take(length), &mut io::sink()).unwrap();
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_server_that_says_no_is_named_with_what_it_said() {
    let root = tempfile::tempdir().unwrap();
    let run = cresset_run::init("refused")
        .dir(root.path())
        .start()
        .unwrap();
    let dir = RunDir::new(run.dir().unwrap());
    drop(run);
    let attempt = |address: &str| {
        let credentials = Credentials::Basic {
            user: "ada".into(),
            password: "wrong".into(),
        };
        let sink = MlflowRun::new(address, &credentials).unwrap();
        let ledger = Ledger::open(&dir, "mlflow", address).unwrap();
        let mut events = Events::new(dir.clone(), ledger, sink).unwrap();
        events.carry().unwrap_err()
    };
    let no = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 30\r\nconnection: close\r\n\r\nYou are not authenticated. See";
    let other = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    for (answer, expected) in [
        (no, "401: You are not authenticated"),
        (other, "something else than JSON"),
    ] {
        let address = answering(answer);
        let error = attempt(&address);
        assert!(!error.is_temporary(), "{error}");
        let said = error.to_string();
        assert!(said.contains(expected) && said.contains(&address), "{said}");
        assert!(!said.contains("wrong"), "{said}");
    }
    let error = attempt("http://127.0.0.1:9");
    assert!(
        error.is_temporary() && error.to_string().contains("127.0.0.1:9"),
        "{error}"
    );
    let none = MlflowRun::new("localhost:5000", &Credentials::None).unwrap_err();
    assert!(none.to_string().contains("`localhost:5000`"), "{none}");
}

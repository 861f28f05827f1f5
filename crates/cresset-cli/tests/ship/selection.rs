//! What a place may not see does not get there.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use cresset_record::{Root, RunDir, RunView};
use cresset_run::{Image, init};
use serde_json::json;

use super::{Server, cresset, within};

/// Texts and pixels that must stay here.
const SECRETS: [&str; 3] = ["/data/customer", "hidden/loss", "hidden/faces"];
const SELECTION: &str = "keys=val/*&redact=config.data.path,environment,console,notes";

/// Everything below a folder, but for what the command keeps there for itself.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push((
                    entry.path().display().to_string(),
                    fs::read(entry.path()).unwrap(),
                )),
            }
        }
    }
    found
}

fn assert_clean(folder: &Path) {
    let files = files(folder);
    assert!(!files.is_empty());
    for (path, bytes) in files {
        for secret in SECRETS {
            let is_there = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!is_there && !path.contains(secret), "{secret} in {path}");
        }
    }
}

fn picture(grey: u8) -> Image {
    Image::from_hwc_u8(vec![grey; 3 * 32 * 32], 32, 32, 3).unwrap()
}

#[test]
fn what_is_not_selected_goes_nowhere_also_when_nobody_says_so_later() {
    let here = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir().unwrap();
    let server = Server::start();
    let address = format!("http://127.0.0.1:{}", server.port);
    let run = init("secret")
        .dir(here.path())
        .id("one")
        .notes("from /data/customer")
        .config(&json!({"lr": 0.5, "data": {"path": "/data/customer"}}))
        .start()
        .unwrap();
    for step in 0..50 {
        run.log(step, [("val/loss", 0.25), ("hidden/loss", 0.75)]);
    }
    run.log_value(3, "val/picture", picture(1));
    run.log_value(3, "hidden/faces", picture(2));
    let original = RunDir::new(here.path().join("secret/one"));
    let is_written = || {
        let run = RunView::open(original.clone()).unwrap();
        let points = run.series_of("val/loss").map_or(0, |s| s.points().len());
        points == 50 && run.media().count() == 2
    };
    assert!(within(20, is_written));
    let (events, offline) = (there.path().join("events"), there.path().join("offline"));
    let places = [
        format!("{address}?{SELECTION}"),
        format!("tensorboard:{}?{SELECTION}", events.display()),
        format!("wandb:{}?{SELECTION}", offline.display()),
    ];
    let list = places.join(",");
    let first = cresset(here.path(), Some(&server.key), &["sync", "--to", &list]);
    assert!(first.status.success(), "{first:?}");

    // The rest goes with a command that knows the place only.
    run.log(50, [("val/loss", 0.125), ("hidden/loss", 0.0)]);
    run.log_value(50, "hidden/faces", picture(3));
    run.log_value(50, "val/picture", picture(4));
    assert_eq!(run.finish().lost, 0);
    let plain: Vec<String> = places
        .iter()
        .map(|place| place.split('?').next().unwrap().to_owned())
        .collect();
    let rest = [
        "sync", "--to", &plain[0], "--to", &plain[1], "--to", &plain[2],
    ];
    let rest = cresset(here.path(), Some(&server.key), &rest);
    assert!(rest.status.success(), "{rest:?}");

    let arrived = Root::new(&server.dir).runs().unwrap();
    assert_eq!(arrived.len(), 1);
    assert_clean(arrived[0].path());
    assert_clean(&events);
    assert_clean(&offline);
    let blobs = |run: &RunDir| files(&run.path().join("blobs")).len();
    assert_eq!((blobs(&original), blobs(&arrived[0])), (4, 2));
    let (sent, shown) = (RunView::open(original), RunView::open(arrived[0].clone()));
    let (sent, shown) = (sent.unwrap(), shown.unwrap());
    assert!(shown.damage().is_empty());
    assert_eq!(shown.state(), sent.state());
    let loss = |run: &RunView| run.series_of("val/loss").unwrap().points().to_vec();
    assert_eq!(loss(&shown).len(), 51);
    assert_eq!(loss(&shown), loss(&sent));
    assert_eq!(
        shown.start().unwrap().config["data"],
        json!({"path": "(redacted)"})
    );
    assert_eq!(shown.start().unwrap().config["lr"], 0.5);

    let mut check = super::command(&server.dir, None, &["index", "check"]);
    let mut server = server;
    server.kill();
    assert!(check.stdout(Stdio::null()).status().unwrap().success());
}

//! Folders of W&B's become runs.

use std::fs;
use std::path::{Path, PathBuf};

use cresset_record::{Root, RunView};
use cresset_ship::import::{self, ImportError, ImportOptions};
use cresset_ship::wandb::OfflineRun;
use serde_json::json;

use crate::client::script;
use crate::fixed::{assert_is_fixed, log_fixed_run};
use crate::media::log_media;
use crate::support::{With, carry, more, only_folder};

fn imported(folder: &Path, into: &Path) -> (RunView, Vec<String>) {
    let options = ImportOptions::new("imported".to_owned().try_into().unwrap());
    let into = Root::new(into);
    let run = import::wandb(folder, &into, &options).unwrap();
    let again = import::wandb(folder, &into, &options);
    assert!(matches!(again, Err(ImportError::AlreadyImported { .. })));
    (RunView::open(run.run).unwrap(), run.left_out)
}

#[test]
fn a_run_that_went_to_wandb_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_fixed_run(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    carry(
        &run,
        With {
            sink: OfflineRun::new(&within),
            more: more(),
        },
    );
    let (back, left_out) = imported(&only_folder(&within), &dir.path().join("back"));
    assert_eq!(left_out, Vec::<String>::new());
    assert_is_fixed(&back);
    assert_eq!(back.console()[0].message, "hello");
    let threads = back.series_of("system/host/threads").unwrap();
    assert_eq!(threads.points()[0].value, 9.0);

    let run = log_media(&dir.path().join("root of media"));
    let within = dir.path().join("media");
    carry(&run, OfflineRun::new(&within));
    let (back, left_out) = imported(&only_folder(&within), &dir.path().join("back"));
    assert_eq!(left_out, ["1 × masks of an image in val/worst"]);
    let kinds: Vec<String> = back
        .media()
        .map(|(key, _, media)| {
            let detail = serde_json::to_value(&media[0].value.detail).unwrap();
            format!("{key} {}", detail["kind"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "cm_table table",
            "model text",
            "points file",
            "t table",
            "val/worst image"
        ]
    );
    let (_, _, image) = back.media().last().unwrap();
    let image = serde_json::to_value(&image[0].value).unwrap();
    assert_eq!(
        (&image["caption"], &image["detail"]["boxes"][0]["label"]),
        (&json!("c"), &json!("void"))
    );
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn an_offline_run_of_wandbs_own_client_is_imported() {
    let dir = tempfile::tempdir().unwrap();
    script("fixed.py", &[], None, dir.path());
    let folders = fs::read_dir(dir.path().join("wandb")).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().path());
    let is_run = |path: &PathBuf| path.to_string_lossy().contains("offline-run-");
    let folder = folders.find(is_run).unwrap();
    let (back, left_out) = imported(&folder, &dir.path().join("back"));
    assert_eq!(left_out, Vec::<String>::new());
    assert_is_fixed(&back);
    assert!(back.console().iter().any(|line| line.message == "hello"));
    assert!(
        back.series()
            .any(|(key, _, _)| key.as_str().starts_with("system/"))
    );
}

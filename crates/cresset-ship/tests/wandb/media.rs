//! Values that have files.

use std::path::Path;

use cresset_record::{BoundingBox, Figure, RunDir, Table};
use cresset_run::{File, Image, PointCloud, init};
use cresset_ship::wandb::{OfflineRun, OnlineRun};
use cresset_ship::{Events, Ledger, Target};
use serde_json::{Map, Value as Json, json};

use crate::client::{script, sync};
use crate::double::{self, Double, Exchange};
use crate::heard::{console, parse, renumbered, sorted, streamed, streamed_rows, whole_numbers};
use crate::support::{With, carry, more, only_folder};

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn every_media_file_that_history_points_to_arrives_by_sync_and_online() {
    let dir = tempfile::tempdir().unwrap();
    let run = log_media(&dir.path().join("root"));
    let within = dir.path().join("wandb");
    let mut more = more();
    carry(
        &run,
        With {
            sink: OfflineRun::new(&within),
            more: more.clone(),
        },
    );
    let (synced, online) = (Double::start(), Double::start());
    sync(&only_folder(&within), &synced, dir.path());

    let ledger = Ledger::open(&run, "online", "a test").unwrap();
    let sink = OnlineRun::new(&online.url(), double::KEY).unwrap();
    let sink = With {
        sink,
        more: std::mem::take(&mut more),
    };
    let mut target = Events::new(run.clone(), ledger, sink).unwrap();
    while !target.carry().unwrap().is_done {}

    let (synced, online) = (synced.heard(), online.heard());
    assert_eq!(streamed_rows(&synced), streamed_rows(&online));
    for heard in [&synced, &online] {
        let rows = streamed_rows(heard);
        assert_eq!(rows.len(), 5);
        let body = |value: &Json| {
            let path = format!("/put/{}", value["path"].as_str().unwrap());
            let put = heard.iter().find(|e| e.method == "PUT" && e.path == path);
            let body = put
                .unwrap_or_else(|| panic!("{path} is missing"))
                .body
                .clone();
            assert_eq!(value["size"].as_f64(), Some(body.len() as f64));
            body
        };
        let parsed = |value: &Json| serde_json::from_slice::<Json>(&body(value)).unwrap();
        let image = &rows[0]["val/worst"];
        assert_eq!(
            (&image["_type"], &image["format"], &image["caption"]),
            (&json!("image-file"), &json!("png"), &json!("c"))
        );
        assert_eq!(
            (&image["width"], &image["height"]),
            (&json!(5.0), &json!(4.0))
        );
        assert!(
            body(image).starts_with(b"\x89PNG")
                && body(&image["masks"]["truth"]).starts_with(b"\x89PNG")
        );
        let boxes = parsed(&image["boxes"]["predictions"]);
        let corners = json!({"minX": 1.0, "minY": 1.0, "maxX": 3.0, "maxY": 2.0});
        assert_eq!(boxes["box_data"][0]["position"], corners);
        assert_eq!(boxes["class_labels"], json!({"0": "void"}));
        assert_eq!(
            parsed(&rows[1]["t"]),
            json!({"columns": ["a", "b"], "data": [[1, "x"]]})
        );
        assert_eq!(
            parsed(&rows[2]["cm_table"])["data"][0],
            json!(["p", "p", 3])
        );
        assert_eq!(parsed(&rows[3]["points"]), json!([[0.0, 1.0, 2.0]]));
        let model = heard
            .iter()
            .find(|e| e.method == "PUT" && e.path == "/put/model/5/m.bin");
        assert_eq!(model.unwrap().body, vec![9; 1000]);
        let configs = heard.iter().filter_map(|e| e.variables("upsertBucket"));
        let configs: Vec<Json> = configs
            .filter_map(|v| serde_json::from_str(v["config"].as_str()?).ok())
            .collect();
        let own = &configs.last().unwrap()["_wandb"]["value"];
        let chart = &own["visualize"]["cm"]["panel_config"]["panelDefId"];
        assert_eq!(chart, "wandb/confusion_matrix/v1");
        let mask = &own["mask/class_labels"]["val/worst_wandb_delimeter_truth"];
        assert_eq!(mask["value"], json!({"0": "back", "1": "void"}));
        let stats = parse(&streamed(heard, "wandb-events.jsonl")[0]);
        assert_eq!(stats["system.proc.memory.percent"].as_f64(), Some(25.0));
        assert_eq!(console(heard)[0], "hello");
    }
}

/// Logs a value of each kind that has a file.
pub(crate) fn log_media(root: &Path) -> RunDir {
    let run = init("harbor").dir(root).id("abc123").start().unwrap();
    let found = BoundingBox {
        x: 1.0,
        y: 1.0,
        width: 2.0,
        height: 1.0,
        label: "void".into(),
        score: Some(0.5),
    };
    let image = Image::from_hwc_u8(vec![7; 4 * 5 * 3], 4, 5, 3).unwrap();
    let image = image.caption("c").boxed(found);
    let image = image.mask("truth", vec![1; 20], ["back", "void"]).unwrap();
    run.log_value(1, "val/worst", image);
    let table = Table {
        columns: vec!["a".into(), "b".into()],
        rows: vec![vec![json!(1), json!("x")]],
    };
    run.log_value(2, "t", table);
    let counts = vec![vec![3, 1], vec![0, 2]];
    let classes = vec!["p".into(), "q".into()];
    run.log_value(3, "cm", Figure::ConfusionMatrix { classes, counts });
    run.log_value(4, "points", PointCloud::new(vec![[0.0, 1.0, 2.0]]));
    run.log_value(5, "model", File::from_bytes("m.bin", vec![9; 1000]));
    let dir = RunDir::new(run.dir().unwrap());
    run.finish();
    dir
}

/// A value that points to a file, without what follows from how a picture is compressed and from when it was logged; and without what only
/// those tables have that are artifacts too.
fn shape(value: &Json) -> Json {
    let Json::Object(object) = value else {
        return value.clone();
    };
    let mut shape = Map::new();
    for (name, value) in object {
        match name.as_str() {
            "sha256" | "size" => assert!(!value.is_null()),
            "artifact_path" | "_latest_artifact_path" | "log_mode" => continue,
            "path" => {
                // Such as `media/images/val/worst_1_0123456789abcdef0123.png`.
                let path = value.as_str().unwrap();
                let (start, ending) = path.split_once('.').unwrap();
                let parts: Vec<&str> = start.rsplitn(3, '_').collect();
                assert_eq!(parts[0].len(), 20, "{path}");
                shape.insert(name.clone(), json!([parts[2], ending]));
                continue;
            }
            _ => {}
        }
        let value = match name.as_str() {
            "sha256" | "size" => json!(true),
            _ => self::shape(value),
        };
        shape.insert(name.clone(), value);
    }
    sorted(&Json::Object(shape))
}

/// The file that a value points to.
fn pointed(heard: &[Exchange], value: &Json) -> Vec<u8> {
    let path = format!("/put/{}", value["path"].as_str().unwrap());
    let put = heard
        .iter()
        .find(|e| renumbered(&e.path) == renumbered(&path));
    put.unwrap().body.clone()
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn media_have_the_fields_that_wandbs_own_client_gives_them() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = Double::start();
    script("media.py", &[], Some(&theirs), dir.path());
    let theirs = theirs.heard();
    let run = log_media(&dir.path().join("root"));
    let ours = Double::start();
    carry(&run, OnlineRun::new(&ours.url(), double::KEY).unwrap());
    let ours = ours.heard();

    let value = |heard: &[Exchange], key: &str| {
        let rows = streamed_rows(heard);
        let row = rows.iter().find(|row| row.get(key).is_some()).unwrap();
        (row["_step"].clone(), row[key].clone())
    };
    for key in ["val/worst", "t", "points"] {
        let ((our_step, our), (their_step, their)) = (value(&ours, key), value(&theirs, key));
        assert_eq!(our_step, their_step, "{key}");
        assert_eq!(shape(&our), shape(&their), "{key}");
        let parts = match key {
            "val/worst" => (&our["boxes"]["predictions"], &their["boxes"]["predictions"]),
            _ => (&our, &their),
        };
        let parsed = |heard, value| {
            let json: Json = serde_json::from_slice(&pointed(heard, value)).unwrap();
            let mut whole = Map::from_iter([(String::new(), json)]);
            whole_numbers(&mut whole);
            sorted(&Json::Object(whole))
        };
        assert_eq!(parsed(&ours, parts.0), parsed(&theirs, parts.1), "{key}");
    }
    // Names of classes.
    let own = |heard: &[Exchange], group: &str| {
        let mut configs = heard.iter().filter_map(|e| e.variables("upsertBucket"));
        let config = configs.next_back().unwrap();
        let config: Json = serde_json::from_str(config["config"].as_str().unwrap()).unwrap();
        sorted(&config["_wandb"]["value"][group])
    };
    for group in ["mask/class_labels", "bounding_box/class_labels"] {
        assert_eq!(own(&ours, group), own(&theirs, group), "{group}");
    }
}

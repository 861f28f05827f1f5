//! Projects, the table of runs, fields, filters and keys.

use serde_json::{Value as Json, json};

use crate::client::Serving;
use crate::recorded::{Folder, finish};

fn ids(table: &Json) -> Vec<&str> {
    let runs = table["runs"].as_array().unwrap();
    runs.iter().map(|run| run["id"].as_str().unwrap()).collect()
}

#[test]
fn projects_and_their_runs() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let projects = server.json("/projects");
    let mut names: Vec<&str> = projects
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["other things/ö", "solder"]);
    let solder = projects
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "solder");
    let solder = solder.unwrap();
    assert_eq!(solder["runs"], 2);
    assert_eq!(solder["states"], json!({"finished": 1, "failed": 1}));
    assert_eq!(solder["alerts"], 2);

    let table = server.json("/projects/solder/runs?sort=created");
    assert_eq!((&table["total"], &table["matched"]), (&json!(2), &json!(2)));
    assert_eq!(ids(&table), ["first", "second"]);
    let [first, second] = [&table["runs"][0], &table["runs"][1]];
    assert_eq!(first["name"], "the first");
    assert_eq!(first["tags"], json!(["v4", "<b>bold</b>"]));
    assert_eq!(first["last_step"], 2_999);
    assert_eq!(first["values"], json!({}));
    assert_eq!(
        (&second["state"], &second["reason"]),
        (&json!("failed"), &json!("out of memory"))
    );
    assert_ne!(first["ordinal"], second["ordinal"]);

    let other = server.json("/projects/other%20things%2F%C3%B6/runs");
    assert_eq!(ids(&other), ["third"]);
}

#[test]
fn the_table_filters_sorts_groups_and_shows_columns() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let runs = |query: &str| server.json(&format!("/projects/solder/runs?{query}"));
    assert_eq!(ids(&runs("filter=val/auc+%3E+0.94")), ["first"]);
    assert_eq!(ids(&runs("search=SECOND")), ["second"]);
    assert_eq!(ids(&runs("sort=-name&limit=1")), ["second"]);
    assert_eq!(ids(&runs("sort=-name&offset=1")), ["first"]);
    assert_eq!(ids(&runs("limit=0")), [""; 0]);
    let shown = runs("sort=name&columns=config.lr,inf&columns=val/auc");
    let expected = json!({"config.lr": 1e-3, "inf": "inf", "val/auc": 0.95});
    assert_eq!(shown["runs"][0]["values"], expected);
    assert_eq!(shown["runs"][1]["values"], json!({}));
    let all = runs("sort=name&columns=*");
    assert_eq!(all["runs"][0]["values"]["config.model.depth"], 18);
    let grouped = runs("group=state&columns=train/loss&sort=name");
    let groups = grouped["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(
        (&groups[1]["key"], &groups[1]["ids"]),
        (&json!(["failed"]), &json!(["second"]))
    );
    assert_eq!(groups[1]["mean"], json!({"train/loss": 1.0}));
    // The spread of one number is not known.
    assert_eq!(groups[1]["std"], json!({"train/loss": "NaN"}));
}

#[test]
fn questions_that_make_no_sense_are_told_why() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let asked = |path: &str| server.get(&format!("/api/v1/projects/{path}"));
    for (path, status, code) in [
        ("solder/runs?filter=val/auc+%3E", 400, "bad_filter"),
        ("solder/runs?limit=10001", 400, "bad_request"),
        ("solder/runs?limit=-1", 400, "bad_request"),
        ("solder/runs?limit=many", 400, "bad_request"),
        ("solder/runs?offset=1e99", 400, "bad_request"),
        ("solder/runs?fliter=x", 400, "bad_request"),
        ("solder/runs?sort=a,b,c,d,e,f,g,h,i", 400, "bad_request"),
        ("solder/keys?runs=../..", 400, "bad_request"),
        ("%00/runs", 404, "not_found"),
        ("%ff/runs", 404, "not_found"),
        ("%20/runs", 404, "not_found"),
        ("solder/runs/nothing", 404, "not_found"),
        ("solder/runs/..%2f..%2fsecret", 404, "not_found"),
    ] {
        let answer = asked(path);
        assert_eq!(answer.error(), (status, code.into()), "{path}");
        assert!(answer.header("x-request-id").len() > 2);
    }
    let limit = asked("solder/runs?limit=many").text();
    assert!(limit.contains("limit: "), "{limit}");
    let filter = asked("solder/runs?filter=val/auc+%3E").json();
    assert_eq!(filter["error"]["column"], 10);
}

#[test]
fn filters_are_checked_and_fields_listed() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let check = |filter: &str| server.json(&format!("/filter?project=solder&filter={filter}"));
    let fine = check("val/auc+%3E+1+and+nothing+=+2");
    assert_eq!(fine["ok"], true);
    assert_eq!(fine["unknown"], json!(["nothing"]));
    let broken = check("val/auc+%3E");
    assert_eq!(
        (&broken["ok"], &broken["column"]),
        (&json!(false), &json!(10))
    );
    let fields = server.json("/projects/solder/fields");
    let field = |path: &str| {
        let fields = fields.as_array().unwrap();
        fields.iter().find(|field| field["path"] == path).cloned()
    };
    let auc = field("val/auc").unwrap();
    assert_eq!(
        (&auc["source"], &auc["kind"]),
        (&json!("summary"), &json!("number"))
    );
    assert_eq!(
        (&auc["goal"], &auc["unit"]),
        (&json!("maximize"), &json!("1"))
    );
    assert_eq!(field("state").unwrap()["source"], "run");
    assert_eq!(field("config.model.depth").unwrap()["min"], 18.0);
}

#[test]
fn keys_are_those_of_the_runs_that_were_asked_for() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let keys = |query: &str| -> Vec<String> {
        let keys = server.json(&format!("/projects/solder/keys{query}"));
        let keys = keys.as_array().unwrap().iter();
        keys.map(|k| {
            format!(
                "{}:{}",
                k["key"].as_str().unwrap(),
                k["kind"].as_str().unwrap()
            )
        })
        .filter(|k| !k.starts_with("cresset/"))
        .collect()
    };
    let all = [
        "gradients/w:histogram",
        "inf:scalar",
        "page:media",
        "samples/void:media",
        "train/loss:scalar",
        "val/auc:scalar",
    ];
    assert_eq!(keys(""), all);
    assert_eq!(keys("?runs=first,nothing"), all);
    assert_eq!(keys("?runs=second"), ["train/loss:scalar"]);
    assert_eq!(keys("?runs="), [""; 0]);
    let infos = server.json("/projects/solder/keys");
    let loss = infos
        .as_array()
        .unwrap()
        .iter()
        .find(|k| k["key"] == "train/loss");
    let loss = loss.unwrap();
    assert_eq!((&loss["runs"], &loss["count"]), (&json!(2), &json!(3_001)));
}

#[test]
fn damaged_logs_foreign_files_and_missing_blobs_spoil_nothing_else() {
    let folder = Folder::recorded();
    let path = folder.path();
    std::fs::write(path.join("notes.txt"), "not ours").unwrap();
    std::fs::create_dir_all(path.join("solder/not-a-run/deep")).unwrap();
    std::fs::create_dir_all(path.join("solder/empty")).unwrap();
    std::fs::write(path.join("solder/empty/rank-0.000000.log"), b"").unwrap();
    std::fs::create_dir_all(path.join("solder/noise")).unwrap();
    std::fs::write(path.join("solder/noise/rank-0.000000.log"), [0xa5; 4096]).unwrap();
    let log = path.join("solder/first/rank-0.000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&log, bytes).unwrap();
    let (digest, _) = crate::recorded::blob(&path, "solder", "first", b"\x89PNG");
    std::fs::remove_file(
        path.join("solder/first/blobs")
            .join(&digest[..2])
            .join(&digest),
    )
    .unwrap();
    finish(folder.begin("solder", "fourth").start().unwrap());

    let server = Serving::open(&folder.root());
    let table = server.json("/projects/solder/runs?sort=name");
    let ids = ids(&table);
    for id in ["first", "second", "fourth"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    let first = server.json("/projects/solder/runs/first");
    let damage = first["damage_list"].as_array().unwrap();
    assert!(
        !damage.is_empty() && first["damage"] == damage.len(),
        "{first}"
    );
    for id in ids {
        for part in ["", "/tensors", "/media", "/console", "/alerts"] {
            server.json(&format!("/projects/solder/runs/{id}{part}"));
        }
    }
    let media = server.json("/projects/solder/runs/first/media?kind=image");
    if let Some(item) = media["items"].get(0) {
        assert_eq!(item["blob"]["present"], false);
        let url = item["blob"]["url"].as_str().unwrap();
        assert_eq!(server.get(url).error(), (404, "not_found".into()));
    }
}

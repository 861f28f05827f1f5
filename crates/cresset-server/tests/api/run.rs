//! One run: overview, tensors, histograms, media, console, alerts.

use serde_json::json;

use crate::client::Serving;
use crate::recorded::Folder;

#[test]
fn the_overview() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let run = server.json("/projects/solder/runs/first");
    assert_eq!(run["config"], json!({"lr": 1e-3, "model": {"depth": 18}}));
    assert_eq!(run["summary"]["val/auc"], 0.95);
    assert_eq!(run["summary"]["inf"], "inf");
    assert!(
        run["environment"]
            .as_object()
            .is_some_and(|e| !e.is_empty())
    );
    assert_eq!(run["writers"][0]["state"], "finished");
    assert_eq!(
        (&run["group"], &run["alerts"]),
        (&json!("a group"), &json!(2))
    );
    assert!(run["log_bytes"].as_u64().unwrap() > 1_000);
    assert!(run["blob_bytes"].as_u64().unwrap() > 100_000);
    let keys = run["keys"].as_array().unwrap();
    assert!(
        keys.iter()
            .any(|k| k["key"] == "gradients/w" && k["kind"] == "histogram")
    );
    let root = folder.path().canonicalize().unwrap();
    let path = run["path"].as_str().unwrap();
    assert!(path.ends_with("solder/first") && root.exists(), "{path}");
    assert_eq!(run["stop_requested"], false);
    let second = server.json("/projects/solder/runs/second");
    assert_eq!(second["reason"], "out of memory");
}

#[test]
fn tensors_and_their_histograms() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let tensors = server.json("/projects/solder/runs/first/tensors?prefix=gradients/");
    let tensor = &tensors[0];
    assert_eq!(
        (&tensor["key"], &tensor["observations"]),
        (&json!("gradients/w"), &json!(2))
    );
    assert_eq!(
        (&tensor["nonfinite"], &tensor["first_nonfinite_step"]),
        (&json!(1), &json!(20))
    );
    assert_eq!(tensor["last"]["nan"], 1);
    assert!(tensor["suspicion"].as_f64().unwrap() > 0.0);
    assert_eq!(
        server.json("/projects/solder/runs/first/tensors?prefix=x"),
        json!([])
    );

    let path = "/projects/solder/runs/first/histograms?key=gradients/w";
    let series = server.json(path);
    assert_eq!(
        (&series["key"], &series["rank"]),
        (&json!("gradients/w"), &json!(0))
    );
    let columns = series["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2);
    assert_eq!(columns[0]["stats"]["count"], 3);
    assert_eq!(
        (&columns[0]["stats"]["min"], &columns[0]["zero"]),
        (&json!(-0.5), &json!(1))
    );
    assert_eq!(columns[0]["positive"]["counts"], json!([1]));
    let window = server.json(&format!("{path}&from=11&columns=1"));
    assert_eq!(window["columns"].as_array().unwrap().len(), 1);
    for (query, status) in [
        ("", 400),
        ("?key=nothing", 404),
        ("?key=gradients/w&columns=0", 400),
        ("?key=gradients/w&rank=-1", 400),
    ] {
        let answer = server.get(&format!(
            "/api/v1/projects/solder/runs/first/histograms{query}"
        ));
        assert_eq!(answer.error().0, status, "{query}");
    }
}

#[test]
fn media_by_key_kind_step_and_class() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let media = |query: &str| server.json(&format!("/projects/solder/runs/first/media{query}"));
    let all = media("");
    assert_eq!((&all["total"], &all["steps"]), (&json!(2), &json!([20])));
    let images = media("?key=samples/*&kind=image");
    let image = &images["items"][0];
    assert_eq!(image["caption"], "a \"void\"");
    assert_eq!(image["detail"]["kind"], "image");
    assert_eq!(image["detail"]["sample"]["confidence"], 0.75);
    assert_eq!(
        image["detail"]["sample"]["predicted_class"],
        "<script>alert(1)</script>"
    );
    assert_eq!(image["blob"]["present"], true);
    assert_eq!(
        server.get(image["blob"]["url"].as_str().unwrap()).status,
        200
    );
    assert_eq!(media("?true_class=void&step=20")["total"], 1);
    assert_eq!(media("?true_class=scratch")["total"], 0);
    let other_step = media("?step=21");
    assert_eq!(
        (&other_step["total"], &other_step["steps"]),
        (&json!(0), &json!([20]))
    );
    assert_eq!(
        media("?order=step&limit=1")["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for query in ["?order=down", "?limit=501", "?step=1&from=1", "?step=-1"] {
        let answer = server.get(&format!("/api/v1/projects/solder/runs/first/media{query}"));
        assert_eq!(answer.error().0, 400, "{query}");
    }
}

#[test]
fn alerts_and_console() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    for path in [
        "/projects/solder/alerts",
        "/projects/solder/runs/first/alerts",
    ] {
        let alerts = server.json(path);
        assert_eq!(alerts["total"], 2);
        let [alert, loss] = [0, 1].map(|i| &alerts["alerts"][i]);
        assert_eq!(loss["title"], "train/loss is NaN at step 1500");
        assert_eq!(
            (&alert["title"], &alert["run_name"]),
            (&json!("a plateau"), &json!("the first"))
        );
        assert_eq!(alert["level"], "warn");
        assert_eq!(server.json(&format!("{path}?level=error"))["total"], 1);
        let badge = server.json(&format!("{path}?level=warn&limit=0"));
        assert_eq!(badge, json!({"total": 2, "alerts": []}));
    }
    let console = server.json("/projects/solder/runs/first/console?level=warn&search=x&limit=5");
    assert_eq!(console["lines"], json!([]));
    let answer = server.get("/api/v1/projects/solder/runs/first/console?level=loud");
    assert_eq!(answer.error().0, 400);
}

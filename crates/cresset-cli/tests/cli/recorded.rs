//! A run as `cresset-run` records it, from the first call to the table.

use cresset_run::{Definition, Image, Level};
use serde_json::{Value as Json, json};

use crate::command::Project;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_a_program_logs_is_what_the_command_shows() {
    let project = Project::new();
    let run = cresset_run::init("solder")
        .dir(project.root())
        .name("recorded-1")
        .tags(["v4"])
        .config(&json!({"lr": 1e-3, "model": {"depth": 18}}))
        .define(Definition::new("val/auc").maximize())
        .start()
        .unwrap();
    let id = run.id().to_owned();
    for step in 0..1_000 {
        run.log(step, [("train/loss", 1.0 / (step as f64 + 1.0))]);
    }
    run.log(999, [("val/auc", 0.95)]);
    run.log_histogram(999, "gradients/w", &[0.5f32, -0.5, 0.0][..]);
    run.log_value(
        999,
        "samples/first",
        Image::from_hwc_u8(vec![128; 12], 2, 2, 3).unwrap(),
    );
    run.alert(Level::Warn, "a plateau", "nothing new for 900 steps");
    assert!(
        run.finish_within(std::time::Duration::from_secs(60))
            .complete
    );

    let filter = "val/auc > 0.94 and tags has v4 and config.model.depth = 18";
    let runs = json(&project.cresset(&["runs", "--json", "-f", filter]).printed());
    assert_eq!(
        (&runs[0]["id"], &runs[0]["state"], &runs[0]["alerts"]),
        (&json!(id), &json!("finished"), &json!(1))
    );
    let shown = json(&project.cresset(&["show", "recorded-1", "--json"]).printed());
    assert_eq!(shown["series"][0]["points"], 1_000);
    assert_eq!(shown["histograms"][0]["last"]["count"], 3);
    assert_eq!(shown["media"][0]["detail"]["kind"], "image");
    let page = project.cresset(&["show"]).printed();
    for part in [
        "recorded-1  ✓ finished",
        "gradients/w",
        "1 image",
        "a plateau",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    // What surrounded it was written by the time the run had finished.
    assert!(
        page.contains("\n  host ") && page.contains("\n  command "),
        "{page}"
    );
    let csv = project.cresset(&["export", &id]).printed();
    assert_eq!(csv.lines().count(), 1 + 1_000);
    let report = json(&project.cresset(&["verify", "--json", &id]).printed());
    assert_eq!(
        (&report["intact"], &report["blobs"]),
        (&json!(true), &json!(1))
    );
}

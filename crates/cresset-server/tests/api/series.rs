//! Series as binary columns.

use serde_json::{Value as Json, json};

use crate::client::{Answer, Serving};
use crate::recorded::{Folder, finish};

/// The columns, read as `types.ts` describes them.
struct Columns {
    header: Json,
    numbers: Vec<f64>,
}

impl Columns {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "application/vnd.cresset.columns"
        );
        let body = &answer.body;
        assert_eq!(&body[..4], b"CRSC");
        let length = u32::from_le_bytes(body[4..8].try_into().unwrap()) as usize;
        let header = serde_json::from_slice(&body[8..8 + length]).unwrap();
        assert_eq!((8 + length) % 8, 0);
        let numbers = body[8 + length..].chunks_exact(8);
        assert!(numbers.remainder().is_empty());
        let numbers = numbers.map(|n| f64::from_le_bytes(n.try_into().unwrap()));
        Self {
            header,
            numbers: numbers.collect(),
        }
    }

    fn x(&self, chart: usize) -> &[f64] {
        let x = &self.header["charts"][chart]["x"];
        self.slice(&x["offset"], &x["length"])
    }

    fn column(&self, chart: usize, series: usize, name: &str) -> &[f64] {
        let series = &self.header["charts"][chart]["series"][series];
        self.slice(&series[name], &series["length"])
    }

    fn slice(&self, offset: &Json, length: &Json) -> &[f64] {
        let [offset, length] = [offset, length].map(|n| n.as_u64().unwrap() as usize);
        &self.numbers[offset..offset + length]
    }
}

#[test]
fn many_points_come_as_buckets_that_keep_the_extremes() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path =
        "/api/v1/projects/solder/series?runs=first,second&key=train/loss&key=val/auc&buckets=100";
    let columns = Columns::of(&server.get(path));
    let charts = columns.header["charts"].as_array().unwrap();
    assert_eq!(charts.len(), 2);
    let loss = &charts[0];
    assert_eq!(
        (&loss["key"], &loss["x"]["mode"]),
        (&json!("train/loss"), &json!("buckets"))
    );
    assert_eq!(columns.x(0).len(), 100);
    let series = loss["series"].as_array().unwrap();
    let runs: Vec<&Json> = series.iter().map(|s| &s["run"]).collect();
    assert_eq!(runs, ["first", "second"]);
    assert_eq!(columns.column(0, 0, "count").iter().sum::<f64>(), 3_000.0);
    assert_eq!(columns.column(0, 0, "max")[0], 1.0);
    assert_eq!(columns.column(0, 0, "min").last(), Some(&(1.0 / 3_000.0)));
    // The one NaN is told of and spoils no mean.
    assert_eq!(series[0]["nonfinite"].as_array().unwrap().len(), 1);
    assert_eq!(series[0]["nonfinite"][0][1], 1);
    assert!(
        columns
            .column(0, 0, "mean")
            .iter()
            .all(|mean| mean.is_finite())
    );
    let auc = &charts[1];
    assert_eq!(
        (&auc["goal"], &auc["unit"]),
        (&json!("maximize"), &json!("1"))
    );
    assert_eq!(columns.column(1, 0, "last"), [0.95]);
}

#[test]
fn a_window_that_holds_few_points_gives_them_as_they_are() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path = "/api/v1/projects/solder/series?runs=first&key=train/loss&from=1498&to=1502";
    let columns = Columns::of(&server.get(path));
    assert_eq!(columns.header["charts"][0]["x"]["mode"], "points");
    assert_eq!(columns.x(0), [1498.0, 1499.0, 1500.0, 1501.0, 1502.0]);
    let last = columns.column(0, 0, "last");
    assert!(last[2].is_nan() && last[1] == 1.0 / 1500.0);
    let series = &columns.header["charts"][0]["series"][0];
    assert!(series.get("mean").is_none(), "{series}");
    assert_eq!(
        (&series["points"], &series["total"]),
        (&json!(5), &json!(3_000))
    );
    for axis in ["relative", "wall", "metric:train/loss"] {
        let axis = axis.replace(':', "%3A");
        let path = format!("/api/v1/projects/solder/series?runs=first&key=val/auc&x={axis}");
        assert_eq!(Columns::of(&server.get(&path)).x(0).len(), 1, "{axis}");
    }
}

#[test]
fn what_was_not_logged_is_no_error() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    for query in [
        "runs=first&key=nothing",
        "runs=nothing&key=train/loss",
        "runs=&key=train/loss",
        "runs=first",
        "",
        "runs=first&key=train/loss&from=1e300",
        "runs=first&key=train/loss&from=10&to=5",
        "runs=first&key=train/loss&from=-1e308&to=1e308&buckets=10000",
        "runs=first&key=train/loss&ranks=7,8",
        "runs=first&key=page",
        "runs=first&key=inf&x=metric:nothing",
    ] {
        Columns::of(&server.get(&format!("/api/v1/projects/solder/series?{query}")));
    }
    for (query, code) in [
        ("key=train/loss&buckets=0", "bad_request"),
        ("key=train/loss&buckets=10001", "bad_request"),
        ("key=train/loss&from=nan", "bad_request"),
        ("key=train/loss&to=inf", "bad_request"),
        ("key=train/loss&x=sideways", "bad_request"),
        ("key=train/loss&x=metric:", "bad_request"),
        ("key=train/loss&ranks=first", "bad_request"),
        ("key=", "bad_request"),
        ("runs=a/b", "bad_request"),
    ] {
        let answer = server.get(&format!("/api/v1/projects/solder/series?{query}"));
        assert_eq!(answer.error(), (400, code.into()), "{query}");
    }
    let many: Vec<String> = (0..5_000).map(|i| format!("r{i}")).collect();
    let path = format!(
        "/api/v1/projects/solder/series?runs={}&key=a&buckets=1000",
        many.join(",")
    );
    assert_eq!(server.get(&path).error(), (400, "too_much".into()));
}

#[test]
fn what_is_known_is_not_sent_again() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let path = "/api/v1/projects/solder/series?runs=first,second&key=train/loss";
    let first = server.get(path);
    let tag = first.header("etag");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    let again = server.request("GET", path).header("if-none-match", tag);
    let known = again.clone().send();
    assert_eq!((known.status, known.body.len()), (304, 0));
    // Another question has another tag.
    let other = server.get(&format!("{path}&buckets=5"));
    assert_ne!(other.header("etag"), tag);
    // A run that changed makes it new.
    let patch = server.change(
        "PATCH",
        "/projects/solder/runs/second",
        &json!({"notes": "x"}),
    );
    assert_eq!(patch.status, 200);
    assert_eq!(again.send().status, 200);
}

#[test]
fn columns_are_compressed_where_that_helps() {
    let folder = Folder::recorded();
    let smooth = folder.begin("solder", "smooth").start().unwrap();
    for step in 0..3_000u64 {
        smooth.log(step, [("train/loss", 0.5)]);
    }
    finish(smooth);
    let server = Serving::open(&folder.root());
    let ask = |coding: &str| {
        let path = "/api/v1/projects/solder/series?runs=smooth&key=train/loss";
        let request = server.request("GET", path);
        request.header("accept-encoding", coding).send()
    };
    let plain = ask("gzip;q=0, br");
    assert_eq!(plain.header("content-encoding"), "");
    let small = ask("br, gzip");
    assert_eq!(
        (small.status, small.header("content-encoding")),
        (200, "gzip")
    );
    assert!(
        small.body.len() < plain.body.len() / 3,
        "{}",
        small.body.len()
    );
}

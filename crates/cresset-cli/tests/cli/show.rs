use cresset_record::{
    Alert, ConsoleLine, Content, Definition, ImageDetail, Level, LossReason, Lost, Media,
    MediaDetail, Outcome, Rank, Record, SummaryRule, TensorStats,
};
use serde_json::{Map, json};

use crate::command::Project;
use crate::fixture::{Log, start};

/// A run with some of everything, which failed.
fn project() -> Project {
    let project = Project::new();
    let mut head = start("0f3k2a0bcd104", "amber-harbor-1");
    head.tags = vec!["v4".into(), "baseline".into()];
    head.notes = "focal loss\nsecond try".into();
    head.group = Some("losses".into());
    head.config = json!({
        "lr": 1e-3f32, "optimizer": {"name": "adamw", "betas": [0.9, 0.999]}, "resume": null, "amp": true
    })
    .as_object()
    .cloned()
    .unwrap();
    let mut log = Log::begin(&project.root(), head);
    let environment = json!({
        "program": {"executable": "/work/target/release/train", "arguments": ["--lr", "1e-3", "--note", "it's"],
            "profile": "release"},
        "git": {"commit": "3f2a91c0e11d4a7b", "branch": "main", "dirty": true, "untracked": 2},
        "host": {"name": "gpu-box", "cpu_model": "AMD EPYC 7763"},
        "gpus": [{"model": "NVIDIA H100"}, {"model": "NVIDIA H100"}],
    });
    log.record(Record::Environment(
        environment.as_object().cloned().unwrap(),
    ));
    log.record(Record::Define(
        Definition::new("val/auc")
            .maximize()
            .summary(SummaryRule::Best)
            .step_metric("epoch"),
    ));
    log.record(Record::Define(Definition::new("time/*").unit("ms")));
    log.record(Record::Define(Definition::new("debug/*").hidden()));
    for step in 0..1_000u64 {
        let t = step as f64 / 1_000.0;
        let loss = if step >= 900 {
            f64::NAN
        } else {
            2.0 * (-3.0 * t).exp()
        };
        let spike = if step == 400 { 90.0 } else { 12.0 };
        log.step(
            step,
            &[("train/loss", loss), ("time/step", spike), ("debug/x", 1.0)],
        );
        if step % 100 == 99 {
            let epoch = (step / 100) as f64;
            log.step(
                step,
                &[("val/auc", 0.5 + 0.4 * t - 0.3 * t * t), ("epoch", epoch)],
            );
        }
        if step % 50 == 0 {
            histogram(&mut log, step, 0.1 * (1.0 - 0.8 * t));
        }
    }
    messages(&mut log);
    log.end(
        1_000.0,
        Outcome::Failed {
            reason: "loss is NaN at src/main.rs:120".into(),
        },
    );
    project
}

fn histogram(log: &mut Log, step: u64, scale: f64) {
    let values = (1..500).map(|i| f64::from(i) / 500.0);
    let stats = TensorStats::from_values(values.map(|p| scale * (p / (1.0 - p)).ln()));
    let (key, time) = (log.key("gradients/conv1.weight"), log.at(step as f64));
    log.record(Record::Histogram {
        key,
        step,
        time,
        stats: Box::new(stats),
    });
}

fn messages(log: &mut Log) {
    let time = log.at(900.0);
    log.record(Record::Alert(Alert {
        time,
        level: Level::Error,
        title: "train/loss is NaN".into(),
        text: "first bad parameter: conv3.weight".into(),
        step: Some(900),
    }));
    log.record(Record::Console(ConsoleLine {
        time,
        level: Level::Warn,
        target: "train".into(),
        message: "skipping a batch".into(),
        fields: json!({"batch": 7}).as_object().cloned().unwrap(),
    }));
    log.record(Record::Lost(Lost {
        time,
        reason: LossReason::Overflow,
        points: 1_234,
        values: 2,
    }));
    log.record(Record::Summary(Map::from_iter([(
        "best epoch".into(),
        json!(3),
    )])));
    let key = log.key("samples/mistakes");
    let blob = log.dir().blobs().put(b"a picture", "image/png").unwrap();
    log.record(Record::Media {
        key,
        step: 899,
        time,
        media: Box::new(Media {
            content: Content::Blob(blob),
            caption: Some("void, taken for ok".into()),
            detail: MediaDetail::Image(ImageDetail {
                width: 64,
                height: 64,
                ..ImageDetail::default()
            }),
        }),
    });
}

/// How long ago a run began changes from day to day.
fn without_age(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.split_once(" (").zip(line.split_once(" ago), ")) {
            Some(((before, _), (_, after))) => out += &format!("{before} (… ago), {after}"),
            None => out += line,
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_page() {
    let text = project().cresset(&["show", "--width", "110"]).printed();
    insta::assert_snapshot!(without_age(&text));
}

#[test]
fn text_is_broken_between_words_on_a_narrow_terminal() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("0f3k2a0", "amber-harbor-7"));
    log.step(
        0,
        &[
            ("loss", f64::NAN),
            ("gradients/a", 1.0),
            ("update_ratio/a", 1.0),
        ],
    );
    log.step(
        0,
        &[("parameters/a", 1.0), ("cresset/a", 1.0), ("system/a", 1.0)],
    );
    let time = log.at(1.0);
    log.record(Record::Alert(Alert {
        time,
        level: Level::Error,
        title: "first bad gradient at step 0: fc.bias".into(),
        text:
            "29 of 29 gradients have NaN or infinities, in the order of the backward pass:\nfc.bias"
                .into(),
        step: Some(0),
    }));
    log.end(2.0, Outcome::Finished);
    let text = project.cresset(&["show", "--width", "60"]).printed();
    let indent = " ".repeat(12);
    let broken = format!(
        "step 0: fc.bias\n{indent}29 of 29 gradients have NaN or infinities, in\n{indent}the order of the backward pass:\n{indent}fc.bias\n"
    );
    assert!(text.contains(&broken), "{text}");
    assert!(text.contains("Summary  and 5 more: --all\n"), "{text}");
    let wide = project.cresset(&["show"]).printed();
    assert!(
        wide.contains("in the order of the backward pass:\n"),
        "{wide}"
    );
    assert!(wide.contains("1 of update_ratio/: --all\n"), "{wide}");
}

#[test]
fn chosen_series() {
    let project = project();
    let arguments = [
        "show", "--key", "debug/*", "--key", "train/*", "--log", "--width", "80",
    ];
    insta::assert_snapshot!(project.cresset(&arguments).printed());
    let ended = project.cresset(&["show", "--key", "nothing"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert_eq!(ended.stderr, "no series of amber-harbor-1 matches\n");
}

#[test]
fn the_json() {
    insta::assert_snapshot!(project().cresset(&["show", "--json"]).printed());
}

#[test]
fn ranks_and_damage() {
    let project = Project::new();
    for rank in [0, 1] {
        let mut head = start("ranked", "two-ranks-1");
        head.rank = Rank(rank);
        head.world_size = Some(2);
        let mut log = Log::begin(&project.root(), head);
        for step in 0..50 {
            log.step(
                step,
                &[("train/loss", 1.0 / (step as f64 + 1.0) + f64::from(rank))],
            );
        }
        let dir = log.end(50.0, Outcome::Finished);
        let segment = dir.segment(Rank(rank), 0);
        let mut bytes = std::fs::read(&segment).unwrap();
        if rank == 1 {
            bytes.extend_from_slice(b"cut short");
            std::fs::write(&segment, &bytes).unwrap();
        }
    }
    let text = project.cresset(&["show", "--width", "60"]).printed();
    assert!(text.contains("train/loss (2 ranks)"), "{text}");
    assert!(text.contains("rank-1.000000.log: bytes") && text.contains("cut short (9 bytes)"));
}

#[test]
fn what_people_set_of_a_run_is_what_is_shown() {
    let project = project();
    project
        .cresset(&["tag", "latest", "+production", "-v4"])
        .printed();
    let store = cresset_store::Store::open(cresset_record::Root::new(project.root())).unwrap();
    let (key, _) = store.labels().unwrap().remove(0);
    let patch = cresset_store::LabelPatch {
        name: Some("the chosen one".into()),
        notes: Some("as agreed on Monday".into()),
        ..cresset_store::LabelPatch::default()
    };
    store.label(&key, &patch).unwrap();
    drop(store);
    let page = project.cresset(&["show", "the chosen one"]).printed();
    for part in [
        "the chosen one  ✗ failed",
        "  tags       baseline, production\n",
        "  notes      as agreed on Monday\n",
        "  group      losses\n",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let json = project
        .cresset(&["show", "the chosen one", "--json"])
        .printed();
    assert!(json.contains("\"production\""), "{json}");
    let watched = project.cresset(&["watch", "the chosen one"]).stdout;
    assert!(watched.starts_with("the chosen one  "), "{watched}");
}

/// A run that says something every second, with an error at the 50th.
fn talkative(outcome: Option<Outcome>) -> (Project, Option<Log>) {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("0f3k2a0bcd104", "amber-harbor-1"));
    for second in 0..100u64 {
        let time = log.at(second as f64);
        log.record(Record::Console(ConsoleLine {
            time,
            level: Level::Info,
            target: String::new(),
            message: format!("said {second}"),
            fields: Map::new(),
        }));
        if second == 50 {
            log.record(Record::Alert(Alert {
                time,
                level: Level::Error,
                title: "train/loss is NaN".into(),
                text: String::new(),
                step: None,
            }));
        }
    }
    log.flush();
    match outcome {
        Some(outcome) => {
            log.end(100.0, outcome);
            (project, None)
        }
        None => (project, Some(log)),
    }
}

#[test]
fn the_log_around_an_error_and_the_last_lines_of_a_run_that_goes_on() {
    let said = |page: &str| -> Vec<u64> {
        let lines = page.lines().filter_map(|line| line.split_once("said "));
        lines.map(|(_, number)| number.parse().unwrap()).collect()
    };
    let around: Vec<u64> = (45..53).collect();
    let (project, _log) = talkative(None);
    let page = project.cresset(&["show"]).printed();
    assert_eq!(
        said(&page),
        [&around[..], &(92..100).collect::<Vec<_>>()].concat()
    );
    assert!(
        page.contains("Last lines of the log  92 lines before"),
        "{page}"
    );
    let (project, _) = talkative(Some(Outcome::Finished));
    assert_eq!(said(&project.cresset(&["show"]).printed()), around);
}

#[test]
fn what_cresset_records_by_itself_is_folded_until_it_is_asked_for() {
    let project = Project::new();
    let mut log = Log::begin(&project.root(), start("0f3k2a0bcd104", "amber-harbor-1"));
    for step in 0..3 {
        let values = [
            ("train/loss", 0.5),
            ("update_ratio/conv1.weight", 1e-3),
            ("update_ratio/conv1.bias", 1e-3),
            ("gradients/norm", 2.0),
        ];
        log.step(step, &values);
    }
    log.end(3.0, Outcome::Finished);
    let page = project.cresset(&["show"]).printed();
    assert!(
        page.contains("Summary  and 1 of gradients/, 2 of update_ratio/: --all"),
        "{page}"
    );
    assert!(!page.contains("conv1"), "{page}");
    let all = project.cresset(&["show", "--all"]).printed();
    assert_eq!(all.matches("update_ratio/conv1.weight").count(), 2, "{all}");
}

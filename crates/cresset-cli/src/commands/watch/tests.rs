use cresset_record::{
    Alert, ConsoleLine, Definition, Level, LossReason, Lost, Outcome, Record, RunView,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tempfile::TempDir;

use super::app::App;
use super::draw::draw;
use crate::fixture::{Log, start};

/// A run that has something for every part of the screen.
fn log(root: &TempDir) -> Log {
    let mut log = Log::begin(root.path(), start("0f3k2a0bcd104", "amber-harbor-1"));
    log.record(Record::Define(Definition::new("val/auc").maximize()));
    log.record(Record::Define(
        Definition::new("system/gpu.0/power").unit("W"),
    ));
    for step in 0..200 {
        let t = step as f64 / 200.0;
        log.step(
            step,
            &[
                ("train/loss", 2.0 * (-3.0 * t).exp()),
                ("train/lr", 1e-3 * (1.0 - t)),
                ("val/auc", 0.5 + 0.45 * t),
                ("system/cpu", 40.0),
                ("system/gpu.0/power", 250.0 + 50.0 * (9.0 * t).sin()),
            ],
        );
    }
    let time = log.at(150.0);
    log.record(Record::Alert(Alert {
        time,
        level: Level::Error,
        title: "\x1b[31mtrain/loss is NaN\x1b[2J".into(),
        text: String::new(),
        step: Some(150),
    }));
    log.record(Record::Lost(Lost {
        time,
        reason: LossReason::Overflow,
        points: 12,
        values: 0,
    }));
    for epoch in 0..9 {
        log.record(Record::Console(ConsoleLine {
            time: log.at(f64::from(epoch) * 20.0),
            level: Level::Info,
            target: "train".into(),
            message: format!("epoch {epoch} done"),
            fields: serde_json::Map::new(),
        }));
    }
    log
}

/// A finished run on a screen.
fn app() -> (TempDir, App) {
    let root = TempDir::new().unwrap();
    let dir = log(&root).end(200.0, Outcome::Finished);
    let view = RunView::open(dir).unwrap();
    (root, App::new(view, None, Vec::new()))
}

fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw(app, frame.area(), frame.buffer_mut()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content.chunks(usize::from(width.max(1)));
    rows.map(|row| {
        let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        without_clock(text.trim_end()) + "\n"
    })
    .collect()
}

/// Times of day are those of the machine's time zone.
fn without_clock(line: &str) -> String {
    let is_clock = line.len() > 8
        && line.is_char_boundary(8)
        && line[..8].bytes().filter(u8::is_ascii_digit).count() == 6;
    match is_clock {
        true => format!("hh:mm:ss{}", &line[8..]),
        false => line.to_owned(),
    }
}

fn press(app: &mut App, keys: &[KeyCode]) {
    for &key in keys {
        app.press(KeyEvent::new(key, KeyModifiers::NONE));
    }
}

fn type_text(app: &mut App, text: &str) {
    text.chars().for_each(|c| press(app, &[KeyCode::Char(c)]));
}

#[test]
fn a_wide_screen() {
    let (_root, mut app) = app();
    insta::assert_snapshot!(screen(&mut app, 110, 40));
}

#[test]
fn gpus_and_the_host_have_a_line_each() {
    let root = TempDir::new().unwrap();
    let mut log = Log::begin(root.path(), start("0f3k2a0bcd104", "amber-harbor-1"));
    let gib = (1u64 << 30) as f64;
    for step in 0..20 {
        let lost = step > 3;
        log.step(
            step,
            &[
                ("train/loss", 1.0),
                ("system/gpu/0/utilization", 5.0 * step as f64),
                ("system/gpu/0/memory_used", 40.0 * gib),
                ("system/gpu/0/memory_total", 80.0 * gib),
                ("system/gpu/0/temperature", 61.0),
                ("system/gpu/0/power", 412.3),
                ("system/gpu/0/power_limit", 700.0),
                ("system/gpu/10/utilization", 99.0),
                ("system/gpu/10/throttled", 1.0),
                ("system/gpu/10/throttle/power_cap", 1.0),
                ("system/gpu/10/throttle/thermal", 0.0),
                ("system/host/cpu_tree", 250.0),
                ("system/host/cpu_limit", 800.0),
                ("system/host/cpu_machine", 31.0),
                ("system/host/memory_used", 12.0 * gib),
                ("system/host/memory_limit", 64.0 * gib),
                ("system/host/disk_read", 6e6),
                ("system/host/disk_write", 2e5),
                ("system/host/network_received", 2.5e8),
                ("system/host/network_sent", 10.0),
                ("system/other", 7.0),
                ("system/gpu/2/utilization", 50.0),
            ][..if lost { 21 } else { 22 }],
        );
    }
    let dir = log.end(20.0, Outcome::Finished);
    let mut app = App::new(RunView::open(dir).unwrap(), None, Vec::new());
    let shown = screen(&mut app, 80, 40);
    let machine: Vec<&str> = shown
        .lines()
        .filter(|l| l.starts_with("GPU ") || l.starts_with("host") || l.starts_with("other"))
        .collect();
    assert_eq!(
        machine,
        [
            "GPU 0  ▅▅▅▆▆▆▇▇▇█  95 %  40.0/80.0 GiB  61 °C  412/700 W",
            "GPU 2        ▅▅▅▅ no answer",
            "GPU 10 ██████████  99 %  power cap",
            "host   ▃▃▃▃▃▃▃▃▃▃ 2.5/8.0 cores  12.0/64.0 GiB  disk ↓6.0 ↑0.2  net ↓250 ↑0 MB/s",
            "other                ▁▁▁▁▁▁▁▁▁▁ 7",
        ]
    );
    assert_eq!(app.series().len(), 1);
}

#[test]
fn a_small_screen() {
    let (_root, mut app) = app();
    insta::assert_snapshot!(screen(&mut app, 46, 16));
}

#[test]
fn help_stands_over_everything_and_any_key_takes_it_away() {
    let (_root, mut app) = app();
    type_text(&mut app, "?");
    insta::assert_snapshot!(screen(&mut app, 74, 15));
    type_text(&mut app, "q");
    assert!(!app.help && !app.quit);
}

#[test]
fn a_filter_is_applied_while_it_is_typed() {
    let (_root, mut app) = app();
    let keys = |app: &App| {
        let series = app.series();
        series.iter().map(|s| s.key.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&app), ["val/auc", "train/loss", "train/lr"]);
    type_text(&mut app, "/tra");
    assert_eq!(keys(&app), ["train/loss", "train/lr"]);
    assert!(screen(&mut app, 80, 24).contains("/tra▏"));
    press(&mut app, &[KeyCode::Backspace, KeyCode::Esc]);
    assert_eq!(keys(&app).len(), 3);
    // Keys of the screen are letters while a filter is typed, and what is otherwise hidden is found.
    type_text(&mut app, "/*gpu*q*");
    assert_eq!(keys(&app).len(), 0);
    assert!(screen(&mut app, 80, 24).contains("no series has this in its name"));
    for _ in 0..2 {
        press(&mut app, &[KeyCode::Backspace]);
    }
    press(&mut app, &[KeyCode::Enter]);
    assert_eq!(keys(&app), ["system/gpu.0/power"]);
    press(&mut app, &[KeyCode::Esc]);
    type_text(&mut app, "s");
    assert_eq!(keys(&app), ["system/cpu", "system/gpu.0/power"]);
    type_text(&mut app, "q");
    assert!(app.quit);
}

#[test]
fn charts_are_chosen_and_scrolled() {
    let (_root, mut app) = app();
    // One column of one chart: each key press turns a page.
    screen(&mut app, 46, 16);
    let shown = |app: &mut App| screen(app, 46, 16).lines().nth(2).unwrap().to_owned();
    assert!(shown(&mut app).starts_with("val/auc"));
    press(&mut app, &[KeyCode::Down]);
    assert!(shown(&mut app).starts_with("train/loss"));
    press(&mut app, &[KeyCode::Down, KeyCode::Down, KeyCode::PageDown]);
    assert!(shown(&mut app).starts_with("train/lr"));
    press(&mut app, &[KeyCode::Home]);
    assert!(shown(&mut app).starts_with("val/auc"));
    press(&mut app, &[KeyCode::End, KeyCode::Enter]);
    type_text(&mut app, "l");
    let zoomed = screen(&mut app, 110, 40);
    assert!(zoomed.lines().nth(2).unwrap().starts_with("train/lr (log)"));
    assert!(!zoomed.contains("val/auc"));
    press(&mut app, &[KeyCode::Left, KeyCode::Esc]);
    assert_eq!(app.selected, 1);
    assert!(screen(&mut app, 110, 40).contains("val/auc"));
}

#[test]
fn a_run_is_followed() {
    let root = TempDir::new().unwrap();
    let mut log = log(&root);
    let mut app = App::new(RunView::open(log.dir().clone()).unwrap(), None, Vec::new());
    log.flush();
    assert!(app.refresh() && app.is_running());
    assert_eq!(app.progress(), Some((199, Some(1.0))));
    assert!(!app.refresh(), "nothing is new");
    log.step(200, &[("train/loss", f64::NAN)]);
    log.flush();
    assert!(app.refresh());
    let text = screen(&mut app, 110, 40);
    assert!(
        text.contains("● running") && text.contains("step 200"),
        "{text}"
    );
    let reason = "loss is NaN".to_owned();
    log.end(201.0, Outcome::Failed { reason });
    assert!(app.refresh() && !app.is_running());
    let text = screen(&mut app, 110, 40);
    assert!(text.contains("✗ failed 3m 21s  loss is NaN"), "{text}");
}

#[test]
fn every_size_is_drawn() {
    let (_root, mut app) = app();
    for width in 0..60 {
        for height in 0..24 {
            screen(&mut app, width, height);
        }
    }
    app.help = true;
    app.zoomed = true;
    app.tall_tail = true;
    for (width, height) in [(1, 1), (5, 3), (20, 5), (300, 100)] {
        screen(&mut app, width, height);
    }
}

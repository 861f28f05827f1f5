//! What a server hears from us, beside what it hears from W&B's own client.

use std::time::Duration;

use cresset_record::{Key, Rank, RunDir, State, Timestamp};
use cresset_ship::wandb::OnlineRun;
use cresset_ship::{Event, Memory, ShipError, Sink};
use serde_json::{Value as Json, json};

use crate::client::{failing_script, script};
use crate::double::{self, Double, Exchange};
use crate::fixed::{fixed_rows, log_fixed_run};
use crate::heard::{
    config, console, exit, parse, renumbered, streamed, streamed_rows, streamed_summary,
};
use crate::support::{With, carry, more};

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn a_server_hears_the_same_from_us_as_from_wandbs_own_client() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = Double::start();
    script("fixed.py", &[], Some(&theirs), dir.path());
    let theirs = theirs.heard();

    let ours = Double::start();
    let run = log_fixed_run(&dir.path().join("root"));
    let sink = OnlineRun::new(&ours.url(), double::KEY).unwrap();
    carry(&run, With { sink, more: more() });
    let ours = ours.heard();

    assert_eq!(streamed_rows(&ours), streamed_rows(&theirs));
    assert_eq!(streamed_rows(&ours), fixed_rows());
    assert_eq!(streamed_summary(&ours), streamed_summary(&theirs));
    assert_eq!(console(&ours), console(&theirs));
    assert_eq!(exit(&ours), exit(&theirs));
    assert_eq!(config(&ours), config(&theirs));
    let keys = |heard: &[Exchange]| {
        let line = parse(&streamed(heard, "wandb-events.jsonl")[0]);
        line.as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let (our_keys, their_keys) = (keys(&ours), keys(&theirs));
    for name in [
        "_timestamp",
        "_runtime",
        "_wandb",
        "system.proc.cpu.threads",
        "system.proc.memory.rssMB",
        "system.proc.memory.percent",
    ] {
        let name = name.to_owned();
        assert!(
            our_keys.contains(&name) && their_keys.contains(&name),
            "{name}"
        );
    }
    let first = |heard: &[Exchange], operation: &str| {
        heard.iter().find_map(|e| e.variables(operation)).unwrap()
    };
    let (our_run, their_run) = (first(&ours, "upsertBucket"), first(&theirs, "upsertBucket"));
    for name in [
        "name",
        "project",
        "displayName",
        "groupName",
        "jobType",
        "notes",
        "tags",
    ] {
        assert_eq!(our_run[name], their_run[name], "{name}");
    }
    let alert = "notifyScriptableRunAlert";
    assert_eq!(first(&ours, alert), first(&theirs, alert));
    // Files: where they are put, with what in them, and that the stream says so.
    let puts = |heard: &[Exchange]| {
        let puts = heard
            .iter()
            .filter(|e| e.method == "PUT" && e.path.contains("/media/"));
        puts.map(|e| (renumbered(&e.path), e.body.clone(), e.authorization.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(puts(&ours), puts(&theirs));
    assert_eq!(puts(&ours)[0].2, None, "a store does not get the key");
    let file = puts(&ours)[0].0.strip_prefix("/put/").unwrap().to_owned();
    let is_told = |e: &&Exchange| {
        e.is_stream()
            && e.json()["uploaded"]
                .as_array()
                .is_some_and(|l| l.iter().any(|l| renumbered(l.as_str().unwrap()) == file))
    };
    assert_eq!(
        (
            ours.iter().filter(is_told).count(),
            theirs.iter().filter(is_told).count()
        ),
        (1, 1)
    );
    for (ours, theirs) in ours
        .iter()
        .zip(&theirs)
        .filter(|(o, t)| o.path == "/graphql" && t.path == "/graphql")
    {
        assert_eq!(ours.authorization, theirs.authorization);
    }
}

#[test]
fn what_a_server_did_not_acknowledge_is_sent_to_its_old_place_and_a_stop_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path());
    let server = Double::start();
    let mut sink = OnlineRun::new(&server.url(), double::KEY).unwrap();
    let mut memory = Memory::new();
    let start = (Rank(0), start());
    sink.take(&run, &[start, loss(0), loss(1)], &mut memory)
        .unwrap();
    assert!(!sink.is_stop_requested());
    let mut lost = memory.clone();
    sink.take(&run, &[loss(2), loss(3)], &mut lost).unwrap();
    *server.reply.lock().unwrap() = json!({"stopped": true});
    let mut sink = OnlineRun::new(&server.url(), double::KEY).unwrap();
    sink.take(&run, &[loss(2), loss(3)], &mut memory).unwrap();
    assert!(sink.is_stop_requested());
    sink.end(&run, &State::Stopped("asked to".into()), &mut memory)
        .unwrap();
    let heard = server.heard();
    let steps: Vec<Json> = streamed_rows(&heard)
        .iter()
        .map(|row| row["_step"].clone())
        .collect();
    assert_eq!(steps, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(exit(&heard), [(json!(true), json!(0))]);
    let key = heard[0].authorization.as_deref().unwrap();
    assert!(key.starts_with("Basic YXBpOj"), "`api:` and the key");
}

fn start() -> Event {
    let start = json!({"run": "abc123", "project": "harbor", "name": "n", "time": 0});
    Event::Start(Box::new(serde_json::from_value(start).unwrap()))
}

fn loss(step: u64) -> (Rank, Event) {
    let points = vec![(Key::new("loss").unwrap(), step as f64)];
    // Ten seconds a step: no row waits for long.
    let time = Timestamp(step as i64 * 10_000_000);
    (Rank(0), Event::Scalars { step, time, points })
}

#[test]
fn a_server_that_asks_for_patience_gets_the_same_lines_later() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path());
    let server = Double::start();
    let mut sink = OnlineRun::new(&server.url(), double::KEY).unwrap();
    let mut memory = Memory::new();
    let events = [(Rank(0), start()), loss(0), loss(1)];
    *server.limited.lock().unwrap() = 1;
    let mut lost = memory.clone();
    let error = sink.take(&run, &events, &mut lost).unwrap_err();
    let asked = Duration::from_secs(7);
    assert!(
        matches!(&error, ShipError::Unreachable { retry_after: Some(after), .. } if *after == asked),
        "{error}"
    );
    sink.take(&run, &events, &mut memory).unwrap();
    sink.end(&run, &State::Crashed, &mut memory).unwrap();
    let heard = server.heard();
    let steps = streamed_rows(&heard);
    let steps: Vec<&Json> = steps.iter().map(|row| &row["_step"]).collect();
    assert_eq!(steps, [0.0, 1.0]);
    // Nobody but us knows that a run has died.
    assert_eq!(exit(&heard), [(json!(true), json!(1))]);
}

#[test]
#[ignore = "needs wandb: cargo xtask test"]
fn a_run_that_an_error_ends_ends_as_with_wandbs_own_client() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = Double::start();
    failing_script("crash.py", &theirs, dir.path());
    let theirs = theirs.heard();

    let run = cresset_run::init("harbor").dir(dir.path()).id("abc123");
    let run = run.start().unwrap();
    let at = RunDir::new(run.dir().unwrap());
    run.log(0, [("loss", 1.0)]);
    run.fail("out of memory");
    drop(run);
    let ours = Double::start();
    carry(&at, OnlineRun::new(&ours.url(), double::KEY).unwrap());
    let ours = ours.heard();

    assert_eq!(exit(&ours), exit(&theirs));
    assert_eq!(exit(&ours), [(json!(true), json!(1))]);
    assert_eq!(streamed_rows(&ours), streamed_rows(&theirs));
    assert_eq!(streamed_summary(&ours), streamed_summary(&theirs));
    // Ours is without the lines that only Python has.
    for heard in [&ours, &theirs] {
        let lines = streamed(heard, "output.log");
        let last = lines.last().unwrap();
        assert!(
            last.starts_with("ERROR ") && last.ends_with(": out of memory"),
            "{last}"
        );
    }
}

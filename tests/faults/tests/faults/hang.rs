//! A disk that is slow, or that hangs: the thread that trains does not wait for it.

use std::fs;

use cresset_record::State;

use crate::support::{faulty, place, steps, told, until, view};

/// Steps that the inbox takes while nothing is written: two values each.
const FITS: u64 = 20_000;

#[test]
fn training_ends_while_the_disk_hangs() {
    let (place, runs) = place();
    let gate = place.path().join("gate");
    let marks = place.path().join("marks");
    let go = place.path().join("go");
    let mut command = faulty(
        &runs,
        &format!("gate:{}", gate.display()),
        &format!("until={} pause=1 then={FITS}", go.display()),
    );
    let child = command.env("FAULT_MARKS", &marks).spawn().unwrap();
    let logged = || {
        fs::read_to_string(&marks)
            .unwrap_or_default()
            .lines()
            .count() as u64
    };
    until("the first steps", || logged() > 10);
    // From here on each write waits.
    fs::write(&gate, "").unwrap();
    until("a write that hangs", || {
        gate.with_extension("waiting").exists()
    });
    let before = logged();
    fs::write(&go, "").unwrap();
    // A training that waited for the disk would never come to its end.
    until("all steps", || logged() >= before + FITS);
    fs::remove_file(&gate).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (told, view) = (told(&output), view(&runs));
    assert_eq!(view.state(), State::Finished);
    assert_eq!(
        (&told["lost"], &told["complete"]),
        (&0.into(), &true.into())
    );
    let there = steps(&view);
    assert_eq!(
        there,
        (0..told["steps"].as_u64().unwrap()).collect::<Vec<_>>()
    );
}

#[test]
fn a_disk_that_takes_a_second_to_synchronise_is_waited_for_at_the_end_only() {
    let (_place, runs) = place();
    let output = faulty(&runs, "slow:1000", "steps=50000").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = told(&output);
    // It is switched away now and then where the inbox's lock is taken; one that waited for each step would be 50,000 times.
    assert!(told["switches"].as_u64().unwrap() < 500, "{told}");
    assert_eq!(told["complete"], true);
    let view = view(&runs);
    let lost: u64 = view.lost().values().map(|lost| lost.points).sum();
    assert_eq!(2 * steps(&view).len() as u64 + lost, 100_000);
}

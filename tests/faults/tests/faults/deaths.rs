//! A thousand processes that die at any moment, the next going on where the last one died.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use cresset_record::{DamageKind, Root, State};
use cresset_store::Store;

use crate::support::{Random, all, place, resumes, steps, trainer, until, view};

const RUNS: u64 = 40;
const KILLS: u64 = 25;

/// Kills a trainer at a moment of its life; gives the last step that it was promised.
fn kill(runs: &Path, random: &mut Random) -> Option<u64> {
    let mut child = trainer(runs, "written resume steps=1000000000")
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut text = Vec::new();
    // Some die before they have logged anything.
    if random.below(4) > 0 {
        let mut first = [0];
        out.read_exact(&mut first).unwrap();
        text.push(first[0]);
    }
    std::thread::sleep(Duration::from_micros(random.below(6000)));
    child.kill().unwrap();
    out.read_to_end(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let text = String::from_utf8_lossy(&text);
    let last = text.rsplit_once('\n')?.0.lines().last()?;
    last.strip_prefix("step ")?.parse().ok()
}

#[test]
fn a_thousand_deaths_cost_nothing_that_was_written() {
    let promised = all((0..RUNS).collect(), 4, |seed| {
        let (_place, runs) = place();
        let mut random = Random::new(seed);
        let mut promised = 0;
        for _ in 0..KILLS {
            promised = kill(&runs, &mut random).map_or(promised, |step| step + 1);
        }
        until("the run to be let go", || {
            view(&runs).state() == State::Crashed
        });
        let crashed = view(&runs);
        let there = steps(&crashed);
        assert!(
            there.len() as u64 >= promised,
            "seed {seed}: {promised} of {}",
            there.len()
        );
        assert!(
            there.iter().copied().eq(0..there.len() as u64),
            "seed {seed}: no hole, nothing twice"
        );
        let torn = |kind| matches!(kind, DamageKind::TornTail);
        assert!(
            crashed.damage().iter().all(|damage| torn(damage.kind)),
            "seed {seed}: {:?}",
            crashed.damage()
        );
        resumes(&runs);
        let store = Store::open(Root::new(&runs)).unwrap();
        store.refresh().unwrap();
        let fresh = tempfile::tempdir().unwrap();
        let checked = store.check(fresh.path()).unwrap();
        assert!(checked.differences.is_empty(), "seed {seed}: {checked:?}");
        there.len()
    });
    println!(
        "{} deaths, {} steps",
        RUNS * KILLS,
        promised.iter().sum::<usize>()
    );
}

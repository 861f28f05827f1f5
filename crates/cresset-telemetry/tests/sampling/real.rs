//! What a real card says, on a machine that has one and a program that loads it:
//!
//! ```text
//! CRESSET_GPU_LOAD='python3 multiply.py' cargo test --package cresset-telemetry --test sampling -- --ignored --nocapture real
//! ```
//!
//! The program is to keep GPU 0 busy until it is killed.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use cresset_telemetry::Telemetry;

use crate::fake::{Recorded, finish, start};
use crate::rhythm::cpu_of_telemetry;

const IDLE: Duration = Duration::from_secs(8);
const BUSY: Duration = Duration::from_secs(40);

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Joules between the first and the last sample, by trapezoids over power.
fn joules(recorded: &Recorded) -> f64 {
    let power = recorded.view.series_of("system/gpu/0/power").unwrap();
    let pairs = power.points().windows(2);
    pairs
        .map(|p| (p[0].value + p[1].value) / 2.0 * p[1].time.seconds_since(p[0].time))
        .sum()
}

#[test]
#[ignore = "needs an NVIDIA GPU and a program that loads it"]
fn real_card_under_load() {
    let load = std::env::var("CRESSET_GPU_LOAD").expect("$CRESSET_GPU_LOAD is the program");
    let run = start(Telemetry::new().rate(1.0));
    sleep(IDLE);
    let begun = cpu_of_telemetry();
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("exec {load}"))
        .spawn()
        .unwrap();
    sleep(BUSY);
    let spent = cpu_of_telemetry() - begun;
    let still_there = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    sleep(Duration::from_secs(2));
    let recorded = finish(run);

    println!(
        "telemetry: {:.4} % of one core",
        100.0 * spent / BUSY.as_secs_f64()
    );
    for key in recorded.keys("system/") {
        let values = recorded.values(&key);
        println!(
            "{key}: {} values, mean {:.6}, most {:.6}",
            values.len(),
            mean(&values),
            most(&values)
        );
    }
    for (key, value) in recorded.view.summary() {
        if key.starts_with("system/") && recorded.values(&key).is_empty() {
            println!("{key} = {value}");
        }
    }

    assert!(still_there, "the load ended by itself");
    assert!(most(&recorded.gpu("utilization")) > 80.0);
    assert!(
        most(&recorded.gpu("memory_process")) > 0.0,
        "the child's memory is not seen as this run's"
    );
    let samples = recorded.gpu("power").len() as f64;
    let seconds = (IDLE + BUSY).as_secs_f64() + 2.0;
    assert!(samples >= 0.9 * seconds, "{samples} in {seconds} s");
    let by_counter = recorded.summary("system/total/energy").as_f64().unwrap() * 3.6e6;
    let by_power = joules(&recorded);
    println!("energy: {by_counter:.0} J, from power {by_power:.0} J");
    assert!((by_counter / by_power - 1.0).abs() < 0.1);
    assert!(spent / BUSY.as_secs_f64() < 0.005);
}

//! Tells the crate how it is built, so that a run can record it.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    println!(
        "cargo::rustc-env=CRESSET_BUILD_TARGET={}",
        variable("TARGET")
    );
    println!(
        "cargo::rustc-env=CRESSET_OPT_LEVEL={}",
        variable("OPT_LEVEL")
    );
    println!("cargo::rustc-env=CRESSET_RUSTC_VERSION={}", rustc_version());
}

/// The first line of `rustc --version`. Cargo runs this script again when the compiler changes.
fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|text| text.lines().next().map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned())
}

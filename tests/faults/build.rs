//! Builds what stands between a program and the C library.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/shim.c");
    let out = env::var("OUT_DIR").unwrap_or_default() + "/shim.so";
    println!("cargo::rustc-env=SHIM={out}");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let built = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-o", &out, "src/shim.c"])
        .args(["-ldl", "-lpthread"])
        .status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "{compiler} cannot build src/shim.c"
    );
}

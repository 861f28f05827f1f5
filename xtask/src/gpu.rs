//! Tests of what runs on GPUs, by Vulkan: on Mesa's driver for processors, so that any machine can, or on a real one.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::root;
use crate::shell::{self, cargo};

/// Where the packages of distributions say which drivers there are.
const DRIVERS: &str = "/usr/share/vulkan/icd.d";
/// By either of these, somebody has chosen a driver.
const CHOSEN: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// The tests of `tests/burn-gpu`, a workspace of its own.
///
/// # Errors
/// If there is no driver, or they cannot be built.
pub(crate) fn test() -> Result<(bool, Vec<String>)> {
    let mut test = cargo(["test", "--no-fail-fast"]);
    test.current_dir(root().join("tests/burn-gpu"))
        .env("CARGO_TARGET_DIR", shell::target());
    if CHOSEN.iter().all(|name| env::var_os(name).is_none()) {
        test.env("VK_DRIVER_FILES", driver_for_processors()?);
    }
    shell::run_and_keep(&mut test)
}

fn driver_for_processors() -> Result<PathBuf> {
    let listed = fs::read_dir(DRIVERS).into_iter().flatten().flatten();
    let paths = listed.map(|entry| entry.path());
    let is_for_processors = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvp_icd")
    };
    match paths.into_iter().find(is_for_processors) {
        Some(path) => Ok(path),
        None => bail!(
            "the tests of burn on a GPU need a Vulkan driver: apt-get install mesa-vulkan-drivers, which computes on the \
             processor, or set VK_DRIVER_FILES to that of a GPU"
        ),
    }
}

//! A data set: the same everywhere, whole or completed, never mixed with anything else.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use solder_joints::{
    GenerateConfig, GenerateError, ImageFolder, Index, JointClass, LoadOptions, generate,
};

fn small() -> GenerateConfig {
    GenerateConfig {
        crops: 36,
        size: 32,
        seed: 11,
        boards: 12,
        lines: 3,
    }
}

/// Bytes of every picture, by path.
fn pictures(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let index = Index::read(folder).unwrap().unwrap();
    index
        .crops
        .iter()
        .map(|crop| {
            (
                crop.path.clone(),
                fs::read(folder.join(&crop.path)).unwrap(),
            )
        })
        .collect()
}

/// FNV-1a over the decoded pixels, crop after crop: independent of the PNG encoder.
fn pixel_hash(folder: &Path) -> u64 {
    let index = Index::read(folder).unwrap().unwrap();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for crop in &index.crops {
        for byte in image::open(folder.join(&crop.path))
            .unwrap()
            .into_rgb8()
            .into_raw()
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

fn made(config: &GenerateConfig) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), config, |_, _| {}).unwrap();
    folder
}

/// The pixels of every machine. If a change to the pictures is wanted: raise `Index::VERSION`, put the
/// new numbers here and generate `sample` again (see the README).
#[test]
fn pixels_are_the_same_on_every_machine() {
    assert_eq!(
        format!("{:016x}", pixel_hash(made(&small()).path())),
        HASH_32
    );
    let large = GenerateConfig {
        size: 64,
        seed: 12,
        ..small()
    };
    assert_eq!(format!("{:016x}", pixel_hash(made(&large).path())), HASH_64);
}

const HASH_32: &str = "bb709a376fa03d65";
const HASH_64: &str = "225ed9a11fc33f79";

#[test]
fn the_sample_is_what_the_generator_makes() {
    let committed = Index::read(&common::sample()).unwrap().unwrap();
    let folder = made(&committed.config);
    assert!(
        Index::read(folder.path()).unwrap().unwrap() == committed,
        "the ground truth differs"
    );
    assert_eq!(pixel_hash(folder.path()), pixel_hash(&common::sample()));
}

#[test]
fn the_sample_is_small_and_complete() {
    let sample = common::sample();
    let index = Index::read(&sample).unwrap().unwrap();
    assert_eq!(index.crops.len(), 60);
    let bytes: u64 = index
        .crops
        .iter()
        .map(|crop| fs::metadata(sample.join(&crop.path)).unwrap().len())
        .sum();
    assert!(bytes < 1_000_000, "{bytes}");
    for class in JointClass::ALL {
        assert!(index.crops.iter().any(|crop| crop.class == class));
    }
}

#[test]
fn a_complete_data_set_is_used_as_it_is() {
    let folder = made(&small());
    let before = pictures(folder.path());
    let mut calls = Vec::new();
    let summary = generate(folder.path(), &small(), |done, total| {
        calls.push((done, total));
    })
    .unwrap();
    assert_eq!((summary.crops, summary.drawn), (36, 0));
    assert_eq!(summary.per_class.iter().sum::<usize>(), 36);
    assert_eq!(calls, [(36, 36)]);
    assert_eq!(pictures(folder.path()), before);
}

#[test]
fn progress_counts_every_picture_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut calls = Vec::new();
    generate(folder.path(), &small(), |done, total| {
        calls.push((done, total));
    })
    .unwrap();
    assert_eq!(calls, (0..=36).map(|done| (done, 36)).collect::<Vec<_>>());
}

#[test]
fn an_interrupted_data_set_is_completed() {
    let whole = pictures(made(&small()).path());
    let folder = tempfile::tempdir().unwrap();
    let interrupted = catch_unwind(AssertUnwindSafe(|| {
        generate(folder.path(), &small(), |done, _| {
            assert!(done < 10, "pulled the plug");
        })
    }));
    assert!(interrupted.is_err());
    assert!(
        Index::read(folder.path()).unwrap().is_none(),
        "an index would call it complete"
    );
    // What a power cut may leave besides: a file without content, and one that was not renamed yet.
    let (name, _) = whole.first_key_value().unwrap();
    fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
    fs::write(folder.path().join(name), b"").unwrap();

    let summary = generate(folder.path(), &small(), |_, _| {}).unwrap();
    assert!((1..36).contains(&summary.drawn), "{} drawn", summary.drawn);
    assert_eq!(pictures(folder.path()), whole);
}

#[test]
fn a_killed_process_leaves_nothing_broken() {
    let folder = tempfile::tempdir().unwrap();
    let config = GenerateConfig {
        crops: 300,
        size: 64,
        seed: 7,
        boards: 12,
        lines: 4,
    };
    let mut process = Command::new(env!("CARGO_BIN_EXE_generate"))
        .arg(folder.path())
        .args(["--crops", "300"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let drawn = || {
        let classes = JointClass::ALL.map(|class| folder.path().join(class.name()));
        classes
            .iter()
            .filter_map(|path| fs::read_dir(path).ok())
            .map(Iterator::count)
            .sum::<usize>()
    };
    while drawn() < 10 && process.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let summary = generate(folder.path(), &config, |_, _| {}).unwrap();
    assert_eq!(summary.crops, 300);
    let images = ImageFolder::open(folder.path(), &LoadOptions::default()).unwrap();
    assert_eq!((images.len(), images.skipped().len()), (300, 0));
}

#[test]
fn several_at_once_make_one_data_set() {
    let whole = pictures(made(&small()).path());
    let folder = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| generate(folder.path(), &small(), |_, _| {}).unwrap());
        }
    });
    assert_eq!(pictures(folder.path()), whole);
    assert!(!folder.path().join("generating.json").exists());
}

#[test]
fn lost_pictures_come_back() {
    let folder = made(&small());
    let whole = pictures(folder.path());
    for name in whole.keys().take(3) {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert_eq!(
        generate(folder.path(), &small(), |_, _| {}).unwrap().drawn,
        3
    );
    assert_eq!(pictures(folder.path()), whole);
}

#[test]
fn other_peoples_files_are_left_alone() {
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.txt"), "years of work").unwrap();
    let error = generate(other.path(), &small(), |_, _| {}).unwrap_err();
    assert!(matches!(error, GenerateError::Occupied { .. }), "{error}");
    assert!(error.to_string().contains("empty folder"), "{error}");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);

    let folder = made(&small());
    let error = generate(
        folder.path(),
        &GenerateConfig {
            seed: 99,
            ..small()
        },
        |_, _| {},
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("another configuration")
            && error.to_string().contains("seed: 11"),
        "{error}"
    );
}

#[test]
fn impossible_configurations_say_what_is_wrong() {
    let cases = [
        (GenerateConfig { size: 8, ..small() }, "size is 8"),
        (
            GenerateConfig {
                boards: 3,
                ..small()
            },
            "at least 6 boards",
        ),
        (
            GenerateConfig {
                crops: 5,
                ..small()
            },
            "a crop for each",
        ),
        (
            GenerateConfig {
                lines: 0,
                ..small()
            },
            "0 lines",
        ),
        (
            GenerateConfig {
                lines: 13,
                ..small()
            },
            "13 lines",
        ),
    ];
    for (config, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let error = generate(folder.path(), &config, |_, _| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

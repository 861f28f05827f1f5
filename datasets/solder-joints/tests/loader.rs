//! Folders as people have them: several formats and sizes, damage, strays.

mod common;

use std::fs;
use std::path::Path;

use common::{picture, sample, two_classes};
use solder_joints::{ImageFolder, Index, LoadOptions, OpenError, Split};

fn open(folder: &Path) -> Result<ImageFolder, OpenError> {
    ImageFolder::open(
        folder,
        &LoadOptions {
            size: 16,
            threads: 2,
            ..LoadOptions::default()
        },
    )
}

#[test]
fn the_sample_opens_with_its_own_split() {
    let images = open(&sample()).unwrap();
    assert_eq!(
        images.classes(),
        [
            "bridge",
            "cold",
            "good",
            "insufficient",
            "tombstone",
            "void"
        ]
    );
    assert_eq!(images.len(), 60);
    assert!(images.skipped().is_empty());
    for crop in Index::read(&sample()).unwrap().unwrap().crops {
        let subset = images.split(crop.split);
        let found = subset
            .indices()
            .iter()
            .find(|&&i| images.path(i) == Some(&sample().join(&crop.path)));
        let label = images.label(*found.unwrap()).unwrap();
        assert_eq!(images.classes()[label as usize], crop.class.name());
    }
    let counts = Split::ALL.map(|split| images.split(split).class_counts().iter().sum::<usize>());
    assert_eq!(counts.iter().sum::<usize>(), 60);
}

#[test]
fn pixels_at_their_own_size_are_untouched() {
    let images = ImageFolder::open(sample(), &LoadOptions::default()).unwrap();
    let path = images.path(7).unwrap();
    assert_eq!(
        images.pixels(7).unwrap(),
        image::open(path).unwrap().into_rgb8().into_raw()
    );
    assert!(images.pixels(60).unwrap_err().reason.contains("60"));
}

#[test]
fn formats_and_sizes_mix_and_memory_makes_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    two_classes(folder.path(), 12);
    let kept = open(folder.path()).unwrap();
    let reread = ImageFolder::open(
        folder.path(),
        &LoadOptions {
            size: 16,
            threads: 1,
            memory: 0,
        },
    )
    .unwrap();
    assert_eq!((kept.len(), kept.size()), (24, 16));
    for i in 0..kept.len() {
        assert_eq!(kept.path(i), reread.path(i));
        assert_eq!(kept.pixels(i).unwrap().len(), 16 * 16 * 3);
        assert_eq!(kept.pixels(i), reread.pixels(i));
    }
}

#[test]
fn a_split_without_an_index_is_kept_when_files_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..200 {
        picture(
            &folder
                .path()
                .join(["a", "b"][i as usize % 2])
                .join(format!("{i}.png")),
            i,
            4,
            4,
        );
    }
    let names = |images: &ImageFolder, split| -> Vec<_> {
        images
            .split(split)
            .indices()
            .iter()
            .map(|&i| images.path(i).unwrap().to_owned())
            .collect()
    };
    let before = open(folder.path()).unwrap();
    let sizes = Split::ALL.map(|split| before.split(split).len());
    assert!(
        (120..=160).contains(&sizes[0]) && sizes[1] > 15 && sizes[2] > 15,
        "{sizes:?}"
    );
    for i in 0..100 {
        fs::remove_file(
            folder
                .path()
                .join(["a", "b"][i % 2])
                .join(format!("{i}.png")),
        )
        .unwrap();
    }
    let after = open(folder.path()).unwrap();
    for split in Split::ALL {
        let before = names(&before, split);
        assert!(
            names(&after, split)
                .iter()
                .all(|name| before.contains(name))
        );
    }
}

#[test]
fn folders_named_after_splits_are_splits() {
    let folder = tempfile::tempdir().unwrap();
    for (split, count) in [("train", 5), ("val", 2), ("test", 3)] {
        for class in ["a", "b"] {
            for i in 0..count {
                picture(
                    &folder
                        .path()
                        .join(split)
                        .join(class)
                        .join(format!("{i}.png")),
                    i,
                    4,
                    4,
                );
            }
        }
    }
    let images = open(folder.path()).unwrap();
    assert_eq!(images.classes(), ["a", "b"]);
    assert_eq!(
        Split::ALL.map(|split| images.split(split).class_counts()),
        [[5, 5], [2, 2], [3, 3]]
    );
}

/// Damages one file of a good folder and expects it to be named, with a reason that tells.
#[test]
fn damaged_files_are_named_and_skipped() {
    let cut = |path: &Path, share: f64| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..(bytes.len() as f64 * share) as usize]).unwrap();
    };
    type Damage = (&'static str, Box<dyn Fn(&Path)>, &'static str);
    let cases: Vec<Damage> = vec![
        (
            "000.png",
            Box::new(|path| fs::write(path, b"").unwrap()),
            "empty",
        ),
        (
            "000.png",
            Box::new(|path| fs::write(path, b"<html>not found</html>").unwrap()),
            "neither PNG",
        ),
        ("000.png", Box::new(move |path| cut(path, 0.6)), ""),
        ("001.jpg", Box::new(move |path| cut(path, 0.3)), ""),
        ("001.jpg", Box::new(move |path| cut(path, 0.9)), "cut short"),
        ("002.webp", Box::new(move |path| cut(path, 0.6)), ""),
        ("002.webp", Box::new(move |path| cut(path, 0.95)), ""),
        (
            "000.png",
            Box::new(|path| {
                let mut bytes = fs::read(path).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0xff;
                fs::write(path, bytes).unwrap();
            }),
            "",
        ),
    ];
    for (i, (name, damage, reason)) in cases.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        two_classes(folder.path(), 6);
        let path = folder.path().join("left").join(name);
        damage(&path);
        let images = open(folder.path()).unwrap();
        assert_eq!(images.len(), 11, "case {i}");
        assert_eq!(images.skipped().len(), 1, "case {i}");
        assert_eq!(images.skipped()[0].path, path);
        let said = &images.skipped()[0].reason;
        assert!(
            said.contains(reason) && !said.is_empty(),
            "case {i}: {said}"
        );
    }
}

#[test]
fn names_do_not_decide_the_format_but_strays_are_named() {
    let folder = tempfile::tempdir().unwrap();
    two_classes(folder.path(), 6);
    let left = folder.path().join("left");
    fs::rename(left.join("001.jpg"), left.join("001.png")).unwrap();
    fs::rename(left.join("000.png"), left.join("000.JPEG")).unwrap();
    fs::write(left.join("notes.txt"), "not a picture").unwrap();
    fs::write(left.join(".DS_Store"), "hidden").unwrap();
    fs::create_dir(left.join("deeper")).unwrap();
    let images = open(folder.path()).unwrap();
    assert_eq!(images.len(), 12);
    assert_eq!(images.skipped().len(), 1);
    assert!(images.skipped()[0].path.ends_with("notes.txt"));
}

#[test]
fn unusable_folders_say_why() {
    let missing = open(Path::new("no/such/folder")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/folder"), "{missing}");

    let folder = tempfile::tempdir().unwrap();
    let empty = open(folder.path()).unwrap_err();
    assert!(
        matches!(empty, OpenError::Empty { .. })
            && empty.to_string().contains("one sub-folder for each class")
    );

    picture(&folder.path().join("stray.png"), 1, 4, 4);
    assert!(
        matches!(open(folder.path()), Err(OpenError::Empty { .. })),
        "pictures without a class are no data set"
    );

    picture(&folder.path().join("only").join("1.png"), 1, 4, 4);
    let one = open(folder.path()).unwrap_err();
    assert!(
        matches!(&one, OpenError::OneClass { class, .. } if class == "only"),
        "{one}"
    );

    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other").join("1.png"), b"broken").unwrap();
    let one = open(folder.path()).unwrap_err().to_string();
    assert!(one.contains("`only`") && one.contains("1.png"), "{one}");

    fs::write(folder.path().join("only").join("1.png"), b"").unwrap();
    let none = open(folder.path()).unwrap_err();
    assert!(
        matches!(&none, OpenError::Empty { skipped, .. } if skipped.len() >= 2),
        "{none}"
    );

    let size = ImageFolder::open(
        sample(),
        &LoadOptions {
            size: 0,
            ..LoadOptions::default()
        },
    )
    .unwrap_err();
    assert!(size.to_string().contains("size is 0"));
}

#[test]
fn an_index_of_another_program_is_ignored_and_a_damaged_one_reported() {
    let folder = tempfile::tempdir().unwrap();
    two_classes(folder.path(), 3);
    fs::write(folder.path().join("index.json"), r#"{"pages": []}"#).unwrap();
    assert_eq!(open(folder.path()).unwrap().len(), 6);
    fs::write(
        folder.path().join("index.json"),
        r#"{"format":"solder-joints","version":1}"#,
    )
    .unwrap();
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    fs::write(
        folder.path().join("index.json"),
        r#"{"format":"solder-joints","version":999}"#,
    )
    .unwrap();
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("999") && error.contains("another version"),
        "{error}"
    );
}

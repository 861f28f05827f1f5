use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::decode::ENDINGS;
use crate::folder::{OpenError, Skipped};
use crate::index::{Index, Split};

/// What a folder of pictures holds, before any picture is opened.
pub(crate) struct Listing {
    /// Names of the class folders, sorted.
    pub(crate) classes: Vec<String>,
    /// Class number, path and split of each picture, sorted by path.
    pub(crate) pictures: Vec<(usize, PathBuf, Split)>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Shares of training and validation where nothing else says what a picture is for; the rest is test.
const TRAIN: f64 = 0.70;
const VAL: f64 = 0.15;

/// Lists `<root>/<class>/<picture>`, or `<root>/<split>/<class>/<picture>`.
///
/// The split is the folder's, else that of our own index, else drawn by a hash of class and file
/// name, so that it stays when other files come or go.
pub(crate) fn list(root: &Path) -> Result<Listing, OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    let indexed = match Index::read(root).map_err(io(root))? {
        Some(index) => index
            .crops
            .into_iter()
            .map(|crop| (crop.path, crop.split))
            .collect(),
        None => BTreeMap::new(),
    };
    let folders = folders(root).map_err(io(root))?;
    let by_split: Vec<(Split, &(String, PathBuf))> = folders
        .iter()
        .filter_map(|folder| Some((split_named(&folder.0)?, folder)))
        .collect();

    let mut found: Vec<(String, PathBuf, Option<Split>)> = Vec::new();
    if !folders.is_empty() && by_split.len() == folders.len() {
        for (split, (_, path)) in by_split {
            for (class, path) in self::folders(path).map_err(io(path))? {
                found.push((class, path, Some(split)));
            }
        }
    } else {
        found.extend(folders.into_iter().map(|(class, path)| (class, path, None)));
    }

    let mut classes: Vec<String> = found.iter().map(|(class, ..)| class.clone()).collect();
    classes.sort();
    classes.dedup();
    let mut listing = Listing {
        classes,
        pictures: Vec::new(),
        skipped: Vec::new(),
    };
    for (class, folder, split) in found {
        let Ok(label) = listing.classes.binary_search(&class) else {
            continue;
        };
        for (name, path) in files(&folder).map_err(io(&folder))? {
            let readable = path.extension().is_some_and(|ending| {
                ENDINGS
                    .iter()
                    .any(|known| ending.eq_ignore_ascii_case(known))
            });
            if !readable {
                listing.skipped.push(Skipped {
                    path,
                    reason: format!("not named as one of {ENDINGS:?}"),
                });
                continue;
            }
            let key = format!("{class}/{name}");
            let split = split
                .or_else(|| indexed.get(&key).copied())
                .unwrap_or_else(|| split_by_hash(&key));
            listing.pictures.push((label, path, split));
        }
    }
    listing.pictures.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(listing)
}

fn split_named(folder: &str) -> Option<Split> {
    match folder.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Val),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// FNV-1a with a final mix; its upper bits make a number from 0 to 1.
fn split_by_hash(key: &str) -> Split {
    let mut hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    let place = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    match place {
        p if p < TRAIN => Split::Train,
        p if p < TRAIN + VAL => Split::Val,
        _ => Split::Test,
    }
}

fn folders(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    entries(path, true)
}

fn files(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    entries(path, false)
}

/// Entries that are not hidden, with their names, sorted. Links are followed.
fn entries(path: &Path, folders: bool) -> io::Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_dir() == folders {
            entries.push((name, entry.path()));
        }
    }
    entries.sort();
    Ok(entries)
}

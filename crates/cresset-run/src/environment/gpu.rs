//! The GPUs and the driver, from the files of NVIDIA's kernel module: nothing is linked, loaded or woken.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::{Sources, put, read};

const DRIVER: &str = "proc/driver/nvidia";

/// One entry a GPU, by PCI address; no driver gives an empty list.
pub(super) fn devices(sources: &Sources) -> Json {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(sources.root.join(DRIVER).join("gpus"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
        .iter()
        .filter_map(|folder| read(folder.join("information")))
        .map(|information| device(&information))
        .collect()
}

/// The version of the kernel module. Two wordings are in use, so it is looked for by its form.
pub(super) fn driver(sources: &Sources) -> Option<Json> {
    let text = read(sources.root.join(DRIVER).join("version"))?;
    let version = text.lines().next()?.split_whitespace().find(|word| {
        word.contains('.') && word.split('.').all(|part| part.parse::<u32>().is_ok())
    })?;
    Some(version.into())
}

fn device(information: &str) -> Json {
    let field = |name: &str| {
        information.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            let value = value.trim();
            (key.trim() == name && !value.is_empty() && !value.contains('?')).then_some(value)
        })
    };
    let mut map = Map::new();
    put(&mut map, "model", field("Model"));
    put(&mut map, "uuid", field("GPU UUID"));
    put(&mut map, "bus", field("Bus Location"));
    Json::Object(map)
}

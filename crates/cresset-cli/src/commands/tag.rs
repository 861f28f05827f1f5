//! `cresset tag`: adds and removes tags of a run.

use std::path::Path;

use cresset_store::LabelPatch;

use crate::args::TagArguments;
use crate::exit::{Exit, Failure};
use crate::index::Index;
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(a: &TagArguments, dir: Option<&Path>, out: &mut Output) -> anyhow::Result<Exit> {
    let changes = a
        .changes
        .iter()
        .map(|text| Change::parse(text))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let index = Index::write(&locate::root(dir)?)?;
    let store = index.store();
    let key = locate::known_run(store, &a.run)?;
    let run = store.run(&key)?;
    let mut tags = run.tags.clone();
    for change in changes {
        match change {
            Change::Add(tag) if tags.iter().any(|known| known == tag) => {}
            Change::Add(tag) => tags.push(tag.to_owned()),
            Change::Remove(tag) => tags.retain(|known| known != tag),
        }
    }
    let patch = LabelPatch {
        tags: Some(tags.clone()),
        ..LabelPatch::default()
    };
    store.label(&key, &patch)?;
    let tags = match tags.as_slice() {
        [] => "no tags".to_owned(),
        tags => tags.join(", "),
    };
    let line = format!("{} ({}): {tags}", run.name, key.run);
    out.line(human::clean(&line))?;
    Ok(Exit::Ok)
}

enum Change<'a> {
    Add(&'a str),
    Remove(&'a str),
}

impl<'a> Change<'a> {
    fn parse(text: &'a str) -> anyhow::Result<Self> {
        let change = match text.split_at_checked(1) {
            Some(("+", tag)) if !tag.is_empty() => Self::Add(tag),
            Some(("-", tag)) if !tag.is_empty() => Self::Remove(tag),
            _ => {
                return Err(Failure::usage(format!(
                    "write +TAG to add a tag and -TAG to remove one, not `{text}`"
                )));
            }
        };
        Ok(change)
    }
}

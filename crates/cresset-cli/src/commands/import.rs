//! `cresset import`: brings runs of other trackers.

use std::path::Path;

use anyhow::Context;
use cresset_record::Root;
use cresset_ship::import::{self, ImportError, ImportOptions, Imported};
use serde_json::{Map, Value as Json};

use crate::args::{ImportArguments, ImportSource};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{human, locate};

pub(crate) fn run(
    a: &ImportArguments,
    dir: Option<&Path>,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let mut options = ImportOptions::new(super::project(&a.project)?);
    options.name.clone_from(&a.name);
    options.group.clone_from(&a.group);
    options.tags.clone_from(&a.tags);
    options.config = config(&a.config)?;
    let root = locate::folder_of_runs(None, dir)?;
    let mut failed = 0;
    for source in &a.sources {
        let runs = one(a.from, source, &root, &options)
            .with_context(|| format!("cannot import {}", source.display()))?;
        for run in runs {
            match run {
                Ok(run) => report(&run, out)?,
                Err(error) => {
                    failed += 1;
                    eprintln!("cresset: {}", human::clean(&error.to_string()));
                }
            }
        }
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Error })
}

fn one(
    from: ImportSource,
    source: &Path,
    root: &Root,
    options: &ImportOptions,
) -> Result<Vec<Result<Imported, ImportError>>, ImportError> {
    match from {
        ImportSource::Tensorboard => import::tensorboard(source, root, options),
        ImportSource::Csv => Ok(vec![import::csv(source, root, options)]),
        ImportSource::Wandb => Ok(vec![import::wandb(source, root, options)]),
    }
}

fn report(run: &Imported, out: &mut Output) -> anyhow::Result<()> {
    let (points, values) = (
        human::count(run.points, "point"),
        human::count(run.values, "other value"),
    );
    let id = run.run.id_text();
    let line = format!("{} ({id}): {points} and {values}", run.name);
    out.line(human::clean(&line))?;
    for what in &run.left_out {
        out.line(human::clean(&format!("  left out: {what}")))?;
    }
    Ok(())
}

/// `KEY=VALUE`, where VALUE is JSON or else a text.
fn config(pairs: &[String]) -> anyhow::Result<Map<String, Json>> {
    let pair = |pair: &String| {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{pair}` is no KEY=VALUE, such as lr=0.001")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value));
        Ok((key.to_owned(), value))
    };
    pairs.iter().map(pair).collect()
}

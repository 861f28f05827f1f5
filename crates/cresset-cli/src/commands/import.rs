//! `cresset import`: brings runs of other trackers.

use std::env;
use std::path::Path;

use anyhow::Context;
use cresset_record::{Project, Root};
use cresset_ship::import::{self, ImportError, ImportOptions, Imported, MlflowServer};
use cresset_ship::mlflow::Credentials;
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
    let root = locate::folder_of_runs(None, dir)?;
    let mut tally = Tally::default();
    match a.from {
        ImportSource::Tensorboard => files(a, &root, &mut tally, out, import::tensorboard)?,
        ImportSource::Csv => files(a, &root, &mut tally, out, |source, root, options| {
            Ok(vec![import::csv(source, root, options)])
        })?,
        ImportSource::Wandb => files(a, &root, &mut tally, out, |source, root, options| {
            Ok(vec![import::wandb(source, root, options)])
        })?,
        ImportSource::Mlflow => {
            for address in &a.sources {
                server(a, address, &root, &mut tally, out)
                    .with_context(|| format!("cannot import {}", address.display()))?;
            }
        }
    }
    tally.end(out)
}

/// Files or folders, each by `import`.
fn files(
    a: &ImportArguments,
    root: &Root,
    tally: &mut Tally,
    out: &mut Output,
    import: impl Fn(
        &Path,
        &Root,
        &ImportOptions,
    ) -> Result<Vec<Result<Imported, ImportError>>, ImportError>,
) -> anyhow::Result<()> {
    if !a.experiments.is_empty() {
        return Err(Failure::usage(
            "only MLflow has experiments; leave --experiment out",
        ));
    }
    let project = a.project.as_deref();
    let project = project.ok_or_else(|| Failure::usage("say into which --project"))?;
    let options = options(a, super::project(project)?)?;
    for source in &a.sources {
        let runs = import(source, root, &options)
            .with_context(|| format!("cannot import {}", source.display()))?;
        for run in runs {
            tally.count(run, out)?;
        }
    }
    Ok(())
}

fn options(a: &ImportArguments, project: Project) -> anyhow::Result<ImportOptions> {
    let mut options = ImportOptions::new(project);
    options.name.clone_from(&a.name);
    options.group.clone_from(&a.group);
    options.tags.clone_from(&a.tags);
    options.config = config(&a.config)?;
    Ok(options)
}

/// The experiments of an MLflow server.
fn server(
    a: &ImportArguments,
    address: &Path,
    root: &Root,
    tally: &mut Tally,
    out: &mut Output,
) -> anyhow::Result<()> {
    let address = address
        .to_str()
        .ok_or_else(|| Failure::usage("the address of a server is plain text"))?;
    // What is wrong with them is said before anybody is asked.
    config(&a.config)?;
    let secrets = |name: &str| env::var(name).ok().filter(|secret| !secret.is_empty());
    let server = MlflowServer::new(address, &Credentials::from_secrets(&secrets))?;
    let experiments = match a.experiments.is_empty() {
        true => server.experiments()?,
        false => a.experiments.clone(),
    };
    for experiment in experiments {
        let project = match &a.project {
            Some(project) => super::project(project)?,
            None => import::project_named(&experiment)?,
        };
        let options = options(a, project)?;
        for run in server.runs(&experiment, root, &options)? {
            match run {
                // Nobody answers: the other experiments have to wait as well.
                Err(ImportError::Server(error)) if error.is_temporary() => {
                    return Err(error.into());
                }
                // As when it is asked for what came since the last time.
                Err(ImportError::AlreadyImported { .. }) => tally.known += 1,
                Err(ImportError::Unfinished { .. }) => tally.unfinished += 1,
                run => tally.count(run, out)?,
            }
        }
    }
    Ok(())
}

/// What became of runs.
#[derive(Default)]
struct Tally {
    failed: u64,
    /// There already.
    known: u64,
    /// Left for another time.
    unfinished: u64,
}

impl Tally {
    fn count(
        &mut self,
        run: Result<Imported, ImportError>,
        out: &mut Output,
    ) -> anyhow::Result<()> {
        match run {
            Ok(run) => report(&run, out)?,
            Err(error) => {
                self.failed += 1;
                eprintln!("cresset: {}", human::clean(&error.to_string()));
            }
        }
        Ok(())
    }

    fn end(&self, out: &mut Output) -> anyhow::Result<Exit> {
        for (count, what) in [
            (self.known, "here already"),
            (self.unfinished, "left for later: still going on"),
        ] {
            if count > 0 {
                out.line(format!("{} {what}", human::count(count, "run")))?;
            }
        }
        Ok(if self.failed == 0 {
            Exit::Ok
        } else {
            Exit::Error
        })
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

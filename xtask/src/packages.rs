//! What would be published: that each package says what it is, has what it must have, and builds by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::root;
use crate::shell::{self, cargo};

/// Largest package, in bytes before compression: the server brings the dashboard.
const MAX_BYTES: u64 = 2 << 20;
/// What each must have beside its code.
const TEXTS: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    description: Option<String>,
    license: Option<String>,
    repository: Option<String>,
    readme: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    /// Where it may be published; empty is nowhere.
    publish: Option<Vec<String>>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Target {
    fn is_library(&self) -> bool {
        self.kind.iter().any(|kind| kind == "lib")
    }
}

/// What to do with them.
#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Also builds each from the files that it would be published with, and nothing else: minutes.
    #[arg(long)]
    build: bool,
}

/// Checks the packages that may be published.
///
/// # Errors
/// If one lacks what a registry shows of it, is too large, or does not build.
pub(crate) fn run(options: &Options) -> Result<()> {
    let published = published()?;
    check(&published)?;
    if options.build {
        let mut package = cargo(["package", "--allow-dirty"]);
        for each in &published {
            package.args(["--package", &each.name]);
        }
        shell::run(&mut package)?;
    }
    Ok(())
}

/// The names of the libraries that may be published.
///
/// # Errors
/// If cargo cannot tell.
pub(crate) fn libraries() -> Result<Vec<String>> {
    let published = published()?.into_iter();
    let libraries = published.filter(|package| package.targets.iter().any(Target::is_library));
    Ok(libraries.map(|package| package.name).collect())
}

fn published() -> Result<Vec<Package>> {
    let Metadata { mut packages } = serde_json::from_str(&shell::metadata(root())?)
        .context("cargo metadata has another form than expected")?;
    packages.retain(|package| package.publish.is_none());
    Ok(packages)
}

fn check(published: &[Package]) -> Result<()> {
    let mut faults = Vec::new();
    for package in published {
        faults.extend(package.lacks());
        let files = package.files()?;
        let texts = TEXTS
            .iter()
            .filter(|text| !files.lines().any(|file| file == **text));
        faults.extend(
            texts.map(|text| format!("{} would be published without {text}", package.name)),
        );
        let bytes = package.bytes(&files);
        println!("{:20} {:5} KiB", package.name, bytes >> 10);
        if bytes > MAX_BYTES {
            faults.push(format!(
                "{} would have {bytes} bytes, and {MAX_BYTES} are allowed; leave files out with `exclude`",
                package.name
            ));
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => bail!("{}", faults.join("\n")),
    }
}

impl Package {
    fn lacks(&self) -> Option<String> {
        let fields = BTreeMap::from([
            ("description", self.description.is_some()),
            ("license", self.license.is_some()),
            ("repository", self.repository.is_some()),
            ("readme", self.readme.is_some()),
            ("keywords", !self.keywords.is_empty()),
            ("categories", !self.categories.is_empty()),
        ]);
        let lacking: Vec<&str> = fields
            .into_iter()
            .filter_map(|(field, is_there)| (!is_there).then_some(field))
            .collect();
        (!lacking.is_empty()).then(|| {
            format!(
                "{} has no {}; give it in its Cargo.toml, or say `publish = false`",
                self.name,
                lacking.join(", ")
            )
        })
    }

    /// The files that it would have, a line each.
    fn files(&self) -> Result<String> {
        let mut list = cargo(["package", "--list", "--allow-dirty", "--package"]);
        shell::read(list.arg(&self.name))
    }

    fn bytes(&self, files: &str) -> u64 {
        let folder = self.manifest_path.parent().unwrap_or(&self.manifest_path);
        // What cargo makes itself is not in the folder.
        let sizes = files
            .lines()
            .filter_map(|file| fs::metadata(folder.join(file)).ok());
        sizes.map(|data| data.len()).sum()
    }
}

//! What would be published: that each package says what it is, and how large it would be.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::root;
use crate::shell::{self, cargo};

/// Largest package, in bytes before compression: the server brings the dashboard.
const MAX_BYTES: u64 = 2 << 20;

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
}

/// Checks the packages that may be published.
///
/// # Errors
/// If one lacks what a registry shows of it, or is too large.
pub(crate) fn check() -> Result<()> {
    let Metadata { packages } = serde_json::from_str(&shell::metadata(root())?)
        .context("cargo metadata has another form than expected")?;
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| package.publish.is_none()) {
        faults.extend(package.lacks());
        let bytes = package.bytes()?;
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

    /// Of the files that it would have.
    fn bytes(&self) -> Result<u64> {
        let mut list = cargo(["package", "--list", "--allow-dirty", "--package"]);
        let list = shell::read(list.arg(&self.name))?;
        let folder = self.manifest_path.parent().unwrap_or(&self.manifest_path);
        // What cargo makes itself is not in the folder.
        let sizes = list
            .lines()
            .filter_map(|file| fs::metadata(folder.join(file)).ok());
        Ok(sizes.map(|data| data.len()).sum())
    }
}

//! Places for what the importers read and write: in memory where the system has such a place.

use std::fs;
use std::path::PathBuf;

use cresset_record::{Project, Root, RunView};
use cresset_ship::import::{ImportOptions, Imported};

pub struct Place(PathBuf);

impl Place {
    /// An empty folder that is gone with this.
    pub fn new() -> Self {
        let memory = PathBuf::from("/dev/shm");
        let above = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let folder = above.join(format!("cresset-fuzz-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("from")).expect("a folder");
        Self(folder)
    }

    /// A file to import.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join("from").join(name);
        fs::write(&path, bytes).expect("room for a file");
        path
    }

    pub fn runs(&self) -> Root {
        Root::new(self.0.join("into"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn options() -> ImportOptions {
    ImportOptions::new(Project::try_from("fuzz".to_owned()).expect("a name"))
}

/// What was imported is a run without damage, that has what was told.
pub fn look(imported: &Imported) {
    let view = RunView::open(imported.run.clone()).expect("a run");
    assert_eq!(view.damage(), []);
    assert!(view.start().is_some());
    let points: usize = view
        .series()
        .map(|(_, _, series)| series.points().len())
        .sum();
    assert_eq!(points as u64, imported.points);
}

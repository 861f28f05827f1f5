//! What the guides tell people to type is typed here, and what they show is held against what comes.
//!
//! Of each page in `docs/guides` the ```` ```sh ```` blocks are run in order by one shell, in a new folder with runs that were recorded before
//! ([`recorded`]), and a ```` ```text ```` block right behind one is what it prints: `…` stands for anything. Blocks in comments
//! (`<!--sh`) are run too and not seen by readers. Blocks marked ```` ```sh elsewhere ````, and the commands of all other pages, are only
//! parsed: the command must know each word.
#![cfg(unix)]

mod page;
mod recorded;
mod shell;

use std::fs;
use std::path::{Path, PathBuf};

use page::Page;
use shell::Shell;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn markdown(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(repository().join(folder)).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect()
}

#[track_caller]
fn typed(name: &str) {
    let text = fs::read_to_string(repository().join(format!("docs/guides/{name}.md"))).unwrap();
    let page = Page::read(&text);
    let shell = Shell::new();
    // What goes on while the page is followed ends with it.
    let _running = recorded::before(name, &shell.runs());
    let printed = shell.run(&page.script());
    page.compare(&printed);
}

macro_rules! pages {
    ($($test:ident $name:literal,)*) => {
        $(#[test]
        fn $test() {
            typed($name);
        })*

        const PAGES: &[&str] = &[$($name),*];
    };
}

pages! {
    candle "candle",
    burn "burn",
    loops "loops",
    telemetry "telemetry",
    dashboard "dashboard",
    teams "teams",
    other_trackers "other-trackers",
    troubleshooting "troubleshooting",
}

#[test]
fn every_guide_is_typed() {
    for file in markdown("docs/guides") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(
            PAGES.contains(&name),
            "add {name} to the pages of this test"
        );
    }
}

#[test]
fn every_command_on_every_page_is_one_that_the_command_knows() {
    let mut files = markdown("docs/guides");
    files.extend(markdown("docs"));
    files.extend([
        repository().join("README.md"),
        repository().join("crates/cresset-cli/README.md"),
    ]);
    let shell = Shell::new();
    let mut commands = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for command in page::commands(&text) {
            if let Err(why) = shell.parses(&command) {
                panic!("{}: `{command}`: {why}", file.display());
            }
            commands += 1;
        }
    }
    assert!(
        commands > 50,
        "only {commands} commands were found: is the form of the pages another?"
    );
}

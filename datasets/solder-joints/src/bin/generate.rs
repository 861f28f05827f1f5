//! Writes a data set: `generate FOLDER [--crops N] [--size N] [--seed N] [--boards N] [--lines N]
//! [--contact-sheet FILE]`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::{RgbImage, imageops};
use solder_joints::{GenerateConfig, Index, JointClass, generate};

const USAGE: &str = "usage: generate FOLDER [--crops N] [--size N] [--seed N] [--boards N] [--lines N] \
                     [--contact-sheet FILE]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut config = GenerateConfig::default();
    let (mut folder, mut sheet, mut boards) = (None, None, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if !arg.starts_with("--") {
            folder = Some(PathBuf::from(arg));
            continue;
        }
        let value = args.next().ok_or(format!("{arg} needs a value\n{USAGE}"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{arg} {value}: not a number\n{USAGE}"))
        };
        match arg.as_str() {
            "--crops" => config.crops = number()? as usize,
            "--size" => config.size = number()? as u32,
            "--seed" => config.seed = number()?,
            "--boards" => boards = Some(number()? as u32),
            "--lines" => config.lines = number()? as u32,
            "--contact-sheet" => sheet = Some(PathBuf::from(value)),
            _ => return Err(format!("{arg}: no such option\n{USAGE}")),
        }
    }
    // Fifty crops a board, as in the default, unless told otherwise.
    config.boards = boards.unwrap_or((config.crops / 50).max(12) as u32);
    let folder = folder.ok_or(USAGE)?;
    let summary = generate(&folder, &config, |done, total| {
        if done == total || done % 1000 == 0 {
            eprintln!("{done} of {total}");
        }
    })
    .map_err(|error| error.to_string())?;
    for (class, count) in JointClass::ALL.iter().zip(summary.per_class) {
        eprintln!("{:>6} {}", count, class.name());
    }
    eprintln!(
        "{} drawn, {} there before",
        summary.drawn,
        summary.crops - summary.drawn
    );
    match sheet {
        Some(file) => {
            contact_sheet(&folder, &file).map_err(|error| format!("{}: {error}", file.display()))
        }
        None => Ok(()),
    }
}

/// Two rows of each class, enlarged, to be looked at.
fn contact_sheet(folder: &Path, file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    const COLUMNS: usize = 12;
    let index = Index::read(folder)?.ok_or("no index")?;
    let zoom = (128 / index.config.size).max(1);
    let cell = index.config.size * zoom + 4;
    let rows = 2 * JointClass::ALL.len();
    let mut sheet = RgbImage::from_pixel(
        COLUMNS as u32 * cell,
        rows as u32 * cell,
        image::Rgb([255; 3]),
    );
    for (row, class) in JointClass::ALL.iter().enumerate() {
        let members = index
            .crops
            .iter()
            .filter(|crop| crop.class == *class)
            .take(2 * COLUMNS);
        for (i, crop) in members.enumerate() {
            let picture = image::open(folder.join(&crop.path))?.to_rgb8();
            let side = index.config.size * zoom;
            let picture = imageops::resize(&picture, side, side, imageops::FilterType::CatmullRom);
            let (x, y) = (i % COLUMNS, 2 * row + i / COLUMNS);
            imageops::overlay(
                &mut sheet,
                &picture,
                i64::from(x as u32 * cell + 2),
                i64::from(y as u32 * cell + 2),
            );
        }
    }
    sheet.save(file)?;
    Ok(())
}

//! Small data sets for the tests of the loader.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// The data set that comes with the crate.
pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample")
}

/// Writes a picture whose colours tell `number`, in the format of the file's ending.
pub(crate) fn picture(path: &Path, number: u32, width: u32, height: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let shade = |x: u32, y: u32| {
        Rgb([
            (number * 37 % 256) as u8,
            (x * 5 % 256) as u8,
            (y * 7 % 256) as u8,
        ])
    };
    let picture = DynamicImage::from(RgbImage::from_fn(width, height, shade));
    picture
        .save_with_format(path, ImageFormat::from_path(path).unwrap())
        .unwrap();
}

/// Two classes of `count` pictures each, in all three formats and several sizes.
pub(crate) fn two_classes(root: &Path, count: u32) {
    for (c, class) in ["left", "right"].iter().enumerate() {
        for i in 0..count {
            let ending = ["png", "jpg", "webp"][i as usize % 3];
            let number = c as u32 * 1000 + i;
            picture(
                &root.join(class).join(format!("{i:03}.{ending}")),
                number,
                20 + i % 7,
                24 + i % 5,
            );
        }
    }
}

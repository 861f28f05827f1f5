use std::collections::HashMap;

use ::image::{GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

use super::{Folder, detail};
use crate::media::blur::{cell_start, cells};
use crate::media::{Image, MediaError, Redaction, RedactionError, Region};

/// The colour of what must not be seen.
const SECRET: Rgb<u8> = Rgb([201, 17, 93]);

/// 40 × 30 pixels with a secret of 10 × 6 at (12, 8).
fn image() -> RgbImage {
    RgbImage::from_fn(40, 30, |x, y| {
        if (12..22).contains(&x) && (8..14).contains(&y) {
            SECRET
        } else {
            Rgb([x as u8, y as u8, 50])
        }
    })
}

const WHERE: fn() -> Region = || Region::pixels(12, 8, 10, 6);

/// Whether the secret can be read off anything on disk.
fn leaked(folder: &Folder) -> bool {
    folder.files().iter().any(|bytes| {
        let png = ::image::load_from_memory_with_format(bytes, ImageFormat::Png).unwrap();
        png.to_rgba8().pixels().any(|p| p.0[..3] == SECRET.0)
    })
}

#[test]
fn the_secret_is_nowhere_on_disk() {
    let fill = || Redaction::fill([WHERE()], [0, 0, 0]);
    let closure = || {
        Redaction::with(|image| {
            for (x, y, pixel) in image.enumerate_pixels_mut() {
                if (12..22).contains(&x) && (8..14).contains(&y) {
                    pixel.0[..3].copy_from_slice(&[9, 9, 9]);
                }
            }
        })
    };
    // Averages of one colour are that colour: blurring is told of a little more than the secret.
    let wider = [Region::fractions(0.2, 0.1, 0.5, 0.6)];
    let blur = || Redaction::blur(wider, 3);
    // The test can see a leak.
    let folder = Folder::new();
    folder.encode(image());
    assert!(leaked(&folder));

    for how in [fill(), closure(), blur()] {
        let folder = Folder::new();
        let media = folder
            .try_encode("val/worst", image(), std::slice::from_ref(&how))
            .unwrap();
        assert!(!leaked(&folder), "{how:?}");
        let png = folder.image(&media).to_rgb8();
        assert_eq!(png.get_pixel(0, 0), &Rgb([0, 0, 50]), "the rest stays");
        assert_eq!(png.get_pixel(39, 29), &Rgb([39, 29, 50]), "the rest stays");

        let folder = Folder::new();
        folder.encode(Image::from(image()).redact(how.clone()));
        assert!(!leaked(&folder), "{how:?} of the image's own");
    }
}

#[test]
fn fill_paints_exactly_the_region() {
    let folder = Folder::new();
    let corner = Region::pixels(38, 28, 100, 100);
    let media = folder
        .try_encode(
            "a",
            image(),
            &[Redaction::fill([WHERE(), corner], [1, 2, 3])],
        )
        .unwrap();
    for (x, y, pixel) in folder.image(&media).to_rgb8().enumerate_pixels() {
        let filled = (12..22).contains(&x) && (8..14).contains(&y) || (x >= 38 && y >= 28);
        let expected = if filled {
            Rgb([1, 2, 3])
        } else {
            *image().get_pixel(x, y)
        };
        assert_eq!(*pixel, expected, "at {x}, {y}");
    }
}

#[test]
fn keys_choose_among_the_redactions_of_the_run() {
    let redaction = Redaction::fill([WHERE()], [0; 3]).for_keys("val/*");
    for (key, expected) in [("val/worst", false), ("train/worst", true), ("val", true)] {
        let folder = Folder::new();
        folder
            .try_encode(key, image(), std::slice::from_ref(&redaction))
            .unwrap();
        assert_eq!(leaked(&folder), expected, "{key}");
        // An image's own are for that image, whatever its key.
        let folder = Folder::new();
        let own = Image::from(image()).redact(redaction.clone());
        folder.try_encode(key, own, &[]).unwrap();
        assert!(!leaked(&folder), "{key}");
    }
}

#[test]
fn what_cannot_be_redacted_is_not_written() {
    let first = || Redaction::fill([WHERE()], [0; 3]);
    let panicking = Redaction::with(|image| {
        image.put_pixel(0, 0, Rgba([0; 4]));
        panic!("no face {}", "found");
    });
    for (redaction, said) in [
        (Redaction::fill([], [0; 3]), "has no region"),
        (Redaction::blur([], 9), "has no region"),
        (
            Redaction::fill([WHERE(), Region::pixels(0, 0, 0, 9)], [0; 3]),
            "covers nothing of an image of 40 × 30 pixels",
        ),
        (
            Redaction::blur([Region::pixels(40, 0, 5, 5)], 9),
            "covers nothing",
        ),
        (
            Redaction::blur([Region::fractions(f64::NAN, 0.0, 1.0, 1.0)], 9),
            "covers nothing",
        ),
        (panicking, "the closure panicked: no face found"),
        (
            Redaction::with(|_| std::panic::panic_any(7)),
            "the closure panicked: without a message",
        ),
        (
            Redaction::with(|image| *image = RgbaImage::new(3, 4)),
            "the closure made 3 × 4 pixels of 40 × 30",
        ),
    ] {
        for (own, of_run) in [
            (vec![first(), redaction.clone()], vec![]),
            (vec![], vec![first(), redaction.clone()]),
        ] {
            let folder = Folder::new();
            let image = Image::from(image())
                .mask("m", vec![1; 1200], ["a", "b"])
                .unwrap();
            let image = own.into_iter().fold(image, Image::redact);
            let error = folder.try_encode("a", image, &of_run).unwrap_err();
            assert!(folder.files().is_empty(), "{redaction:?}");
            let text = error.to_string();
            assert!(
                text.contains("the image was not written") && text.contains(said),
                "{text}"
            );
            assert!(!error.is_storage());
        }
    }
}

#[test]
fn hidden_pixels_keep_no_colour() {
    let folder = Folder::new();
    let hide = Redaction::with(|image| {
        for pixel in image.pixels_mut().filter(|p| p.0[..3] == SECRET.0) {
            pixel.0[3] = 0;
        }
    });
    let media = folder.try_encode("a", image(), &[hide]).unwrap();
    assert!(!leaked(&folder));
    let png = folder.image(&media).to_rgba8();
    assert_eq!(png.get_pixel(12, 8), &Rgba([0; 4]));
    assert_eq!(png.get_pixel(0, 0), &Rgba([0, 0, 50, 255]));
}

#[test]
fn redactions_work_on_grey_and_on_floats() {
    let folder = Folder::new();
    let red = [Redaction::fill([Region::everything()], [255, 0, 0])];
    for image in [
        Image::from(GrayImage::from_pixel(5, 4, [77].into())),
        Image::from_chw_f32(vec![0.3; 20], 1, 4, 5, 0.0..=1.0).unwrap(),
        Image::from_chw_u8(vec![9; 80], 4, 4, 5).unwrap(),
    ] {
        let media = folder.try_encode("a", image, &red).unwrap();
        let png = folder.image(&media).to_rgba8();
        assert!(png.pixels().all(|p| p.0 == [255, 0, 0, 255]));
        let detail = detail(media);
        assert_eq!((detail.width, detail.height), (5, 4));
    }
}

#[test]
fn an_error_keeps_its_cause() {
    let folder = Folder::new();
    let error = folder.try_encode("a", image(), &[Redaction::fill([], [0; 3])]);
    assert!(matches!(
        error,
        Err(MediaError::Redaction(RedactionError::NoRegion))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Shuffling the pixels within each cell keeps its average. If the blurred images are equal byte by byte, nothing
    /// of the arrangement, which is what could be read, is in them.
    #[test]
    fn a_blur_keeps_averages_and_nothing_else(
        (width, height) in (1..70u32, 1..70u32),
        radius in 0..12u32,
        seed in any::<u64>(),
    ) {
        let mut random = seed;
        let mut next = move || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as u32
        };
        let text = RgbImage::from_fn(width, height, |_, _| if next() % 3 == 0 { Rgb([0; 3]) } else { Rgb([255, 250, 240]) });

        let longer = width.max(height);
        let (columns, rows) = (cells(width, longer, radius), cells(height, longer, radius));
        prop_assert!(columns <= 8 && rows <= 8);
        let cell_of = |at: u32, length: u32, cells: u32| (0..cells).rfind(|&i| cell_start(i, length, cells) <= at).unwrap();
        let mut members: HashMap<(u32, u32), Vec<(u32, u32)>> = HashMap::new();
        for (x, y, _) in text.enumerate_pixels() {
            members.entry((cell_of(x, width, columns), cell_of(y, height, rows))).or_default().push((x, y));
        }
        let mut shuffled = text.clone();
        for places in members.values() {
            // A cell is larger than the strokes of text, unless the region ends before.
            let enough = width.min(8) * height.min(8);
            prop_assert!(places.len() as u32 >= enough.min(8 * 8) / 4);
            for i in (1..places.len()).rev() {
                let (a, b) = (places[i], places[next() as usize % (i + 1)]);
                let (first, second) = (*shuffled.get_pixel(a.0, a.1), *shuffled.get_pixel(b.0, b.1));
                shuffled.put_pixel(a.0, a.1, second);
                shuffled.put_pixel(b.0, b.1, first);
            }
        }
        let folder = Folder::new();
        let blur = [Redaction::blur([Region::everything()], radius)];
        let [a, b] = [text, shuffled].map(|image| folder.blob(&folder.try_encode("a", image, &blur).unwrap()).0);
        prop_assert_eq!(a, b);
        prop_assert_eq!(folder.files().len(), 1);
    }
}

#[test]
fn a_blur_has_no_edges_and_keeps_the_mean() {
    let folder = Folder::new();
    // Left half black, right half white.
    let halves = GrayImage::from_fn(64, 64, |x, _| [if x < 32 { 0 } else { 255 }].into());
    let media = folder
        .try_encode("a", halves, &[Redaction::blur([Region::everything()], 3)])
        .unwrap();
    let png = folder.image(&media).to_luma8();
    let row: Vec<u8> = (0..64).map(|x| png.get_pixel(x, 30)[0]).collect();
    assert!(row.is_sorted() && row[0] == 0 && row[63] == 255, "{row:?}");
    assert!(row.windows(2).all(|w| w[1] - w[0] < 48), "{row:?}");
    let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / 64.0;
    assert!((mean - 127.5).abs() < 0.5, "{mean}");
}

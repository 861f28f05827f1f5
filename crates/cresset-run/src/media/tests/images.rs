use ::image::{ColorType, DynamicImage, GrayAlphaImage, Luma, Rgb, Rgb32FImage, RgbImage};
use cresset_record::{BoundingBox, Sample};
use proptest::prelude::*;

use super::{Folder, detail};
use crate::media::{Image, ImageError, MediaError};

/// Height, width, channels and a value for each of their combinations, channels last.
fn buffer<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = ([usize; 3], Vec<T>)> {
    (
        1..9usize,
        1..9usize,
        prop::sample::select(vec![1, 3, 4usize]),
    )
        .prop_flat_map(move |(height, width, channels)| {
            let values = prop::collection::vec(value.clone(), height * width * channels);
            (Just([height, width, channels]), values)
        })
}

/// The same values, channels first.
fn channels_first<T: Copy>([height, width, channels]: [usize; 3], values: &[T]) -> Vec<T> {
    let mut out = Vec::new();
    for c in 0..channels {
        for y in 0..height {
            for x in 0..width {
                out.push(values[(y * width + x) * channels + c]);
            }
        }
    }
    out
}

/// What must come back: RGBA, pixel by pixel.
fn expected(channels: usize, pixel: &[u8]) -> [u8; 4] {
    match channels {
        1 => [pixel[0], pixel[0], pixel[0], 255],
        3 => [pixel[0], pixel[1], pixel[2], 255],
        _ => [pixel[0], pixel[1], pixel[2], pixel[3]],
    }
}

fn written(image: Image) -> (DynamicImage, [usize; 2]) {
    let folder = Folder::new();
    let media = folder.encode(image);
    let png = folder.image(&media);
    let detail = detail(media);
    assert_eq!((detail.width, detail.height), (png.width(), png.height()));
    (png, [detail.height as usize, detail.width as usize])
}

fn assert_rgba(image: Image, [height, width, channels]: [usize; 3], bytes: &[u8], slack: u8) {
    let (png, size) = written(image);
    assert_eq!(size, [height, width]);
    let png = png.to_rgba8();
    for (at, pixel) in bytes.chunks(channels).enumerate() {
        let found = png.get_pixel((at % width) as u32, (at / width) as u32).0;
        let expected = expected(channels, pixel);
        let near = found
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(b) <= slack);
        assert!(near, "pixel {at}: {found:?}, expected {expected:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_of_both_layouts_come_back((shape, values) in buffer(any::<u8>())) {
        let [h, w, c] = shape;
        assert_rgba(Image::from_hwc_u8(&values[..], h, w, c).unwrap(), shape, &values, 0);
        let planes = channels_first(shape, &values);
        assert_rgba(Image::from_chw_u8(planes, c, h, w).unwrap(), shape, &values, 0);
    }

    #[test]
    fn floats_of_both_layouts_come_back(
        (shape, values) in buffer(prop_oneof![
            -3.0..3.0f32,
            Just(f32::INFINITY),
            Just(f32::NEG_INFINITY),
            Just(f32::MAX),
        ]),
        start in -2.0..1.0f32,
        length in 0.01..2.0f32,
    ) {
        let [h, w, c] = shape;
        let range = start..=start + length;
        let (lo, hi) = (f64::from(start), f64::from(start + length));
        let bytes: Vec<u8> = values
            .iter()
            .map(|&v| ((f64::from(v).clamp(lo, hi) - lo) / (hi - lo) * 255.0).round() as u8)
            .collect();
        // Halves may be rounded either way.
        assert_rgba(Image::from_hwc_f32(&values[..], h, w, c, range.clone()).unwrap(), shape, &bytes, 1);
        let planes = channels_first(shape, &values);
        assert_rgba(Image::from_chw_f32(planes, c, h, w, range).unwrap(), shape, &bytes, 1);
    }

    #[test]
    fn a_pixel_with_nan_is_magenta(
        (shape, values) in buffer(prop_oneof![3 => 0.0..1.0f32, 1 => Just(f32::NAN)]),
    ) {
        let [h, w, c] = shape;
        let planes = channels_first(shape, &values);
        for image in [
            Image::from_hwc_f32(&values[..], h, w, c, 0.0..=1.0),
            Image::from_chw_f32(&planes[..], c, h, w, 0.0..=1.0),
        ] {
            let png = written(image.unwrap()).0.to_rgba8();
            for (at, pixel) in values.chunks(c).enumerate() {
                let found = png.get_pixel((at % w) as u32, (at / w) as u32).0;
                if pixel.iter().any(|v| v.is_nan()) {
                    prop_assert_eq!(found, [255, 0, 255, 255]);
                } else {
                    let bytes: Vec<u8> = pixel.iter().map(|v| (v * 255.0).round() as u8).collect();
                    let expected = expected(c, &bytes);
                    prop_assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 1));
                }
            }
        }
    }
}

#[test]
fn every_level_of_grey_comes_back_from_floats() {
    let bytes: Vec<u8> = (0..=255).collect();
    for (range, back) in [
        (0.0..=1.0, (|b| f32::from(b) / 255.0) as fn(u8) -> f32),
        (-1.0..=1.0, |b| f32::from(b) / 127.5 - 1.0),
        (0.0..=255.0, f32::from),
    ] {
        let values: Vec<f32> = bytes.iter().map(|&b| back(b)).collect();
        let image = Image::from_chw_f32(values, 1, 16, 16, range).unwrap();
        let (png, _) = written(image);
        assert_eq!((png.color(), png.as_bytes()), (ColorType::L8, &bytes[..]));
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let zeros = |n: usize| vec![0u8; n];
    for (image, said) in [
        (
            Image::from_hwc_u8(zeros(11), 2, 2, 3),
            "11 values for an image of 2 × 2 pixels (height × width) and 3 channels, expected 12",
        ),
        (Image::from_chw_u8(zeros(13), 3, 2, 2), "13 values"),
        (
            Image::from_hwc_u8(zeros(8), 2, 2, 2),
            "an image of 2 channels; 1 (grey), 3 (RGB) or 4 (RGBA)",
        ),
        (
            Image::from_hwc_u8(zeros(0), 2, 2, 0),
            "an image of 0 channels",
        ),
        (
            Image::from_hwc_u8(zeros(0), 0, 7, 3),
            "an image of 7 × 0 pixels",
        ),
        (
            Image::from_hwc_u8(zeros(0), 20_000, 5_001, 3),
            "at most 100000000 pixels",
        ),
        (
            Image::from_hwc_u8(zeros(0), usize::MAX, 2, 3),
            "at most 100000000 pixels",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, 1.0..=0.0),
            "pixel values from 1 to 0;",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, 0.0..=0.0),
            "pixel values from 0 to 0;",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, f32::NAN..=1.0),
            "pixel values from NaN",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, 0.0..=f32::INFINITY),
            "to inf;",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, f32::MIN..=f32::MAX),
            "pixel values from",
        ),
        (
            Image::from_hwc_f32([0.5], 1, 1, 1, 0.0..=f32::from_bits(1)),
            "pixel values from",
        ),
    ] {
        let error = image.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let folder = Folder::new();
    let error = folder
        .try_encode("a", RgbImage::new(0, 5), &[])
        .unwrap_err();
    assert!(
        matches!(
            &error,
            MediaError::Image(ImageError::Empty {
                width: 0,
                height: 5
            })
        ),
        "{error}"
    );
    assert!(!error.is_storage());
    assert!(folder.files().is_empty());
}

#[test]
fn deep_images_are_written_with_8_bits() {
    let grey = DynamicImage::from(::image::ImageBuffer::<Luma<u16>, _>::from_pixel(
        3,
        2,
        Luma([0x8000]),
    ));
    let alpha = DynamicImage::from(GrayAlphaImage::from_pixel(3, 2, ::image::LumaA([7, 9])));
    let float = DynamicImage::from(Rgb32FImage::from_pixel(3, 2, Rgb([0.0, 1.0, 7.0])));
    for (image, colour, pixel) in [
        (grey, ColorType::L8, [128, 128, 128, 255]),
        (alpha, ColorType::Rgba8, [7, 7, 7, 9]),
        (float, ColorType::Rgb8, [0, 255, 255, 255]),
    ] {
        let (png, size) = written(image.into());
        assert_eq!((png.color(), size), (colour, [2, 3]));
        assert!(png.to_rgba8().pixels().all(|p| p.0 == pixel));
    }
}

#[test]
fn boxes_masks_caption_and_sample_go_along() {
    let folder = Folder::new();
    let found = |label: &str, score| BoundingBox {
        x: 1.0,
        y: 2.0,
        width: 3.0,
        height: 4.5,
        label: label.to_owned(),
        score,
    };
    let sample = Sample {
        dataset_index: 12,
        true_class: "void".into(),
        predicted_class: "bridge".into(),
        confidence: 0.97,
    };
    let mask: Vec<u8> = (0..35).map(|i| i % 3).collect();
    let image = Image::from(RgbImage::from_pixel(7, 5, Rgb([1, 2, 3])))
        .caption("a <b>joint</b>")
        .boxed(found("void", Some(0.5)))
        .boxes([found("bridge", None)])
        .mask("ground_truth", &mask[..], ["background", "void"])
        .unwrap()
        .sample(sample.clone());
    let media = folder.encode(image);
    assert_eq!(media.caption.as_deref(), Some("a <b>joint</b>"));
    let detail = detail(media);
    assert_eq!(
        detail.boxes,
        [found("void", Some(0.5)), found("bridge", None)]
    );
    assert_eq!(detail.sample, Some(sample));
    let [stored] = &detail.masks[..] else {
        panic!("{detail:?}")
    };
    assert_eq!(
        (&stored.name[..], &stored.classes[..]),
        (
            "ground_truth",
            &["background".to_owned(), "void".to_owned()][..]
        )
    );
    assert_eq!(stored.blob.media_type, "image/png");
    let png = ::image::load_from_memory(&folder.blobs.get(&stored.blob).unwrap()).unwrap();
    assert_eq!((png.color(), png.as_bytes()), (ColorType::L8, &mask[..]));
}

#[test]
fn a_diverging_model_still_shows_its_image() {
    let folder = Folder::new();
    let image = Image::from(RgbImage::new(4, 4))
        .boxed(BoundingBox {
            x: f32::NAN,
            y: f32::INFINITY,
            width: 1.0,
            height: 1.0,
            label: "void".into(),
            score: Some(f32::NAN),
        })
        .sample(Sample {
            dataset_index: 0,
            true_class: "a".into(),
            predicted_class: "b".into(),
            confidence: f32::NAN,
        });
    // `encode` reads the record back.
    folder.encode(image);
}

#[test]
fn a_mask_has_the_size_of_its_image() {
    let error = Image::from_chw_f32(vec![0.0; 12], 3, 2, 2, 0.0..=1.0)
        .unwrap()
        .mask("m", [0, 1, 2], ["a"])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "mask \"m\" has 3 values for an image of 2 × 2 pixels"
    );
}

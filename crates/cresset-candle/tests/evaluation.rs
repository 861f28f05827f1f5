//! An evaluation pass from tensors, read back from the run.

mod device;

use candle_core::{DType, Result, Tensor};
use cresset_candle::Evaluation;
use cresset_record::{Content, Media, MediaDetail, RunDir, RunView};
use cresset_run::{Level, Run, init};

use crate::device::device;

const CLASSES: [&str; 3] = ["good", "bridge", "void"];

/// A run that is over, and the folder that its images are in.
struct Recorded {
    view: RunView,
    _dir: tempfile::TempDir,
}

fn recorded(work: impl FnOnce(&Run) -> Result<()>) -> Result<Recorded> {
    let dir = tempfile::tempdir()?;
    let run = init("evaluation").dir(dir.path()).start().unwrap();
    let path = run.dir().unwrap().to_owned();
    work(&run)?;
    let finished = run.finish();
    assert!(finished.complete && finished.lost == 0, "{finished:?}");
    Ok(Recorded {
        view: RunView::open(RunDir::new(&path)).unwrap(),
        _dir: dir,
    })
}

fn media<'a>(view: &'a RunView, key: &str) -> Vec<&'a Media> {
    let of_key = view.media().find(|(k, _, _)| k.as_str() == key);
    of_key
        .map(|(_, _, logged)| logged.iter().map(|l| &l.value).collect())
        .unwrap_or_default()
}

/// Width, height and RGB bytes of an image.
fn pixels(view: &RunView, media: &Media) -> (u32, u32, Vec<u8>) {
    let Content::Blob(blob) = &media.content else {
        panic!("{media:?}");
    };
    let bytes = view.dir().blobs().get(blob).unwrap();
    let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
    (image.width(), image.height(), image.into_raw())
}

fn logits(rows: &[[f32; 3]]) -> Result<Tensor> {
    Tensor::new(rows.as_flattened(), device())?.reshape((rows.len(), 3))
}

/// Grey images, each of one brightness.
fn flat_images(values: &[f32], height: usize, width: usize) -> Result<Tensor> {
    let n = values.len();
    let images = Tensor::new(values, device())?.reshape((n, 1, 1, 1))?;
    images.broadcast_as((n, 3, height, width))?.contiguous()
}

#[test]
fn a_pass_is_recorded_with_its_mistakes() -> Result<()> {
    let recorded = recorded(|run| {
        let mut evaluation = Evaluation::new(CLASSES);
        let first = logits(&[[2.0, -1.0, 0.5], [0.1, 3.0, -2.0], [0.0, 0.0, 4.0]])?;
        let images = flat_images(&[0.0, 0.2, 0.4], 8, 6)?;
        evaluation.push(
            &first,
            &Tensor::new(&[0u32, 2, 2], device())?,
            &[40, 41, 42],
            &images,
        )?;
        let second = logits(&[[5.0, 0.0, 0.0]])?.to_dtype(DType::BF16)?;
        let target = Tensor::new(&[1i64], device())?;
        evaluation.push(&second, &target, &[43], &flat_images(&[1.0], 8, 6)?)?;
        let report = evaluation.finish(run, "val", 7);
        assert_eq!(report.accuracy, Some(0.5));
        assert_eq!(report.mistakes.len(), 2);
        Ok(())
    })?;
    let view = &recorded.view;
    let accuracy = view.series_of("val/accuracy").unwrap().points();
    assert_eq!(
        (accuracy.len(), accuracy[0].step, accuracy[0].value),
        (1, 7, 0.5)
    );
    assert!(view.series_of("val/recall/void").is_some());
    for figure in ["val/confusion_matrix", "val/roc", "val/precision_recall"] {
        assert_eq!(media(view, figure).len(), 1, "{figure}");
    }
    assert!(matches!(
        media(view, "val/classes")[0].detail,
        MediaDetail::Table { rows: 3, .. }
    ));

    // The most confident first.
    let mistakes = media(view, "val/mistakes");
    let found: Vec<_> = mistakes
        .iter()
        .map(|media| {
            let MediaDetail::Image(detail) = &media.detail else {
                panic!("{media:?}");
            };
            let sample = detail.sample.as_ref().unwrap();
            let (width, height, bytes) = pixels(view, media);
            assert_eq!((width, height), (6, 8));
            (
                sample.dataset_index,
                media.caption.clone().unwrap(),
                bytes[0],
            )
        })
        .collect();
    let expected = [
        (43, "bridge taken for good, 98.7 %".to_owned(), 255),
        (41, "void taken for bridge, 94.2 %".to_owned(), 51),
    ];
    assert_eq!(found, expected);
    Ok(())
}

/// Every image a mistake: what is shown of a batch of images.
fn shown(evaluation: Evaluation, images: &Tensor) -> Result<Vec<(u32, u32, Vec<u8>)>> {
    let rows = images.dim(0)?;
    let recorded = recorded(|run| {
        let mut evaluation = evaluation;
        let logits = logits(&vec![[9.0, 0.0, 0.0]; rows])?;
        let targets = Tensor::ones(rows, DType::U8, device())?;
        let indices: Vec<u64> = (0..rows as u64).collect();
        evaluation.push(&logits, &targets, &indices, images)?;
        evaluation.finish(run, "test", 0);
        Ok(())
    })?;
    let mistakes = media(&recorded.view, "test/mistakes").into_iter();
    Ok(mistakes
        .map(|media| pixels(&recorded.view, media))
        .collect())
}

#[test]
fn large_images_become_thumbnails_by_averaging() -> Result<()> {
    // Columns alternate between black and white.
    let stripes = Tensor::arange(0u32, 300, device())?.to_dtype(DType::F32)?;
    let stripes = (&stripes - (&stripes * 0.5)?.floor()?.affine(2.0, 0.0)?)?;
    let images = stripes.broadcast_as((1, 3, 500, 300))?.contiguous()?;
    let found = shown(Evaluation::new(CLASSES), &images)?;
    let [(width, height, bytes)] = &found[..] else {
        panic!("{} images", found.len());
    };
    assert_eq!((*width, *height), (75, 125));
    assert!(bytes.iter().all(|b| *b == 128), "{:?}", &bytes[..9]);
    let found = shown(Evaluation::new(CLASSES).thumbnail_side(50), &images)?;
    assert_eq!((found[0].0, found[0].1), (30, 50));
    // A strip is never reduced to nothing.
    let strip = images.narrow(2, 0, 2)?;
    let found = shown(Evaluation::new(CLASSES).thumbnail_side(30), &strip)?;
    assert_eq!((found[0].0, found[0].1), (30, 1));
    Ok(())
}

#[test]
fn normalised_and_byte_images_are_shown_as_they_were() -> Result<()> {
    let (mean, std) = ([0.5, 0.25, 0.0], [0.5, 0.25, 1.0]);
    let original = [0.8f32, 0.2, 0.6];
    let planes: Vec<f32> = (0..3).map(|c| (original[c] - mean[c]) / std[c]).collect();
    let images = Tensor::new(&planes[..], device())?.reshape((1, 3, 1, 1))?;
    let images = images.broadcast_as((1, 3, 4, 4))?;
    let found = shown(Evaluation::new(CLASSES).denormalize(mean, std), &images)?;
    assert_eq!(found[0].2[..3], [204, 51, 153]);

    let bytes = Tensor::new(&[7u8, 100, 255], device())?.reshape((1, 3, 1, 1))?;
    let found = shown(Evaluation::new(CLASSES), &bytes.broadcast_as((1, 3, 4, 4))?)?;
    assert_eq!(found[0].2[..3], [7, 100, 255]);

    let wide = Tensor::full(127.5f32, (1, 1, 4, 4), device())?;
    let found = shown(Evaluation::new(CLASSES).pixel_range(0.0..=255.0), &wide)?;
    assert_eq!(found[0].2[..3], [128, 128, 128]);
    Ok(())
}

#[test]
fn mistakes_are_bounded_and_bad_rows_reported() -> Result<()> {
    let recorded = recorded(|run| {
        let mut evaluation = Evaluation::new(["a", "b"])
            .mistakes_per_pair(2)
            .max_mistakes(3);
        // One logit a row, of the second class.
        let logits = Tensor::new(&[4f32, 3.0, 2.0, -1.0, -2.0, f32::NAN, 1.0], device())?;
        let targets = Tensor::new(&[0i64, 0, 0, 1, 1, 1, -100], device())?;
        let images = flat_images(&[0.1; 7], 2, 2)?;
        let indices: Vec<u64> = (10..17).collect();
        evaluation.push(&logits.reshape((7, 1))?, &targets, &indices, &images)?;
        let report = evaluation.finish(run, "", 3);
        assert_eq!((report.rows, report.bad_rows), (5, 2));
        Ok(())
    })?;
    let view = &recorded.view;
    assert_eq!(media(view, "mistakes").len(), 3);
    let [alert] = view.alerts() else {
        panic!("{:?}", view.alerts());
    };
    assert_eq!((alert.level, alert.step), (Level::Warn, Some(3)));
    assert!(
        alert.text.starts_with("sample 15: a score is NaN"),
        "{}",
        alert.text
    );
    assert!(alert.text.contains("\nsample 16: target"), "{}", alert.text);
    Ok(())
}

#[test]
fn what_does_not_fit_together_is_refused() -> Result<()> {
    let logits = logits(&[[1.0, 2.0, 3.0]; 2])?;
    let targets = Tensor::new(&[0u32, 1], device())?;
    let images = flat_images(&[0.0; 2], 4, 4)?;
    let refuse = |logits: &Tensor, targets: &Tensor, indices: &[u64], images: &Tensor| {
        let mut evaluation = Evaluation::new(CLASSES).denormalize([0.5; 3], [0.5; 3]);
        let refused = evaluation
            .push(logits, targets, indices, images)
            .unwrap_err();
        refused
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let floats = targets.to_dtype(DType::F32)?;
    for (refused, expected) in [
        (
            refuse(&logits, &targets, &[0], &images),
            "2 images for 1 indices",
        ),
        (
            refuse(&logits, &targets.narrow(0, 0, 1)?, &[0, 1], &images),
            "6 scores for 1 targets",
        ),
        (
            refuse(&logits.unsqueeze(0)?, &targets, &[0, 1], &images),
            "logits of shape [1, 2, 3]",
        ),
        (
            refuse(&logits, &floats, &[0, 1], &images),
            "targets of type F32",
        ),
        (
            refuse(&logits, &targets, &[0, 1], &images.narrow(1, 0, 2)?),
            "images of 2 channels",
        ),
        (
            refuse(&logits, &targets, &[0, 1], &images.narrow(1, 0, 1)?),
            "3 means and 3 deviations",
        ),
        (
            refuse(&logits, &targets, &[0, 1], &images.narrow(2, 0, 0)?),
            "images of 4 × 0 pixels",
        ),
    ] {
        assert!(refused.starts_with(expected), "{refused}");
    }
    let mut evaluation = Evaluation::new(CLASSES).pixel_range(1.0..=0.0);
    let refused = evaluation
        .push(&logits, &targets, &[0, 1], &images)
        .unwrap_err();
    assert!(
        refused.to_string().starts_with("pixels from 1 to 0"),
        "{refused}"
    );
    Ok(())
}

#[test]
fn a_disabled_run_still_gets_its_metrics() -> Result<()> {
    let run = init("evaluation").disabled(true).start().unwrap();
    let mut evaluation = Evaluation::new(CLASSES);
    let targets = Tensor::new(&[2u32], device())?;
    evaluation.push_without_images(&logits(&[[1.0, 2.0, 3.0]])?, &targets, &[0])?;
    assert_eq!(evaluation.finish(&run, "val", 0).accuracy, Some(1.0));
    Ok(())
}

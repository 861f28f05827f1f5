//! Batches: the same whatever the threads, resumable, and honest about files that vanish.

mod common;

use std::fs;

use common::{sample, two_classes};
use solder_joints::{Augment, Batch, BatchError, BatchOptions, ImageFolder, LoadOptions, Split};

fn images() -> ImageFolder {
    ImageFolder::open(
        sample(),
        &LoadOptions {
            size: 32,
            threads: 2,
            ..LoadOptions::default()
        },
    )
    .unwrap()
}

fn shuffled() -> BatchOptions {
    BatchOptions {
        batch_size: 8,
        shuffle_seed: Some(3),
        epoch: 2,
        augment: Augment::Heavy,
        ..BatchOptions::default()
    }
}

fn all(images: &ImageFolder, options: &BatchOptions) -> Vec<Batch> {
    images
        .split(Split::Train)
        .batches(options)
        .map(Result::unwrap)
        .collect()
}

#[test]
fn threads_make_no_difference() {
    let images = images();
    let one = all(
        &images,
        &BatchOptions {
            threads: 1,
            ..shuffled()
        },
    );
    for (threads, ahead) in [(2, 0), (4, 0), (4, 1), (3, 100), (0, 0)] {
        assert_eq!(
            all(
                &images,
                &BatchOptions {
                    threads,
                    ahead,
                    ..shuffled()
                }
            ),
            one
        );
    }
}

#[test]
fn memory_makes_no_difference() {
    let options = LoadOptions {
        size: 32,
        memory: 0,
        ..LoadOptions::default()
    };
    assert_eq!(
        all(&ImageFolder::open(sample(), &options).unwrap(), &shuffled()),
        all(&images(), &shuffled())
    );
}

#[test]
fn resuming_gives_the_tail() {
    let images = images();
    let whole = all(&images, &shuffled());
    for start_batch in 0..=whole.len() + 1 {
        let tail = all(
            &images,
            &BatchOptions {
                start_batch,
                threads: 2,
                ..shuffled()
            },
        );
        assert_eq!(tail, whole[start_batch.min(whole.len())..]);
    }
}

#[test]
fn every_picture_comes_once_an_epoch_in_a_new_order() {
    let images = images();
    let order = |epoch| -> Vec<usize> {
        all(
            &images,
            &BatchOptions {
                epoch,
                ..shuffled()
            },
        )
        .into_iter()
        .flat_map(|batch| batch.indices)
        .collect()
    };
    let (first, second) = (order(0), order(1));
    assert_ne!(first, second);
    for mut order in [first, second] {
        order.sort_unstable();
        assert_eq!(order, images.split(Split::Train).indices());
    }
}

#[test]
fn a_batch_is_what_it_says() {
    let images = images();
    let train = images.split(Split::Train);
    let options = BatchOptions {
        batch_size: 10,
        mean: [0.5, 0.25, 0.0],
        deviation: [0.5, 0.25, 1.0],
        ..BatchOptions::default()
    };
    let batches = train.batches(&options);
    assert_eq!(
        (batches.len(), batches.per_epoch()),
        (train.len().div_ceil(10), train.len().div_ceil(10))
    );
    let mut seen = 0;
    for (number, batch) in batches.map(Result::unwrap).enumerate() {
        assert_eq!(batch.number, number);
        assert_eq!(batch.dims, [batch.labels.len(), 3, 32, 32]);
        assert_eq!(batch.images.len(), batch.dims.iter().product::<usize>());
        for (i, (&index, &label)) in batch.indices.iter().zip(&batch.labels).enumerate() {
            assert_eq!(index, train.indices()[seen]);
            assert_eq!(Some(label), images.label(index));
            let pixels = images.pixels(index).unwrap();
            for channel in 0..3 {
                let expected = (f32::from(pixels[(5 * 32 + 9) * 3 + channel]) / 255.0
                    - options.mean[channel])
                    / options.deviation[channel];
                let found = batch.images[((i * 3 + channel) * 32 + 5) * 32 + 9];
                assert!((expected - found).abs() < 1e-5, "{expected} {found}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, train.len());
}

#[test]
fn a_last_batch_that_is_not_full_can_be_left_out() {
    let images = images();
    let n = images.split(Split::Train).len();
    assert_ne!(n % 9, 0, "else this test tests nothing");
    let whole = all(
        &images,
        &BatchOptions {
            batch_size: 9,
            ..BatchOptions::default()
        },
    );
    let full = all(
        &images,
        &BatchOptions {
            batch_size: 9,
            drop_last: true,
            ..BatchOptions::default()
        },
    );
    assert_eq!(full, whole[..n / 9]);
    assert_eq!(
        all(
            &images,
            &BatchOptions {
                batch_size: 1000,
                drop_last: true,
                ..BatchOptions::default()
            }
        ),
        []
    );
}

#[test]
fn files_that_vanish_are_named_and_nothing_hangs() {
    let folder = tempfile::tempdir().unwrap();
    two_classes(folder.path(), 30);
    let options = LoadOptions {
        size: 16,
        memory: 0,
        ..LoadOptions::default()
    };
    let images = ImageFolder::open(folder.path(), &options).unwrap();
    let train = images.split(Split::Train);
    let lost = train.indices()[1];
    fs::remove_file(images.path(lost).unwrap()).unwrap();
    let options = BatchOptions {
        batch_size: 4,
        threads: 3,
        ..BatchOptions::default()
    };

    let batches: Vec<Batch> = train.batches(&options).map(Result::unwrap).collect();
    assert_eq!(batches[0].dims[0], 3);
    assert_eq!(batches[0].failed.len(), 1);
    assert_eq!(Some(batches[0].failed[0].path.as_path()), images.path(lost));
    assert!(!batches[0].indices.contains(&lost));
    assert!(batches[1..].iter().all(|batch| batch.failed.is_empty()));

    for &index in train.indices() {
        let _ = fs::remove_file(images.path(index).unwrap());
    }
    let results: Vec<_> = train.batches(&options).collect();
    assert_eq!(results.len(), batches.len());
    for (i, result) in results.into_iter().enumerate() {
        let error = result.unwrap_err();
        assert!(
            matches!(error, BatchError::Unreadable { number, .. } if number == i),
            "{error}"
        );
    }
}

#[test]
fn an_empty_subset_has_no_batches() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        common::picture(
            &folder.path().join("train").join(class).join("1.png"),
            1,
            4,
            4,
        );
    }
    let images = ImageFolder::open(folder.path(), &LoadOptions::default()).unwrap();
    let test = images.split(Split::Test);
    assert!(test.is_empty());
    assert_eq!(test.batches(&shuffled()).count(), 0);
}

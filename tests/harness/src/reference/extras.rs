//! Values of every kind: pictures with boxes and masks, figures, tables, sound, points in space, pages, files.

use std::io::Cursor;

use anyhow::Result;
use cresset_record::{BoundingBox, Content, ImageDetail, Mask, Media, MediaDetail};
use cresset_run::{Figure, Table, figures};
use image::{GrayImage, ImageFormat, Luma};
use serde_json::{Map, json};

use super::evaluation::{CLASSES, Images};
use crate::book::Book;
use crate::rng::Rng;

/// Samples a second of the sound.
const RATE: u32 = 16_000;

pub(super) fn at_start(book: &mut Book, images: &Images, rng: &mut Rng) -> Result<()> {
    book.text(
        0,
        "notes/data",
        "Boards of line 3 were photographed with the new ring light.\nSerial numbers are painted over before anything is recorded.",
    )?;
    let rates: Vec<f64> = (0..40)
        .map(|i| 1e-5 * 10f64.powf(i as f64 / 10.0))
        .collect();
    let losses: Vec<f64> = rates
        .iter()
        .map(|rate| 1.8 - 1.3 / (1.0 + (3e-4 / rate).powi(2)) + (rate / 4e-2).powi(3))
        .collect();
    let finder = figures::line(
        "Learning rate finder",
        "learning rate",
        "loss",
        [figures::curve("adamw", &rates, &losses)],
    );
    book.figure(0, "figures/learning_rate_finder", &finder)?;
    let shares = CLASSES.iter().zip([504, 378, 1890, 630, 294, 504]);
    let bar = figures::bar(
        "Training images",
        "class",
        "images",
        shares.map(|(class, n)| (*class, f64::from(n))),
    );
    book.figure(0, "figures/classes", &bar)?;
    sound(book, 0, rng)?;
    let page = "<!doctype html><meta charset=utf-8><title>Model card</title><h1>Harbor defect classifier</h1>\
        <p>Finds five kinds of defects in solder joints.</p><table border=1><tr><th>Input<td>64 × 64 RGB<tr><th>Output<td>6 classes</table>";
    book.bytes(
        0,
        "notes/model_card",
        (page.as_bytes(), "text/html; charset=utf-8"),
        MediaDetail::Html,
        Some("Model card"),
    )?;
    boards(book, 0, images, rng)
}

pub(super) fn at_epoch(
    book: &mut Book,
    step: u64,
    epoch: u64,
    table: &Table,
    images: &Images,
    rng: &mut Rng,
) -> Result<()> {
    book.table(step, "val/classes", table)?;
    if epoch.is_multiple_of(4) {
        boards(book, step, images, rng)?;
        scatter(book, step, epoch, rng)?;
        similarity(book, step, epoch, rng)?;
        joint(book, step, rng)?;
    }
    if epoch.is_multiple_of(8) {
        sound(book, step, rng)?;
        let mut metadata = Map::new();
        metadata.insert("epoch".to_owned(), json!(epoch));
        let weights: Vec<u8> = (0..40_000).map(|_| rng.next() as u8).collect();
        let detail = MediaDetail::File {
            name: format!("epoch-{epoch:02}.safetensors"),
            role: Some("checkpoint".to_owned()),
            metadata,
        };
        book.bytes(
            step,
            "checkpoints",
            (&weights, "application/octet-stream"),
            detail,
            None,
        )?;
    }
    Ok(())
}

/// Pictures with what was found drawn over them.
fn boards(book: &mut Book, step: u64, images: &Images, rng: &mut Rng) -> Result<()> {
    for place in 0..6u64 {
        let class = rng.below(CLASSES.len());
        let blob = book.blob(images.of(class, place), "image/png")?;
        let (x, y) = (8.0 + rng.below(20) as f32, 8.0 + rng.below(20) as f32);
        let side = 20.0 + rng.below(12) as f32;
        let found = BoundingBox {
            x,
            y,
            width: side,
            height: side * 0.8,
            label: CLASSES[class].to_owned(),
            score: Some(rng.between(0.55, 0.99) as f32),
        };
        let mut mask = GrayImage::new(64, 64);
        let (centre_x, centre_y) = (x + side / 2.0, y + side * 0.4);
        for (px, py, pixel) in mask.enumerate_pixels_mut() {
            let (dx, dy) = (px as f32 - centre_x, py as f32 - centre_y);
            *pixel = Luma([u8::from(dx * dx + 1.6 * dy * dy < side * side / 5.0)]);
        }
        let mut png = Cursor::new(Vec::new());
        mask.write_to(&mut png, ImageFormat::Png)?;
        let mask = Mask {
            name: "solder".to_owned(),
            blob: book.blob(png.get_ref(), "image/png")?,
            classes: vec!["background".to_owned(), "solder".to_owned()],
        };
        let media = Media {
            content: Content::Blob(blob),
            caption: Some(format!("board {}, joint {place}", 10 + place)),
            detail: MediaDetail::Image(ImageDetail {
                width: 64,
                height: 64,
                boxes: vec![found],
                masks: vec![mask],
                sample: None,
            }),
        };
        book.media(step, "val/joints", media)?;
    }
    Ok(())
}

/// An embedding of validation images that comes apart by class.
fn scatter(book: &mut Book, step: u64, epoch: u64, rng: &mut Rng) -> Result<()> {
    let apart = (epoch as f64 / 8.0).min(2.5);
    let groups = CLASSES.iter().enumerate().map(|(i, class)| {
        let angle = i as f64 * std::f64::consts::TAU / CLASSES.len() as f64;
        let near = |centre: f64, rng: &mut Rng| -> Vec<f64> {
            (0..60)
                .map(|_| apart * 2.0 * centre + rng.normal())
                .collect()
        };
        figures::curve(*class, &near(angle.cos(), rng), &near(angle.sin(), rng))
    });
    let groups: Vec<_> = groups.collect();
    let figure = figures::scatter("Embedding", "component 1", "component 2", groups);
    book.figure(step, "figures/embedding", &figure)
}

fn similarity(book: &mut Book, step: u64, epoch: u64, rng: &mut Rng) -> Result<()> {
    let n = CLASSES.len();
    let values: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            (0..n)
                .map(|j| {
                    if i == j {
                        1.0
                    } else {
                        (0.7 - 0.02 * epoch as f64 + 0.1 * rng.normal()).clamp(-1.0, 1.0)
                    }
                })
                .collect()
        })
        .collect();
    let figure: Figure = figures::heat_map(
        "Similarity of class means",
        "class",
        "class",
        CLASSES,
        CLASSES,
        values,
    );
    book.figure(step, "figures/similarity", &figure)
}

/// The height of a solder joint as points with colours.
fn joint(book: &mut Book, step: u64, rng: &mut Rng) -> Result<()> {
    let mut bytes = Vec::new();
    let side = 56;
    for i in 0..side * side {
        let (x, y) = (
            (i % side) as f32 / side as f32 - 0.5,
            (i / side) as f32 / side as f32 - 0.5,
        );
        let r = (x * x + y * y).sqrt();
        let height = 0.28 * (-(r * 4.5).powi(2)).exp() + 0.004 * rng.normal() as f32;
        for value in [
            x,
            y,
            height,
            0.4 + 2.0 * height,
            0.45 + height,
            0.6 - height,
        ] {
            bytes.extend_from_slice(&value.clamp(-1.0, 1.0).to_le_bytes());
        }
    }
    let detail = MediaDetail::PointCloud {
        points: side * side,
        coloured: true,
    };
    book.bytes(
        step,
        "val/height",
        (&bytes, "application/octet-stream"),
        detail,
        Some("laser height of joint 7"),
    )
}

/// Two seconds of the pick-and-place machine, as a WAV file.
fn sound(book: &mut Book, step: u64, rng: &mut Rng) -> Result<()> {
    let samples = 2 * RATE;
    let pcm: Vec<u8> = (0..samples)
        .flat_map(|i| {
            let t = f64::from(i) / f64::from(RATE);
            let hum = 0.3 * (std::f64::consts::TAU * 110.0 * t).sin();
            let tick = if (t * 4.0).fract() < 0.02 {
                0.5 * rng.normal()
            } else {
                0.0
            };
            (((hum + tick + 0.02 * rng.normal()).clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes()
        })
        .collect();
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + pcm.len() as u32).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16u32.to_le_bytes());
    wav.extend_from_slice(&[1, 0, 1, 0]);
    wav.extend_from_slice(&RATE.to_le_bytes());
    wav.extend_from_slice(&(2 * RATE).to_le_bytes());
    wav.extend_from_slice(&[2, 0, 16, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&(pcm.len() as u32).to_le_bytes());
    wav.extend_from_slice(&pcm);
    let detail = MediaDetail::Audio {
        sample_rate: RATE,
        channels: 1,
        seconds: f64::from(samples) / f64::from(RATE),
    };
    book.bytes(
        step,
        "machine/sound",
        (&wav, "audio/wav"),
        detail,
        Some("placement head"),
    )
}

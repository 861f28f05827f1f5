use std::fs;

use cresset_record::{BlobFolder, Content, Figure, MediaDetail, Table, TensorStats};
use serde_json::json;

use super::Folder;
use crate::media::{
    Audio, Encoded, File, Html, Image, MediaError, PointCloud, Value, Video, figures,
};

fn media_type(folder: &Folder, value: impl Into<Value>) -> String {
    folder.blob(&folder.encode(value)).0.media_type
}

#[test]
fn texts_are_inline_until_they_are_long() {
    let folder = Folder::new();
    let media = folder.encode("loss went up \u{0} \u{202e} <script>");
    assert_eq!(
        media.content,
        Content::Inline("loss went up \u{0} \u{202e} <script>".into())
    );
    assert_eq!(media.detail, MediaDetail::Text);
    folder.encode("x".repeat(4096));
    assert!(folder.files().is_empty());

    for len in [4097, 3 << 20] {
        let text = "ü".repeat(len / 2) + "x";
        let media = folder.encode(text.clone());
        let (blob, bytes) = folder.blob(&media);
        assert_eq!(blob.media_type, "text/plain; charset=utf-8");
        assert_eq!(bytes, text.as_bytes());
    }
    let page = format!("<script>{}</script>", "x".repeat(5000));
    let media = folder.encode(Html::new(page.clone()).caption("a page"));
    assert_eq!(media.caption.as_deref(), Some("a page"));
    assert_eq!(media.detail, MediaDetail::Html);
    assert_eq!(folder.blob(&media).1, page.as_bytes());
}

#[test]
fn a_table_is_checked_and_comes_back() {
    let folder = Folder::new();
    let mut table = Table {
        columns: vec!["id".into(), "score".into()],
        rows: vec![vec![json!(1), json!(0.5)], vec![json!("b"), json!(null)]],
    };
    let media = folder.encode(table.clone());
    assert_eq!(
        media.detail,
        MediaDetail::Table {
            rows: 2,
            columns: 2
        }
    );
    let Content::Inline(text) = media.content else {
        panic!("{media:?}")
    };
    assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table);

    table.rows.push(vec![json!(1)]);
    let error = folder.try_encode("a", table.clone(), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 of the table has 1 cells for 2 columns"
    );
    assert!(!error.is_storage());
    table.rows.pop();
    table.rows.resize(2000, vec![json!(1), json!(2)]);
    let (blob, bytes) = folder.blob(&folder.encode(table.clone()));
    assert_eq!(blob.media_type, "application/json");
    assert_eq!(serde_json::from_slice::<Table>(&bytes).unwrap(), table);
}

#[test]
fn a_figure_is_checked_and_comes_back() {
    let folder = Folder::new();
    let figure = figures::scatter(
        "t",
        "x",
        "y",
        [figures::curve("a", &[1.0, 2.0], &[3.0, 4.0])],
    );
    let media = folder.encode(figure.clone());
    assert_eq!(
        media.detail,
        MediaDetail::Figure {
            figure: "scatter".into()
        }
    );
    let Content::Inline(text) = media.content else {
        panic!("{media:?}")
    };
    assert_eq!(serde_json::from_str::<Figure>(&text).unwrap(), figure);
    let bad = figures::line("t", "x", "y", [figures::curve("a", &[1.0], &[3.0, 4.0])]);
    let error = folder.try_encode("a", bad, &[]).unwrap_err();
    assert_eq!(error.to_string(), "curve \"a\": 1 x for 2 y");
    assert!(!error.is_storage());
}

#[test]
fn sound_points_and_video_have_their_types() {
    let folder = Folder::new();
    let audio = Audio::from_f32(vec![0.0; 8000], 16_000, 2)
        .unwrap()
        .caption("beep");
    let media = folder.encode(audio);
    assert_eq!(media.caption.as_deref(), Some("beep"));
    assert_eq!(
        media.detail,
        MediaDetail::Audio {
            sample_rate: 16_000,
            channels: 2,
            seconds: 0.25
        }
    );
    let (blob, wav) = folder.blob(&media);
    assert_eq!(
        (&blob.media_type[..], wav.len()),
        ("audio/wav", 44 + 16_000)
    );

    let cloud = PointCloud::new([[0.0; 3]; 9])
        .colours([[1.0; 3]; 9])
        .unwrap();
    let media = folder.encode(cloud);
    assert_eq!(
        media.detail,
        MediaDetail::PointCloud {
            points: 9,
            coloured: true
        }
    );
    assert_eq!(folder.blob(&media).1.len(), 9 * 24);

    let video = Video::new(b"GIF89a", "image/gif").unwrap();
    assert_eq!(media_type(&folder, video), "image/gif");
}

#[test]
fn files_are_copied_under_harmless_names_and_types() {
    let folder = Folder::new();
    let path = folder.dir.path().join("model.safetensors");
    fs::write(&path, [5; 100_000]).unwrap();
    let file = File::new(&path)
        .role("checkpoint")
        .metadata("epoch", 3)
        .metadata("loss", f64::NAN);
    let media = folder.encode(file);
    let MediaDetail::File {
        name,
        role,
        metadata,
    } = &media.detail
    else {
        panic!("{media:?}")
    };
    assert_eq!(
        (&name[..], role.as_deref()),
        ("model.safetensors", Some("checkpoint"))
    );
    assert_eq!(json!(metadata), json!({"epoch": 3, "loss": null}));
    let (blob, bytes) = folder.blob(&media);
    assert_eq!(
        (&blob.media_type[..], bytes),
        ("application/octet-stream", vec![5; 100_000])
    );

    let svg = "<svg onload='alert(1)'/>";
    let media = folder.encode(File::from_bytes("../../www/x.svg", svg));
    assert!(matches!(&media.detail, MediaDetail::File { name, .. } if name == "x.svg"));
    let (blob, bytes) = folder.blob(&media);
    assert_eq!(
        (&blob.media_type[..], &bytes[..]),
        ("application/octet-stream", svg.as_bytes())
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_bad_value() {
    let folder = Folder::new();
    for path in [
        folder.dir.path().join("missing.bin"),
        folder.dir.path().to_owned(),
    ] {
        let error = folder.try_encode("a", File::new(&path), &[]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("cannot read {}: ", path.display())),
            "{error}"
        );
        assert!(!error.is_storage());
    }
    #[cfg(unix)]
    {
        let endless = folder
            .try_encode("a", File::new("/dev/zero"), &[])
            .unwrap_err();
        assert_eq!(
            endless.to_string(),
            "cannot read /dev/zero: it is not a regular file"
        );
    }
}

#[test]
fn a_broken_folder_is_a_storage_error() {
    let folder = Folder::new();
    // A file where the folder should be: refuses even root.
    let place = folder.dir.path().join("blobs");
    fs::write(&place, "in the way").unwrap();
    let source = folder.dir.path().join("model.bin");
    fs::write(&source, "weights").unwrap();
    for value in [
        Value::from(Image::from_hwc_u8([1, 2, 3], 1, 1, 3).unwrap()),
        "x".repeat(5000).into(),
        File::new(&source).into(),
        PointCloud::new([[0.0; 3]]).into(),
    ] {
        let error = value
            .encode("a", &BlobFolder::new(&place), &[])
            .unwrap_err();
        assert!(error.is_storage(), "{error}");
        assert!(matches!(error, MediaError::Storage(_)));
    }
}

#[test]
fn a_histogram_passes_through() {
    let folder = Folder::new();
    let stats = TensorStats::from_values([1.0, f64::NAN, -2.0]);
    let value = Value::from(stats.clone());
    match value.encode("a", &folder.blobs, &[]).unwrap() {
        Encoded::Histogram(found) => assert_eq!(format!("{found:?}"), format!("{stats:?}")),
        other @ Encoded::Media(_) => panic!("{other:?}"),
    }
}

/// A queue is bounded by these figures: they must not be below what the value holds.
#[test]
fn values_know_their_weight() {
    let megabyte = 1 << 20;
    let text = "x".repeat(megabyte);
    let table = Table {
        columns: vec!["a".into()],
        rows: vec![vec![json!([{ "a": text }])]],
    };
    let numbers = vec![0.0f64; megabyte / 8];
    for value in [
        Value::from(text.clone()),
        Html::new(text.clone()).into(),
        table.into(),
        File::from_bytes("a", text.clone()).into(),
        File::from_bytes("a", []).metadata("a", text.clone()).into(),
        Video::new(text.clone(), "video/mp4").unwrap().into(),
        Image::from_hwc_u8(text.clone(), 1024, 1024, 1)
            .unwrap()
            .into(),
        Image::from_hwc_u8([0], 1, 1, 1)
            .unwrap()
            .caption(text.clone())
            .into(),
        Image::from_chw_f32(vec![0.0; megabyte / 4], 4, 256, 256, 0.0..=1.0)
            .unwrap()
            .into(),
        Audio::from_i16(vec![0; megabyte / 2], 1, 1).unwrap().into(),
        figures::line("", "", "", [figures::curve("", &numbers, &[] as &[f64])]).into(),
        figures::heat_map("", "", "", [""], [""], [&numbers]).into(),
    ] {
        let bytes = value.bytes();
        assert!((megabyte..megabyte + 4096).contains(&bytes), "{bytes}");
    }
    // Debugging output must not show a megabyte either.
    let image = Image::from_hwc_u8(text, 1024, 1024, 1).unwrap();
    assert!(format!("{image:?}").len() < 300, "{image:?}");
}

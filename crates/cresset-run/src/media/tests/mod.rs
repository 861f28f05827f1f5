//! Values through [`Value::encode`] to the files on disk and back.

mod images;
mod kinds;
mod redactions;

use std::fs;
use std::path::{Path, PathBuf};

use ::image::{DynamicImage, ImageFormat};
use cresset_record::{BlobFolder, BlobRef, Content, ImageDetail, Media, MediaDetail};
use tempfile::TempDir;

use super::{Encoded, MediaError, Redaction, Value};

/// A blob folder of its own for a test.
struct Folder {
    dir: TempDir,
    blobs: BlobFolder,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobFolder::new(dir.path().join("blobs"));
        Self { dir, blobs }
    }

    fn try_encode(
        &self,
        key: &str,
        value: impl Into<Value>,
        redactions: &[Redaction],
    ) -> Result<Media, MediaError> {
        match value.into().encode(key, &self.blobs, redactions)? {
            Encoded::Media(media) => Ok(*media),
            Encoded::Histogram(_) => panic!("a histogram"),
        }
    }

    fn encode(&self, value: impl Into<Value>) -> Media {
        let media = self.try_encode("val/image", value, &[]).unwrap();
        // What cannot be read back from the log's JSON is as good as lost.
        let json = serde_json::to_vec(&media).unwrap();
        serde_json::from_slice::<Media>(&json).unwrap();
        media
    }

    fn blob(&self, media: &Media) -> (BlobRef, Vec<u8>) {
        let Content::Blob(blob) = &media.content else {
            panic!("{media:?}");
        };
        (blob.clone(), self.blobs.get(blob).unwrap())
    }

    fn image(&self, media: &Media) -> DynamicImage {
        let (blob, bytes) = self.blob(media);
        assert_eq!(blob.media_type, "image/png");
        ::image::load_from_memory_with_format(&bytes, ImageFormat::Png).unwrap()
    }

    /// Everything on disk.
    fn files(&self) -> Vec<Vec<u8>> {
        fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.push(path);
                }
            }
        }
        let mut files = Vec::new();
        walk(self.dir.path(), &mut files);
        files
            .into_iter()
            .map(|path| fs::read(path).unwrap())
            .collect()
    }
}

fn detail(media: Media) -> ImageDetail {
    let MediaDetail::Image(detail) = media.detail else {
        panic!("{media:?}");
    };
    detail
}

#[test]
fn values_go_to_other_threads() {
    fn send<T: Send + 'static>() {}
    send::<Value>();
    send::<Redaction>();
    send::<MediaError>();
}

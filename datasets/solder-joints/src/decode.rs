use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Endings of the files that are read, in lower case.
pub(crate) const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Longest side that is accepted: past this, a file is more likely a bomb than a picture.
const MAX_SIDE: u32 = 32_768;

/// Reads a picture as `size` × `size` RGB bytes, row by row, or says what is wrong with it.
///
/// The format is told by the content, not by the name. The picture is stretched to the square,
/// after its EXIF orientation was applied.
pub(crate) fn decode(path: &Path, size: u32) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    // A decoder that trips over a malformed file must cost us this file, not the run.
    catch_unwind(AssertUnwindSafe(|| decode_bytes(&bytes, size)))
        .unwrap_or_else(|_| Err("the decoder failed on it".to_owned()))
}

fn decode_bytes(bytes: &[u8], size: u32) -> Result<Vec<u8>, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => format,
        _ => return Err("neither PNG, JPEG nor WebP by its content".to_owned()),
    };
    if format == ImageFormat::Jpeg && !jpeg_ends(bytes) {
        return Err("the JPEG is cut short".to_owned());
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let orientation = decoder.orientation().map_err(|error| error.to_string())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    picture.apply_orientation(orientation);
    if picture.width() != size || picture.height() != size {
        picture = picture.resize_exact(size, size, FilterType::Triangle);
    }
    Ok(picture.into_rgb8().into_raw())
}

/// Whether the picture data of a JPEG reach their end marker. The decoder itself paints what is
/// missing grey and reports nothing.
fn jpeg_ends(bytes: &[u8]) -> bool {
    // A preview embedded in the header has markers of its own: look after the last start of scan.
    let scan = bytes
        .windows(2)
        .rposition(|pair| pair == [0xff, 0xda])
        .unwrap_or(0);
    bytes[scan..].windows(2).any(|pair| pair == [0xff, 0xd9])
}

use ::image::codecs::png::{CompressionType, FilterType, PngEncoder};
use ::image::{DynamicImage, ExtendedColorType, ImageEncoder};

use super::MediaError;

/// An image as a PNG of 8 bits a channel: grey, RGB or RGBA, as the image is.
pub(super) fn encode(image: DynamicImage) -> Result<Vec<u8>, MediaError> {
    let image = match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => {
            image
        }
        deep if deep.color().has_alpha() => deep.into_rgba8().into(),
        deep if deep.color().has_color() => deep.into_rgb8().into(),
        deep => deep.into_luma8().into(),
    };
    write(
        image.as_bytes(),
        image.width(),
        image.height(),
        image.color().into(),
    )
}

/// One byte a pixel as a grey PNG.
pub(super) fn encode_grey(values: &[u8], width: u32, height: u32) -> Result<Vec<u8>, MediaError> {
    write(values, width, height, ExtendedColorType::L8)
}

fn write(
    bytes: &[u8],
    width: u32,
    height: u32,
    colour: ExtendedColorType,
) -> Result<Vec<u8>, MediaError> {
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(bytes, width, height, colour)
        .map_err(|e| MediaError::Png(e.to_string()))?;
    Ok(png)
}

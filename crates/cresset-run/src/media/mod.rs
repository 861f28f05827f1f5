//! Values that are more than a number: made cheaply on the training thread, encoded on a worker's.
//!
//! What the user makes ([`Image`], [`Audio`], …) holds the bytes it was given and at most one copy of them; layouts,
//! colours and file formats are for [`Value::encode`], which runs later and elsewhere.

mod audio;
mod blur;
mod encode;
mod error;
mod file;
mod html;
mod image;
mod pixels;
mod png;
mod point_cloud;
mod redaction;
mod region;
#[cfg(test)]
mod tests;
mod value;
mod video;

pub mod figures;

pub use audio::Audio;
pub(crate) use encode::Encoded;
pub use error::MediaError;
pub use file::File;
pub use html::Html;
pub use image::{Image, ImageError, MAX_PIXELS};
pub use point_cloud::PointCloud;
pub use redaction::{Redaction, RedactionError};
pub use region::Region;
pub use value::Value;
pub use video::Video;

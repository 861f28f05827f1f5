use std::io;
use std::path::PathBuf;

use super::{ImageError, RedactionError};

/// Why a media value could not be made or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The image is not one.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The image could not be redacted, so nothing of it was written.
    #[error("the image was not written, for it could not be redacted: {0}")]
    Redaction(#[from] RedactionError),
    /// The image could not be encoded.
    #[error("the image has no PNG form: {0}")]
    Png(String),
    /// Sound needs a sample rate, at least one channel, and figures that a WAV header can hold.
    #[error(
        "no WAV file has {samples} samples in {channels} channels at {sample_rate} Hz; \
         rate and channels must be at least 1, the file at most 4 GiB"
    )]
    AudioFormat {
        /// All samples, of all channels.
        samples: usize,
        /// Channels.
        channels: u16,
        /// Samples a second and channel.
        sample_rate: u32,
    },
    /// Interleaved sound has a sample for each channel.
    #[error("{samples} samples are not a whole number of frames of {channels} channels")]
    AudioLength {
        /// All samples, of all channels.
        samples: usize,
        /// Channels.
        channels: u16,
    },
    /// A point cloud has a colour for each point or none.
    #[error("{colours} colours for {points} points")]
    PointColours {
        /// Colours found.
        colours: usize,
        /// Points there are.
        points: usize,
    },
    /// Video has a media type that players know it by.
    #[error(
        "{found:?} is no media type of moving pictures; \
         use one such as \"video/mp4\", \"video/webm\" or \"image/gif\""
    )]
    VideoType {
        /// The type given.
        found: String,
    },
    /// A table has rows as long as its columns are many.
    #[error("row {row} of the table has {cells} cells for {columns} columns")]
    TableRow {
        /// Which row, from 0.
        row: usize,
        /// Its length.
        cells: usize,
        /// How many columns the table has.
        columns: usize,
    },
    /// The lengths within a figure differ.
    #[error("{0}")]
    Figure(String),
    /// The value has no JSON form.
    #[error("the value has no JSON form: {0}")]
    Json(#[from] serde_json::Error),
    /// The file to be kept cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The blob folder cannot be written; the same value may be kept another time.
    #[error("cannot write to the blob folder: {0}")]
    Storage(#[from] io::Error),
}

impl MediaError {
    /// Whether the storage failed and not the value.
    pub(crate) fn is_storage(&self) -> bool {
        matches!(self, Self::Storage(_))
    }
}

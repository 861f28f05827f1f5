use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::class::JointClass;
use crate::generate::GenerateConfig;
use crate::whole::write_whole;

/// The ground truth of a generated data set: its `index.json`, one crop a line.
///
/// The file is written last and in one step, so a data set that has one is complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Always `solder-joints`: other programs write an `index.json`, too.
    pub format: String,
    /// Version of the pictures and of this file. 1: the first.
    pub version: u32,
    /// What the data set was generated from.
    pub config: GenerateConfig,
    /// One for each picture, in the order of their numbers.
    pub crops: Vec<CropRecord>,
}

/// What is known about one crop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CropRecord {
    /// Relative to the data set's folder, with forward slashes.
    pub path: String,
    /// The label: also the name of its folder.
    pub class: JointClass,
    /// What the crop is for.
    pub split: Split,
    /// The board it shows; all crops of a board are in one split.
    pub board: u32,
    /// The production line that built the board.
    pub line: u32,
    /// Strength of the defect shown, 0 invisible to 1 blatant.
    pub severity: f32,
    /// The defect that a good joint shows a trace of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resembles: Option<JointClass>,
    /// The board's serial number, where it is in the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<SerialNumber>,
}

/// A serial number in a picture: something to redact before the picture leaves the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerialNumber {
    /// As printed.
    pub text: String,
    /// The pixels it covers: x, y, width, height, from the upper left corner.
    pub pixels: [u32; 4],
}

/// What a crop is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose a model by.
    Val,
    /// To be looked at once, at the end.
    Test,
}

impl Split {
    /// All three, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl Index {
    /// Name of the index within a data set's folder.
    pub const FILE: &str = "index.json";
    pub(crate) const FORMAT: &str = "solder-joints";
    pub(crate) const VERSION: u32 = 1;

    /// Reads the index of the data set in `folder`; `None` where there is none of ours.
    ///
    /// # Errors
    /// When the file is there but cannot be read, or is ours but damaged or of another version.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(Self::FILE);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let bad = |what: String| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {what}", path.display()),
            )
        };
        let value: serde_json::Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(error) => return Err(bad(format!("not JSON ({error})"))),
        };
        if value.get("format").and_then(|format| format.as_str()) != Some(Self::FORMAT) {
            return Ok(None);
        }
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        if version != Some(u64::from(Self::VERSION)) {
            return Err(bad(format!(
                "made by another version of the generator ({version:?}, this is {}); generate into a new folder",
                Self::VERSION
            )));
        }
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| bad(format!("damaged ({error})")))
    }

    /// Writes the index in one step: a reader sees all of it or none.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = format!(
            "{{\"format\":\"{}\",\"version\":{},\"config\":{},\"crops\":[\n",
            self.format,
            self.version,
            serde_json::to_string(&self.config)?
        );
        for (i, crop) in self.crops.iter().enumerate() {
            text.push_str(&serde_json::to_string(crop)?);
            text.push_str(if i + 1 < self.crops.len() {
                ",\n"
            } else {
                "\n"
            });
        }
        text.push_str("]}\n");
        write_whole(&folder.join(Self::FILE), text.as_bytes(), true)
    }
}

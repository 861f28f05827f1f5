//! The checkpoint file: safetensors whose metadata hold a version, a JSON header and the header's checksum.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use candle_core::safetensors::Load;
use candle_core::{DType, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};
use serde::{Deserialize, Serialize};

use super::{CheckpointError, HOST, TensorProblem, TrainState};

/// Version of the format. 1: first.
const VERSION: u32 = 1;

const VERSION_KEY: &str = "cresset.checkpoint.version";
const HEADER_KEY: &str = "cresset.checkpoint.header";
const HEADER_CRC_KEY: &str = "cresset.checkpoint.header_crc32c";

/// A checkpoint in memory.
#[derive(Debug)]
pub(super) struct Contents {
    tensors: BTreeMap<String, Blob>,
    header: Header,
}

/// What the file says besides its tensors.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) state: TrainState,
    pub(super) optimizer: Option<OptimizerHeader>,
    /// Of each tensor's bytes. safetensors itself has no checksums.
    pub(super) crc32c: BTreeMap<String, u32>,
}

/// The optimizer's state apart from its tensors.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OptimizerHeader {
    pub(super) algorithm: String,
    pub(super) step: u64,
    pub(super) hyperparameters: BTreeMap<String, f64>,
}

/// A tensor's bytes, little-endian by rows.
#[derive(Debug)]
pub(super) struct Blob {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Contents {
    pub(super) fn new(
        tensors: BTreeMap<String, Blob>,
        state: TrainState,
        optimizer: Option<OptimizerHeader>,
    ) -> Self {
        let checksum = |(name, blob): (&String, &Blob)| (name.clone(), crc32c::crc32c(&blob.bytes));
        let crc32c = tensors.iter().map(checksum).collect();
        Self {
            tensors,
            header: Header {
                state,
                optimizer,
                crc32c,
            },
        }
    }

    fn metadata(&self) -> serde_json::Result<HashMap<String, String>> {
        let header = serde_json::to_string(&self.header)?;
        let crc = crc32c::crc32c(header.as_bytes());
        Ok(HashMap::from([
            (VERSION_KEY.to_owned(), VERSION.to_string()),
            (HEADER_CRC_KEY.to_owned(), crc.to_string()),
            (HEADER_KEY.to_owned(), header),
        ]))
    }
}

impl Blob {
    pub(super) fn copy(name: &str, tensor: &Tensor) -> Result<Self, CheckpointError> {
        let mut bytes = Vec::with_capacity(tensor.elem_count() * tensor.dtype().size_in_bytes());
        tensor
            .write_bytes(&mut bytes)
            .map_err(|e| CheckpointError::tensor(name, e))?;
        Ok(Self {
            dtype: tensor.dtype().into(),
            shape: tensor.dims().to_vec(),
            bytes,
        })
    }
}

impl View for &Blob {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

pub(super) fn write(contents: &Contents, path: &Path) -> Result<(), CheckpointError> {
    let temporary = temporary_beside(path);
    let result = write_and_rename(contents, &temporary, path);
    if result.is_err() {
        // Whatever failed is reported; a left-over that cannot be removed either is harmless.
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(|source| CheckpointError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn write_and_rename(contents: &Contents, temporary: &Path, path: &Path) -> io::Result<()> {
    safetensors::serialize_to_file(&contents.tensors, Some(contents.metadata()?), temporary)
        .map_err(into_io_error)?;
    File::open(temporary)?.sync_all()?;
    fs::rename(temporary, path)?;
    sync_parent(path)
}

fn into_io_error(error: safetensors::SafeTensorError) -> io::Error {
    match error {
        safetensors::SafeTensorError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// Unique to the process, so that two of them never write the same temporary file.
fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// Makes the rename itself last through a power cut.
fn sync_parent(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    fs::read(path).map_err(|source| CheckpointError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Checks the file's structure, its version and its header.
pub(super) fn parse<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<(Header, BTreeMap<String, TensorView<'a>>), CheckpointError> {
    let damaged = |what: &dyn std::fmt::Display| CheckpointError::damaged(path, what);
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
    let metadata = metadata.metadata().clone().unwrap_or_default();
    let Some(version) = metadata.get(VERSION_KEY) else {
        return Err(CheckpointError::NotACheckpoint {
            path: path.to_owned(),
        });
    };
    let found: u32 = version
        .parse()
        .map_err(|_| damaged(&format_args!("its version is `{version}`")))?;
    if found > VERSION {
        return Err(CheckpointError::NewerVersion {
            path: path.to_owned(),
            found,
            supported: VERSION,
        });
    }
    let (Some(header), Some(crc)) = (metadata.get(HEADER_KEY), metadata.get(HEADER_CRC_KEY)) else {
        return Err(damaged(&"its header is missing"));
    };
    if *crc != crc32c::crc32c(header.as_bytes()).to_string() {
        return Err(damaged(&"its header does not match the header's checksum"));
    }
    let header = serde_json::from_str(header).map_err(|e| damaged(&e))?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
    Ok((header, tensors.tensors().into_iter().collect()))
}

/// Copies of the tensors found, if they are exactly those expected and undamaged.
pub(super) fn decode<'a>(
    path: &Path,
    expected: &BTreeMap<String, Tensor>,
    found: impl Iterator<Item = (&'a String, &'a TensorView<'a>)>,
    crc32c: &BTreeMap<String, u32>,
) -> Result<BTreeMap<String, Tensor>, CheckpointError> {
    let found: BTreeMap<_, _> = found.collect();
    let problems = differences(expected, &found);
    if !problems.is_empty() {
        return Err(CheckpointError::Mismatch {
            path: path.to_owned(),
            problems,
        });
    }
    found
        .into_iter()
        .map(|(name, view)| {
            if crc32c.get(name) != Some(&crc32c::crc32c(view.data())) {
                let what = format_args!("the tensor `{name}` does not match its checksum");
                return Err(CheckpointError::damaged(path, what));
            }
            let value = view
                .load(&HOST)
                .map_err(|e| CheckpointError::tensor(name, e))?;
            let device = expected.get(name).map_or(&HOST, Tensor::device);
            let value = value
                .to_device(device)
                .map_err(|e| CheckpointError::tensor(name, e))?;
            Ok((name.clone(), value))
        })
        .collect()
}

fn differences(
    expected: &BTreeMap<String, Tensor>,
    found: &BTreeMap<&String, &TensorView<'_>>,
) -> Vec<TensorProblem> {
    let mut problems = Vec::new();
    for (name, tensor) in expected {
        let Some(view) = found.get(name) else {
            let shape = tensor.dims().to_vec();
            problems.push(TensorProblem::Missing {
                name: name.clone(),
                shape,
            });
            continue;
        };
        let same_type = DType::try_from(view.dtype()).is_ok_and(|dtype| dtype == tensor.dtype());
        if !same_type || view.shape() != tensor.dims() {
            problems.push(TensorProblem::Differs {
                name: name.clone(),
                expected: (tensor.dims().to_vec(), tensor.dtype()),
                found: (view.shape().to_vec(), view.dtype().to_string()),
            });
        }
    }
    for (&name, view) in found {
        if !expected.contains_key(name) {
            let shape = view.shape().to_vec();
            problems.push(TensorProblem::Unexpected {
                name: name.clone(),
                shape,
            });
        }
    }
    problems
}

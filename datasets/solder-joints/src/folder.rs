use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::batches::{BatchOptions, Batches};
use crate::decode::decode;
use crate::index::Split;
use crate::listing::{Listing, list};

/// Labelled pictures: a folder with one sub-folder for each class.
///
/// Any such folder will do, with or without `train` / `val` / `test` folders above the classes. A
/// generated data set brings its own split; otherwise a picture's split is drawn by the hash of its name.
/// Cloning is cheap: clones share the pictures.
#[derive(Debug, Clone)]
pub struct ImageFolder(Arc<Pictures>);

#[derive(Debug)]
struct Pictures {
    classes: Vec<String>,
    /// Sorted by path, so that a picture's number does not depend on the file system.
    samples: Vec<Sample>,
    skipped: Vec<Skipped>,
    size: u32,
    /// All pixels, `size` × `size` × 3 bytes a picture; empty where they did not fit in memory.
    pixels: Vec<u8>,
}

#[derive(Debug)]
struct Sample {
    path: PathBuf,
    label: u32,
    split: Split,
}

/// How to open an [`ImageFolder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Pictures are brought to this width and height, in pixels.
    pub size: u32,
    /// Threads that open pictures; 0 for one a core.
    pub threads: usize,
    /// Pictures are kept in memory if all of them, at `size`, fit in this many bytes.
    /// Otherwise they are opened again for every batch.
    pub memory: usize,
}

impl Default for LoadOptions {
    /// 64 × 64 pixels, one thread a core, 1 GiB.
    fn default() -> Self {
        Self {
            size: 64,
            threads: 0,
            memory: 1 << 30,
        }
    }
}

/// A file that is not part of the data set, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file, or a class folder without any readable picture.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a folder could not be opened as a data set.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder could not be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No picture was found.
    #[error(
        "{folder}: no pictures found; expected one sub-folder for each class with PNG, JPEG or WebP files in it{files}",
        folder = folder.display(), files = and_skipped(skipped)
    )]
    Empty {
        /// The folder named.
        folder: PathBuf,
        /// Files that were there but could not be used.
        skipped: Vec<Skipped>,
    },
    /// All pictures are of one class.
    #[error(
        "{folder}: pictures of one class only (`{class}`), and a classifier needs two{files}",
        folder = folder.display(), files = and_skipped(skipped)
    )]
    OneClass {
        /// The folder named.
        folder: PathBuf,
        /// The class.
        class: String,
        /// Files that were there but could not be used.
        skipped: Vec<Skipped>,
    },
    /// An option makes no sense.
    #[error("{0}")]
    Options(String),
}

fn and_skipped(skipped: &[Skipped]) -> String {
    match skipped {
        [] => String::new(),
        [first, ..] => format!(
            " ({} unusable, such as {}: {})",
            skipped.len(),
            first.path.display(),
            first.reason
        ),
    }
}

impl ImageFolder {
    /// Opens every picture under `folder` once, so that a damaged one is known before training starts.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds pictures of fewer than two classes. Single files that
    /// cannot be read are no error: see [`ImageFolder::skipped`].
    pub fn open(folder: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, OpenError> {
        let folder = folder.as_ref();
        if !(1..=4096).contains(&options.size) {
            return Err(OpenError::Options(format!(
                "size is {}, and must be 1 to 4096 pixels",
                options.size
            )));
        }
        let listing = list(folder)?;
        let bytes = options.size as usize * options.size as usize * 3;
        let keep = listing.pictures.len().saturating_mul(bytes) <= options.memory;
        let opened = open_all(&listing, options, keep);
        let pictures = Pictures::gather(folder, listing, opened, options.size, keep);

        let used = |label: u32| pictures.samples.iter().any(|sample| sample.label == label);
        match pictures.classes.as_slice() {
            classes if classes.is_empty() || pictures.samples.is_empty() => Err(OpenError::Empty {
                folder: folder.to_owned(),
                skipped: pictures.skipped,
            }),
            [class] if used(0) => {
                let class = class.clone();
                Err(OpenError::OneClass {
                    folder: folder.to_owned(),
                    class,
                    skipped: pictures.skipped,
                })
            }
            _ => Ok(Self(Arc::new(pictures))),
        }
    }

    /// Names of the classes, sorted; a label is an index into them.
    pub fn classes(&self) -> &[String] {
        &self.0.classes
    }

    /// Number of readable pictures, all splits together.
    pub fn len(&self) -> usize {
        self.0.samples.len()
    }

    /// Never true for a folder that could be opened.
    pub fn is_empty(&self) -> bool {
        self.0.samples.is_empty()
    }

    /// Files that are not part of the data set, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.0.skipped
    }

    /// Width and height of every picture, in pixels.
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// The pictures of one split.
    pub fn split(&self, split: Split) -> Subset {
        let members = (0..self.len())
            .filter(|&i| self.0.samples[i].split == split)
            .collect();
        Subset {
            folder: self.clone(),
            members,
        }
    }

    /// The file of picture `index`. `None` past the end.
    pub fn path(&self, index: usize) -> Option<&Path> {
        self.0
            .samples
            .get(index)
            .map(|sample| sample.path.as_path())
    }

    /// The label of picture `index`. `None` past the end.
    pub fn label(&self, index: usize) -> Option<u32> {
        self.0.samples.get(index).map(|sample| sample.label)
    }

    /// The pixels of picture `index`: `size` × `size` RGB bytes, row by row.
    ///
    /// # Errors
    /// When there is no such picture, or its file can no longer be read.
    pub fn pixels(&self, index: usize) -> Result<Vec<u8>, Skipped> {
        let Some(sample) = self.0.samples.get(index) else {
            let reason = format!("there is no picture {index} of {}", self.len());
            return Err(Skipped {
                path: PathBuf::new(),
                reason,
            });
        };
        let bytes = self.0.size as usize * self.0.size as usize * 3;
        if let Some(pixels) = self.0.pixels.get(index * bytes..(index + 1) * bytes) {
            return Ok(pixels.to_vec());
        }
        decode(&sample.path, self.0.size).map_err(|reason| Skipped {
            path: sample.path.clone(),
            reason,
        })
    }
}

impl Pictures {
    /// Keeps what could be opened; a class of which nothing could is no class.
    fn gather(
        folder: &Path,
        listing: Listing,
        opened: Vec<Result<Vec<u8>, String>>,
        size: u32,
        keep: bool,
    ) -> Self {
        let Listing {
            classes,
            pictures,
            mut skipped,
        } = listing;
        let mut left = vec![0_usize; classes.len()];
        let mut readable = Vec::with_capacity(pictures.len());
        // In one piece from the start: growing would hold the pixels twice.
        let bytes = size as usize * size as usize * 3;
        let mut pixels = Vec::with_capacity(if keep { pictures.len() * bytes } else { 0 });
        for ((label, path, split), opened) in pictures.into_iter().zip(opened) {
            match opened {
                Ok(bytes) => {
                    left[label] += 1;
                    readable.push((label, path, split));
                    if keep {
                        pixels.extend_from_slice(&bytes);
                    }
                }
                Err(reason) => skipped.push(Skipped { path, reason }),
            }
        }
        let mut number = vec![0_u32; classes.len()];
        let mut kept = Vec::new();
        for (label, class) in classes.into_iter().enumerate() {
            if left[label] == 0 {
                let reason = "a class folder without any readable picture".to_owned();
                skipped.push(Skipped {
                    path: folder.join(class),
                    reason,
                });
            } else {
                number[label] = kept.len() as u32;
                kept.push(class);
            }
        }
        let samples = readable
            .into_iter()
            .map(|(label, path, split)| Sample {
                path,
                label: number[label],
                split,
            })
            .collect();
        Self {
            classes: kept,
            samples,
            skipped,
            size,
            pixels,
        }
    }
}

/// Opens every picture on threads of its own; drops the pixels unless they are to be kept.
fn open_all(listing: &Listing, options: &LoadOptions, keep: bool) -> Vec<Result<Vec<u8>, String>> {
    let threads = match options.threads {
        0 => thread::available_parallelism().map_or(1, NonZero::get),
        n => n,
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut opened = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, path, _)) = listing.pictures.get(i) else {
                return opened;
            };
            let pixels = decode(path, options.size);
            opened.push((
                i,
                if keep {
                    pixels
                } else {
                    pixels.map(|_| Vec::new())
                },
            ));
        }
    };
    let mut all: Vec<(usize, Result<Vec<u8>, String>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(listing.pictures.len()))
            .map(|_| scope.spawn(work))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_default())
            .collect()
    });
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, pixels)| pixels).collect()
}

/// Some of an [`ImageFolder`]'s pictures.
#[derive(Debug, Clone)]
pub struct Subset {
    folder: ImageFolder,
    members: Vec<usize>,
}

impl Subset {
    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The folder it is a part of.
    pub fn folder(&self) -> &ImageFolder {
        &self.folder
    }

    /// Numbers of its pictures within the folder, ascending.
    pub fn indices(&self) -> &[usize] {
        &self.members
    }

    /// Labels of its pictures, in the order of [`Subset::indices`].
    pub fn labels(&self) -> Vec<u32> {
        self.members
            .iter()
            .filter_map(|&i| self.folder.label(i))
            .collect()
    }

    /// Number of pictures of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.folder.classes().len()];
        for label in self.labels() {
            counts[label as usize] += 1;
        }
        counts
    }

    /// One pass over the pictures in batches, made ahead on threads of its own.
    pub fn batches(&self, options: &BatchOptions) -> Batches {
        Batches::new(self, options)
    }
}

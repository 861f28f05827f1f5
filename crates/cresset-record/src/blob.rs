//! Content-addressed bytes beside a log, named by their BLAKE3 digest.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::durable::sync_folder;

/// A BLAKE3 digest (256 bits), written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a file and its length, read in pieces: checkpoints can be larger than memory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(path: &Path) -> io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok((Self(*hasher.finalize().as_bytes()), hasher.count()))
    }

    /// Copies what `input` has, in pieces; gives the digest and the length of what was copied.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn of_copy(input: &mut impl Read, output: &mut impl Write) -> io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            let n = match input.read(&mut piece) {
                Ok(0) => return Ok((Self(*hasher.finalize().as_bytes()), hasher.count())),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            hasher.update(&piece[..n]);
            output.write_all(&piece[..n])?;
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        blake3::Hash::from_hex(text.as_bytes())
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|e| format!("not a BLAKE3 digest: {e}"))
    }
}

/// A blob that a record points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// Which bytes.
    pub digest: Digest,
    /// How many.
    pub bytes: u64,
    /// Their media type, such as `image/png`.
    pub media_type: String,
}

/// The folder of a run's blobs: `ab/abcdef…`, each written once under a temporary name and then renamed,
/// so that a blob that can be seen is whole.
#[derive(Clone, Debug)]
pub struct BlobFolder {
    root: PathBuf,
}

impl BlobFolder {
    /// The folder at `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the blob `digest` is, or would be.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(name)
    }

    /// Keeps `bytes`; costs no write when they are there already.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(&self, bytes: &[u8], media_type: &str) -> io::Result<BlobRef> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        // After a loss of power a file may have the right name and length and other bytes.
        let length = bytes.len() as u64;
        let present = fs::metadata(&path).is_ok_and(|m| m.len() == length)
            && Digest::of_file(&path).is_ok_and(|found| found == (digest, length));
        if !present {
            let temporary = self.temporary()?;
            let written = File::create(&temporary).and_then(|mut f| f.write_all(bytes));
            keep(written, &temporary, &path)?;
        }
        Ok(BlobRef {
            digest,
            bytes: bytes.len() as u64,
            media_type: media_type.to_owned(),
        })
    }

    /// Keeps a copy of the file at `source`, read once and in pieces.
    ///
    /// # Errors
    /// What the file system says of either file.
    pub fn put_file(&self, source: &Path, media_type: &str) -> io::Result<BlobRef> {
        let mut input = File::open(source)?;
        let temporary = self.temporary()?;
        let copied = File::create(&temporary)
            .and_then(|mut output| Digest::of_copy(&mut input, &mut output));
        let (digest, bytes) = copied.inspect_err(|_| {
            // The error that matters is this one; a left-over temporary file is harmless.
            let _ = fs::remove_file(&temporary);
        })?;
        keep(Ok(()), &temporary, &self.path(&digest))?;
        Ok(BlobRef {
            digest,
            bytes,
            media_type: media_type.to_owned(),
        })
    }

    /// Keeps the file at `path`, which lies beside the folder, as the blob `digest`, without a copy; `false` if its bytes are others,
    /// and then it stays where it is. A blob that was kept survives a loss of power.
    ///
    /// # Errors
    /// What the file system says.
    pub fn adopt(&self, path: &Path, digest: &Digest) -> io::Result<bool> {
        let (found, _) = Digest::of_file(path)?;
        if found != *digest {
            return Ok(false);
        }
        // Before it has the name by which it is taken for whole.
        OpenOptions::new().append(true).open(path)?.sync_all()?;
        let place = self.path(digest);
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::rename(path, &place)?;
        // Its name, that of its folder, and that of the folder of all.
        let mut folders = place.ancestors().skip(1).take(3);
        match folders.try_for_each(sync_folder) {
            Ok(()) => Ok(true),
            Err(e) => {
                // A name that the disk refused is not believed later either: the blob is to come again.
                let _ = fs::remove_file(&place);
                Err(e)
            }
        }
    }

    /// Reads a blob and checks it against its digest.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when length or digest differ, else what the file system says.
    pub fn get(&self, blob: &BlobRef) -> io::Result<Vec<u8>> {
        let path = self.path(&blob.digest);
        let damaged = |what: String| {
            let message = format!("blob {} is damaged: {what}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        // The length first: a wrong file can be of any size.
        let length = fs::metadata(&path)?.len();
        if length != blob.bytes {
            return Err(damaged(format!(
                "it has {length} bytes instead of {}",
                blob.bytes
            )));
        }
        let bytes = fs::read(&path)?;
        if Digest::of(&bytes) != blob.digest {
            return Err(damaged("its bytes do not match its digest".into()));
        }
        Ok(bytes)
    }

    fn temporary(&self) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.root)?;
        Ok(self
            .root
            .join(format!(".tmp-{:016x}", crate::ids::random_u64())))
    }
}

/// Renames a written temporary file into place, or removes it.
fn keep(written: io::Result<()>, temporary: &Path, path: &Path) -> io::Result<()> {
    let kept = written
        .and_then(|()| path.parent().map_or(Ok(()), fs::create_dir_all))
        .and_then(|()| fs::rename(temporary, path));
    if kept.is_err() {
        // The error that matters is the first one; a left-over temporary file is harmless.
        let _ = fs::remove_file(temporary);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_comes_back_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobFolder::new(dir.path().join("blobs"));
        let a = blobs.put(b"solder", "text/plain").unwrap();
        assert_eq!(blobs.put(b"solder", "text/plain").unwrap(), a);
        assert_eq!(blobs.get(&a).unwrap(), b"solder");
        let source = dir.path().join("model.bin");
        fs::write(&source, vec![7; 200_000]).unwrap();
        let b = blobs.put_file(&source, "application/octet-stream").unwrap();
        assert_eq!(
            (b.bytes, b.digest),
            (200_000, Digest::of(&vec![7; 200_000]))
        );
        fs::write(blobs.path(&a.digest), b"soldex").unwrap();
        assert_eq!(
            blobs.get(&a).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(blobs.put(b"solder", "text/plain").unwrap(), a);
        assert_eq!(blobs.get(&a).unwrap(), b"solder", "it is mended");
        assert!(
            fs::read_dir(dir.path().join("blobs"))
                .unwrap()
                .all(|e| e.unwrap().path().is_dir())
        );
    }

    #[test]
    fn a_digest_is_only_hex() {
        assert!(Digest::try_from("../../etc/passwd".to_owned()).is_err());
        let digest = Digest::of(b"x");
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
    }
}

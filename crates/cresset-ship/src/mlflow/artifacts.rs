//! Artifacts: files that the server keeps with a run.

use std::fs::File;
use std::io;

use cresset_record::{BlobRef, Content};
use serde::Serialize;
use serde_json::Value as Json;

use super::visit::Visit;
use crate::error::ShipError;

impl Visit<'_> {
    /// Puts an artifact; what has the same path is replaced.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), ShipError> {
        self.put_body(path, bytes)
    }

    /// Puts JSON to be read by people too.
    pub(super) fn put_json(&mut self, path: &str, json: &impl Serialize) -> Result<(), ShipError> {
        let text = serde_json::to_vec_pretty(json).unwrap_or_default();
        self.put(path, &text)
    }

    /// Puts what a record points to, however large.
    pub(super) fn put_content(&mut self, path: &str, content: &Content) -> Result<(), ShipError> {
        match content {
            Content::Inline(text) => self.put(path, text.as_bytes()),
            Content::Blob(blob) => self.put_blob(path, blob),
        }
    }

    pub(super) fn put_blob(&mut self, path: &str, blob: &BlobRef) -> Result<(), ShipError> {
        let at = self.run.blobs().path(&blob.digest);
        match File::open(&at) {
            Ok(file) => self.put_body(path, &file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.carried.leave_out("files that are gone here");
                Ok(())
            }
            Err(error) => Err(ShipError::disk(at)(error)),
        }
    }

    /// What a record points to; `None`, and counted, if it is gone or damaged.
    pub(super) fn bytes(&mut self, content: &Content) -> Result<Option<Vec<u8>>, ShipError> {
        let blob = match content {
            Content::Inline(text) => return Ok(Some(text.clone().into_bytes())),
            Content::Blob(blob) => blob,
        };
        match self.run.blobs().get(blob) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::InvalidData
                ) =>
            {
                self.carried
                    .leave_out("files that are gone or damaged here");
                Ok(None)
            }
            Err(error) => Err(ShipError::disk(self.run.blobs().path(&blob.digest))(error)),
        }
    }

    fn put_body(&mut self, path: &str, body: impl ureq::AsSendBody) -> Result<(), ShipError> {
        let Some(root) = &self.carried.artifacts else {
            self.carried
                .leave_out("artifacts, which the server does not keep itself");
            return Ok(());
        };
        match self.api.put(&format!("{root}/{path}"), body) {
            Err(ShipError::Refused(why)) => {
                // Such as a file too large for a proxy on the way. If it is we who are refused, then the run is as well.
                self.api.run(&self.carried.run_id)?;
                self.carried.leave_out("artifacts that the server refused");
                self.out.tag("cresset.artifacts", &why);
                Ok(())
            }
            put => put,
        }
    }

    /// What was left out until now, as a tag.
    pub(super) fn tell_left_out(&mut self) {
        let left_out = self.carried.left_out.iter();
        let left_out: Vec<String> = left_out.map(|(what, n)| format!("{n} {what}")).collect();
        if !left_out.is_empty() {
            self.out.tag("cresset.left_out", &left_out.join("; "));
        }
    }
}

/// `value` as JSON, `null` if it cannot be.
pub(super) fn json(value: &impl Serialize) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}

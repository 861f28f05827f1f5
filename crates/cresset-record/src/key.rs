//! Keys: the `/`-separated names of series.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::NameError;

/// Longest key, in bytes.
pub const MAX_KEY: usize = 512;

/// The name of a series, such as `train/loss`: 1 to 512 bytes, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(Box<str>);

/// A key's number within one writer's log, given in order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl Key {
    /// Checks a key.
    ///
    /// # Errors
    /// If the text is empty, longer than 512 bytes, or holds a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::new(
                "key",
                text,
                "is empty; name the series, as in \"train/loss\"",
            ));
        }
        if text.len() > MAX_KEY {
            return Err(NameError::new(
                "key",
                text,
                format!("has {} bytes; at most {MAX_KEY} are kept", text.len()),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::new("key", text, "holds a control character"));
        }
        Ok(Self(text.into()))
    }

    /// A stand-in for a key whose declaration cannot be read.
    pub(crate) fn undeclared(id: KeyId) -> Self {
        Self(format!("cresset/undeclared/{}", id.0).into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Key {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0.into()
    }
}

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `key` matches `pattern`, in which `*` stands for any run of characters, `/` included.
#[must_use]
pub fn pattern_matches(pattern: &str, key: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(mut rest) = key.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        assert!(Key::new("train/loss").is_ok());
        assert!(Key::new("").is_err());
        assert!(Key::new("a\u{7}").is_err());
        let long = Key::new(&"x".repeat(1 << 20)).unwrap_err().to_string();
        assert!(long.len() < 300 && long.contains("1048576 bytes"), "{long}");
    }

    #[test]
    fn patterns() {
        for (pattern, key, expected) in [
            ("val/*", "val/auc", true),
            ("val/*", "train/auc", false),
            ("*", "anything", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*/recall/*", "val/recall/void", true),
            ("a*a", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(
                pattern_matches(pattern, key),
                expected,
                "{pattern} on {key}"
            );
        }
    }
}

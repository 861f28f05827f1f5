//! What of a run a place may see.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use cresset_record::pattern_matches;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::error::ShipError;

/// What stands in place of a value that is not shown.
pub(crate) const REDACTED: &str = "(redacted)";

/// Parts of a run that are objects: paths lead into them.
const OBJECTS: [&str; 3] = ["config", "environment", "summary"];
/// Parts of a run that are texts.
const TEXTS: [&str; 8] = [
    "name", "group", "job_type", "tags", "notes", "console", "alerts", "reason",
];
/// What has a meaning in an address.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'%')
    .add(b',')
    .add(b'&')
    .add(b'#')
    .add(b':');

/// What of a run a place may see: all, unless it is said.
///
/// Written after the place, as in `https://cresset.example.org?keys=val/*,train/loss&redact=config.data_path,console`:
///
/// | | |
/// |---|---|
/// | `keys=` | the series that go (scalars, histograms, media, values set in the summary): names, or patterns in which `*` stands for any run of characters |
/// | `without=` | of those, the ones that do not |
/// | `redact=` | values in whose place `(redacted)` goes: paths such as `config.data.path` or `environment.git.*`; `name`, `group`, `job_type`, `tags`, `notes`; `console`, `alerts`; `reason`, why a run ended. `config`, `environment` and `summary` as wholes are left empty |
///
/// `%2C`, `%26` and `%3A` are a comma, an ampersand and a colon in a name. Lines of the console and alerts are texts, and may name series: a
/// place that must not know of them needs `redact=console,alerts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Empty: all.
    keys: Vec<String>,
    without: Vec<String>,
    redact: Vec<String>,
}

impl Selection {
    /// Whether nothing was said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all goes as it is.
    pub(crate) fn shows_all(&self) -> bool {
        self.shows_all_keys() && self.redact.is_empty()
    }

    /// Whether all series go.
    pub(crate) fn shows_all_keys(&self) -> bool {
        let takes_all = self.keys.is_empty() || self.keys.iter().any(|pattern| pattern == "*");
        takes_all && self.without.is_empty()
    }

    /// Whether the series of this name goes.
    pub(crate) fn shows(&self, key: &str) -> bool {
        let is_of = |patterns: &[String]| patterns.iter().any(|p| pattern_matches(p, key));
        (self.keys.is_empty() || is_of(&self.keys)) && !is_of(&self.without)
    }

    /// Whether the value at this path does not go.
    pub(crate) fn redacts(&self, path: &str) -> bool {
        self.redact.iter().any(|p| pattern_matches(p, path))
    }

    /// Whether values within this part of a run may be redacted.
    pub(crate) fn redacts_within(&self, part: &str) -> bool {
        self.redact.iter().any(|path| top(path) == part)
    }

    /// Whether the name of the machine goes.
    pub(crate) fn shows_host(&self) -> bool {
        let paths = ["environment", "environment.host", "environment.host.name"];
        !paths.into_iter().any(|path| self.redacts(path))
    }
}

impl FromStr for Selection {
    type Err = ShipError;

    /// Reads what stands after the `?`.
    fn from_str(query: &str) -> Result<Self, ShipError> {
        let mut selection = Self::default();
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            let (name, values) = setting.split_once('=').unwrap_or((setting, ""));
            let list = match name {
                "keys" => &mut selection.keys,
                "without" => &mut selection.without,
                "redact" => &mut selection.redact,
                _ => {
                    return Err(ShipError::Refused(format!(
                        "`{name}` is nothing that can be said of a place; there are keys=, without= and redact="
                    )));
                }
            };
            let before = list.len();
            for value in values.split(',').map(str::trim).filter(|v| !v.is_empty()) {
                let value = percent_decode_str(value).decode_utf8();
                let value = value.map_err(|_| {
                    ShipError::Refused(format!("{name}= holds bytes that are no UTF-8"))
                })?;
                list.push(value.into_owned());
            }
            // An empty list of keys would mean all of them.
            if list.len() == before {
                return Err(ShipError::Refused(format!(
                    "{name}= says nothing; name what is meant, or leave it away"
                )));
            }
        }
        for path in &selection.redact {
            check(path)?;
        }
        Ok(selection)
    }
}

/// A name that means nothing would leave open what somebody wants closed.
fn check(path: &str) -> Result<(), ShipError> {
    let part = top(path);
    if OBJECTS.contains(&part) || (TEXTS.contains(&part) && part == path) {
        return Ok(());
    }
    let (objects, texts) = (OBJECTS.join(", "), TEXTS.join(", "));
    Err(ShipError::Refused(format!(
        "`{path}` is nothing that can be redacted; there are paths that begin with {objects}, and {texts}"
    )))
}

fn top(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("keys", &self.keys),
            ("without", &self.without),
            ("redact", &self.redact),
        ];
        let mut is_first = true;
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            if !std::mem::take(&mut is_first) {
                f.write_char('&')?;
            }
            write!(f, "{name}=")?;
            for (i, value) in list.iter().enumerate() {
                let comma = if i == 0 { "" } else { "," };
                write!(f, "{comma}{}", utf8_percent_encode(value, RESERVED))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_read_as_they_are_written() {
        for text in [
            "",
            "keys=val/*,train/loss",
            "keys=a%2Cb,c%26d,e%3Af,g%25h&without=val/images/*&redact=config.data.path,environment.git.*,console",
        ] {
            let selection: Selection = text.parse().unwrap();
            assert_eq!(selection.to_string(), text);
            assert_eq!(selection.is_default(), text.is_empty());
        }
        let selection: Selection = "keys=a%2Cb,val/*&without=val/x*".parse().unwrap();
        for (key, shown) in [
            ("a,b", true),
            ("val/loss", true),
            ("val/xy", false),
            ("c", false),
        ] {
            assert_eq!(selection.shows(key), shown, "{key}");
        }
        for (wrong, said) in [
            ("key=a", "`key` is nothing"),
            ("keys=", "says nothing"),
            (
                "redact=config.x,password",
                "`password` is nothing that can be redacted",
            ),
            ("redact=*", "`*` is nothing"),
            ("redact=console.message", "nothing that can be redacted"),
            ("keys=%ff", "UTF-8"),
        ] {
            let error = wrong.parse::<Selection>().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}

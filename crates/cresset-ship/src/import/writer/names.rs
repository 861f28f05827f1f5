//! Names of runs and series from elsewhere.

use cresset_record::{Digest, Key, MAX_KEY, NameError, Project, RunId};

/// The id of a run that is imported: from the kind of its source and from what tells the source from all others.
///
/// # Errors
/// If the kind is no word.
pub fn run_id(kind: &str, identity: &[&[u8]]) -> Result<RunId, NameError> {
    let mut bytes = Vec::new();
    for part in identity {
        // With its length, so that no two lists of parts are the same bytes.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    let digest = Digest::of(&bytes).to_string();
    RunId::try_from(format!("{kind}-{}", &digest[..16]))
}

/// The project nearest to a name from elsewhere, such as that of an experiment.
///
/// # Errors
/// If the name is none at all.
pub fn project_named(name: &str) -> Result<Project, NameError> {
    if let Ok(project) = Project::try_from(name.to_owned()) {
        return Ok(project);
    }
    let mut plain: String = name
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    let digest = Digest::of(name.as_bytes()).to_string();
    loop {
        // Names that are mended alike stay apart.
        let mended = Project::try_from(format!("{plain}-{}", &digest[..6]));
        match mended {
            Err(_) if plain.pop().is_some() => {}
            mended => return mended,
        }
    }
}

/// The key nearest to a name from elsewhere.
pub(super) fn usable(name: &str) -> Result<Key, NameError> {
    let plain: String = name
        .chars()
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    if plain.is_empty() {
        return Key::new("unnamed");
    }
    if plain.len() <= MAX_KEY {
        return Key::new(&plain);
    }
    // Long names often differ at their end.
    let digest = Digest::of(name.as_bytes()).to_string();
    let mut short: String = plain.chars().take(MAX_KEY / 8).collect();
    short.push('…');
    short.push_str(&digest[..16]);
    Key::new(&short)
}

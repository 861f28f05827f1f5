//! Finds runs by a piece of text.

use crate::row::RunHead;

/// A text to look for, whatever the case of its letters.
pub(super) struct Search {
    lower: String,
}

impl Search {
    /// Looks for a text; an empty one is in every run.
    pub(super) fn new(text: &str) -> Self {
        Self {
            lower: text.trim().to_lowercase(),
        }
    }

    /// Whether name, id, a tag, the group or the notes contain it.
    pub(super) fn finds(&self, run: &RunHead) -> bool {
        self.lower.is_empty()
            || self.is_in(&run.name)
            || self.is_in(run.key.run.as_str())
            || run.tags.iter().any(|tag| self.is_in(tag))
            || run.group.as_deref().is_some_and(|group| self.is_in(group))
            || self.is_in(&run.notes)
    }

    fn is_in(&self, text: &str) -> bool {
        text.len() >= self.lower.len() && text.to_lowercase().contains(&self.lower)
    }
}

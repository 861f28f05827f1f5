/// An HTML page. It is kept as it is, never interpreted here; readers show it in a sandbox.
///
/// Up to 4 KiB are kept in the log, more as a file of its own.
#[derive(Clone, Debug)]
pub struct Html {
    pub(super) page: String,
    pub(super) caption: Option<String>,
}

impl Html {
    /// A page or a fragment of one.
    #[must_use]
    pub fn new(page: impl Into<String>) -> Self {
        Self {
            page: page.into(),
            caption: None,
        }
    }

    /// A line for people, shown under the page.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    pub(super) fn bytes(&self) -> usize {
        self.page.len() + self.caption.as_ref().map_or(0, String::len)
    }
}

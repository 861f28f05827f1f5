//! What a figure must keep to.

use std::fmt;

use crate::number;

/// A bound of a figure, in the figure's own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// The figure is at most this.
    AtMost(f64),
    /// The figure is at least this.
    AtLeast(f64),
    /// Shown for what it is.
    None,
}

impl Budget {
    /// The bound, if there is one.
    #[must_use]
    pub fn limit(self) -> Option<f64> {
        match self {
            Self::AtMost(limit) | Self::AtLeast(limit) => Some(limit),
            Self::None => None,
        }
    }

    /// On which side of it figures are, for programs that read reports.
    #[must_use]
    pub fn bound(self) -> Option<&'static str> {
        match self {
            Self::AtMost(_) => Some("at most"),
            Self::AtLeast(_) => Some("at least"),
            Self::None => None,
        }
    }

    /// Whether `value` keeps to it; `None` without a budget.
    #[must_use]
    pub fn holds(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(limit) => Some(value <= limit),
            Self::AtLeast(limit) => Some(value >= limit),
            Self::None => None,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtMost(limit) => write!(f, "≤ {}", number(limit)),
            Self::AtLeast(limit) => write!(f, "≥ {}", number(limit)),
            Self::None => Ok(()),
        }
    }
}

/// A cell of a table that says whether a budget holds.
#[must_use]
pub fn word(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "holds",
        Some(false) => "**does not hold**",
        None => "",
    }
}

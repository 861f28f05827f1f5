use serde::{Deserialize, Serialize};

/// What an inspector calls a joint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JointClass {
    /// Wetted, filled, shiny.
    Good,
    /// Solder joins two conductors that must stay apart.
    Bridge,
    /// Too little solder: pad bare, no fillet to speak of.
    Insufficient,
    /// A blow hole or pit in the fillet.
    Void,
    /// The solder did not melt through: dull, grainy, lumpy.
    Cold,
    /// The chip stands up on one end.
    Tombstone,
}

impl JointClass {
    /// Every class, in the order of their folders' indices in the index file.
    pub const ALL: [Self; 6] = [
        Self::Good,
        Self::Bridge,
        Self::Insufficient,
        Self::Void,
        Self::Cold,
        Self::Tombstone,
    ];

    /// The name of the class and of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bridge => "bridge",
            Self::Insufficient => "insufficient",
            Self::Void => "void",
            Self::Cold => "cold",
            Self::Tombstone => "tombstone",
        }
    }

    /// Its share of the crops: good joints are the rule, each defect is rare in its own measure.
    pub(crate) fn share(self) -> f32 {
        match self {
            Self::Good => 0.50,
            Self::Bridge => 0.10,
            Self::Insufficient => 0.13,
            Self::Void => 0.10,
            Self::Cold => 0.10,
            Self::Tombstone => 0.07,
        }
    }
}

//! solder-joints

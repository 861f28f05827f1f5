//! What the renderer draws with: portable arithmetic, noise, distances to shapes and a small font.

pub(crate) mod font;
pub(crate) mod math;
pub(crate) mod noise;
pub(crate) mod shape;

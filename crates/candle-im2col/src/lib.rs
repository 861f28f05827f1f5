//! candle-im2col

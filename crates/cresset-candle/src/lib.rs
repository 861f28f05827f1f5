//! cresset-candle

//! Numbers that can be logged.

/// A number that can be logged as a scalar. Integers beyond 2⁵³ are rounded to the nearest `f64`.
pub trait Scalar: Copy {
    /// The value as it is kept.
    fn to_f64(self) -> f64;
}

macro_rules! scalar {
    ($($t:ty)*) => {$(
        impl Scalar for $t {
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

scalar!(f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl Scalar for bool {
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl Scalar for half::f16 {
    #[inline]
    fn to_f64(self) -> f64 {
        half::f16::to_f64(self)
    }
}

impl Scalar for half::bf16 {
    #[inline]
    fn to_f64(self) -> f64 {
        half::bf16::to_f64(self)
    }
}

//! Numbers that need not be finite, in JSON: it has no NaN and no infinities, so those are `null`, which is read as NaN.
//!
//! For `#[serde(with = …)]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number.
pub(crate) mod number {
    use super::{Deserialize, Deserializer, Number, Serialize, Serializer};

    pub(crate) fn serialize<T: Number, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        value.finite().serialize(s)
    }

    pub(crate) fn deserialize<'de, T: Number, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        Option::<f64>::deserialize(d).map(T::or_nan)
    }
}

/// A number that may be missing, which is not the same as `null`; with `default` and `skip_serializing_if`.
pub(crate) mod optional {
    use super::{Deserializer, Number, Serializer, number};

    pub(crate) fn serialize<T: Number, S: Serializer>(
        value: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => number::serialize(value, s),
            None => s.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Number, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        number::deserialize(d).map(Some)
    }
}

/// Any number of `f64`.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &[f64], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(values.iter().map(Number::finite))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<Option<f64>>::deserialize(d)?;
        Ok(values.into_iter().map(f64::or_nan).collect())
    }
}

/// `f32` or `f64`.
pub(crate) trait Number: Copy + Serialize {
    fn finite(&self) -> Option<Self>;
    fn or_nan(value: Option<f64>) -> Self;
}

impl Number for f64 {
    fn finite(&self) -> Option<Self> {
        self.is_finite().then_some(*self)
    }

    fn or_nan(value: Option<f64>) -> Self {
        value.unwrap_or(Self::NAN)
    }
}

impl Number for f32 {
    fn finite(&self) -> Option<Self> {
        self.is_finite().then_some(*self)
    }

    fn or_nan(value: Option<f64>) -> Self {
        value.map_or(Self::NAN, |value| value as Self)
    }
}

//! A sink's memory as one value.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ShipError;
use crate::sink::Memory;

/// The only key in the memory.
const KEY: &str = "wandb";

/// What was remembered; the beginning if nothing was.
///
/// # Errors
/// If it is of another form.
pub(crate) fn recall<T: DeserializeOwned + Default>(memory: &Memory) -> Result<T, ShipError> {
    let Some(json) = memory.get(KEY) else {
        return Ok(T::default());
    };
    serde_json::from_value(json.clone()).map_err(|e| {
        let message = "the ledger does not say how far the run was carried";
        ShipError::Refused(format!("{message} ({e}); delete it to carry the run anew"))
    })
}

/// # Errors
/// Never in practice: all of it can be JSON.
pub(crate) fn remember<T: Serialize>(memory: &mut Memory, value: &T) -> Result<(), ShipError> {
    let json = serde_json::to_value(value).map_err(|e| ShipError::Refused(e.to_string()))?;
    memory.insert(KEY.to_owned(), json);
    Ok(())
}

//! What the hparams plugin says of a run: its config and how it ended. Field numbers are those of TensorBoard's
//! `plugins/hparams/plugin_data.proto`.

use cresset_record::Outcome;
use serde_json::{Map, Value as Json};

use super::decode::What;
use crate::proto::{Field, Fields, Malformed};

pub(super) fn read<'a>(content: &[u8]) -> Result<Option<What<'a>>, Malformed> {
    for field in Fields::of(content) {
        match field? {
            (3, start) => return config(start.bytes()?).map(|map| Some(What::Config(map))),
            (4, end) => return outcome(end.bytes()?),
            // The experiment only says what others may be set to.
            _ => {}
        }
    }
    Ok(None)
}

fn config(start: &[u8]) -> Result<Map<String, Json>, Malformed> {
    let mut config = Map::new();
    for field in Fields::of(start) {
        let (1, entry) = field? else { continue };
        let (mut name, mut value) = ("", Json::Null);
        for field in Fields::of(entry.bytes()?) {
            match field? {
                (1, text) => name = text.text()?,
                (2, message) => {
                    for field in Fields::of(message.bytes()?) {
                        value = json(field?)?;
                    }
                }
                _ => {}
            }
        }
        config.insert(name.to_owned(), value);
    }
    Ok(config)
}

/// A field of a `google.protobuf.Value`.
fn json((number, value): (u32, Field<'_>)) -> Result<Json, Malformed> {
    Ok(match number {
        2 => value.double()?.into(),
        3 => value.text()?.into(),
        4 => (value.int()? != 0).into(),
        _ => Json::Null,
    })
}

fn outcome<'a>(end: &[u8]) -> Result<Option<What<'a>>, Malformed> {
    for field in Fields::of(end) {
        let (1, status) = field? else { continue };
        return Ok(match status.int()? {
            1 => Some(What::Ended(Outcome::Finished)),
            2 => Some(What::Ended(Outcome::Failed {
                reason: "TensorBoard knows it as failed".to_owned(),
            })),
            _ => None,
        });
    }
    Ok(None)
}

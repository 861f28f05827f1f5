//! What people said, as JSON: the tables that no log can give back.

use serde_json::{Map, Value as Json, json};

use crate::engine::{Arg, Row, Transaction, schema};
use crate::error::StoreError;

/// All rows of all tables that are not derived from logs.
pub(super) fn dump(tx: &mut dyn Transaction) -> Result<String, StoreError> {
    let mut tables = Map::new();
    for (table, columns) in schema::said() {
        let sql = format!("SELECT {} FROM {table}", columns.join(", "));
        let rows = tx.all(&sql, &[], |row| {
            (0..columns.len())
                .map(|column| value(row, column))
                .collect::<Result<Vec<_>, _>>()
        })?;
        tables.insert(table.to_owned(), json!({"columns": columns, "rows": rows}));
    }
    Ok(Json::from(tables).to_string())
}

/// Puts the rows of a dump into empty tables.
pub(super) fn load(tx: &mut dyn Transaction, text: &[u8]) -> Result<(), StoreError> {
    let bad = || StoreError::invalid("people.json is not as a backup has it");
    let tables: Map<String, Json> = serde_json::from_slice(text).map_err(|_| bad())?;
    for (table, known) in schema::said() {
        // An older version had fewer tables, and fewer columns.
        let Some(dumped) = tables.get(table) else {
            continue;
        };
        let columns: Vec<String> =
            serde_json::from_value(dumped["columns"].clone()).map_err(|_| bad())?;
        if let Some(odd) = columns
            .iter()
            .find(|column| !known.contains(&column.as_str()))
        {
            return Err(StoreError::invalid(format!(
                "the backup is of a newer version: its table {table} has a column {odd}; restore it with that version"
            )));
        }
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        for row in dumped["rows"].as_array().ok_or_else(bad)? {
            let cells = row.as_array().ok_or_else(bad)?;
            let bytes: Vec<Option<Vec<u8>>> = cells.iter().map(bytes_of).collect();
            let args: Vec<Arg<'_>> = cells
                .iter()
                .zip(&bytes)
                .map(|(cell, bytes)| arg(cell, bytes.as_deref()))
                .collect();
            if args.len() != columns.len() {
                return Err(bad());
            }
            tx.execute(&sql, &args)?;
        }
    }
    // Numbers go on from there.
    let last = tx.first("SELECT MAX(id) FROM audit", &[], |row| {
        row.optional_integer(0)
    })?;
    let known = schema::counter(tx, "audit")?;
    schema::raise(tx, "audit", last.flatten().unwrap_or(0).max(known) - known).map(drop)
}

fn value(row: &dyn Row, column: usize) -> Result<Json, StoreError> {
    // A value of another type than asked for is an error, so that the right question is the one that is answered.
    if let Ok(number) = row.optional_integer(column) {
        return Ok(number.map_or(Json::Null, Json::from));
    }
    if let Ok(text) = row.optional_text(column) {
        return Ok(text.map_or(Json::Null, Json::from));
    }
    let bytes = row.optional_bytes(column)?.unwrap_or_default();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({ "bytes": digits }))
}

fn bytes_of(cell: &Json) -> Option<Vec<u8>> {
    let digits = cell.get("bytes")?.as_str()?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

fn arg<'a>(cell: &'a Json, bytes: Option<&'a [u8]>) -> Arg<'a> {
    match (cell, bytes) {
        (_, Some(bytes)) => Arg::Bytes(bytes),
        (Json::String(text), _) => Arg::Text(text),
        (Json::Number(number), _) => number.as_i64().map_or(Arg::Null, Arg::Integer),
        _ => Arg::Null,
    }
}

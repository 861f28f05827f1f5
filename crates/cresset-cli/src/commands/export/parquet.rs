//! Parquet: one row a value. The file's metadata has the run's id, name, project and config.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use cresset_record::RunView;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use serde_json::Value as Json;

use super::Exported;

/// The columns.
const SCHEMA: &str = "message run {
    required int32 rank (integer(32, false));
    required binary key (string);
    required int64 step (integer(64, false));
    required int64 time_us;
    required double value;
}";
/// Rows that are held at a time.
const GROUP: usize = 1 << 18;

/// Writes all points, by rank, key and step.
pub(super) fn write(
    view: &RunView,
    series: &Exported,
    out: &mut (impl Write + Send),
) -> anyhow::Result<()> {
    let schema = parse_message_type(SCHEMA).context("the schema of the export")?;
    let properties = Arc::new(properties(view));
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), properties)?;
    let mut group = Group::default();
    let mut name = None;
    for (rank, key, point) in series.points() {
        let key = match &name {
            Some((known, bytes)) if *known == key => ByteArray::clone(bytes),
            _ => {
                let bytes = ByteArray::from(key.as_str());
                name = Some((key, bytes.clone()));
                bytes
            }
        };
        group.push(Row {
            rank: rank.0,
            key,
            step: point.step,
            time_us: point.time.0,
            value: point.value,
        });
        if group.value.len() == GROUP {
            group.write(file.next_row_group()?)?;
        }
    }
    if !group.value.is_empty() {
        group.write(file.next_row_group()?)?;
    }
    file.close()?;
    Ok(())
}

fn properties(view: &RunView) -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    let mut about = vec![("cresset.run", view.dir().id_text().to_owned())];
    if let Some(start) = view.start() {
        about.push(("cresset.name", start.name.clone()));
        about.push(("cresset.project", start.project.as_str().to_owned()));
        let config = Json::Object(start.config.clone());
        about.push(("cresset.config", config.to_string()));
    }
    let about = about
        .into_iter()
        .map(|(name, value)| KeyValue::new(name.to_owned(), value))
        .collect();
    WriterProperties::builder()
        .set_created_by(concat!("cresset ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(about))
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("key"), true)
        .set_column_dictionary_enabled(column("rank"), true)
        // Steps and times go up evenly.
        .set_column_encoding(column("step"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("time_us"), Encoding::DELTA_BINARY_PACKED)
        .build()
}

struct Row {
    rank: u32,
    key: ByteArray,
    step: u64,
    time_us: i64,
    value: f64,
}

/// Rows, column by column. The unsigned columns are the same bits as signed ones.
#[derive(Default)]
struct Group {
    rank: Vec<i32>,
    key: Vec<ByteArray>,
    step: Vec<i64>,
    time_us: Vec<i64>,
    value: Vec<f64>,
}

impl Group {
    fn push(&mut self, row: Row) {
        self.rank.push(row.rank.cast_signed());
        self.key.push(row.key);
        self.step.push(row.step.cast_signed());
        self.time_us.push(row.time_us);
        self.value.push(row.value);
    }

    fn write<W: Write + Send>(
        &mut self,
        mut into: SerializedRowGroupWriter<'_, W>,
    ) -> anyhow::Result<()> {
        write_column::<Int32Type, W>(&mut into, &mut self.rank)?;
        write_column::<ByteArrayType, W>(&mut into, &mut self.key)?;
        write_column::<Int64Type, W>(&mut into, &mut self.step)?;
        write_column::<Int64Type, W>(&mut into, &mut self.time_us)?;
        write_column::<DoubleType, W>(&mut into, &mut self.value)?;
        into.close()?;
        Ok(())
    }
}

fn write_column<T: DataType, W: Write + Send>(
    into: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<T::T>,
) -> anyhow::Result<()> {
    let mut column = into
        .next_column()?
        .context("the schema has fewer columns than the export")?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()?;
    values.clear();
    Ok(())
}

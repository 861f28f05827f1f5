//! The embedded engine: one SQLite file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, TransactionBehavior};

use super::{Arg, Engine, Row, Transaction, Work, schema};
use crate::error::StoreError;

/// Connections for reading that are kept open when nobody uses them.
const IDLE_READERS: usize = 4;
/// Statements that each connection keeps compiled.
const STATEMENTS: usize = 96;
/// How long a writer waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(30);
/// KiB of pages that a connection keeps in memory.
const CACHE_KIB: i64 = 2048;
/// KiB that the writer keeps: a transaction that outgrows it spills.
const WRITER_CACHE_KIB: i64 = 16 << 10;

/// One file, any number of connections: one for writing, the rest for reading. In WAL mode readers see the last
/// committed state and never wait.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens the file and brings its schema up to date. One that is no database or damaged is set aside.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let marker = damage_marker(path);
        if marker.exists() {
            set_aside(path)?;
        }
        match Self::connect(path) {
            Err(Failure::Damaged) => {
                set_aside(path)?;
                Self::connect(path).map_err(|failure| failure.into_error(path))
            }
            other => other.map_err(|failure| failure.into_error(path)),
        }
    }

    fn connect(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            // SQLite's own message for a folder that may not be written says neither which nor why.
            File::create_new(path)
                .map(drop)
                .or_else(|e| match e.kind() {
                    std::io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(e),
                })
                .map_err(|source| {
                    Failure::Other(StoreError::Io {
                        path: path.to_owned(),
                        source,
                    })
                })?;
        }
        let mut writer = connection(path, WRITER_CACHE_KIB)?;
        schema::prepare(&mut Writing(&mut writer), path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        if let Some(idle) = lock(&self.readers).pop() {
            return Ok(idle);
        }
        connection(&self.path, CACHE_KIB).map_err(|failure| failure.into_error(&self.path))
    }

    fn note(&self, error: StoreError) -> StoreError {
        if matches!(&error, StoreError::Engine(text) if text.starts_with(DAMAGED)) {
            // The next one to open it sets it aside. Best effort: it is found out again if this fails.
            let _ = File::create(damage_marker(&self.path));
        }
        error
    }
}

impl Engine for Sqlite {
    fn read_with(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut connection = self.reader()?;
        let result = (|| {
            let tx = connection
                .transaction_with_behavior(TransactionBehavior::Deferred)
                .map_err(engine_error)?;
            work(&mut Open(&tx))
        })();
        let mut idle = lock(&self.readers);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        result.map_err(|e| self.note(e))
    }

    fn write_with(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        Writing(&mut writer).run(work).map_err(|e| self.note(e))
    }
}

/// The writing side, while nobody else has it.
pub(super) struct Writing<'a>(&'a mut Connection);

impl Writing<'_> {
    /// Looks without becoming the writer.
    pub(super) fn peek<T>(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self
            .0
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(engine_error)?;
        work(&mut Open(&tx))
    }

    pub(super) fn run(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let tx = self
            .0
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(engine_error)?;
        work(&mut Open(&tx))?;
        tx.commit().map_err(engine_error)
    }
}

struct Open<'a>(&'a rusqlite::Transaction<'a>);

impl Transaction for Open<'_> {
    fn execute(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|e| in_sql(&e, sql))?;
        let changed = statement
            .execute(rusqlite::params_from_iter(args))
            .map_err(|e| in_sql(&e, sql))?;
        Ok(changed as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        args: &[Arg<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|e| in_sql(&e, sql))?;
        let mut rows = statement
            .query(rusqlite::params_from_iter(args))
            .map_err(|e| in_sql(&e, sql))?;
        while let Some(row) = rows.next().map_err(|e| in_sql(&e, sql))? {
            each(&Answer(row))?;
        }
        Ok(())
    }
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(n) => ToSqlOutput::Owned(Value::Integer(n)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

struct Answer<'a>(&'a rusqlite::Row<'a>);

impl Answer<'_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0.get_ref(column).map_err(engine_error)
    }
}

impl Row for Answer<'_> {
    fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(n) => Ok(Some(n)),
            other => Err(wrong_type(column, "a whole number", other)),
        }
    }

    fn optional_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map(Some)
                .map_err(|e| StoreError::Engine(format!("{DAMAGED}: column {column}: {e}"))),
            other => Err(wrong_type(column, "text", other)),
        }
    }

    fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            other => Err(wrong_type(column, "bytes", other)),
        }
    }
}

fn wrong_type(column: usize, wanted: &str, found: ValueRef<'_>) -> StoreError {
    StoreError::Engine(format!(
        "{DAMAGED}: column {column} should be {wanted} and is {}",
        found.data_type()
    ))
}

fn connection(path: &Path, cache_kib: i64) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // The index can be made anew from the logs; a loss of power may cost the last commits and nothing else.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(connection)
}

/// Why the file could not be opened.
enum Failure {
    Damaged,
    Other(StoreError),
}

impl Failure {
    fn into_error(self, path: &Path) -> StoreError {
        match self {
            Self::Damaged => StoreError::Engine(format!("{DAMAGED}: {}", path.display())),
            Self::Other(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            Self::Damaged
        } else {
            Self::Other(engine_error(error))
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Engine(text) if text.starts_with(DAMAGED) => Self::Damaged,
            _ => Self::Other(error),
        }
    }
}

const DAMAGED: &str = "the database is damaged; start again, and it is set aside and made anew";

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn engine_error(error: rusqlite::Error) -> StoreError {
    if is_damage(&error) {
        return StoreError::Engine(format!("{DAMAGED}: {error}"));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Engine(format!(
                "{error}; the index is kept in the folder of runs, which must be writable"
            ))
        }
        Some(ErrorCode::DiskFull) => StoreError::Engine(format!("{error}; free some space")),
        _ => StoreError::Engine(error.to_string()),
    }
}

fn in_sql(error: &rusqlite::Error, sql: &str) -> StoreError {
    if is_damage(error) {
        return StoreError::Engine(format!("{DAMAGED}: {error}"));
    }
    let head: String = sql.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
    StoreError::Engine(format!("{error} ({head} …)"))
}

fn damage_marker(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

/// Renames a damaged database, so that somebody may look at it; only the last one is kept.
fn set_aside(path: &Path) -> Result<(), StoreError> {
    let aside = path.with_extension("sqlite.damaged");
    for suffix in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
    let renamed = fs::rename(path, &aside).or_else(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(e),
    });
    renamed.map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })?;
    let _ = fs::remove_file(damage_marker(path));
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

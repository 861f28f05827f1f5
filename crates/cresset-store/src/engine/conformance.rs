//! What any engine must do. [`all`] is run with the embedded engine here; another one calls it with its own.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cresset_record::{Digest, Project, Root, RunId};

use super::chunks::{Chunks, InTables, Place, Stored};
use super::files::{Blobs, FileBlobs};
use super::schema::{clear, counter, raise};
use super::sqlite::Sqlite;
use super::{Arg, Engine};
use crate::chunk::{self, Axis, CHUNK};
use crate::document::RunKey;
use crate::error::StoreError;
use crate::points::whole_chunk;

/// Everything, on an engine with an empty schema.
fn all(engine: &dyn Engine, chunks: &dyn Chunks) {
    a_transaction_is_kept_or_undone_as_a_whole(engine);
    values_come_back(engine);
    mistakes_are_errors_and_do_no_harm(engine);
    readers_see_a_snapshot_and_do_not_wait(engine);
    counters_never_give_a_number_twice(engine);
    chunks_are_found_by_series_and_steps(engine, chunks);
    chunks_come_back(engine, chunks);
    what_is_removed_is_gone_and_nothing_else(engine, chunks);
    clearing_leaves_what_people_said(engine);
}

#[test]
fn the_embedded_engine_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
    all(&engine, &InTables);
}

fn a_transaction_is_kept_or_undone_as_a_whole(engine: &dyn Engine) {
    engine.write(|tx| raise(tx, "kept", 3)).unwrap();
    let undone = engine.write(|tx| {
        raise(tx, "kept", 1)?;
        raise(tx, "undone", 1)?;
        Err::<(), _>(StoreError::Conflict("no".into()))
    });
    assert!(matches!(undone, Err(StoreError::Conflict(_))));
    let seen = engine.read(|tx| Ok((counter(tx, "kept")?, counter(tx, "undone")?)));
    assert_eq!(seen.unwrap(), (3, 0));
}

fn values_come_back(engine: &dyn Engine) {
    let texts = ["", "ü \u{1F600} '\"", "a\nb", &"x".repeat(100_000)];
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        for text in texts {
            engine
                .write(|tx| {
                    tx.execute("DELETE FROM console", &[])?;
                    tx.execute(
                        "INSERT INTO console (id, rank, time, level, target, message, fields) VALUES ($1, $2, $3, 0, $4, $4, '')",
                        &[1.into(), 2.into(), number.into(), text.into()],
                    )?;
                    tx.execute("DELETE FROM tails", &[])?;
                    tx.execute(
                        "INSERT INTO tails (run, number, data) VALUES (1, $1, $2)",
                        &[number.into(), text.as_bytes().into()],
                    )
                })
                .unwrap();
            let back = engine.read(|tx| {
                let line = tx.first(
                    "SELECT time, target, message FROM console WHERE id = $1",
                    &[1.into()],
                    |row| {
                        Ok((
                            row.integer(0)?,
                            row.text(1)?.to_owned(),
                            row.text(2)?.to_owned(),
                        ))
                    },
                )?;
                let tail = tx.first("SELECT data FROM tails", &[], |row| {
                    Ok(row.bytes(0)?.to_vec())
                })?;
                Ok((line, tail))
            });
            let expected = Some((number, text.to_owned(), text.to_owned()));
            assert_eq!(back.unwrap(), (expected, Some(text.as_bytes().to_vec())));
        }
    }
    let nothing = engine.read(|tx| {
        tx.first("SELECT MAX(step) FROM alerts", &[], |row| {
            Ok((
                row.optional_integer(0)?,
                row.optional_text(0)?.is_none(),
                row.integer(0).is_err(),
            ))
        })
    });
    assert_eq!(nothing.unwrap(), Some((None, true, true)));
}

fn mistakes_are_errors_and_do_no_harm(engine: &dyn Engine) {
    let seen = engine.read(|tx| {
        let wrong = tx.query("SELECT nothing FROM nowhere", &[], &mut |_| Ok(()));
        assert!(matches!(wrong, Err(StoreError::Engine(_))));
        let stopped = tx.query("SELECT name FROM meta", &[], &mut |_| {
            Err(StoreError::Conflict("enough".into()))
        });
        assert!(matches!(stopped, Err(StoreError::Conflict(_))));
        counter(tx, "kept")
    });
    assert_eq!(seen.unwrap(), 3);
    let text_as_number =
        engine.read(|tx| tx.first("SELECT name FROM meta", &[], |row| row.integer(0)));
    assert!(matches!(text_as_number, Err(StoreError::Engine(_))));
}

fn readers_see_a_snapshot_and_do_not_wait(engine: &dyn Engine) {
    let during = |engine: &dyn Engine| engine.read(|tx| counter(tx, "kept"));
    engine
        .write(|tx| {
            raise(tx, "kept", 1)?;
            let seen = thread::scope(|scope| scope.spawn(|| during(engine)).join());
            assert_eq!(seen.unwrap().unwrap(), 3);
            Ok(())
        })
        .unwrap();
    engine
        .read(|tx| {
            assert_eq!(counter(tx, "kept")?, 4);
            let write = |engine: &dyn Engine| engine.write(|tx| raise(tx, "kept", 1));
            let written = thread::scope(|scope| scope.spawn(|| write(engine)).join());
            assert_eq!(written.unwrap().unwrap(), 5);
            assert_eq!(counter(tx, "kept")?, 4, "a transaction sees one state");
            Ok(())
        })
        .unwrap();
}

fn counters_never_give_a_number_twice(engine: &dyn Engine) {
    let sum = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let n = engine.write(|tx| raise(tx, "many", 1)).unwrap();
                    sum.fetch_add(n as u64, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), (1..=100).sum::<u64>());
}

fn axis(steps: impl IntoIterator<Item = u64>) -> Axis {
    let steps: Vec<u64> = steps.into_iter().collect();
    let times = (0..steps.len() as i64)
        .map(|i| 1_700_000_000_000_000 + i * 1000)
        .collect();
    Axis::new(steps, times)
}

fn put(
    engine: &dyn Engine,
    chunks: &dyn Chunks,
    series: i64,
    number: u64,
    axis: &Axis,
    values: &[f64],
) {
    let stored = engine.write(|tx| {
        let id = chunks.put_axis(tx, 7, &axis.encode()?)?;
        let place = Place {
            series,
            number,
            axis: id,
            steps: (axis.steps[0], axis.steps[axis.len() - 1]),
        };
        chunks.put(tx, &place, &chunk::encode(values, axis, 0)?)
    });
    stored.unwrap();
}

fn found(engine: &dyn Engine, chunks: &dyn Chunks, series: i64, steps: (u64, u64)) -> Vec<Stored> {
    let mut found = Vec::new();
    engine
        .read(|tx| {
            chunks.heads(tx, series, steps, &mut |chunk| {
                found.push(chunk);
                Ok(())
            })
        })
        .unwrap();
    found
}

fn chunks_are_found_by_series_and_steps(engine: &dyn Engine, chunks: &dyn Chunks) {
    put(engine, chunks, 1, 0, &axis([10, 20]), &[1.0, 2.0]);
    put(engine, chunks, 1, 2, &axis([5, 12]), &[3.0, 4.0]);
    put(
        engine,
        chunks,
        1,
        1,
        &axis([u64::MAX - 1, u64::MAX]),
        &[5.0, 6.0],
    );
    put(engine, chunks, 2, 0, &axis([0, u64::MAX]), &[7.0, 8.0]);
    let numbers = |steps| -> Vec<u64> {
        found(engine, chunks, 1, steps)
            .iter()
            .map(|c| c.number)
            .collect()
    };
    assert_eq!(numbers((0, u64::MAX)), [0, 1, 2]);
    assert_eq!(numbers((13, 20)), [0]);
    assert_eq!(numbers((12, 12)), [0, 2]);
    assert_eq!(numbers((21, u64::MAX - 2)), [0u64; 0]);
    assert_eq!(numbers((u64::MAX, u64::MAX)), [1]);
}

fn chunks_come_back(engine: &dyn Engine, chunks: &dyn Chunks) {
    for n in [1, 23, 24, 511, 512, 513, CHUNK] {
        for (series, steps) in [(10, 1), (11, 0), (12, 3)] {
            let series = series * 10_000 + n as i64;
            let shuffled = (0..n as u64).map(|i| {
                if steps == 3 {
                    i * 7919 % 5000
                } else {
                    i * steps
                }
            });
            let axis = axis(shuffled);
            let values: Vec<f64> = (0..n)
                .map(|i| {
                    if i % 9 == 0 {
                        f64::NAN
                    } else {
                        (i as f64).sqrt()
                    }
                })
                .collect();
            put(engine, chunks, series, 0, &axis, &values);
            let mut chunk = found(engine, chunks, series, (0, u64::MAX)).remove(0);
            let (back, found) = engine
                .read(|tx| whole_chunk(tx, chunks, &mut chunk))
                .unwrap();
            assert_eq!(back, axis);
            let order = |i: usize| axis.order.as_ref().map_or(i, |o| o[i] as usize);
            for (i, value) in found.iter().enumerate() {
                assert_eq!(value.to_bits(), values[order(i)].to_bits());
            }
            assert_eq!(found.len(), n);
        }
    }
}

fn what_is_removed_is_gone_and_nothing_else(engine: &dyn Engine, chunks: &dyn Chunks) {
    let first = found(engine, chunks, 1, (0, u64::MAX)).remove(0);
    engine.write(|tx| chunks.remove(tx, &first)).unwrap();
    assert_eq!(found(engine, chunks, 1, (0, u64::MAX)).len(), 2);
    assert_eq!(found(engine, chunks, 2, (0, u64::MAX)).len(), 1);
    engine.write(|tx| chunks.remove_run(tx, 8, &[1])).unwrap();
    assert!(found(engine, chunks, 1, (0, u64::MAX)).is_empty());
    // Axes are those of run 7.
    let mut other = found(engine, chunks, 2, (0, u64::MAX)).remove(0);
    assert!(
        engine
            .read(|tx| whole_chunk(tx, chunks, &mut other))
            .is_ok()
    );
    engine.write(|tx| chunks.remove_run(tx, 7, &[2])).unwrap();
    assert!(engine.read(|tx| chunks.axis(tx, other.axis)).is_err());
}

fn clearing_leaves_what_people_said(engine: &dyn Engine) {
    let who: [Arg<'_>; 2] = ["p".into(), "r".into()];
    engine
        .write(|tx| {
            tx.execute(
                "INSERT INTO labels (project, run, name, has_group) VALUES ($1, $2, 'n', 0)",
                &who,
            )?;
            clear(tx)
        })
        .unwrap();
    let left = engine.read(|tx| {
        let labels = tx.first("SELECT COUNT(*) FROM labels", &[], |row| row.integer(0))?;
        let chunks = tx.first("SELECT COUNT(*) FROM chunks", &[], |row| row.integer(0))?;
        Ok((labels, chunks, counter(tx, "kept")?))
    });
    assert_eq!(left.unwrap(), (Some(1), Some(0), 5));
}

/// What anything that keeps blobs must do; `damage` spoils one that is there.
fn blobs_are_whole_or_not_there(
    blobs: &dyn Blobs,
    run: &RunKey,
    there: &[u8],
    damage: impl Fn(&Digest),
) {
    let digest = Digest::of(there);
    let (mut file, length) = blobs.open(run, &digest).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!((bytes.as_slice(), length), (there, there.len() as u64));
    assert!(blobs.is_there(run, &digest));
    assert_eq!(blobs.total(run).unwrap(), (1, length));
    let missing = Digest::of(b"missing");
    assert!(!blobs.is_there(run, &missing));
    assert!(
        matches!(blobs.open(run, &missing), Err(StoreError::NotFound(text)) if text.contains("missing"))
    );
    damage(&digest);
    assert!(
        matches!(blobs.open(run, &digest), Err(StoreError::NotFound(text)) if text.contains("damaged"))
    );
}

#[test]
fn blob_folders_conform() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let run = RunKey {
        project: Project::try_from("p".to_owned()).unwrap(),
        run: RunId::try_from("r".to_owned()).unwrap(),
    };
    let blobs = root.run(&run.project, &run.run).blobs();
    blobs.put(b"solder", "text/plain").unwrap();
    blobs_are_whole_or_not_there(&FileBlobs::new(root), &run, b"solder", |digest| {
        std::fs::write(blobs.path(digest), b"tampered").unwrap();
    });
}

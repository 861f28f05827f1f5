//! The dull second implementation of a sender: what `cresset sync` says to a server, said to the store that the server keeps it in.

use cresset_record::{Piece, PieceReader, Rank, Record, RunDir, is_live};
use cresset_store::{RunKey, Store, StoreError};

/// The only writer of the runs that are carried.
const RANK: Rank = Rank(0);
/// About so many bytes are sent at a time.
const PIECE: usize = 600;

/// What a sender believes of the server for good, and does not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// The blobs of the frames up to this one are there.
    Blobs(u64),
    /// All of it is there.
    All,
}

/// What the server calls a run.
///
/// # Errors
/// If it has no id.
pub(crate) fn key_of(run: &RunDir) -> Result<RunKey, Box<dyn std::error::Error>> {
    Ok(RunKey {
        project: "faults".to_owned().try_into()?,
        run: run.id_text().to_owned().try_into()?,
    })
}

/// Carries a run to its end, from what the server says that it has. `blobs` is what was believed of blobs; `told` hears of what is, and says
/// whether to go on.
///
/// # Errors
/// What the server says, or that it has less than it said.
pub(crate) fn carry(
    source: &RunDir,
    store: &Store,
    key: &RunKey,
    blobs: Option<u64>,
    mut told: impl FnMut(Option<Belief>) -> bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let last = |store: &Store| -> Result<Option<u64>, StoreError> {
        let writers = store.taken_in(key)?.into_iter();
        Ok(writers
            .filter(|(rank, _)| *rank == RANK)
            .find_map(|(_, last)| last))
    };
    let mut known = last(store)?;
    let after = blobs.min(known);
    let live = is_live(source, RANK);
    let segments = source.segments()?;
    for &(rank, index) in &segments {
        let is_complete = !live || segments.last() != Some(&(rank, index));
        let mut reader = PieceReader::open(source, rank, index, after)?;
        while let Some(piece) = reader.next(PIECE, is_complete)? {
            // The server gets to know the run by the first piece; after that, what a log points to is there first.
            let is_first = known.is_none();
            if !is_first {
                send_blobs(source, store, key, &piece)?;
            }
            if known < Some(piece.last) {
                let taken = store.take_in(key, rank, index, known, &piece.bytes, "faults")?;
                if taken.last < Some(piece.last) {
                    return Err("the server lost what it had".into());
                }
                known = taken.last;
            }
            if is_first {
                send_blobs(source, store, key, &piece)?;
            }
            if !told(Some(Belief::Blobs(piece.last))) {
                return Ok(());
            }
        }
    }
    if !told(None) {
        return Ok(());
    }
    store.let_go(key, RANK)?;
    if last(store)? < known {
        return Err("the server lost what it had".into());
    }
    told(Some(Belief::All));
    Ok(())
}

fn send_blobs(
    source: &RunDir,
    store: &Store,
    key: &RunKey,
    piece: &Piece,
) -> Result<(), Box<dyn std::error::Error>> {
    let blobs = piece.records.iter().filter_map(|record| match record {
        Record::Media { media, .. } => Some(media.blobs()),
        _ => None,
    });
    let digests: Vec<_> = blobs.flatten().map(|blob| blob.digest).collect();
    for missing in store.missing_blobs(key, &digests) {
        let bytes = std::fs::read(source.blobs().path(&missing.digest))?;
        let from = match missing.begun < bytes.len() as u64 {
            true => missing.begun,
            false => 0,
        };
        if send_blob(store, key, &missing.digest, from, &bytes).is_err() {
            // What is there of its beginning is not what was sent.
            send_blob(store, key, &missing.digest, 0, &bytes)?;
        }
    }
    Ok(())
}

fn send_blob(
    store: &Store,
    key: &RunKey,
    digest: &cresset_record::Digest,
    from: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let mut blob = store.receive_blob(key, *digest, from)?;
    for part in bytes.get(from as usize..).unwrap_or_default().chunks(2000) {
        blob.write(part)?;
    }
    blob.keep()
}

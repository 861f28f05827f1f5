//! What the tests of the index share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and uses a part of this"
)]

pub mod logs;
pub mod reference;

use cresset_record::*;
use cresset_store::*;

/// The project of all tests.
pub fn project() -> Project {
    Project::try_from("tests".to_owned()).unwrap()
}

/// A run of it.
pub fn key(id: &str) -> RunKey {
    RunKey {
        project: project(),
        run: RunId::try_from(id.to_owned()).unwrap(),
    }
}

/// Appends records as one frame.
pub fn append(log: &mut LogWriter, records: &[Record]) {
    let mut frame = FrameBuilder::default();
    for record in records {
        frame.push(record).unwrap();
    }
    log.append(&mut frame).unwrap();
}

/// A chart of one key of one run.
pub fn query(run: &RunKey, key: &str, buckets: usize) -> ChartQuery {
    ChartQuery {
        project: run.project.clone(),
        runs: vec![run.run.clone()],
        key: key.to_owned(),
        axis: Axis::Step,
        from: None,
        to: None,
        buckets,
        ranks: RankChoice::All,
    }
}

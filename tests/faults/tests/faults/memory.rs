//! An index whose process runs out of memory, at any amount of it.

use std::process::{Command, Stdio};

use cresset_record::Root;
use cresset_store::Store;

use crate::support::{place, trainer};

#[test]
fn an_indexer_without_memory_leaves_an_index_that_is_right() {
    let (_place, runs) = place();
    for training in ["steps=20000 text", "resume steps=20000"] {
        let output = trainer(&runs, training).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let mut ended = [0; 3];
    // From too little to begin with to plenty, each with what the one before left.
    let amounts = std::iter::successors(Some(100u64), |kib| Some(kib * 9 / 8));
    for kib in amounts.take_while(|kib| *kib < 1 << 17) {
        let mut indexer = Command::new(env!("CARGO_BIN_EXE_indexer"));
        let indexer = indexer
            .arg(&runs)
            .arg(kib.to_string())
            .stderr(Stdio::piped());
        let output = indexer.output().unwrap();
        ended[match output.status.code() {
            Some(0) => 0,
            Some(_) => 1,
            None => 2,
        }] += 1;
    }
    println!(
        "{} came to the end, {} gave up, {} were aborted",
        ended[0], ended[1], ended[2]
    );
    assert!(ended[0] > 0 && ended[1] + ended[2] > 0, "{ended:?}");
    let store = Store::open(Root::new(&runs)).unwrap();
    store.refresh().unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let checked = store.check(fresh.path()).unwrap();
    assert_eq!((checked.runs, checked.differences), (1, Vec::new()));
}

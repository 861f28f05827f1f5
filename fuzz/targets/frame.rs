//! Any bytes as the payload of a frame.
#![no_main]

#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;

use cresset_record::{Frame, FrameBuilder, MINOR, Record, TensorStats};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let Some(frame) = Frame::decode(payload, MINOR) else {
        return;
    };
    let mut builder = FrameBuilder::default();
    let mut kept = Vec::new();
    for record in &frame.records {
        if let Record::Histogram { stats, .. } = record {
            ask(stats);
        }
        // Deep JSON is read deeper than it is written, and unknown kinds are not written at all.
        if builder.push(record).is_ok() {
            kept.push(record.clone());
        }
    }
    let again = builder
        .seal(frame.sequence, |bytes| Frame::decode(&bytes[10..], MINOR))
        .expect("it has a number");
    assert_eq!((again.sequence, again.malformed), (frame.sequence, 0));
    assert_eq!(plain::plainly(&again.records), plain::plainly(&kept));
});

fn ask(stats: &TensorStats) {
    for q in [0.0, 0.5, 1.0] {
        let _ = stats.quantile(q);
    }
    let _ = (
        stats.mean(),
        stats.std(),
        stats.l2_norm(),
        stats.finite(),
        stats.non_finite(),
    );
    let _ = stats.histogram.buckets().count();
    let mut merged = TensorStats::from_values([1.0, -1e300, 1e-300]);
    merged.merge(stats);
    merged.insert(5.0);
    let _ = (merged.quantile(0.3), merged.histogram.buckets().count());
}

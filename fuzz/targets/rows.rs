//! Any bytes as the body of a `Rows` record.
#![no_main]

#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;
#[path = "../../crates/cresset-record/tests/common/raw.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod raw;

use cresset_record::{Frame, FrameBuilder, MINOR};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let payload = raw::payload(0, &[(5, body)]);
    let frame = Frame::decode(&payload, MINOR).expect("it has a number");
    assert_eq!(frame.records.len() + frame.malformed as usize, 1);
    if body.len() < 1 << 12 {
        let plain = plain::read_payload(&payload);
        let plain: Vec<_> = plain.records.into_iter().flatten().collect();
        let ours: Vec<_> = frame.records.iter().map(plain::PlainRecord::of).collect();
        assert_eq!(ours, plain);
    }
    let mut builder = FrameBuilder::default();
    for record in &frame.records {
        builder.push(record).expect("rows can always be written");
    }
    let again = builder
        .seal(0, |bytes| Frame::decode(&bytes[10..], MINOR))
        .expect("it has a number");
    assert_eq!(
        plain::plainly(&again.records),
        plain::plainly(&frame.records)
    );
});

//! Any messages as a TensorBoard event file: each after its length (2 bytes), or, if the first byte is odd, the file as it is.
#![no_main]

mod place;
#[path = "../../crates/cresset-record/tests/common/plain.rs"]
#[allow(dead_code, reason = "written for the tests")]
mod plain;

use cresset_ship::import::tensorboard;
use libfuzzer_sys::fuzz_target;
use place::{Place, look, options};

fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else {
        return;
    };
    let mut file = Vec::new();
    if first % 2 == 1 {
        file.extend(rest);
        rest = &[];
    }
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (message, after) = after.split_at(length);
        let head = (length as u64).to_le_bytes();
        file.extend(head);
        file.extend(sum(&head));
        file.extend(message);
        file.extend(sum(message));
        rest = after;
    }
    let place = Place::new();
    place.write("events.out.tfevents.1", &file);
    let from = place.write("x", b"").parent().expect("a folder").to_owned();
    for imported in tensorboard(&from, &place.runs(), &options())
        .into_iter()
        .flatten()
        .flatten()
    {
        look(&imported);
    }
});

/// As TFRecord has it.
fn sum(bytes: &[u8]) -> [u8; 4] {
    (plain::crc32c(bytes) as u32)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
        .to_le_bytes()
}

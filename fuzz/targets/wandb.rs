//! Any messages as a file of W&B's: each after its length (2 bytes), or, if the first byte is odd, the file as it is.
#![no_main]

mod place;

use cresset_ship::import::wandb;
use libfuzzer_sys::fuzz_target;
use place::{Place, look, options};

fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else {
        return;
    };
    let mut file = vec![b':', b'W', b'&', b'B', 0xE1, 0xBE, 0];
    if first % 2 == 1 {
        file = rest.to_vec();
        rest = &[];
    }
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (message, after) = after.split_at(length);
        // Whole records only, none across blocks: the reader's own tests have those.
        if file.len() / 32768 == (file.len() + 7 + length) / 32768 {
            file.extend(crc32(&[&[1], message].concat()).to_le_bytes());
            file.extend((length as u16).to_le_bytes());
            file.push(1);
            file.extend(message);
        }
        rest = after;
    }
    let place = Place::new();
    let file = place.write("run-a.wandb", &file);
    if let Ok(imported) = wandb(&file, &place.runs(), &options()) {
        look(&imported);
    }
});

/// CRC-32 as in Ethernet, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

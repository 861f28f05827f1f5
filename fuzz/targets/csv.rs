//! Any bytes as a file of comma-separated values.
#![no_main]

mod place;

use cresset_ship::import::csv;
use libfuzzer_sys::fuzz_target;
use place::{Place, look, options};

fuzz_target!(|input: &[u8]| {
    let place = Place::new();
    let file = place.write("a.csv", input);
    if let Ok(imported) = csv(&file, &place.runs(), &options()) {
        look(&imported);
    }
});

//! Chunks of older versions are read for ever.

use std::fs;
use std::path::PathBuf;

use super::{Axis, AxisHead, Encoded, Head, encode};
use crate::varint::{self, Taker};

/// What the fixtures hold: regular and irregular steps, `f32` and `f64` values, values that are not finite, short ones.
fn samples() -> Vec<(Axis, Vec<f64>)> {
    let times = |n: usize| {
        (0..n as i64)
            .map(|i| 1_700_000_000_000_000 + i * 1003 + i % 7)
            .collect::<Vec<_>>()
    };
    let wave = |i: usize| (i as f64 / 40.0).sin();
    vec![
        (
            Axis::new((0..700).collect(), times(700)),
            (0..700).map(wave).collect(),
        ),
        (
            Axis::new((0..300).map(|i| i * 7919 % 1000).collect(), times(300)),
            (0..300).map(|i| f64::from(wave(i) as f32)).collect(),
        ),
        (
            Axis::new(vec![5, 5, u64::MAX], times(3)),
            vec![f64::NAN, f64::NEG_INFINITY, 1.5],
        ),
    ]
}

fn fixture(version: u8) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/chunks-{version}.bin"))
}

fn put(out: &mut Vec<u8>, encoded: &Encoded) {
    for bytes in std::iter::once(&encoded.head).chain(&encoded.pages) {
        varint::put(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }
}

fn take(taker: &mut Taker<'_>, pages: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut one = || {
        let n = taker.count().unwrap();
        taker.bytes(n).unwrap().to_vec()
    };
    let head = one();
    (head, (0..pages).map(|_| one()).collect())
}

#[test]
fn chunks_of_version_1_are_read() {
    let bytes = fs::read(fixture(1)).unwrap();
    let mut taker = Taker::new(&bytes, "a fixture");
    for (axis, values) in samples() {
        let pages = values.len().div_ceil(super::PAGE);
        let (head, axis_pages) = take(&mut taker, pages);
        let (mut head, mut back) = (AxisHead::decode(&head).unwrap(), Axis::default());
        for (number, page) in axis_pages.iter().enumerate() {
            head.read(number, page, &mut back).unwrap();
        }
        assert_eq!(back, axis);
        let (head, value_pages) = take(&mut taker, pages);
        let (mut head, mut found) = (Head::decode(&head).unwrap(), Vec::new());
        for (number, page) in value_pages.iter().enumerate() {
            head.read(number, page, &mut found).unwrap();
        }
        let order = |i: usize| axis.order.as_ref().map_or(i, |o| o[i] as usize);
        let expected = (0..values.len()).map(|i| values[order(i)].to_bits());
        assert!(found.iter().map(|v| v.to_bits()).eq(expected));
        assert_eq!(head.first_arrival, 17);
        assert_eq!(head.steps(), (axis.steps[0], axis.steps[axis.len() - 1]));
        let times = axis.times.iter().copied();
        let earliest_and_latest = times.clone().min().zip(times.max());
        assert_eq!(Some(head.times()), earliest_and_latest);
        let mut blocks = Vec::new();
        head.blocks(&mut blocks).unwrap();
        let counted: u64 = blocks.iter().map(|b| b.block.count).sum();
        assert_eq!(counted, values.len() as u64);
    }
    assert!(taker.is_empty());
}

/// Writes the fixture of the current version; to be run once a version.
#[test]
#[ignore = "writes a fixture"]
fn write_fixture() {
    let mut out = Vec::new();
    for (axis, values) in samples() {
        put(&mut out, &axis.encode().unwrap());
        put(&mut out, &encode(&values, &axis, 17).unwrap());
    }
    fs::write(fixture(super::VERSION), out).unwrap();
}

#[test]
fn any_bytes_are_survived() {
    for (axis, values) in samples() {
        let (places, chunk) = (axis.encode().unwrap(), encode(&values, &axis, 0).unwrap());
        for at in 0..chunk.head.len() {
            let mut bad = chunk.head.clone();
            bad[at] ^= 0x55;
            for bytes in [&bad[..], &chunk.head[..at]] {
                if let Ok(mut head) = Head::decode(bytes) {
                    let mut out = Vec::new();
                    let _ = head.blocks(&mut Vec::new());
                    let _ = head.read(0, &chunk.pages[0], &mut out);
                }
            }
        }
        for at in 0..places.head.len() {
            let mut bad = places.head.clone();
            bad[at] ^= 0x55;
            if let Ok(mut head) = AxisHead::decode(&bad) {
                let _ = head.read(0, &places.pages[0], &mut Axis::default());
            }
        }
    }
}

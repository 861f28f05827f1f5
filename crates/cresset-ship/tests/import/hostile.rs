//! Event files that are damaged, or were made to do harm.

use std::fs;

use cresset_record::{Root, RunView};
use cresset_ship::import::{ImportError, tensorboard};
use proptest::prelude::*;

use super::{import, options, shipped};

#[test]
fn damage_at_any_byte_is_counted_and_never_more() {
    let place = tempfile::tempdir().unwrap();
    let (_, folder) = shipped(place.path(), |run| {
        run.log(0, [("loss", 1.0)]);
        run.log_histogram(1, "weights", &[1.0f32, 2.0][..]);
        run.log_value(2, "said", "words");
    });
    // Only the file with values.
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let bytes = fs::read(&files[1]).unwrap();
    let whole = import(&folder, &Root::new(place.path().join("whole")));
    let source = place.path().join("source");
    fs::create_dir_all(&source).unwrap();
    let file = source.join("events.out.tfevents.1");
    let attempt = |content: &[u8], what: &str| {
        fs::write(&file, content).unwrap();
        let into = tempfile::tempdir_in(place.path()).unwrap();
        let result = tensorboard(&source, &Root::new(into.path()), &options()).unwrap();
        for imported in result {
            match imported {
                Ok(imported) => assert!(
                    imported.points <= whole.points && imported.values <= whole.values + 3,
                    "{what}"
                ),
                Err(ImportError::Nothing { .. }) => {}
                Err(other) => panic!("{what}: {other}"),
            }
        }
    };
    // The middle is the environment, which is as long as what is not committed here.
    let ends = (0..200).chain(bytes.len() - 1500..bytes.len());
    for at in ends.step_by(11) {
        attempt(&bytes[..at], &format!("cut at {at}"));
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0x55;
        attempt(&spoiled, &format!("spoiled at {at}"));
    }
    let mut spoiled = bytes.clone();
    let last = spoiled.len() - 1;
    spoiled[last] ^= 1;
    fs::write(&file, &spoiled).unwrap();
    let imported = import(&source, &Root::new(place.path().join("spoiled")));
    assert!(
        imported.left_out[0].starts_with("1 × damaged record, in events.out.tfevents.1 at byte")
    );
    let view = RunView::open(imported.run).unwrap();
    assert!(
        view.console()[0]
            .message
            .starts_with("not taken over: 1 × damaged record")
    );
}

/// A message's field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    [out, bytes.to_vec()].concat()
}

#[test]
fn what_would_fill_the_memory_is_counted() {
    let place = tempfile::tempdir().unwrap();
    let nothing = field(1, b"").repeat(2_000_000);
    let mut strings = field(1, b"tag");
    strings.extend(field(9, &field(1, &field(1, b"text"))));
    strings.extend(field(8, &field(8, b"").repeat(2_000_000)));
    let mut plugins = Vec::new();
    for i in 0..5000 {
        let plugin = field(9, &field(1, &field(1, format!("plugin {i}").as_bytes())));
        let tag = field(1, format!("tag {i}").as_bytes());
        plugins.extend(field(1, &[tag, plugin, field(8, b"")].concat()));
    }
    let events = [
        field(5, &nothing),
        field(5, &field(1, &strings)),
        field(5, &plugins),
    ];
    let bytes: Vec<u8> = events.iter().flat_map(|event| framed(event)).collect();
    fs::write(place.path().join("events.tfevents"), bytes).unwrap();
    let imported = import(place.path(), &Root::new(place.path().join("into")));
    let left_out = imported.left_out;
    let has = |what: &str| assert!(left_out.iter().any(|l| l == what), "{what}: {left_out:?}");
    has("1 × event of more than 100000 values");
    has("1 × value that cannot be decoded");
    has("100000 × value of an unknown kind");
    assert!(left_out.len() < 1010 && left_out.iter().any(|l| l.ends_with(" × other things")));
}

/// A record as TFRecord frames it.
fn framed(payload: &[u8]) -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        let crc = crc32c::crc32c(bytes).rotate_right(15);
        crc.wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let length = (payload.len() as u64).to_le_bytes();
    [&length[..], &sum(&length), payload, &sum(payload)].concat()
}

/// Bytes that are a message more often than not.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..24).boxed();
    leaf.prop_recursive(6, 64, 6, |inner| {
        let field = (1u8..16, 0u8..4, inner, any::<[u8; 8]>());
        prop::collection::vec(field, 0..6).prop_map(|fields| {
            let mut out = Vec::new();
            for (number, kind, inner, fixed) in fields {
                match kind {
                    0 => out.extend([number << 3, fixed[0] & 0x7f]),
                    1 => out.extend([&[number << 3 | 1], &fixed[..]].concat()),
                    2 => out.extend([&[number << 3 | 5], &fixed[..4]].concat()),
                    _ => {
                        let inner = &inner[..inner.len().min(127)];
                        out.extend([&[number << 3 | 2, inner.len() as u8], inner].concat());
                    }
                }
            }
            out
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_an_event_file_says_is_imported_or_counted(
        messages in prop::collection::vec(message(), 0..12),
    ) {
        let place = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = messages.iter().flat_map(|m| framed(m)).collect();
        fs::write(place.path().join("events.tfevents"), bytes).unwrap();
        let into = Root::new(place.path().join("into"));
        for imported in tensorboard(place.path(), &into, &options()).unwrap() {
            match imported {
                Ok(imported) => prop_assert!(RunView::open(imported.run).unwrap().damage().is_empty()),
                Err(error) => prop_assert!(matches!(error, ImportError::Nothing { .. }), "{}", error),
            }
        }
    }
}

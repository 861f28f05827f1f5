//! Sizes in words.

/// A count of bytes with a binary unit: `512 B`, `46.6 GiB`.
#[must_use]
pub fn size_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let number = format!("{value:.decimals$}");
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        let words = [0, 1023, 1536, 5 << 30, 50_000_000_000, 1 << 50].map(size_in_words);
        let expected = ["0 B", "1023 B", "1.5 KiB", "5 GiB", "46.6 GiB", "1024 TiB"];
        assert_eq!(words, expected);
    }
}

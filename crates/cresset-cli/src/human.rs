//! Numbers, times and texts as people read them.

use cresset_record::Timestamp;
pub(crate) use cresset_store::size_in_words as bytes;
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A number with about `digits` significant digits, without zeros that say nothing: `0.951`, `1.2e-5`, `12300`.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let precision = digits.saturating_sub(1);
    let scientific = format!("{value:.precision$e}");
    let exponent: i32 = scientific
        .rsplit_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    if (-4..digits.max(6) as i32).contains(&exponent) {
        let decimals = usize::try_from(precision as i32 - exponent).unwrap_or(0);
        trim_zeros(&format!("{value:.decimals$}")).to_owned()
    } else {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        format!("{}e{exponent}", trim_zeros(mantissa))
    }
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// A number in full, such that it reads back as itself; an `f32` as the decimal that stands for it.
pub(crate) fn exact_number(value: f64) -> String {
    let as_f32 = value as f32;
    if f64::from(as_f32) == value && value.fract() != 0.0 {
        return debug_to_plain(&format!("{as_f32:?}"));
    }
    debug_to_plain(&format!("{value:?}"))
}

/// `Debug` of a float switches to exponents where `Display` would write hundreds of zeros.
fn debug_to_plain(text: &str) -> String {
    text.strip_suffix(".0").unwrap_or(text).to_owned()
}

/// A JSON value on one line: texts without quotes, lists in brackets.
pub(crate) fn json(value: &Json) -> String {
    match value {
        Json::String(text) => clean(text),
        Json::Number(n) if n.is_f64() => exact_number(n.as_f64().unwrap_or(f64::NAN)),
        Json::Array(list) => {
            let parts: Vec<String> = list.iter().map(json).collect();
            format!("[{}]", parts.join(", "))
        }
        _ => clean(&value.to_string()),
    }
}

/// A duration with its two largest units: `0.42s`, `12m 05s`, `3d 04h`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".into();
    }
    if seconds < 10.0 {
        return format!("{seconds:.2}s");
    }
    let whole = seconds.round() as u64;
    let (minutes, hours, days) = (whole / 60, whole / 3_600, whole / 86_400);
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{minutes}m {:02}s", whole % 60),
        3_600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// How long ago, in its largest unit: `2h`, `3d`.
pub(crate) fn age(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3_600 => format!("{}m", whole / 60),
        3_600..86_400 => format!("{}h", whole / 3_600),
        86_400..604_800 => format!("{}d", whole / 86_400),
        604_800..31_536_000 => format!("{}w", whole / 604_800),
        _ => format!("{}y", whole / 31_536_000),
    }
}

/// Reads a count of bytes: `1000000`, `50GB`, `1.5 GiB`.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !is_digit(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" | "k" => 1e3,
        "mb" | "m" => 1e6,
        "gb" | "g" => 1e9,
        "tb" | "t" => 1e12,
        "kib" | "ki" => 1024.0,
        "mib" | "mi" => 1024f64.powi(2),
        "gib" | "gi" => 1024f64.powi(3),
        "tib" | "ti" => 1024f64.powi(4),
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * unit;
    // Far above what any disk has.
    (bytes < 1e18).then_some(bytes as u64)
}

/// A count and its noun: `1 point`, `2 points`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// Digits in groups of three.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 3 == first {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Day and time in the machine's own time zone.
pub(crate) fn local_time(time: Timestamp) -> String {
    zoned(time).map_or_else(
        || "?".into(),
        |z| z.strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
    )
}

/// Time of day in the machine's own time zone.
pub(crate) fn clock(time: Timestamp) -> String {
    zoned(time).map_or_else(|| "??:??:??".into(), |z| z.strftime("%H:%M:%S").to_string())
}

/// RFC 3339 in UTC with microseconds, for machines; of one length, so that it sorts as text.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{instant:.6}")
}

fn zoned(time: Timestamp) -> Option<jiff::Zoned> {
    let instant = jiff::Timestamp::from_microsecond(time.0).ok()?;
    Some(instant.to_zoned(TimeZone::system()))
}

/// Text from a run made safe for a terminal: escape sequences are taken out, and what else could move the cursor,
/// turn the direction of writing or hide becomes a dot.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.peek() == Some(&'[') => {
                chars.next();
                // Parameters, then one final byte.
                while chars.next_if(|c| ('\x20'..='\x3f').contains(c)).is_some() {}
                chars.next_if(|c| ('\x40'..='\x7e').contains(c));
            }
            '\t' | '\n' | '\r' => out.push(' '),
            _ if c.is_control() || is_invisible(c) => out.push('·'),
            _ => out.push(c),
        }
    }
    out
}

/// Zero-width and direction-changing characters, by which a text can be made to look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text, cut with an ellipsis if it takes more than `columns`.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// The text in lines of at most `columns`, broken between words; a word that is longer has a line of its own.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text, cut at its front, so that the end of a long key stays readable.
pub(crate) fn fit_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 0;
    for c in text.chars().rev() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("50GB", Some(50_000_000_000)),
            ("1.5 GiB", Some(1_610_612_736)),
            ("10m", Some(10_000_000)),
            ("", None),
            ("GB", None),
            ("-1", None),
            ("5 parsecs", None),
            ("1e300", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn numbers() {
        let cases = [
            (0.951_234, "0.9512"),
            (1e-3, "0.001"),
            (1.25e-5, "1.25e-5"),
            (123_456.7, "123457"),
            (1_234_567.0, "1.235e6"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
            (100.0, "100"),
            (9.999_99, "10"),
            (0.000_099_999_9, "0.0001"),
            (1e300, "1e300"),
            (5e-324, "4.941e-324"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value, 4), expected, "{value}");
        }
        assert_eq!(exact_number(f64::from(0.001f32)), "0.001");
        assert_eq!(exact_number(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(exact_number(1e22), "1e22");
        assert_eq!(exact_number(3.0), "3");
    }

    #[test]
    fn durations_and_counts() {
        let texts: Vec<String> = [0.421, 59.6, 725.0, 8_077.0, 273_600.0]
            .map(duration)
            .into();
        assert_eq!(texts, ["0.42s", "1m 00s", "12m 05s", "2h 14m", "3d 04h"]);
        assert_eq!(age(9_000.0), "2h");
        assert_eq!(
            [1, 12, 123, 1_234, 1_234_567].map(grouped).join(" "),
            "1 12 123 1,234 1,234,567"
        );
    }

    #[test]
    fn hostile_text_is_inert() {
        assert_eq!(clean("\x1b[31mred\x1b[0m"), "red");
        assert_eq!(clean("a\x1b]0;title\x07b"), "a·]0;title·b");
        assert_eq!(clean("a\u{202e}b\u{9b}c\nd"), "a·b·c d");
    }

    #[test]
    fn broken_between_words() {
        assert_eq!(wrap("in the order", 6), ["in the", "order"]);
        assert_eq!(wrap("  two blanks", 12), ["  two blanks"]);
        assert_eq!(wrap("a-long-word b", 4), ["a-long-word", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn cut_to_width() {
        assert_eq!(fit("gradients", 5), "grad…");
        assert_eq!(fit_end("gradients", 5), "…ents");
        assert_eq!(fit("焊点焊点", 5), "焊点…");
        assert_eq!(fit("ab", 2), "ab");
        assert_eq!(fit("ab", 0), "");
    }
}

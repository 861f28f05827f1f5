//! Values that stand beside a name that announces a secret: `--token=…`, `PASSWORD: "…"`, `set("api_key", "…")`.

use std::ops::Range;

use super::names::{Secrecy, is_switch, secrecy};

/// How far before a `=` a name with a type is looked for, in bytes.
const LONGEST_TYPE: usize = 160;

/// Adds the values of secret names.
pub(super) fn find_assigned(text: &str, found: &mut Vec<Range<usize>>) {
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let mut done = 0;
        for (at, separator) in line.char_indices() {
            let value = match separator {
                _ if at < done => None,
                '=' | ':' => assigned(line, at),
                ',' => paired(line, at),
                ' ' => flagged(line, at),
                _ => None,
            };
            if let Some(range) = value {
                done = range.end;
                found.push(line_start + range.start..line_start + range.end);
            }
        }
        line_start += line.len();
    }
}

/// The value after the `=` or `:` at `at`, if its name is a secret's.
fn assigned(line: &str, at: usize) -> Option<Range<usize>> {
    let (before, separator, after) = (&line[..at], line.as_bytes()[at], &line[at + 1..]);
    let is_operator = after.starts_with(['=', ':', '~'])
        || before.ends_with(['=', ':', '!', '<', '>', '+', '-', '*', '/', '|']);
    if is_operator {
        return None;
    }
    let names_secret = |text: &str| secrecy(last_name(text)) != Secrecy::Open;
    // `const API_KEY: &str = "…"`: the name stands before the type.
    let annotated = || separator == b'=' && before_type(before).is_some_and(names_secret);
    if !names_secret(before) && !annotated() {
        return None;
    }
    let start = at + 1 + spaces(after);
    let value = &line[start..];
    let range = |length: usize| (length > 0).then(|| start..start + length);
    if let Some((skipped, quoted)) = quoted(value) {
        return (!quoted.is_empty()).then(|| start + skipped..start + skipped + quoted.len());
    }
    let is_tight = separator == b'=' && start == at + 1 && !before.ends_with(' ');
    if is_tight {
        return range(word_length(value));
    }
    let length = word_length(value);
    looks_random(&value[..length])
        .then(|| range(length))
        .flatten()
}

/// The second of two quoted texts around the `,` at `at`, if the first is a secret's name.
fn paired(line: &str, at: usize) -> Option<Range<usize>> {
    let before = line[..at].trim_end();
    if !before.ends_with(['"', '\'']) || secrecy(last_name(before)) == Secrecy::Open {
        return None;
    }
    let start = at + 1 + spaces(&line[at + 1..]);
    let (skipped, quoted) = quoted(&line[start..])?;
    (!quoted.is_empty()).then(|| start + skipped..start + skipped + quoted.len())
}

/// The word after the space at `at`, if a flag such as `--token` stands before it.
fn flagged(line: &str, at: usize) -> Option<Range<usize>> {
    let flag = line[..at].rsplit(' ').next()?;
    let name = flag.trim_start_matches(['"', '\'', '+']);
    if !takes_secret(name) {
        return None;
    }
    let start = at + spaces(&line[at..]);
    let value = &line[start..];
    if value.starts_with('-') {
        return None;
    }
    if let Some((skipped, quoted)) = quoted(value) {
        return (!quoted.is_empty()).then(|| start + skipped..start + skipped + quoted.len());
    }
    let length = word_length(value);
    (length > 0).then(|| start..start + length)
}

/// Whether `flag` is one such as `--token`, whose next argument is a secret.
pub(super) fn takes_secret(flag: &str) -> bool {
    flag.strip_prefix("--").is_some_and(|name| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && secrecy(name) != Secrecy::Open
            && !is_switch(name)
    })
}

/// The name at the end of `text`, quotes and spaces around it left out.
fn last_name(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'', '`', ']']);
    let text = text.strip_suffix('\\').unwrap_or(text);
    let length = text
        .bytes()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        .count();
    &text[text.len() - length..]
}

/// What stands before the first lone `:` of the end of `text`, where a type may stand.
fn before_type(text: &str) -> Option<&str> {
    let text = &text[text.floor_char_boundary(text.len().saturating_sub(LONGEST_TYPE))..];
    let bytes = text.as_bytes();
    (0..bytes.len())
        .find(|&i| {
            bytes[i] == b':' && bytes.get(i + 1) != Some(&b':') && (i == 0 || bytes[i - 1] != b':')
        })
        .map(|i| &text[..i])
}

/// How far into `text` a quoted value begins, and the value; quotes may be escaped or have a `b`, `f` or `r` before them.
fn quoted(text: &str) -> Option<(usize, &str)> {
    let mut opening = text.trim_start_matches(['b', 'f', 'r', '#']);
    let is_escaped = opening.starts_with('\\');
    opening = opening.strip_prefix('\\').unwrap_or(opening);
    let quote = opening
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let value = &opening[1..];
    let mut end = value.trim_end_matches(['\n', '\r']).len();
    let mut previous = ' ';
    for (i, c) in value.char_indices() {
        if c == quote && (is_escaped || previous != '\\') {
            end = end.min(i - usize::from(is_escaped && previous == '\\'));
            break;
        }
        // An escaped backslash does not escape what follows it.
        previous = if c == '\\' && previous == '\\' {
            ' '
        } else {
            c
        };
    }
    Some((text.len() - value.len(), &value[..end]))
}

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || "&;,\"'`)]}>".contains(c))
        .unwrap_or(text.len())
}

/// Whether a bare word is rather a secret than a type, a variable, a call or a number.
fn looks_random(word: &str) -> bool {
    if word.contains(['(', '[', '{', '<']) || word.contains("::") || word.parse::<f64>().is_ok() {
        return false;
    }
    let has = |class: fn(&u8) -> bool| word.bytes().any(|b| class(&b));
    let digits = has(u8::is_ascii_digit);
    let letters = has(u8::is_ascii_alphabetic);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    (word.len() >= 6 && digits && letters) || (word.len() >= 20 && mixed)
}

//! Hides what looks like a secret, by its name or by its form.
//!
//! It is a safety net for what people pass by accident, not a promise: a password under an ordinary name looks like
//! any other word. When in doubt it hides, since a hidden word costs less than a leaked one.

mod assignments;
mod names;
mod shapes;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::{Map, Value as Json};

use names::{Secrecy, secrecy};

/// What stands where a secret was.
pub(crate) const HIDDEN: &str = "***";

/// Replaces secrets in a JSON object by `"***"`: what has a secret's name at any depth (all but booleans and null), and
/// what has a secret's form in any text.
pub(crate) fn mask(map: &mut Map<String, Json>) {
    for (name, value) in map {
        match secrecy(name) {
            Secrecy::Open => mask_value(value),
            secrecy => hide(value, secrecy),
        }
    }
}

/// Replaces what has a secret's form in a text, or stands beside a secret's name in it.
pub(crate) fn mask_text(text: &str) -> String {
    let mut found = Vec::new();
    shapes::find_private_keys(text, &mut found);
    shapes::find_url_credentials(text, &mut found);
    shapes::find_tokens(text, &mut found);
    shapes::find_header_credentials(text, &mut found);
    assignments::find_assigned(text, &mut found);
    replace(text, found)
}

/// Masks command-line arguments, where a value may follow its name as an argument of its own.
pub(super) fn mask_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut hide_next = false;
    arguments
        .into_iter()
        .map(|argument| {
            let hide = hide_next && !argument.starts_with("--");
            hide_next = assignments::takes_secret(&argument);
            if hide {
                HIDDEN.to_owned()
            } else {
                mask_text(&argument)
            }
        })
        .collect()
}

fn mask_value(value: &mut Json) {
    match value {
        Json::String(text) => *text = mask_text(text),
        Json::Array(values) => values.iter_mut().for_each(mask_value),
        Json::Object(map) => mask(map),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn hide(value: &mut Json, secrecy: Secrecy) {
    match value {
        Json::Null | Json::Bool(_) => {}
        Json::Number(_) if secrecy == Secrecy::Text => {}
        Json::String(text)
            if text.is_empty() || (secrecy == Secrecy::Text && is_special_token(text)) => {}
        Json::Array(values) if secrecy == Secrecy::Text => {
            values.iter_mut().for_each(|value| hide(value, secrecy));
        }
        Json::Object(map) if secrecy == Secrecy::Text => {
            map.values_mut().for_each(|value| hide(value, secrecy));
        }
        _ => *value = HIDDEN.into(),
    }
}

/// Whether a text is one of a language model's special tokens, such as `<|end|>` or `[PAD]`.
fn is_special_token(text: &str) -> bool {
    text.len() <= 40
        && ((text.starts_with('<') && text.ends_with('>'))
            || (text.starts_with('[') && text.ends_with(']')))
}

fn replace(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for range in found {
        if range.end <= done {
            continue;
        }
        if range.start >= done {
            masked.push_str(&text[done..range.start]);
            masked.push_str(HIDDEN);
        }
        done = range.end;
    }
    masked.push_str(&text[done..]);
    masked
}

//! Texts that are secrets by their own form, whatever they are called.

use std::ops::Range;

/// A token that begins with a prefix of its issuer's.
struct Shape {
    prefix: &'static str,
    /// The bytes that may follow.
    body: fn(u8) -> bool,
    /// How many of them follow at least.
    min: usize,
    /// What else must hold for what follows.
    accept: fn(&str) -> bool,
}

const SHAPES: &[Shape] = &[
    // Amazon Web Services, key ids
    shape("AKIA", is_upper, 16),
    shape("ASIA", is_upper, 16),
    // Code hosts
    shape("ghp_", is_alphanumeric, 30),
    shape("gho_", is_alphanumeric, 30),
    shape("ghu_", is_alphanumeric, 30),
    shape("ghs_", is_alphanumeric, 30),
    shape("ghr_", is_alphanumeric, 30),
    shape("github_pat_", is_word, 22),
    shape("glpat-", is_url_safe, 20),
    // Model and experiment services
    shape("hf_", is_alphanumeric, 30),
    shape("crs_", is_alphanumeric, 40),
    shape("wandb_v1_", is_word, 20),
    shape("nvapi-", is_url_safe, 40),
    Shape {
        accept: looks_random,
        ..shape("sk-", is_url_safe, 20)
    },
    // Chat and mail
    shape("xoxa-", is_url_safe, 10),
    shape("xoxb-", is_url_safe, 10),
    shape("xoxe-", is_url_safe, 10),
    shape("xoxp-", is_url_safe, 10),
    shape("xoxr-", is_url_safe, 10),
    shape("xoxs-", is_url_safe, 10),
    shape("xapp-", is_url_safe, 10),
    shape("SG.", is_dotted, 40),
    // Other clouds, package registries, payment
    shape("AIza", is_url_safe, 35),
    shape("ya29.", is_dotted, 20),
    shape("dop_v1_", is_alphanumeric, 60),
    shape("npm_", is_alphanumeric, 36),
    shape("pypi-AgE", is_url_safe, 20),
    shape("sk_live_", is_alphanumeric, 16),
    shape("sk_test_", is_alphanumeric, 16),
    shape("rk_live_", is_alphanumeric, 16),
    // JSON Web Tokens: base64 of `{"…`
    Shape {
        accept: is_jwt_body,
        ..shape("eyJ", is_dotted, 20)
    },
];

const fn shape(prefix: &'static str, body: fn(u8) -> bool, min: usize) -> Shape {
    Shape {
        prefix,
        body,
        min,
        accept: |_| true,
    }
}

/// Adds where a token of a known issuer stands.
pub(super) fn find_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts = at == 0 || !is_url_safe(bytes[at - 1]);
        match starts.then(|| token_length(&bytes[at..])).flatten() {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
}

/// The length of the token at the start of `bytes`, if there is one.
fn token_length(bytes: &[u8]) -> Option<usize> {
    SHAPES.iter().find_map(|shape| {
        let rest = bytes.strip_prefix(shape.prefix.as_bytes())?;
        let length = rest.iter().take_while(|b| (shape.body)(**b)).count();
        let body = std::str::from_utf8(&rest[..length]).ok()?;
        (length >= shape.min && (shape.accept)(body)).then_some(shape.prefix.len() + length)
    })
}

/// Adds user names and passwords in URLs: `scheme://HERE@host`. A name alone is kept, but in HTTP URLs, where it is
/// often a token.
pub(super) fn find_url_credentials(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let scheme_length = text[..at]
            .bytes()
            .rev()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            .count();
        let scheme = &text[at - scheme_length..at];
        let start = at + 3;
        let authority_length = text[start..]
            .find(|c: char| c.is_whitespace() || c.is_control() || "/?#\"'`<>\\".contains(c))
            .unwrap_or(text.len() - start);
        let authority = &text[start..start + authority_length];
        if let Some((user, _)) = authority.rsplit_once('@')
            && !scheme.is_empty()
            && !user.is_empty()
            && (user.contains(':') || scheme.to_ascii_lowercase().starts_with("http"))
        {
            found.push(start..start + user.len());
        }
    }
}

/// Adds the bodies of private keys in PEM form, line by line, so that a diff keeps its number of lines.
pub(super) fn find_private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let mut searched = 0;
    while let Some(begin) = text[searched..].find("-----BEGIN ") {
        let label = searched + begin + "-----BEGIN ".len();
        let Some(label_length) = text[label..].find("-----") else {
            return;
        };
        let body = label + label_length + "-----".len();
        searched = body;
        if !text[label..label + label_length].ends_with("PRIVATE KEY") {
            continue;
        }
        let end = text[body..]
            .find("-----END ")
            .map_or(text.len(), |length| body + length);
        let mut line_start = body;
        for line in text[body..end].split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let skipped = content.len() - content.trim_start_matches(['+', '-', ' ', '\t']).len();
            if skipped < content.len() {
                found.push(line_start + skipped..line_start + content.len());
            }
            line_start += line.len();
        }
        searched = end;
    }
}

/// Adds what follows `Bearer` and `Basic`, as in an HTTP header.
pub(super) fn find_header_credentials(text: &str, found: &mut Vec<Range<usize>>) {
    let lower = text.to_ascii_lowercase();
    for word in ["bearer ", "basic "] {
        for (at, _) in lower.match_indices(word) {
            let start = at + word.len();
            let length = text[start..]
                .bytes()
                .take_while(|b| is_dotted(*b) || matches!(b, b'~' | b'+' | b'/' | b'='))
                .count();
            let value = &text[start..start + length];
            let starts_word = at == 0 || !lower.as_bytes()[at - 1].is_ascii_alphanumeric();
            if starts_word && length >= 16 && value.bytes().any(|b| b.is_ascii_digit()) {
                found.push(start..start + length);
            }
        }
    }
}

/// Whether text after `sk-` is a key and not a few words joined by hyphens.
fn looks_random(body: &str) -> bool {
    body.bytes().any(|b| b.is_ascii_digit())
        && body
            .split(['-', '_'])
            .any(|part| part.len() >= 16 && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether text after `eyJ` goes on as header, claims and signature.
fn is_jwt_body(body: &str) -> bool {
    let parts: Vec<&str> = body.split('.').collect();
    parts.len() >= 3 && parts[0].len() >= 8 && parts[1].len() >= 8
}

fn is_upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn is_alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn is_url_safe(b: u8) -> bool {
    is_word(b) || b == b'-'
}

fn is_dotted(b: u8) -> bool {
    is_url_safe(b) || b == b'.'
}

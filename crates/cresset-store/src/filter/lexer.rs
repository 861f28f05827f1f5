//! Cuts a filter into words, quoted texts and signs.

use super::ast::Operator;
use super::error::FilterError;

/// A piece of a filter and the byte at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A field, a value, or one of the words `and or not has in`.
    Word(String),
    /// A text in quotes, without them.
    Quoted(String),
    /// A sign that compares.
    Sign(Operator),
    Open,
    Close,
    Comma,
}

impl TokenKind {
    /// How an error message calls it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(text) => format!("{text:?}"),
            Self::Sign(operator) => format!("`{}`", operator.text()),
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::Comma => "`,`".into(),
        }
    }
}

/// Whether a word is part of the language, in any case of letters.
pub(super) fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "has", "in"]
        .iter()
        .any(|k| word.eq_ignore_ascii_case(k))
}

/// Whether a character may be in a word. Keys hold almost anything; what could be a sign needs quotes.
pub(super) fn is_word_char(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"()=!<>~,\"'&|;`\\".contains(c)
}

/// The tokens of a filter.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, length) = token(source, at, c)?;
        tokens.push(Token { at, kind });
        at += length;
    }
    Ok(tokens)
}

/// The token that begins with `c` at `at`, and its length in bytes.
fn token(source: &str, at: usize, c: char) -> Result<(TokenKind, usize), FilterError> {
    let rest = &source[at..];
    if is_word_char(c) {
        let length = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        return Ok((TokenKind::Word(rest[..length].to_owned()), length));
    }
    let followed_by_equals = rest[c.len_utf8()..].starts_with('=');
    let sign = |operator, length| Ok((TokenKind::Sign(operator), length));
    match c {
        '(' => Ok((TokenKind::Open, 1)),
        ')' => Ok((TokenKind::Close, 1)),
        ',' => Ok((TokenKind::Comma, 1)),
        '=' => sign(Operator::Eq, 1 + usize::from(followed_by_equals)),
        '~' => sign(Operator::Like, 1),
        '!' if followed_by_equals => sign(Operator::Ne, 2),
        '<' if followed_by_equals => sign(Operator::Le, 2),
        '>' if followed_by_equals => sign(Operator::Ge, 2),
        '<' => sign(Operator::Lt, 1),
        '>' => sign(Operator::Gt, 1),
        '"' | '\'' => quoted(source, at, c),
        _ => Err(FilterError::new(source, at, unexpected(c))),
    }
}

/// The text in quotes that begins at `at`; a backslash takes the character after it as it is.
fn quoted(source: &str, at: usize, quote: char) -> Result<(TokenKind, usize), FilterError> {
    let mut text = String::new();
    let mut chars = source[at + 1..].char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((TokenKind::Quoted(text), 1 + i + 1)),
            '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => text.push(c),
        }
    }
    Err(FilterError::new(
        source,
        at,
        format!("this quote is not closed; add {quote}"),
    ))
}

fn unexpected(c: char) -> String {
    match c {
        '!' => "`!` stands only in `!=`; to negate, write `not`".into(),
        '&' => "write `and`".into(),
        '|' => "write `or`".into(),
        _ => format!("{c:?} has no meaning here; names that hold it need quotes"),
    }
}

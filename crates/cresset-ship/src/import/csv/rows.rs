//! The rows of a file of comma-separated values, as RFC 4180 has them.

use std::io::{BufRead, Read};
use std::path::Path;

use super::ImportError;

/// A row of more bytes is refused: most likely a quote was left open.
const MAX_ROW: u64 = 4 << 20;

/// Reads one row after another; empty lines are left out.
pub(super) struct Rows<'a, R> {
    path: &'a Path,
    input: R,
    /// The line at which the row ends that was read last.
    line: u64,
    text: Vec<u8>,
}

impl<'a, R> Rows<'a, R> {
    pub(super) fn new(path: &'a Path, input: R) -> Self {
        Self {
            path,
            input,
            line: 0,
            text: Vec::new(),
        }
    }

    /// What is wrong with the row that was read last.
    pub(super) fn wrong(&self, why: impl Into<String>) -> ImportError {
        ImportError::Malformed {
            path: self.path.to_owned(),
            line: self.line,
            why: why.into(),
        }
    }
}

impl<R: BufRead> Rows<'_, R> {
    /// # Errors
    /// If the file cannot be read, or what comes next is no row.
    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>, ImportError> {
        self.text.clear();
        // Within quotes, lines belong together.
        let mut quotes = 0;
        loop {
            let begin = self.text.len();
            let room = MAX_ROW + 1 - begin as u64;
            let read = (&mut self.input)
                .take(room)
                .read_until(b'\n', &mut self.text);
            if read.map_err(ImportError::disk(self.path))? == 0 {
                match quotes % 2 {
                    0 if self.text.iter().all(u8::is_ascii_whitespace) => return Ok(None),
                    0 => break,
                    _ => return Err(self.wrong("a quote is left open")),
                }
            }
            self.line += 1;
            if self.text.len() as u64 > MAX_ROW {
                return Err(self.wrong(format!("the row has more than {MAX_ROW} bytes")));
            }
            quotes += self.text[begin..].iter().filter(|b| **b == b'"').count();
            match quotes % 2 {
                0 if self.text.iter().all(u8::is_ascii_whitespace) => self.text.clear(),
                0 => break,
                _ => {}
            }
        }
        let text = std::str::from_utf8(&self.text).map_err(|_| self.wrong("this is not UTF-8"))?;
        // Some programs begin a file with a mark of its encoding.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Some(cells(text.trim_end_matches(['\n', '\r']))))
    }
}

/// The cells of one row, without their quotes.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            // Two quotes within quotes are one.
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let mut rows = Rows::new(Path::new("a.csv"), text);
        let mut all = Vec::new();
        while let Some(row) = rows.next().map_err(|e| e.to_string())? {
            all.push(row);
        }
        Ok(all)
    }

    #[test]
    fn quotes_lines_and_marks() {
        let text = "\u{feff}a,\"b, c\"\r\n\r\n1,\"two \"\"lines\"\"\nhere\"\n,\n3,4";
        let expected = [
            vec!["a", "b, c"],
            vec!["1", "two \"lines\"\nhere"],
            vec!["", ""],
            vec!["3", "4"],
        ];
        assert_eq!(rows(text.as_bytes()).unwrap(), expected);
        assert_eq!(rows(b""), Ok(vec![]));
        assert_eq!(rows(b" \n \n"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_table_is_named_with_its_line() {
        let why = |text: &[u8]| rows(text).unwrap_err();
        assert_eq!(why(b"a\n1\n\"2\n3"), "a.csv, line 4: a quote is left open");
        assert_eq!(why(b"a\n\xff\n"), "a.csv, line 2: this is not UTF-8");
        let endless = [b"a\n\"".to_vec(), vec![b'x'; 5 << 20]].concat();
        assert!(why(&endless).contains("more than 4194304 bytes"));
    }
}

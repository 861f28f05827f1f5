//! A page of Markdown, as far as it is typed.

use crate::shell::Printed;

/// What stands between two lines of the script, so that it is known which block printed what.
pub(crate) const MARK: &str = "\u{1e}";

/// The blocks that are run.
pub(crate) struct Page {
    blocks: Vec<Block>,
}

struct Block {
    /// The line of the page that it begins in.
    line: usize,
    commands: String,
    prints: Option<String>,
}

impl Page {
    pub(crate) fn read(text: &str) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        // A text belongs to the commands right before it.
        let mut last_was_run = false;
        for (line, kind, content) in fenced(text) {
            match kind {
                "sh" => blocks.push(Block {
                    line,
                    commands: content,
                    prints: None,
                }),
                "text" if last_was_run => blocks.last_mut().unwrap().prints = Some(content),
                _ => {}
            }
            last_was_run = kind == "sh";
        }
        assert!(!blocks.is_empty(), "nothing on this page is run");
        Self { blocks }
    }

    /// All commands, for one shell: what one block sets, the next one has.
    pub(crate) fn script(&self) -> String {
        let mut script = String::new();
        for block in &self.blocks {
            script += &format!("{}\nprintf '\\036'\n", block.commands);
        }
        script
    }

    /// Holds what was printed against the page.
    pub(crate) fn compare(&self, printed: &Printed) {
        let mut parts = printed.text.split(MARK);
        for block in &self.blocks {
            let part = parts.next().unwrap_or_default();
            let Block { line, commands, .. } = block;
            let ended_here = printed.text.matches(MARK).count() < self.blocks.len()
                && parts.clone().next().is_none();
            assert!(
                !ended_here,
                "line {line}:\n{commands}\nended with {}:\n{part}",
                printed.status
            );
            if let Some(expected) = &block.prints
                && let Err(missing) = fits(expected, part)
            {
                panic!(
                    "line {line}:\n{commands}\nprinted\n\n{part}\nand not, as the page says,\n\n{expected}\nnot found: {missing}"
                );
            }
        }
        assert!(printed.status.success(), "{}", printed.status);
    }
}

/// Fenced blocks and those in comments: the line, what stands behind the fence, and the content.
fn fenced(text: &str) -> Vec<(usize, &str, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let (kind, end) = match (line.strip_prefix("```"), line.strip_prefix("<!--sh")) {
            (Some(kind), _) => (kind, "```"),
            (None, Some("")) => ("sh", "-->"),
            (None, _) => continue,
        };
        let content: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != end)
            .collect();
        blocks.push((number + 1, kind, content.join("\n") + "\n"));
    }
    blocks
}

/// Whether `printed` is what the page shows: line by line, but for blanks at the end; `…` is any text, and alone on a line any lines.
/// `Err` has the first line that is not there.
fn fits(expected: &str, printed: &str) -> Result<(), String> {
    let mut rest: Vec<&str> = printed.trim().lines().map(str::trim_end).collect();
    let mut anywhere = false;
    for line in expected.trim().lines().map(str::trim_end) {
        if line.trim() == "…" {
            anywhere = true;
            continue;
        }
        let place = rest.iter().position(|have| line_fits(line, have));
        match place {
            Some(0) => {}
            Some(_) if anywhere => {}
            _ => return Err(line.to_owned()),
        }
        rest.drain(..=place.unwrap_or(0));
        anywhere = false;
    }
    match rest.first() {
        Some(line) if !anywhere => Err(format!("(the end, before `{line}`)")),
        _ => Ok(()),
    }
}

fn line_fits(expected: &str, printed: &str) -> bool {
    let parts: Vec<&str> = expected.split('…').collect();
    let Some((first, others)) = parts.split_first() else {
        return printed.is_empty();
    };
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let Some((last, middle)) = others.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The lines of a page that call the command: in fenced blocks, and indented by four blanks.
pub(crate) fn commands(text: &str) -> Vec<String> {
    let fenced = fenced(text);
    let shell = fenced
        .iter()
        .filter(|(_, kind, _)| kind.split(' ').next() == Some("sh"));
    let in_fences = shell.flat_map(|(_, _, content)| content.lines());
    let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
    let joined = in_fences
        .chain(indented)
        .collect::<Vec<_>>()
        .join("\n")
        .replace("\\\n", " ");
    let calls = joined.lines().filter(|line| line.starts_with("cresset "));
    calls.map(first_command).collect()
}

/// A line up to a comment, a pipe, another command or a file.
fn first_command(line: &str) -> String {
    let mut quote = None;
    let end = line.char_indices().find(|&(at, c)| match (quote, c) {
        (None, '\'' | '"') => {
            quote = Some(c);
            false
        }
        (Some(open), _) => {
            if open == c {
                quote = None;
            }
            false
        }
        (None, '|' | ';' | '&' | '>' | '<') => true,
        (None, '#') => line[..at].ends_with(' '),
        (None, _) => false,
    });
    line[..end.map_or(line.len(), |(at, _)| at)]
        .trim()
        .to_owned()
}

#[test]
fn a_line_with_gaps() {
    assert!(line_fits("a … c", "a b c") && line_fits("… ok", "3 ok") && line_fits("x", "x"));
    assert!(!line_fits("a … c", "a b d") && !line_fits("x", "xy"));
    assert_eq!(fits("a\n…\nc", "a\nb\nb\nc\n"), Ok(()));
    assert!(
        fits("a\nc", "a\nb\nc").is_err()
            && fits("a", "a\nb").is_err()
            && fits("a\n…", "a\nb") == Ok(())
    );
}

#[test]
fn a_command_ends_where_the_shell_says() {
    assert_eq!(
        first_command("cresset runs -f 'a > 1 # 2' | head  # x"),
        "cresset runs -f 'a > 1 # 2'"
    );
    assert_eq!(
        commands("    cresset show\n\n```sh elsewhere\ncresset runs \\\n  --json # all\nls\n```\n"),
        ["cresset runs    --json", "cresset show"]
    );
}

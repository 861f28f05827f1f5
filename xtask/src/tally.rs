//! How many tests ran, from what test runners print.

use std::ops::AddAssign;

/// Tests that ran, and those that were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// Reads the closing lines of `cargo nextest`, `cargo test`, vitest and Playwright among `lines`.
    pub(crate) fn read(lines: &[String]) -> Self {
        let mut sum = Self::default();
        for line in lines {
            let tally = of_nextest(line)
                .or_else(|| of_libtest(line))
                .or_else(|| of_vitest(line))
                .or_else(|| of_playwright(line));
            if let Some(tally) = tally {
                sum += tally;
            }
        }
        sum
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// In the words that CI looks for.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// `Summary [   9.1s] 345 tests run: 343 passed (2 slow, 1 flaky), 1 failed, 1 timed out, 3 skipped`
fn of_nextest(line: &str) -> Option<Tally> {
    let rest = line.trim_start().strip_prefix("Summary [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (run, results) = rest.split_once(" run: ")?;
    let run: u64 = run
        .split_whitespace()
        .next()?
        .split('/')
        .next()?
        .parse()
        .ok()?;
    let passed = count(results, "passed");
    Some(Tally {
        passed,
        // Whatever ran and did not pass failed, timed out or could not be executed.
        failed: run.saturating_sub(passed),
        skipped: count(results, "skipped"),
    })
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s`
///
/// Indented it is what nextest repeats of a test that failed, which it counts itself.
fn of_libtest(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?;
    Some(Tally {
        passed: count(rest, "passed"),
        failed: count(rest, "failed"),
        skipped: count(rest, "ignored"),
    })
}

/// `      Tests  2 failed | 1 skipped | 61 passed (64)`
fn of_vitest(line: &str) -> Option<Tally> {
    let rest = line.trim_start().strip_prefix("Tests  ")?;
    Some(Tally {
        passed: count(rest, "passed"),
        failed: count(rest, "failed"),
        skipped: count(rest, "skipped") + count(rest, "todo"),
    })
}

/// Lines that are nothing but `  12 passed (1.2m)`, `  2 failed`, `  1 flaky`, `  3 skipped` or `  1 did not run`.
fn of_playwright(line: &str) -> Option<Tally> {
    let (number, word) = line.strip_prefix("  ")?.split_once(' ')?;
    let number = number.parse().ok()?;
    let mut tally = Tally::default();
    match word.split(" (").next()? {
        "passed" => tally.passed = number,
        "failed" | "interrupted" | "flaky" | "did not run" => tally.failed = number,
        "skipped" => tally.skipped = number,
        _ => return None,
    }
    Some(tally)
}

/// The number before `word`, 0 if there is none.
fn count(text: &str, word: &str) -> u64 {
    let words: Vec<&str> = text.split([' ', ',', ';', '(', ')']).collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u64, u64, u64) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let tally = Tally::read(&lines);
        (tally.passed, tally.failed, tally.skipped)
    }

    #[test]
    fn closing_lines_are_read() {
        let cases = [
            (
                "     Summary [   9.134s] 345 tests run: 345 passed, 3 skipped",
                (345, 0, 3),
            ),
            (
                "     Summary [  12.000s] 10 tests run: 7 passed (2 slow, 1 flaky), 2 failed, 1 timed out, 0 skipped",
                (7, 3, 0),
            ),
            ("     Summary [   0.1s] 1 test run: 1 passed", (1, 0, 0)),
            (
                "     Summary [   0.1s] 4/9 tests run: 3 passed, 1 failed",
                (3, 1, 0),
            ),
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.10s",
                (12, 0, 1),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s",
                (1, 2, 0),
            ),
            (
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored\n     Summary [   0.1s] 1 test run: 0 passed, 1 failed",
                (0, 1, 0),
            ),
            ("      Tests  61 passed (61)", (61, 0, 0)),
            (
                "      Tests  2 failed | 1 skipped | 61 passed (64)",
                (61, 2, 1),
            ),
            (" Test Files  7 passed (7)", (0, 0, 0)),
            ("  1 failed\n  3 skipped\n  12 passed (1.2m)", (12, 1, 3)),
            ("  2 did not run\n  1 flaky\n  8 passed (300ms)", (8, 3, 0)),
            ("running 12 tests\nok, 3 passed the river", (0, 0, 0)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn several_runners_add_up() {
        let text = "test result: ok. 2 passed; 0 failed; 0 ignored\ntest result: ok. 3 passed; 0 failed; 1 ignored";
        assert_eq!(read(text), (5, 0, 1));
    }

    #[test]
    fn the_closing_line_is_the_one_that_ci_reads() {
        let mut tally = Tally {
            passed: 5,
            failed: 0,
            skipped: 0,
        };
        assert_eq!(tally.to_string(), "5 passed, 0 failed");
        tally.skipped = 2;
        assert_eq!(tally.to_string(), "5 passed, 0 failed, 2 skipped");
    }
}

//! Which tests failed, from what test runners print.

/// What nextest writes before a test that is well, or that is not over.
const WELL: [&str; 6] = ["PASS", "SLOW", "LEAK", "FLAKY", "SKIP", "TIMEOUT-PASS"];

/// The names in lines of `cargo nextest`, `cargo test`, vitest and Playwright, each once, in order.
pub(crate) fn read(lines: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for line in lines {
        let name = of_nextest(line)
            .or_else(|| of_libtest(line))
            .or_else(|| of_vitest(line))
            .or_else(|| of_playwright(line));
        if let Some(name) = name.map(|name| name.trim().to_owned())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// `        FAIL [   0.012s] ( 3/29) cresset-ship::mlflow whole::a_run_is_there_whole`, also `TIMEOUT`, `SIGKILL`, `TRY 4 FAIL`, …
fn of_nextest(line: &str) -> Option<&str> {
    let (word, rest) = line.trim_start().split_once(" [")?;
    let is_word = word
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || " -+".contains(c));
    let is_well = WELL.iter().any(|well| word.starts_with(well)) && !word.contains("FAIL");
    // An earlier try of a test that may yet pass.
    let is_earlier = ["TRY 1 ", "TRY 2 ", "TRY 3 "]
        .iter()
        .any(|tried| word.starts_with(tried));
    if !is_word || is_well || is_earlier {
        return None;
    }
    let (seconds, rest) = rest.split_once("s] ")?;
    seconds.trim().trim_start_matches('>').parse::<f64>().ok()?;
    // Which of how many it was is not in every line of it.
    Some(match rest.strip_prefix('(') {
        Some(counted) => counted.split_once(") ")?.1,
        None => rest,
    })
}

/// `test crates/cresset-run/src/run.rs - run::Run::log (line 188) ... FAILED`
fn of_libtest(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// ` FAIL  src/format.test.ts > numbers > are short`
fn of_vitest(line: &str) -> Option<&str> {
    line.strip_prefix(" FAIL  ")
}

/// `  1) settings.spec.ts:12:3 › a key is made ───────`, after `[NAME] › ` where browsers have names.
fn of_playwright(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix("  ")?.split_once(") ")?;
    number.parse::<u32>().ok()?;
    let name = match rest.strip_prefix('[') {
        Some(named) => named.split_once("] › ")?.1,
        None => rest,
    };
    name.contains(" › ").then(|| name.trim_end_matches('─'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_names_of_what_failed_are_read() {
        let cases = [
            (
                "        FAIL [   0.012s] ( 3/29) cresset-ship::mlflow whole::x\n  TRY 1 FAIL [   0.012s] y",
                vec!["cresset-ship::mlflow whole::x"],
            ),
            (
                "     TIMEOUT [  60.001s] cresset-run recording::waits\n        PASS [   0.1s] (1/2) cresset-run b",
                vec!["cresset-run recording::waits"],
            ),
            (
                "test src/run.rs - run::Run::log (line 188) ... FAILED\ntest a ... ok\ntest result: FAILED. 1 passed; 1 failed",
                vec!["src/run.rs - run::Run::log (line 188)"],
            ),
            (
                " FAIL  src/format.test.ts > numbers > are short",
                vec!["src/format.test.ts > numbers > are short"],
            ),
            (
                "  TRY 4 FAIL [   0.012s] cresset-run::crash a\n  SIGKILL [   0.1s] (1/2) cresset-run b\n  FAIL + LEAK [   0.1s] cresset-run c\n  LEAK-FAIL [   0.1s] cresset-run d\n  LEAK [   0.1s] cresset-run e\n  SLOW [> 60.000s] d\n  FLAKY 2/4 [  1.000s] e",
                vec![
                    "cresset-run::crash a",
                    "cresset-run b",
                    "cresset-run c",
                    "cresset-run d",
                ],
            ),
            (
                "  1) settings.spec.ts:12:3 › a key is made ─────\n  1) nothing of a test",
                vec!["settings.spec.ts:12:3 › a key is made"],
            ),
            (
                "  1) [chromium] › settings.spec.ts:12:3 › a key is made ─────\n  2 failed\n  1) [chromium] › settings.spec.ts:12:3 › a key is made ",
                vec!["settings.spec.ts:12:3 › a key is made"],
            ),
        ];
        for (text, expected) in cases {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert_eq!(super::read(&lines), expected, "{text}");
        }
    }
}

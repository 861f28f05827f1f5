//! Words that mean something to somebody else than people.

/// Names of projects, and of their runs: without control characters, at most 128 bytes.
pub(super) const NAMES: [&str; 14] = [
    "<img src=x onerror=pwned()>",
    "../../etc",
    "...",
    "evil\u{202e}gnp.exe",
    "a/b?c=d&e=f#g",
    "100%",
    "' OR '1'='1' --",
    "“quoted” \"and\" `ticked`",
    "🔥🧑‍🔬🇩🇪",
    "مشروع تجريبي",
    "con",
    "api",
    "assets",
    "index.html",
];

/// For all other places.
pub(super) const WORDS: [&str; 20] = [
    "<script>pwned()</script>",
    "\"><img src=x onerror=\"window.__pwned=1\">",
    "<svg onload=pwned()>",
    "<iframe src=\"javascript:parent.pwned()\"></iframe>",
    "<a href=\"javascript:pwned()\">click</a>",
    "[click](javascript:pwned())",
    "![x](http://evil.invalid/pixel.png)",
    "<link rel=stylesheet href=http://evil.invalid/x.css>",
    "<style>@import 'http://evil.invalid/y.css'; * { display: none }</style>",
    "{{constructor.constructor('pwned()')()}}",
    "${pwned()}",
    "</title></textarea></script><script>pwned()</script>",
    "=HYPERLINK(\"http://evil.invalid\",\"click\")",
    "'; DROP TABLE runs; --",
    "line one\nline two\r\nline three\ttab",
    "nul\u{0}bell\u{7}escape\u{1b}[31m",
    "right\u{202e}to left\u{202c} and \u{2066}isolated\u{2069}",
    "Z\u{335}\u{321}\u{327}a\u{334}\u{322}l\u{337}\u{328}g\u{336}\u{329}o\u{338}\u{32a}",
    "\u{feff}\u{200b}\u{200d}",
    "",
];

/// A word of so many letters without a place to break it.
pub(super) fn long(letters: usize) -> String {
    "Donaudampfschifffahrt"
        .chars()
        .cycle()
        .take(letters)
        .collect()
}

//! Where somebody goes once they are logged in: to the page that they asked for, and never out of the dashboard.

/// Longest address that is kept, in bytes: it is in a cookie meanwhile, of which browsers take 4,096 bytes.
const MAX: usize = 2048;

/// The address if it is one of the dashboard, below where that is, else that of its first page.
///
/// A browser reads `//elsewhere` and `/\elsewhere` as another host, takes line breaks and tabs out of an address before it looks, and
/// follows dots. So only plain characters pass, and no part of the path may be empty, `.` or `..`, escaped or not.
pub(super) fn within(to: &str) -> &str {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let parts = path.strip_prefix('/').map(|rest| rest.split('/'));
    let plain = to.len() <= MAX
        && to
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
    let is_page = parts.is_some_and(|mut parts| {
        let mut first = true;
        parts.all(|part| {
            let is_first = std::mem::take(&mut first);
            // `/` itself has one empty part.
            let is_some = !part.is_empty() || is_first && path == "/";
            let is_ours = !(is_first && matches!(part, "api" | "metrics" | "login"));
            let dots = part.to_ascii_lowercase().replace("%2e", ".");
            is_some && is_ours && !matches!(dots.as_str(), "." | "..")
        })
    });
    if plain && is_page { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_out_of_the_dashboard() {
        for to in [
            "/",
            "/?a=1",
            "/p/solder",
            "/p/.hidden",
            "/p/solder?filter=val%2Fauc%20%3E%200.9&x=//evil.example",
            "/p/other%20things%2F%C3%B6/runs/r1/charts#x",
            "/changes",
        ] {
            assert_eq!(within(to), to);
        }
        let long = format!("/p/{}", "x".repeat(MAX));
        for to in [
            "",
            "p/solder",
            "https://evil.example",
            "javascript:alert(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/p//evil.example",
            "/p/",
            "/..//evil.example",
            "/p/../../evil",
            "/%2e%2e/evil",
            "/.%2E/evil",
            "/p/\"><script>",
            "/p/ö",
            "/api/v1/projects",
            "/login",
            "/login/oidc",
            "/metrics",
            &long,
        ] {
            assert_eq!(within(to), "/", "{to}");
        }
        // What is escaped stays a name within a part.
        assert_eq!(within("/%2F%2Fevil.example"), "/%2F%2Fevil.example");
        assert_eq!(within("/%5C%5Cevil.example"), "/%5C%5Cevil.example");
    }
}

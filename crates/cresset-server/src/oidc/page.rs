//! Pages that a browser sees on its way back from the issuer. They have no scripts and nothing from elsewhere.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

const STYLE: &str = ":root{color-scheme:light dark}\
    body{margin:0;display:grid;place-items:center;min-height:100vh;font:15px/1.5 system-ui,sans-serif}\
    main{max-width:30rem;padding:1.5rem}h1{font-size:1.2rem}code{overflow-wrap:anywhere}";

/// What the pages may do: look as they do.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Of plain characters, so it cannot fail; without it everything is forbidden.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What a page says.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// A command that somebody may want to copy.
    pub(super) command: Option<&'a str>,
    /// Where to go from here, and its name.
    pub(super) link: (&'a str, &'a str),
    /// Whether to go there at once.
    pub(super) goes_on: bool,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let [title, text] = [self.title, self.text].map(escaped);
        let [address, name] = [self.link.0, self.link.1].map(escaped);
        let command = self.command.map_or_else(String::new, |command| {
            format!("<p><code>{}</code></p>", escaped(command))
        });
        let goes_on = match self.goes_on {
            true => format!("<meta http-equiv=\"refresh\" content=\"0;url={address}\">"),
            false => String::new(),
        };
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{goes_on}\
             <title>{title} · Cresset</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1><p>{text}</p>{command}<p><a href=\"{address}\">{name}</a></p></main></body></html>"
        );
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (header::CONTENT_SECURITY_POLICY, POLICY.clone()),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ];
        (self.status, headers, html).into_response()
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_stays_text() {
        let hostile = "<b>&\"'";
        assert_eq!(escaped(hostile), "&lt;b&gt;&amp;&quot;&#39;");
    }
}

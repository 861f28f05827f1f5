//! Cookies, as the server sets them: never for scripts, only for where the server is, and for HTTPS only where the browser speaks it.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::App;
use crate::connection::Via;

/// A cookie that is to be set, or to be taken back where its value is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie<'a> {
    pub(crate) name: &'a str,
    /// Of characters that may stand in a header.
    pub(crate) value: &'a str,
    /// Which addresses it is for, below that of the dashboard.
    pub(crate) path: &'a str,
    pub(crate) seconds: u64,
    pub(crate) same_site: SameSite,
}

/// Which requests it comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SameSite {
    /// Those of pages of ours.
    Strict,
    /// Also those by which somebody comes from a page elsewhere.
    Lax,
}

impl Cookie<'_> {
    /// Adds it to the headers of an answer.
    pub(crate) fn set(self, app: &App, secure: bool, headers: &mut HeaderMap) {
        // What else the proxy has under other paths does not get it.
        let path = match (app.options().base_path.as_str(), self.path) {
            ("", "") => "/".to_owned(),
            (base, path) => format!("{base}{path}"),
        };
        let seconds = if self.value.is_empty() {
            0
        } else {
            self.seconds
        };
        let same_site = match self.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}",
            self.name, self.value
        );
        // Its characters are those of a header, so it cannot fail.
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
            cookie.set_sensitive(true);
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// The value of a cookie that a request has, unless it is empty.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(own, value)| *own == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether the browser speaks HTTPS, as far as is known.
pub(crate) fn is_secure(app: &App, request: &Request) -> bool {
    let via = request.extensions().get::<Via>();
    app.options().secure_cookie || via.is_some_and(|via| via.https)
}

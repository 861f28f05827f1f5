//! Requests, and what their failures mean for a shipment.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;
use ureq::http::{Method, Request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};

use crate::error::ShipError;
use crate::{roots, wire};

/// A connection that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 32 << 20;
/// Connections that are kept for the next request: as many as are in use at once.
const IDLE: usize = 48;
/// Of an error's text, so many characters are shown.
const SHOWN: usize = 300;

/// A server and how to speak to it.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: ureq::Agent,
    /// Without a slash at its end.
    base: String,
    headers: Vec<(&'static str, String)>,
}

/// An answer of success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Speaks to the server at `base`, such as `https://cresset.example.org/team`, with these headers in every request.
    ///
    /// # Errors
    /// If that is no address of a web server, or `CRESSET_CA_FILE` names no certificates.
    pub(crate) fn new(base: &str, headers: Vec<(&'static str, String)>) -> Result<Self, ShipError> {
        let base = base.trim_end_matches('/');
        let uri: ureq::http::Uri = base
            .parse()
            .map_err(|e| ShipError::Refused(format!("`{base}` is no address ({e})")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            let example = "give one such as https://cresset.example.org";
            return Err(ShipError::Refused(format!(
                "`{base}` is no address of a web server; {example}"
            )));
        }
        Ok(Self {
            agent: agent(PATIENCE)?,
            base: base.to_owned(),
            headers,
        })
    }

    /// The same server, which may take so long for an answer, and as long again for all of it.
    pub(crate) fn with_patience(&self, patience: Duration) -> Self {
        Self {
            // The same authorities were read when this was made.
            agent: agent(patience).unwrap_or_else(|_| self.agent.clone()),
            ..self.clone()
        }
    }

    /// The server's address, for people.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends `body` and gives what comes back.
    ///
    /// # Errors
    /// `Unreachable` if nobody answers or the server is in trouble, `Refused` if it says no.
    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl ureq::AsSendBody,
    ) -> Result<Answer, ShipError> {
        let mut response = self.ask(method.clone(), path, headers, body)?;
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec();
        let what = format!("{method} {}{path}", self.base);
        let body = body.map_err(|error| unreachable(&what, &error))?;
        Ok(Answer { body })
    }

    /// Brings what is at `path` into the file `into`: at most so many bytes. Whether that was all.
    ///
    /// # Errors
    /// As [`Self::send`]; `Disk` if the file cannot be written.
    pub(crate) fn fetch(&self, path: &str, into: &Path, limit: u64) -> Result<bool, ShipError> {
        let response = self.ask(Method::GET, path, &[], ())?;
        let mut body = response.into_body().into_reader();
        let mut file = File::create(into).map_err(ShipError::disk(into))?;
        let (mut piece, mut left) = (vec![0; 1 << 16], limit);
        loop {
            let n = body
                .read(&mut piece)
                .map_err(|error| ShipError::Unreachable {
                    message: format!("GET {}{path}: {error}", self.base),
                    retry_after: None,
                })?;
            if n == 0 {
                return Ok(true);
            }
            let Some(rest) = left.checked_sub(n as u64) else {
                return Ok(false);
            };
            left = rest;
            file.write_all(piece.get(..n).unwrap_or_default())
                .map_err(ShipError::disk(into))?;
        }
    }

    /// Sends `body` and gives an answer of success, of which the head has come.
    fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl ureq::AsSendBody,
    ) -> Result<ureq::http::Response<ureq::Body>, ShipError> {
        let what = format!("{method} {}{path}", self.base);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body)
            .map_err(|e| ShipError::Refused(format!("{what} cannot be sent: {e}")))?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| unreachable(&what, &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec();
        let body = body.map_err(|error| unreachable(&what, &error))?;
        let said = said(&body);
        let message = format!("{what} was answered {}{said}", status.as_u16());
        let is_temporary = status.is_server_error() && status.as_u16() != 501
            || matches!(status.as_u16(), 408 | 425 | 429);
        Err(match is_temporary {
            true => ShipError::Unreachable {
                message,
                retry_after,
            },
            false => ShipError::Refused(message),
        })
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// As [`Self::send`]; also if the answer is no JSON.
    pub(crate) fn json(&self, method: Method, path: &str, body: &Json) -> Result<Json, ShipError> {
        let headers = [("content-type", "application/json")];
        let answer = match body {
            Json::Null => self.send(method, path, &[], ())?,
            body => self.send(method, path, &headers, body.to_string())?,
        };
        answer.json(&self.base)
    }
}

impl Answer {
    /// # Errors
    /// If it is no JSON.
    pub(crate) fn json(&self, from: &str) -> Result<Json, ShipError> {
        serde_json::from_slice(&self.body).map_err(|e| {
            ShipError::Refused(format!(
                "{from} answers with something else than JSON ({e})"
            ))
        })
    }
}

/// One for all runs and places: a thousand runs that go to one server share the few connections that its threads need, and one list of
/// trusted authorities.
fn agent(patience: Duration) -> Result<ureq::Agent, ShipError> {
    static AGENTS: Mutex<Vec<(Duration, ureq::Agent)>> = Mutex::new(Vec::new());
    let mut agents = AGENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = agents.iter().find(|(theirs, _)| *theirs == patience) {
        return Ok(known.clone());
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(patience))
        .timeout_recv_body(Some(patience))
        .user_agent(concat!("cresset/", env!("CARGO_PKG_VERSION")))
        // A key must not go where the server sends it.
        .max_redirects(0)
        .max_idle_connections(IDLE)
        .max_idle_connections_per_host(IDLE)
        .output_buffer_size(wire::AT_ONCE)
        .tls_config(roots::trusted_authorities()?)
        .build();
    let connector = DefaultConnector::default().chain(wire::Meter);
    let agent = ureq::Agent::with_parts(config, connector, DefaultResolver::default());
    agents.push((patience, agent.clone()));
    Ok(agent)
}

fn unreachable(what: &str, error: &ureq::Error) -> ShipError {
    let why = roots::explain(error).unwrap_or_else(|| error.to_string());
    ShipError::Unreachable {
        message: format!("{what}: {why}"),
        retry_after: None,
    }
}

/// What an answer says of an error, in short.
fn said(body: &[u8]) -> String {
    let json: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = ["message", "detail", "error"].iter().find_map(|name| {
        json.get(name)?
            .as_str()
            .or_else(|| json[name]["message"].as_str())
    });
    let text = text.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let text: String = text.trim().chars().take(SHOWN).collect();
    match text.is_empty() {
        true => String::new(),
        false => format!(": {text}"),
    }
}

//! What is asked of the issuer. Everything here blocks, for a bounded time, and reads a bounded answer.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use ureq::http::header;
use ureq::http::{Request, Response};

use super::jwk::Key;
use super::settings::OidcOptions;
use super::token::{Claims, Refused};

/// How long the issuer may take for one answer. A login asks for up to four, and a browser is answered within half a minute.
const PATIENCE: Duration = Duration::from_secs(7);
/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 << 10;
/// What has to be escaped in a client's name and secret: what an application form escapes, though many issuers take the characters of
/// this set as they are and nothing else.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What the issuer says of itself (OpenID Connect Discovery).
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether answers name the issuer (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What a code is exchanged with.
pub(super) struct Exchange {
    pub(super) code: String,
    pub(super) redirect_uri: String,
    pub(super) verifier: String,
}

/// What a code was exchanged for. Nothing shows it.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    access_token: Option<String>,
}

/// Why there are none.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Why nobody is let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The issuer cannot be asked, or answers as no issuer does. It says what to look at, and nothing that is secret.
    #[error("{0}")]
    Issuer(String),
    /// The issuer does not vouch for whoever asks.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Asks the issuer.
#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    options: OidcOptions,
}

impl Client {
    pub(super) fn new(options: OidcOptions) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("cresset/", env!("CARGO_PKG_VERSION")))
            // A secret must not go where an answer sends it.
            .max_redirects(0)
            .tls_config(options.tls.clone())
            .build();
        Self {
            agent: ureq::Agent::new_with_config(config),
            options,
        }
    }

    pub(super) fn options(&self) -> &OidcOptions {
        &self.options
    }

    pub(super) fn discover(&self) -> Result<Document, Trouble> {
        let issuer = &self.options.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.address());
        let document: Document = self.get(&address, None)?;
        if !issuer.is(&document.issuer) {
            return Err(Trouble::Issuer(format!(
                "{address} is of the issuer `{}`; give that as --oidc-issuer if it is the one that is meant",
                shown(&document.issuer)
            )));
        }
        let endpoints = [
            &document.authorization_endpoint,
            &document.token_endpoint,
            &document.jwks_uri,
        ];
        let further = document.userinfo_endpoint.iter();
        for endpoint in endpoints.into_iter().chain(further) {
            if !issuer.may_name(endpoint) {
                return Err(Trouble::Issuer(format!(
                    "{address} names `{}`, which is not encrypted",
                    shown(endpoint)
                )));
            }
        }
        Ok(document)
    }

    pub(super) fn keys(&self, document: &Document) -> Result<Vec<Key>, Trouble> {
        let address = &document.jwks_uri;
        let set: Json = self.get(address, None)?;
        let keys = Key::of_set(set);
        keys.map_err(|_| Trouble::Issuer(format!("{address} has no set of keys")))
    }

    pub(super) fn exchange(
        &self,
        document: &Document,
        exchange: &Exchange,
    ) -> Result<Tokens, Trouble> {
        let OidcOptions {
            client_id,
            client_secret,
            ..
        } = &self.options;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code.as_str()),
            ("redirect_uri", exchange.redirect_uri.as_str()),
            ("code_verifier", exchange.verifier.as_str()),
        ];
        let mut request = Request::post(&document.token_endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match client_secret {
            Some(secret) if document.takes_secret_in_header() => {
                let [id, secret] =
                    [client_id, secret.as_str()].map(|text| utf8_percent_encode(text, FORM));
                let both = STANDARD.encode(format!("{id}:{secret}"));
                request = request.header(header::AUTHORIZATION, format!("Basic {both}"));
            }
            Some(secret) => {
                form.extend([
                    ("client_id", client_id.as_str()),
                    ("client_secret", secret.as_str()),
                ]);
            }
            None => form.push(("client_id", client_id)),
        }
        // Texts, so it cannot fail.
        let body = serde_html_form::to_string(&form).unwrap_or_default();
        let response = self.run(&document.token_endpoint, request.body(body))?;
        if response.status().is_success() {
            return read(&document.token_endpoint, response);
        }
        let refusal: Refusal = read(&document.token_endpoint, response)?;
        Err(match refusal.error.as_str() {
            "invalid_grant" => {
                Refused("the issuer does not take the code: it was used before, or is too old")
                    .into()
            }
            // What else it says may repeat what was sent.
            error => Trouble::Issuer(format!(
                "{} answers `{}`; are --oidc-client-id, the client's secret and the redirect address right?",
                document.token_endpoint,
                shown(error)
            )),
        })
    }

    /// What the issuer says of somebody beside what is in their ID token; `None` if it is not to be asked.
    pub(super) fn userinfo(
        &self,
        document: &Document,
        tokens: &Tokens,
    ) -> Result<Option<Claims>, Trouble> {
        let asked = document.userinfo_endpoint.as_ref();
        let Some((endpoint, token)) = asked.zip(tokens.access_token.as_deref()) else {
            return Ok(None);
        };
        let claims: Map<String, Json> = self.get(endpoint, Some(token))?;
        Ok(Some(Claims::new(claims)))
    }

    fn get<T: DeserializeOwned>(&self, address: &str, token: Option<&str>) -> Result<T, Trouble> {
        let mut request = Request::get(address).header(header::ACCEPT, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.run(address, request.body(()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Trouble::Issuer(format!(
                "{address} answers {}",
                status.as_u16()
            )));
        }
        read(address, response)
    }

    fn run(
        &self,
        address: &str,
        request: Result<Request<impl ureq::AsSendBody>, ureq::http::Error>,
    ) -> Result<Response<ureq::Body>, Trouble> {
        // What could not stand in a header might be a secret, so it is not said.
        let request = request
            .map_err(|_| Trouble::Issuer(format!("{address} cannot be asked: it is no address")))?;
        self.agent
            .run(request)
            .map_err(|error| unreachable(address, &error))
    }
}

impl Document {
    /// Which way of showing a secret the issuer takes; the header, where it does not say (RFC 8414, 2).
    fn takes_secret_in_header(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| {
            let has = |name: &str| methods.iter().any(|method| method == name);
            has("client_secret_basic") || !has("client_secret_post")
        })
    }
}

fn unreachable(address: &str, error: &ureq::Error) -> Trouble {
    let why = error.to_string();
    let hint = if why.contains("UnknownIssuer") {
        ": it is of no authority that is known here; if it is one of your own, let CRESSET_CA_FILE name a file with that authority's certificate"
    } else {
        ""
    };
    Trouble::Issuer(format!("{address}: {why}{hint}"))
}

fn read<T: DeserializeOwned>(
    address: &str,
    mut response: Response<ureq::Body>,
) -> Result<T, Trouble> {
    let body = response.body_mut().with_config().limit(MAX_ANSWER);
    let body = body
        .read_to_vec()
        .map_err(|error| unreachable(address, &error))?;
    // What is wrong with it is not said: it may be a token.
    serde_json::from_slice(&body).map_err(|_| {
        let status = response.status().as_u16();
        Trouble::Issuer(format!(
            "{address} answers {status} with something else than the JSON that is expected there"
        ))
    })
}

/// A text of the issuer's, for the log.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

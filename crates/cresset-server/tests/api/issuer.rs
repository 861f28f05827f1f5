//! An issuer of OpenID Connect in the process of the test. It signs for real, gives each code once, and lies where it is told to.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use ring::{digest, hmac};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

pub(crate) const CLIENT: &str = "cresset-client";
pub(crate) const SECRET: &str = "s3cret/of+client";

/// What it does otherwise than an issuer should, or may.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// Laid over the claims of the ID token; null takes one away.
    pub(crate) claims: Json,
    pub(crate) sign: Sign,
    /// Says who it is when it is asked, and not in the token.
    pub(crate) in_userinfo: bool,
    /// Of whom it speaks when it is asked.
    pub(crate) userinfo_subject: &'static str,
    /// How clients show their secret; none for public clients.
    pub(crate) methods: Json,
    /// What an endpoint answers in place of what it should: a status, and a body.
    pub(crate) odd: Option<(&'static str, u16, String)>,
    /// Laid over what it says of itself.
    pub(crate) document: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Es256,
    Rs256,
    EdDsa,
    /// `alg` is `none`, without a signature.
    Not,
    /// By HMAC, with a public key as the secret.
    Hs256,
    /// With a key that is not in its set, under the name of one that is.
    OtherKey,
    /// With the right key; the signature is that of other claims.
    OtherClaims,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            claims: json!({}),
            sign: Sign::Es256,
            in_userinfo: false,
            userinfo_subject: SUBJECT,
            methods: json!(["client_secret_basic"]),
            odd: None,
            document: json!({}),
        }
    }
}

const SUBJECT: &str = "248289761001";

/// A code that was given, and what for.
struct Given {
    user: String,
    redirect_uri: String,
    challenge: String,
    nonce: String,
}

/// What it saw and gave that nobody else should see.
#[derive(Default)]
struct Seen {
    codes: HashMap<String, Given>,
    users_of_tokens: HashMap<String, String>,
    secrets: Vec<String>,
    asked_for_keys: usize,
}

struct Inner {
    address: SocketAddr,
    ec: Mutex<(String, EcdsaKeyPair)>,
    other_ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
    ways: Mutex<Ways>,
    seen: Mutex<Seen>,
}

/// An issuer, until this is dropped.
pub(crate) struct Issuer {
    inner: Arc<Inner>,
    _runtime: Runtime,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn on(listener: TcpListener) -> Self {
        let inner = Arc::new(Inner {
            address: listener.local_addr().unwrap(),
            ec: Mutex::new(("ec-1".to_owned(), ec_key())),
            other_ec: ec_key(),
            ed: ed_key(),
            rsa: rsa_key(),
            ways: Mutex::default(),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/token", post(token))
            .route("/jwks", get(jwks))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&inner));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            inner,
            _runtime: runtime,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.inner.address()
    }

    /// From now on it does as `change` says.
    pub(crate) fn ways(&self, change: impl FnOnce(&mut Ways)) {
        let mut ways = Ways::default();
        change(&mut ways);
        *self.inner.ways.lock().unwrap() = ways;
    }

    /// Signs with another key from now on, under another name.
    pub(crate) fn rotate(&self, name: &str) {
        *self.inner.ec.lock().unwrap() = (name.to_owned(), ec_key());
    }

    pub(crate) fn asked_for_keys(&self) -> usize {
        self.inner.seen.lock().unwrap().asked_for_keys
    }

    /// Codes, tokens and verifiers that went by.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.inner.seen.lock().unwrap().secrets.clone()
    }

    /// Somebody who was sent here logs in as `user`; gives the query that they are sent back with.
    #[track_caller]
    pub(crate) fn log_in(&self, location: &str, user: &str) -> String {
        let endpoint = format!("{}/authorize?", self.address());
        let query = location.strip_prefix(&endpoint);
        let query = query.unwrap_or_else(|| panic!("{location} is not {endpoint}"));
        let asked: HashMap<String, String> = serde_html_form::from_str(query).unwrap();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("code_challenge_method", "S256"),
            ("scope", "openid email profile"),
        ] {
            assert_eq!(asked[name], value, "{name}");
        }
        let code = random();
        let given = Given {
            user: user.to_owned(),
            redirect_uri: asked["redirect_uri"].clone(),
            challenge: asked["code_challenge"].clone(),
            nonce: asked["nonce"].clone(),
        };
        let mut seen = self.inner.seen.lock().unwrap();
        seen.secrets.extend([code.clone(), asked["state"].clone()]);
        seen.codes.insert(code.clone(), given);
        let answer = [("code", code.as_str()), ("state", &asked["state"])];
        // Issuers add what they like.
        let answer = [&answer[..], &[("session_state", "x")]].concat();
        serde_html_form::to_string(&answer).unwrap()
    }
}

impl Inner {
    fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What an endpoint answers instead, if it is told to.
    fn odd(&self, endpoint: &str) -> Option<Response> {
        let (of, status, body) = self.ways.lock().unwrap().odd.clone()?;
        let status = StatusCode::from_u16(status).unwrap();
        (of == endpoint).then(|| (status, [("location", "/token")], body).into_response())
    }

    fn id_token(&self, given: &Given, ways: &Ways) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = now.as_secs();
        let mut claims = json!({
            "iss": self.address(), "sub": SUBJECT, "aud": CLIENT, "nonce": given.nonce,
            "iat": now, "exp": now + 300,
        });
        if !ways.in_userinfo {
            overlay(&mut claims, &person(&given.user));
        }
        overlay(&mut claims, &ways.claims);
        let (ec_name, ec) = &*self.ec.lock().unwrap();
        let (alg, kid) = match ways.sign {
            Sign::Es256 | Sign::OtherKey | Sign::OtherClaims => ("ES256", ec_name.as_str()),
            Sign::Rs256 => ("RS256", "rsa-1"),
            Sign::EdDsa => ("EdDSA", "ed-1"),
            Sign::Not => ("none", ec_name.as_str()),
            Sign::Hs256 => ("HS256", ec_name.as_str()),
        };
        let header = json!({"alg": alg, "kid": kid, "typ": "JWT"});
        let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let random = SystemRandom::new();
        let by = |key: &EcdsaKeyPair, text: &str| {
            let signature = key.sign(&random, text.as_bytes()).unwrap();
            signature.as_ref().to_vec()
        };
        let signature = match ways.sign {
            Sign::Es256 => by(ec, &signed),
            Sign::OtherKey => by(&self.other_ec, &signed),
            Sign::OtherClaims => by(ec, &format!("{header}.e30")),
            Sign::EdDsa => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            Sign::Rs256 => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa
                    .sign(
                        &RSA_PKCS1_SHA256,
                        &random,
                        signed.as_bytes(),
                        &mut signature,
                    )
                    .unwrap();
                signature
            }
            Sign::Not => Vec::new(),
            Sign::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, ec.public_key().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", encode(&signature))
    }
}

fn person(user: &str) -> Json {
    json!({"email": user, "email_verified": true, "preferred_username": user})
}

fn overlay(claims: &mut Json, over: &Json) {
    for (name, value) in over.as_object().unwrap() {
        match value {
            Json::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
}

async fn document(State(inner): State<Arc<Inner>>) -> Response {
    if let Some(odd) = inner.odd("document") {
        return odd;
    }
    let base = inner.address();
    let ways = inner.ways.lock().unwrap();
    let mut document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/jwks"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "token_endpoint_auth_methods_supported": ways.methods,
    });
    overlay(&mut document, &ways.document);
    axum::Json(document).into_response()
}

async fn jwks(State(inner): State<Arc<Inner>>) -> Response {
    inner.seen.lock().unwrap().asked_for_keys += 1;
    if let Some(odd) = inner.odd("jwks") {
        return odd;
    }
    let (name, ec) = &*inner.ec.lock().unwrap();
    let point = ec.public_key().as_ref();
    let public: PublicKeyComponents<Vec<u8>> = inner.rsa.public().into();
    axum::Json(json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": name, "use": "sig", "x": encode(&point[1..33]), "y": encode(&point[33..])},
        {"kty": "RSA", "kid": "rsa-1", "alg": "RS256", "n": encode(&public.n), "e": encode(&public.e)},
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "x": encode(inner.ed.public_key().as_ref())},
        {"kty": "oct", "kid": "of-others", "k": "AAAA"},
    ]}))
    .into_response()
}

async fn token(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    if let Some(odd) = inner.odd("token") {
        return odd;
    }
    let refuse = |status: StatusCode, error: &str| {
        (status, axum::Json(json!({"error": error}))).into_response()
    };
    let ways = inner.ways.lock().unwrap().clone();
    let form: HashMap<String, String> = serde_html_form::from_str(&body).unwrap();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let header = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    let is_client = match ways.methods[0].as_str() {
        Some("client_secret_basic") => {
            let pair = STANDARD.encode(format!("{CLIENT}:s3cret%2Fof%2Bclient"));
            header == Some(format!("Basic {pair}").as_str()) && !form.contains_key("client_secret")
        }
        Some("client_secret_post") => {
            header.is_none() && field("client_id") == CLIENT && field("client_secret") == SECRET
        }
        _ => {
            header.is_none() && field("client_id") == CLIENT && !form.contains_key("client_secret")
        }
    };
    if !is_client {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut seen = inner.seen.lock().unwrap();
    let verifier = field("code_verifier").to_owned();
    let Some(given) = seen.codes.remove(field("code")) else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let challenge = encode(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
    if challenge != given.challenge
        || field("redirect_uri") != given.redirect_uri
        || field("grant_type") != "authorization_code"
    {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let access_token = random();
    let id_token = inner.id_token(&given, &ways);
    let shown = [verifier, access_token.clone(), id_token.clone()];
    seen.secrets.extend(shown);
    seen.users_of_tokens
        .insert(access_token.clone(), given.user);
    let answer =
        json!({"access_token": access_token, "token_type": "Bearer", "id_token": id_token});
    axum::Json(answer).into_response()
}

async fn userinfo(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(odd) = inner.odd("userinfo") {
        return odd;
    }
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let seen = inner.seen.lock().unwrap();
    let Some(user) = token.and_then(|token| seen.users_of_tokens.get(token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let mut claims = person(user);
    claims["sub"] = inner.ways.lock().unwrap().userinfo_subject.into();
    axum::Json(claims).into_response()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn random() -> String {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).unwrap();
    encode(&bytes)
}

fn ec_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn ed_key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

/// The key of RFC 7515, A.2: nothing that is built here makes new ones.
fn rsa_key() -> RsaKeyPair {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_\
             YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv\
             b3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let d = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTG\
             oVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb\
             1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
    let p = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t\
             7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
    let q = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfI\
             sRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
    let dp = "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cp\
              dTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
    let dq = "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4I\
              KhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
    let qi = "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReO\
              go1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: bytes(n),
            e: bytes("AQAB"),
        },
        d: bytes(d),
        p: bytes(p),
        q: bytes(q),
        dP: bytes(dp),
        dQ: bytes(dq),
        qInv: bytes(qi),
    };
    RsaKeyPair::from_components(&components).unwrap()
}

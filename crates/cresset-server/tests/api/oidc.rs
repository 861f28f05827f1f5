//! People who log in by OpenID Connect, with an issuer that signs for real and lies where it is told to.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cresset_server::{ClientSecret, OidcOptions, Options};
use cresset_store::{AuditQuery, Grant, KeyScope, NewKey, Role, Store};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Request, Serving, wait_for};
use crate::issuer::{CLIENT, Issuer, SECRET, Sign, Ways};
use crate::recorded::Folder;

const ALICE: &str = "alice@example.org";

/// A server that people log in to, behind a proxy, so that each request can come from somewhere else.
struct Site {
    serving: Serving,
    store: Store,
    _folder: Folder,
}

/// A login that was begun.
#[derive(Clone)]
struct Begun {
    location: String,
    cookie: String,
}

fn options(issuer: &str) -> Options {
    let oidc = OidcOptions {
        issuer: issuer.parse().unwrap(),
        client_id: CLIENT.into(),
        client_secret: ClientSecret::new(SECRET),
        user_claim: "email".into(),
        name: None,
        life: Duration::from_secs(12 * 3600),
        tls: ureq::tls::TlsConfig::default(),
    };
    Options {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        oidc: Some(oidc),
        ..Options::default()
    }
}

fn with_oidc(issuer: &Issuer, change: impl FnOnce(&mut OidcOptions)) -> Site {
    let mut options = options(&issuer.address());
    change(options.oidc.as_mut().unwrap());
    Site::with(options)
}

impl Site {
    fn new(issuer: &Issuer) -> Self {
        Self::with(options(&issuer.address()))
    }

    fn with(options: Options) -> Self {
        let folder = Folder::recorded();
        let store = Store::open(folder.root()).unwrap();
        let everywhere = Grant {
            scope: KeyScope::All,
            role: Role::Read,
        };
        store.set_user(ALICE, &[everywhere]).unwrap();
        Self {
            serving: Serving::with(&folder.root(), options),
            store,
            _folder: folder,
        }
    }

    /// A request of somebody whom nobody has heard of before.
    fn get(&self, path: &str) -> Request {
        static CLIENTS: AtomicU32 = AtomicU32::new(0x0c00_0000);
        let client = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let client = std::net::Ipv4Addr::from(client).to_string();
        let request = self.serving.request("GET", path);
        request.header("x-forwarded-for", &client)
    }

    #[track_caller]
    fn begin(&self, to: &str) -> Begun {
        let to = serde_html_form::to_string(&[("to", to)][..]).unwrap();
        begun(&self.get(&format!("/login/oidc?{to}")).send())
    }

    /// The browser comes back from the issuer with this.
    fn come_back(&self, begun: &Begun, query: &str) -> Answer {
        self.coming_back(begun, query).send()
    }

    fn coming_back(&self, begun: &Begun, query: &str) -> Request {
        self.get(&format!("/login/oidc/callback?{query}"))
            .header("cookie", &begun.cookie)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
    }

    fn log_in(&self, issuer: &Issuer, user: &str) -> Answer {
        let begun = self.begin("/p/solder?a=b");
        self.come_back(&begun, &issuer.log_in(&begun.location, user))
    }

    /// What somebody with this cookie is told of who they are.
    fn who(&self, cookie: &str) -> Answer {
        self.get("/api/v1/server").header("cookie", cookie).send()
    }

    /// Entries of the audit log about logins: action, who, and how they came.
    fn logins(&self) -> Vec<(String, String, &'static str)> {
        let query = AuditQuery {
            limit: 99,
            ..AuditQuery::default()
        };
        let mut entries = self.store.audit(&query).unwrap();
        entries.retain(|entry| entry.action.starts_with("log"));
        let entries = entries.into_iter().rev();
        entries
            .map(|e| (e.action, e.actor.name, e.actor.via.word()))
            .collect()
    }
}

#[track_caller]
fn begun(answer: &Answer) -> Begun {
    assert_eq!(answer.status, 303, "{}", answer.text());
    Begun {
        location: answer.header("location").to_owned(),
        cookie: pair(answer.cookie("cresset_login")),
    }
}

/// A cookie as it is sent back.
fn pair(cookie: &str) -> String {
    cookie.split(';').next().unwrap_or_default().to_owned()
}

/// The cookie of a browser that is let in.
#[track_caller]
fn let_in(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    pair(answer.cookie("cresset_key"))
}

/// That nobody was let in, with a page that says why.
#[track_caller]
fn refused(answer: &Answer, status: u16, said: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    assert!(text.contains(said), "{said}: {text}");
    assert_eq!(answer.cookie("cresset_key"), "");
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(!text.contains("http-equiv"), "{text}");
}

#[test]
fn somebody_logs_in_and_is_who_they_are_here() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let answer = site.get("/login/oidc?to=/p/solder?a=b%26c").send();
    for part in [
        "HttpOnly",
        "SameSite=Lax",
        "Path=/login/oidc;",
        "Max-Age=600",
    ] {
        let cookie = answer.cookie("cresset_login");
        assert!(
            cookie.contains(part) && !cookie.contains("Secure"),
            "{cookie}"
        );
    }
    let begun = begun(&answer);
    assert!(begun.location.contains("&code_challenge_method=S256"));

    let answer = site.come_back(&begun, &issuer.log_in(&begun.location, ALICE));
    let cookie = let_in(&answer);
    let set = answer.cookie("cresset_key");
    for part in [
        "cresset_key=crl_",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/;",
        "Max-Age=43200",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(answer.cookie("cresset_login").contains("Max-Age=0"));
    // The page goes on by itself, without a script and without a word to others of the code in its address.
    let page = answer.text();
    assert!(
        page.contains("content=\"0;url=/p/solder?a=b&amp;c\""),
        "{page}"
    );
    assert!(!page.contains("<script"));
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cache-control"), "no-store");

    let who = site.who(&cookie).json();
    let expected = json!({"user": ALICE, "key": ALICE, "login": true, "role": "read"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&who[name], value, "{name}");
    }
    // What they may counts from the next request on.
    let rename = || {
        let request = site
            .serving
            .request("PATCH", "/api/v1/projects/solder/runs/first");
        let request = request.header("cookie", &cookie).header("x-cresset", "1");
        request.json(&json!({"notes": "mine"})).send()
    };
    let denied = rename();
    assert_eq!(denied.error().0, 403);
    assert!(
        denied
            .text()
            .contains("the login of `alice@example.org` has read here")
    );
    let writes = Grant {
        scope: KeyScope::All,
        role: Role::Write,
    };
    site.store.set_user(ALICE, &[writes]).unwrap();
    assert_eq!(rename().status, 200);
    assert!(site.store.keys().unwrap().is_empty());

    let log_out = |cookie: &str| {
        let request = site.serving.request("POST", "/api/v1/logout");
        let request = request.header("cookie", cookie).header("x-cresset", "1");
        request.send()
    };
    let out = log_out(&cookie);
    assert_eq!(out.status, 204);
    assert!(out.cookie("cresset_key").contains("Max-Age=0"));
    // Also for who kept the cookie.
    assert_eq!(site.who(&cookie).status, 401);
    assert_eq!(log_out(&cookie).status, 204);
    let by = |action: &str| (action.to_owned(), ALICE.to_owned(), "login");
    assert_eq!(site.logins(), [by("login"), by("logout")]);
}

#[test]
fn a_key_stays_good_when_its_holder_logs_out() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let key = site
        .store
        .create_key(NewKey::new("ci", Role::Read, KeyScope::All));
    let cookie = format!("cresset_key={}", key.unwrap().1);
    let request = site.serving.request("POST", "/api/v1/logout");
    let out = request
        .header("cookie", &cookie)
        .header("x-cresset", "1")
        .send();
    assert_eq!(out.status, 204);
    let who = site.who(&cookie).json();
    assert_eq!((&who["login"], &who["key"]), (&json!(false), &json!("ci")));
    assert_eq!(site.logins(), []);
}

#[test]
fn a_key_that_somebody_makes_while_logged_in_outlasts_the_login() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let cookie = let_in(&site.log_in(&issuer, ALICE));
    let make = |body: Json| {
        let request = site.serving.request("POST", "/api/v1/own-keys");
        let request = request.header("cookie", &cookie).header("x-cresset", "1");
        request.json(&body).send()
    };
    let days = make(json!({"name": "laptop", "role": "read", "days": 90}));
    assert_eq!(days.status, 200, "{}", days.text());
    let made = make(json!({"name": "box", "role": "write"})).json();
    assert_eq!(made["key"]["ends"], Json::Null);
    site.store
        .log_out(cookie.split_once('=').unwrap().1)
        .unwrap();
    let secret = made["secret"].as_str().unwrap();
    let who = site.who(&format!("cresset_key={secret}")).json();
    // What she may, whatever the key says.
    assert_eq!(
        (&who["user"], &who["role"]),
        (&json!(ALICE), &json!("read"))
    );
    site.store.remove_user(ALICE).unwrap();
    assert_eq!(site.who(&format!("cresset_key={secret}")).status, 401);
}

#[test]
fn issuers_sign_and_know_clients_in_several_ways() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let from = |change: fn(&mut Ways)| {
        issuer.ways(change);
        let_in(&site.log_in(&issuer, ALICE));
    };
    from(|ways| ways.sign = Sign::Es256);
    from(|ways| ways.sign = Sign::Rs256);
    from(|ways| ways.sign = Sign::EdDsa);
    from(|ways| ways.claims = json!({"aud": ["other", CLIENT], "azp": CLIENT}));
    from(|ways| ways.in_userinfo = true);

    for (methods, secret) in [
        (json!(["client_secret_post"]), ClientSecret::new(SECRET)),
        (json!(["none"]), None),
    ] {
        issuer.ways(|ways| ways.methods = methods);
        let site = with_oidc(&issuer, |oidc| oidc.client_secret = secret);
        let_in(&site.log_in(&issuer, ALICE));
    }
    // Another claim, of which nothing has to be verified, and an issuer whose name was written with a slash.
    issuer.ways(|ways| ways.claims = json!({"email": null, "email_verified": null}));
    let site = with_oidc(&issuer, |oidc| {
        oidc.user_claim = "preferred_username".into();
        oidc.issuer = format!("{}/", issuer.address()).parse().unwrap();
    });
    let_in(&site.log_in(&issuer, ALICE));
    // A client with a wrong secret is told nothing, and the log what to look at.
    issuer.ways(|_| {});
    let site = with_oidc(&issuer, |oidc| {
        oidc.client_secret = ClientSecret::new("wrong");
    });
    refused(
        &site.log_in(&issuer, ALICE),
        503,
        "does not answer as it should",
    );
}

#[test]
fn what_the_issuer_must_not_say_is_not_taken() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let claims = |claims: Json| Ways {
        claims,
        ..Ways::default()
    };
    let sign = |sign: Sign| Ways {
        sign,
        ..Ways::default()
    };
    let cases = [
        (
            claims(json!({"iss": "https://other.example"})),
            "of another issuer",
        ),
        (
            claims(json!({"aud": "another-client"})),
            "for another client",
        ),
        (
            claims(json!({"aud": [CLIENT, "more"]})),
            "given to another client",
        ),
        (
            claims(json!({"azp": "another-client"})),
            "given to another client",
        ),
        (claims(json!({"exp": 1_700_000_000})), "is over"),
        (claims(json!({"exp": null})), "is over"),
        (claims(json!({"iat": 4_000_000_000_u64})), "of the future"),
        (claims(json!({"nbf": 4_000_000_000_u64})), "not good yet"),
        (claims(json!({"nonce": "another"})), "of another login"),
        (claims(json!({"nonce": null})), "of another login"),
        (
            claims(json!({"email_verified": false})),
            "not verified the e-mail address",
        ),
        (
            claims(json!({"email_verified": "true"})),
            "not verified the e-mail address",
        ),
        (
            claims(json!({"email": ["alice@example.org"]})),
            "holds none",
        ),
        (sign(Sign::Not), "not signed by RS256, ES256 or EdDSA"),
        (sign(Sign::Hs256), "not signed by RS256, ES256 or EdDSA"),
        (sign(Sign::OtherKey), "not signed with a key of the issuer"),
        (
            sign(Sign::OtherClaims),
            "not signed with a key of the issuer",
        ),
        (
            Ways {
                in_userinfo: true,
                userinfo_subject: "somebody-else",
                ..Ways::default()
            },
            "about somebody else",
        ),
    ];
    for (ways, why) in cases {
        let shown = format!("{ways:?}");
        issuer.ways(|own| *own = ways);
        let answer = site.log_in(&issuer, ALICE);
        assert_eq!(answer.status, 401, "{shown}: {}", answer.text());
        refused(&answer, 401, why);
    }
    assert_eq!(site.logins(), []);
    issuer.ways(|_| {});
    let_in(&site.log_in(&issuer, ALICE));
}

#[test]
fn an_answer_is_for_the_browser_that_asked_and_once() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let again = "Log in again";
    let begun = site.begin("/");
    let query = issuer.log_in(&begun.location, ALICE);
    let other = site.begin("/");
    let without = Begun {
        cookie: "a=b".into(),
        ..begun.clone()
    };
    refused(&site.come_back(&without, &query), 400, again);
    refused(&site.come_back(&other, &query), 400, again);
    let code = query.split('&').next().unwrap();
    for query in [
        code.to_owned(),
        format!("{code}&state="),
        format!("{code}&state=wrong"),
        format!("{query}&state=wrong"),
        String::new(),
    ] {
        refused(&site.come_back(&begun, &query), 400, again);
    }
    // Nor is it for somebody who has the answer and an attempt of their own, whose verifier is another.
    let stolen = format!(
        "{code}&{}",
        issuer
            .log_in(&other.location, "mallory")
            .split_once('&')
            .unwrap()
            .1
    );
    refused(
        &site.come_back(&other, &stolen),
        401,
        "does not take the code",
    );
    let begun = site.begin("/");
    let query = issuer.log_in(&begun.location, ALICE);
    let answer = site.come_back(&begun, &query);
    let_in(&answer);
    // The browser has forgotten it; and who brings it all the same brings a code that was used.
    assert!(
        answer
            .cookie("cresset_login")
            .starts_with("cresset_login=;")
    );
    refused(
        &site.come_back(&begun, &query),
        401,
        "does not take the code",
    );
    assert_eq!(site.logins().len(), 1);

    // What else an issuer may answer.
    let begun = site.begin("/");
    let query = issuer.log_in(&begun.location, ALICE);
    let state = query
        .split('&')
        .find(|part| part.starts_with("state="))
        .unwrap();
    let declined = format!("error=access_denied&error_description=no&{state}");
    refused(&site.come_back(&begun, &declined), 403, "was not finished");
    refused(&site.come_back(&begun, state), 403, "was not finished");
    let elsewhere = format!("{query}&iss=https%3A%2F%2Fother.example");
    refused(
        &site.come_back(&begun, &elsewhere),
        401,
        "of another issuer",
    );
    let here = serde_html_form::to_string(&[("iss", issuer.address())][..]).unwrap();
    let_in(&site.come_back(&begun, &format!("{query}&{here}")));
}

#[test]
fn an_issuer_that_names_itself_in_answers_has_to() {
    let issuer = Issuer::new();
    issuer.ways(|ways| {
        ways.document = json!({"authorization_response_iss_parameter_supported": true});
    });
    let site = Site::new(&issuer);
    refused(&site.log_in(&issuer, ALICE), 401, "of another issuer");
}

#[test]
fn who_is_no_user_is_told_so_and_who_was_removed_is_out() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let answer = site.log_in(&issuer, "bob@example.org");
    refused(
        &answer,
        403,
        "<code>cresset user set bob@example.org --role read</code>",
    );
    assert!(answer.text().contains("says that you are bob@example.org"));
    // A name that somebody gave themselves is no markup, and no command of whoever copies it.
    let answer = site.log_in(&issuer, "<b>'; id #");
    refused(
        &answer,
        403,
        "cresset user set &quot;&lt;b&gt;&#39;; id #&quot; --role read",
    );
    // Names are not alike.
    refused(
        &site.log_in(&issuer, "Alice@example.org"),
        403,
        "not known here",
    );

    let cookie = let_in(&site.log_in(&issuer, ALICE));
    assert_eq!(site.who(&cookie).status, 200);
    site.store.remove_user(ALICE).unwrap();
    assert_eq!(site.who(&cookie).status, 401);
    refused(&site.log_in(&issuer, ALICE), 403, "not known here");
    // A user who may nothing is let in, and told so.
    site.store.set_user(ALICE, &[]).unwrap();
    assert_eq!(site.who(&cookie).status, 401);
    let cookie = let_in(&site.log_in(&issuer, ALICE));
    let nothing = site.who(&cookie);
    assert_eq!(nothing.error().0, 403);
    assert!(
        nothing
            .text()
            .contains("the login of `alice@example.org` has no role here yet")
    );
}

#[test]
fn a_login_ends_with_its_time() {
    let issuer = Issuer::new();
    let site = with_oidc(&issuer, |oidc| oidc.life = Duration::ZERO);
    let answer = site.log_in(&issuer, ALICE);
    assert!(answer.cookie("cresset_key").contains("Max-Age=0"));
    assert_eq!(site.who(&let_in(&answer)).status, 401);
}

#[test]
fn a_key_that_nobody_knows_is_asked_for_once_a_minute() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    for _ in 0..3 {
        let_in(&site.log_in(&issuer, ALICE));
    }
    assert_eq!(issuer.asked_for_keys(), 1);
    issuer.rotate("ec-2");
    let_in(&site.log_in(&issuer, ALICE));
    assert_eq!(issuer.asked_for_keys(), 2);
    issuer.rotate("ec-3");
    for _ in 0..3 {
        refused(
            &site.log_in(&issuer, ALICE),
            401,
            "not signed with a key of the issuer",
        );
    }
    assert_eq!(issuer.asked_for_keys(), 2);
}

#[test]
fn an_issuer_that_is_down_keeps_nobody_else_out() {
    // A place where nobody is, as yet.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let site = Site::with(options(&format!("http://{address}")));
    let key = site
        .store
        .create_key(NewKey::new("ci", Role::Read, KeyScope::All));
    let key = key.unwrap().1;
    assert_eq!(site.get("/api/v1/projects").key(&key).send().status, 200);
    let ways = || site.get("/api/v1/login").send().json()["oidc"].clone();
    wait_for("the page says so", || {
        ways()["down"].as_bool().filter(|down| *down)
    });
    assert_eq!(
        ways(),
        json!({"name": "127.0.0.1", "path": "/login/oidc", "down": true})
    );
    refused(&site.get("/login/oidc").send(), 503, "Keys still work");

    let issuer = Issuer::on(TcpListener::bind(address).unwrap());
    let begun = wait_for("it is asked again", || {
        let answer = site.get("/login/oidc").send();
        (answer.status == 303).then(|| begun(&answer))
    });
    assert_eq!(ways()["down"], false);
    let_in(&site.come_back(&begun, &issuer.log_in(&begun.location, ALICE)));
}

#[test]
fn odd_answers_of_an_issuer_are_its_trouble() {
    let huge = || format!("{{\"id_token\": \"{}\"}}", "x".repeat(300_000));
    for endpoint in ["token", "jwks", "userinfo"] {
        for (status, body) in [
            (200, huge()),
            (200, "<html>".to_owned()),
            (200, "{}".to_owned()),
            (200, "[]".to_owned()),
            (302, "{}".to_owned()),
            (500, "{}".to_owned()),
            (400, json!({"error": "\u{7}".repeat(9999)}).to_string()),
        ] {
            let issuer = Issuer::new();
            let site = Site::new(&issuer);
            issuer.ways(|ways| {
                ways.in_userinfo = endpoint == "userinfo";
                ways.odd = Some((endpoint, status, body.clone()));
            });
            let answer = site.log_in(&issuer, ALICE);
            let shown: String = body.chars().take(20).collect();
            assert!(
                matches!(answer.status, 401 | 503),
                "{endpoint} {status} {shown}: {}",
                answer.text()
            );
            assert_eq!(answer.cookie("cresset_key"), "");
        }
    }
    // What it says of itself has to be of itself, and to lead nowhere in the clear.
    for (document, odd) in [
        (json!({"issuer": "https://other.example"}), None),
        (
            json!({"token_endpoint": "http://other.example/token"}),
            None,
        ),
        (json!({"jwks_uri": "file:///etc/passwd"}), None),
        (
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            None,
        ),
        (json!({"userinfo_endpoint": "http://10.0.0.1/"}), None),
        (json!({"token_endpoint": null}), None),
        (json!({}), Some(("document", 200, huge()))),
        (json!({}), Some(("document", 404, "{}".to_owned()))),
    ] {
        let issuer = Issuer::new();
        issuer.ways(|ways| (ways.document, ways.odd) = (document.clone(), odd));
        let site = Site::new(&issuer);
        let answer = site.get("/login/oidc").send();
        assert_eq!(answer.status, 503, "{document}");
        refused(&answer, 503, "does not answer as it should");
    }
}

#[test]
fn behind_a_proxy_the_issuer_sends_people_back_to_what_they_asked_for() {
    let issuer = Issuer::new();
    let mut options = options(&issuer.address());
    options.base_path = "/tools/cresset".parse().unwrap();
    options.host_names = vec!["runs.example".into(), "cresset.example".into()];
    let site = Site::with(options);
    for (base, scheme, host) in [
        ("/tools/cresset", "https", "runs.example"),
        ("/tools/cresset", "https", "cresset.example:8443"),
        ("", "http", "runs.example"),
    ] {
        let through = |path: &str| {
            site.get(&format!("{base}{path}"))
                .header("x-forwarded-host", host)
                .header("x-forwarded-proto", scheme)
        };
        let answer = through("/login/oidc?to=/p/solder").send();
        let uri = format!("{scheme}://{host}/tools/cresset/login/oidc/callback");
        let uri = serde_html_form::to_string(&[("redirect_uri", &uri)][..]).unwrap();
        assert!(answer.header("location").contains(&uri), "{uri}");
        let cookie = answer.cookie("cresset_login");
        assert!(
            cookie.contains("Path=/tools/cresset/login/oidc;"),
            "{cookie}"
        );
        assert_eq!(cookie.ends_with("; Secure"), scheme == "https", "{cookie}");
        let begun = begun(&answer);
        let query = issuer.log_in(&begun.location, ALICE);
        let back = through(&format!("/login/oidc/callback?{query}"));
        let answer = back.header("cookie", &begun.cookie).send();
        let_in(&answer);
        let cookie = answer.cookie("cresset_key");
        assert!(cookie.contains("Path=/tools/cresset;"), "{cookie}");
        assert_eq!(cookie.ends_with("; Secure"), scheme == "https", "{cookie}");
        assert!(answer.text().contains("0;url=/tools/cresset/p/solder\""));
    }
    assert_eq!(
        site.get("/tools/cresset/api/v1/login").send().json()["oidc"]["path"],
        "/tools/cresset/login/oidc"
    );
    // Another name is none of ours, whoever says it.
    for (header, host) in [
        ("x-forwarded-host", "evil.example"),
        ("host", "evil.example"),
    ] {
        let asked = site.get("/tools/cresset/login/oidc").without(header);
        assert_eq!(asked.header(header, host).send().status, 421);
    }
}

#[test]
fn nobody_is_sent_elsewhere_after_they_logged_in() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    for to in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/..//evil.example",
        "javascript:alert(1)",
        "/p/\"><script>alert(1)</script>",
        "/api/v1/logout",
    ] {
        let begun = site.begin(to);
        let answer = site.come_back(&begun, &issuer.log_in(&begun.location, ALICE));
        let_in(&answer);
        let page = answer.text();
        assert!(
            page.contains("content=\"0;url=/\"") && !page.contains("evil"),
            "{to}: {page}"
        );
    }
    // Nor by a query that the address does not take.
    let twice = begun(
        &site
            .get("/login/oidc?to=/p/solder&to=//evil.example")
            .send(),
    );
    let answer = site.come_back(&twice, &issuer.log_in(&twice.location, ALICE));
    assert!(answer.text().contains("content=\"0;url=/\""));
}

#[test]
fn a_page_elsewhere_begins_no_login() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    for (site_of, status) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 303),
        ("none", 303),
    ] {
        let asked = site.get("/login/oidc").header("sec-fetch-site", site_of);
        assert_eq!(asked.send().status, status, "{site_of}");
    }
    let posted = site.serving.request("POST", "/login/oidc/callback").send();
    assert_eq!(posted.error(), (403, "csrf".into()));
}

#[test]
fn with_an_issuer_nothing_is_open() {
    let issuer = Issuer::new();
    // On the own machine, without a proxy, before there is a key or a user.
    let mut options = options(&issuer.address());
    options.trusted_proxies.clear();
    let folder = Folder::recorded();
    let server = Serving::with(&folder.root(), options);
    assert_eq!(server.get("/api/v1/projects").status, 401);
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(server.get("/").status, 200);
    drop(server);
    // Without one these addresses are pages like any other.
    let server = Serving::open(&folder.root());
    assert_eq!(server.json("/login"), json!({"oidc": null}));
    assert!(
        server
            .get("/login/oidc")
            .header("content-type")
            .starts_with("text/html")
    );
    assert_eq!(server.get("/login/oidc").header("set-cookie"), "");
}

#[test]
fn logins_that_fail_are_counted_as_wrong_keys_are() {
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let new = NewKey::new("ci", Role::Read, KeyScope::All);
    let (_, key) = site.store.create_key(new).unwrap();
    let from_one = |path: &str| {
        let request = site.serving.request("GET", path);
        request.header("x-forwarded-for", "10.1.1.1")
    };
    assert_eq!(from_one("/api/v1/projects").key(&key).send().status, 200);
    let guess = |i: u32| from_one(&format!("/login/oidc/callback?code=x&state={i}")).send();
    let statuses: Vec<u16> = (0..12).map(|i| guess(i).status).collect();
    assert_eq!((statuses[9], statuses[10], statuses[11]), (400, 429, 429));
    let late = guess(13);
    refused(&late, 429, "try again in");
    assert!(
        late.header("retry-after")
            .parse::<u64>()
            .is_ok_and(|s| s <= 61)
    );
    // It is one count, and who was let in before is not locked out.
    assert_eq!(from_one("/api/v1/projects").key("guess").send().status, 429);
    assert_eq!(from_one("/api/v1/projects").key(&key).send().status, 200);
    let_in(&site.log_in(&issuer, ALICE));
}

/// What was written to the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_is_written_down() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Other tests of this process write there too, which changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let issuer = Issuer::new();
    let site = Site::new(&issuer);
    let mut pages = Vec::new();
    let mut cookies = Vec::new();
    let answer = site.log_in(&issuer, ALICE);
    cookies.push(let_in(&answer));
    for change in [
        |ways: &mut Ways| ways.sign = Sign::OtherKey,
        |ways: &mut Ways| ways.claims = json!({"nonce": "another"}),
        |ways: &mut Ways| ways.methods = json!(["client_secret_post"]),
        |ways: &mut Ways| {
            let body = json!({"error": "odd", "error_description": SECRET}).to_string();
            ways.odd = Some(("token", 400, body));
        },
        |ways: &mut Ways| ways.odd = Some(("jwks", 500, SECRET.to_owned())),
    ] {
        issuer.rotate("ec-2");
        issuer.ways(change);
        let begun = site.begin("/p/solder");
        cookies.push(begun.cookie.clone());
        let query = issuer.log_in(&begun.location, ALICE);
        pages.push(site.come_back(&begun, &query).text());
        pages.push(site.come_back(&begun, "code=a-guess&state=a-state").text());
    }
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        written.contains("a login was refused") && written.contains("a login failed"),
        "{written}"
    );
    let secrets = issuer.secrets();
    assert!(secrets.len() > 10);
    let values = cookies.iter().filter_map(|cookie| cookie.split_once('='));
    let values = values.map(|(_, value)| value.to_owned());
    let others = [SECRET, "a-guess", "a-state"].map(str::to_owned);
    for secret in secrets.into_iter().chain(values).chain(others) {
        assert!(!written.contains(&secret), "{secret}");
        for page in &pages {
            assert!(!page.contains(&secret), "{secret}: {page}");
        }
    }
}

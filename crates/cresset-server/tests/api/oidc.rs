//! People who log in by OpenID Connect, with an issuer that signs for real and lies where it is told to.
//!
//! Here are who somebody is then and for how long; `issuers` is what of an issuer's word is taken, `browsers` what may come by way of a browser.

mod browsers;
mod issuers;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cresset_server::{ClientSecret, OidcOptions, Options};
use cresset_store::{AuditQuery, Grant, KeyScope, NewKey, Role, Store};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Request, Serving};
use crate::issuer::{CLIENT, Issuer, SECRET};
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

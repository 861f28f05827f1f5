//! What may come by way of a browser: answers of others, addresses elsewhere, guesses; and what no log may have of it.

use std::io;
use std::sync::{Arc, Mutex};

use cresset_store::{KeyScope, NewKey, Role};
use serde_json::json;

use super::{ALICE, Begun, Site, begun, let_in, options, refused};
use crate::issuer::{Issuer, SECRET, Sign, Ways};

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

//! What of an issuer's word is taken, and what is when it says nothing.

use std::net::TcpListener;

use cresset_server::ClientSecret;
use cresset_store::{KeyScope, NewKey, Role};
use serde_json::{Value as Json, json};

use super::{ALICE, Site, begun, let_in, options, refused, with_oidc};
use crate::client::wait_for;
use crate::issuer::{CLIENT, Issuer, SECRET, Sign, Ways};

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
fn an_issuer_that_names_itself_in_answers_has_to() {
    let issuer = Issuer::new();
    issuer.ways(|ways| {
        ways.document = json!({"authorization_response_iss_parameter_supported": true});
    });
    let site = Site::new(&issuer);
    refused(&site.log_in(&issuer, ALICE), 401, "of another issuer");
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

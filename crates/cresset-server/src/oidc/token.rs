//! The issuer's word on who somebody is: an ID token (OpenID Connect Core, 3.1.3.7), signed as RFC 7515 says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::jwk::{Algorithm, Key};

/// How far the issuer's clock may be from ours, in seconds.
const LEEWAY: f64 = 60.0;
/// Longest name of a user, in bytes.
const MAX_USER: usize = 128;

/// Why the issuer's word is not taken. Nothing of what it sent is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) &'static str);

/// A token whose signature has not been looked at.
pub(super) struct Token<'a> {
    algorithm: Algorithm,
    key: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Json>,
}

/// What a token has to say to be for this server and this attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    /// In seconds since 1970.
    pub(super) now: f64,
}

/// What the issuer says of somebody.
#[derive(Clone, Debug)]
pub(super) struct Claims(Map<String, Json>);

impl<'a> Token<'a> {
    /// # Errors
    /// If it is no token, or signed in a way that is not taken.
    pub(super) fn read(text: &'a str) -> Result<Self, Refused> {
        let no_token = Refused("the ID token cannot be read");
        let (signed, signature) = text.rsplit_once('.').ok_or(no_token)?;
        let (header, claims) = signed.split_once('.').ok_or(no_token)?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| no_token);
        let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| no_token)?;
        if header.crit.is_some() {
            return Err(Refused(
                "the ID token demands an extension that is not known here",
            ));
        }
        let algorithm = Algorithm::named(&header.alg);
        Ok(Self {
            algorithm: algorithm.ok_or(Refused(
                "the ID token is not signed by RS256, ES256 or EdDSA; set one of these for this client at the issuer",
            ))?,
            key: header.kid,
            signed,
            signature: bytes(signature)?,
            claims: Claims(serde_json::from_slice(&bytes(claims)?).map_err(|_| no_token)?),
        })
    }

    /// The key that it says it is signed with.
    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What the issuer says, if one of these keys signed it and it is meant for this server, this attempt and now.
    ///
    /// # Errors
    /// If not.
    pub(super) fn verify(self, keys: &[Key], expected: Expected<'_>) -> Result<Claims, Refused> {
        let is_signed = keys
            .iter()
            .filter(|key| key.may_be(self.key()))
            .any(|key| key.signed(self.algorithm, self.signed.as_bytes(), &self.signature));
        if !is_signed {
            return Err(Refused(
                "the ID token is not signed with a key of the issuer",
            ));
        }
        self.claims.check(expected)?;
        Ok(self.claims)
    }
}

impl Claims {
    pub(super) fn new(claims: Map<String, Json>) -> Self {
        Self(claims)
    }

    fn check(&self, expected: Expected<'_>) -> Result<(), Refused> {
        let Expected {
            issuer,
            client,
            nonce,
            now,
        } = expected;
        let need = |is_so: bool, why: &'static str| if is_so { Ok(()) } else { Err(Refused(why)) };
        need(
            self.text("iss") == Some(issuer),
            "the ID token is of another issuer",
        )?;
        let audience: Vec<&Json> = match self.0.get("aud") {
            Some(Json::Array(several)) => several.iter().collect(),
            one => one.into_iter().collect(),
        };
        let is_for_us = audience.iter().any(|name| name.as_str() == Some(client));
        need(is_for_us, "the ID token is for another client")?;
        let party = self.0.get("azp");
        let is_party = party.map_or(audience.len() == 1, |party| party.as_str() == Some(client));
        need(is_party, "the ID token was given to another client")?;
        let time = |name: &str| self.0.get(name).and_then(Json::as_f64);
        need(
            time("exp").is_some_and(|end| now < end + LEEWAY),
            "the ID token is over; is the clock of this machine right?",
        )?;
        need(
            time("iat").is_some_and(|begin| begin <= now + LEEWAY),
            "the ID token is of the future; is the clock of this machine right?",
        )?;
        need(
            !self.0.contains_key("nbf") || time("nbf").is_some_and(|begin| begin <= now + LEEWAY),
            "the ID token is not good yet; is the clock of this machine right?",
        )?;
        need(
            self.text("nonce") == Some(nonce),
            "the ID token is of another login",
        )
    }

    /// Who it is, by this claim; `None` if nothing is said, or nothing that counts.
    ///
    /// # Errors
    /// If what is said cannot be a user's name, or is an e-mail address that is not theirs as far as the issuer knows.
    pub(super) fn user(&self, claim: &str) -> Result<Option<String>, Refused> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        // Whoever can give themselves any address would be anybody.
        if claim == "email" {
            match self.0.get("email_verified") {
                None => return Ok(None),
                Some(Json::Bool(true)) => {}
                Some(_) => return Err(Refused("the issuer has not verified the e-mail address")),
            }
        }
        let name = value.as_str().filter(|name| {
            !name.trim().is_empty() && name.len() <= MAX_USER && !name.contains(char::is_control)
        });
        let name = name.ok_or(Refused("the claim that has the user's name holds none"))?;
        Ok(Some(name.to_owned()))
    }

    /// Whether both are about the same person.
    pub(super) fn is_about_the_same(&self, other: &Self) -> bool {
        self.text("sub").is_some() && self.text("sub") == other.text("sub")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        issuer: "https://idp.example",
        client: "cresset",
        nonce: "n-1",
        now: 1_000_000.0,
    };

    fn claims(with: &[(&str, Json)]) -> Claims {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "cresset", "nonce": "n-1", "exp": 1_000_300, "iat": 999_990, "sub": "7",
        });
        for (name, value) in with {
            claims[name] = value.clone();
        }
        serde_json::from_value(claims).map(Claims).unwrap()
    }

    #[test]
    fn a_token_is_for_this_server_this_attempt_and_now() {
        claims(&[]).check(EXPECTED).unwrap();
        for (name, value) in [
            ("aud", json!(["cresset"])),
            ("azp", json!("cresset")),
            ("exp", json!(999_950)),
            ("exp", json!(1_000_000.5)),
            ("iat", json!(1_000_050)),
            ("nbf", json!(1_000_050)),
        ] {
            let right = claims(&[(name, value.clone())]).check(EXPECTED);
            assert_eq!(right, Ok(()), "{name}: {value}");
        }
        for (name, value, why) in [
            ("iss", json!("https://idp.example/"), "another issuer"),
            ("iss", json!(null), "another issuer"),
            ("aud", json!("other"), "another client"),
            ("aud", json!(["other", "more"]), "another client"),
            ("aud", json!([["cresset"]]), "another client"),
            ("aud", json!(null), "another client"),
            (
                "aud",
                json!(["cresset", "other"]),
                "given to another client",
            ),
            ("azp", json!("other"), "given to another client"),
            ("azp", json!(1), "given to another client"),
            ("exp", json!(999_940), "is over"),
            ("exp", json!("1000300"), "is over"),
            ("exp", json!(null), "is over"),
            ("iat", json!(1_000_061), "of the future"),
            ("iat", json!(null), "of the future"),
            ("nbf", json!(1_000_061), "not good yet"),
            ("nbf", json!("x"), "not good yet"),
            ("nonce", json!("n-2"), "another login"),
            ("nonce", json!(null), "another login"),
        ] {
            let refused = claims(&[(name, value.clone())])
                .check(EXPECTED)
                .unwrap_err();
            assert!(refused.0.contains(why), "{name}: {value}: {refused}");
        }
        let both = claims(&[
            ("aud", json!(["cresset", "other"])),
            ("azp", json!("cresset")),
        ]);
        both.check(EXPECTED).unwrap();
    }

    #[test]
    fn an_address_counts_if_the_issuer_verified_it() {
        let user = |with: &[(&str, Json)], claim: &str| claims(with).user(claim);
        let alice = || ("email", json!("alice@example.org"));
        let verified = |value: Json| ("email_verified", value);
        let name = Ok(Some("alice@example.org".to_owned()));
        assert_eq!(user(&[alice(), verified(json!(true))], "email"), name);
        for wrong in [json!(false), json!("true"), json!(1), json!(null)] {
            let refused = user(&[alice(), verified(wrong)], "email").unwrap_err();
            assert!(refused.0.contains("not verified"), "{refused}");
        }
        assert_eq!(user(&[alice()], "email"), Ok(None));
        assert_eq!(user(&[], "email"), Ok(None));
        // Of other claims nothing else is asked.
        assert_eq!(user(&[("upn", json!("alice@example.org"))], "upn"), name);
        for odd in [
            json!(""),
            json!(" "),
            json!(7),
            json!(["a"]),
            json!("a\nb"),
            json!("x".repeat(129)),
        ] {
            assert!(user(&[("upn", odd)], "upn").is_err());
        }
        assert!(claims(&[]).is_about_the_same(&claims(&[("iss", json!("x"))])));
        assert!(!claims(&[]).is_about_the_same(&claims(&[("sub", json!("8"))])));
        let [none, other] = [(); 2].map(|()| claims(&[("sub", json!(null))]));
        assert!(!none.is_about_the_same(&other));
    }

    #[test]
    fn what_is_no_token_is_refused_before_a_key_is_looked_for() {
        let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let token = |header: Json| format!("{}.{}.AAAA", part(header), part(json!({"sub": "7"})));
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": "RS512"}),
            json!({"alg": ""}),
            json!({"alg": "RS256", "crit": ["exp"], "exp": 1}),
            json!({"alg": ["RS256"]}),
            json!({}),
            json!(1),
        ] {
            assert!(Token::read(&token(header.clone())).is_err(), "{header}");
        }
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            "....",
            "eyJhbGciOiJSUzI1NiJ9.W10.AAAA",
        ] {
            assert!(Token::read(text).is_err(), "{text}");
        }
        let right = token(json!({"alg": "ES256", "kid": "a"}));
        let right = Token::read(&right).unwrap();
        assert_eq!(right.key(), Some("a"));
        let refused = right.verify(&[], EXPECTED).unwrap_err();
        assert!(refused.0.contains("not signed with a key"), "{refused}");
    }
}

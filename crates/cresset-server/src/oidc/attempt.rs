//! One attempt of one browser to log in, from the button to the issuer's answer.
//!
//! The server keeps nothing of it, so that there is nothing to bound, to sweep or to share with another server. The browser keeps a random
//! seed in a cookie that scripts cannot read, with the time and the page to come back to. Everything that the issuer gets is made from
//! these by a keyed hash, of which the seed is the key: the state ties the answer to the browser that began, the time and the page, and
//! so does the nonce, which the issuer signs; the verifier (RFC 7636) ties the code to them. From what the issuer sees nobody finds
//! the seed, and who changes the cookie changes all three. A code is good once, which is for the issuer to see to.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cresset_record::Timestamp;
use ring::rand::SecureRandom;
use ring::{digest, error, hmac, rand};

use super::target;

/// How long somebody may take at the issuer.
pub(super) const LIFE: Duration = Duration::from_secs(600);

/// One attempt of one browser to log in.
pub(super) struct Attempt {
    seed: [u8; 32],
    /// In seconds since 1970.
    begun: i64,
    /// The page to come back to, below where the dashboard is.
    target: String,
}

impl Attempt {
    /// # Errors
    /// If the system gives no random bytes.
    pub(super) fn begin(to: &str) -> Result<Self, error::Unspecified> {
        let mut seed = [0; 32];
        rand::SystemRandom::new().fill(&mut seed)?;
        Ok(Self {
            seed,
            begun: now(),
            target: target::within(to).to_owned(),
        })
    }

    /// What the browser keeps.
    pub(super) fn cookie(&self) -> String {
        let [seed, target] = [&self.seed[..], self.target.as_bytes()].map(encode);
        format!("{seed}.{}.{target}", self.begun)
    }

    /// What the browser kept, if that is not too long ago.
    pub(super) fn of(cookie: &str) -> Option<Self> {
        let mut parts = cookie.split('.');
        let [seed, begun, target] = [parts.next()?, parts.next()?, parts.next()?];
        let target = String::from_utf8(decode(target)?).ok()?;
        let attempt = Self {
            seed: decode(seed)?.try_into().ok()?,
            begun: begun.parse().ok()?,
            target: target::within(&target).to_owned(),
        };
        let age = now().checked_sub(attempt.begun)?;
        (parts.next().is_none() && (0..=LIFE.as_secs() as i64).contains(&age)).then_some(attempt)
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// Ties the issuer's answer to this browser.
    pub(super) fn state(&self) -> String {
        self.derive("state")
    }

    /// Whether an answer with this state is to this attempt.
    pub(super) fn is_answered_by(&self, state: &str) -> bool {
        let (key, message) = (self.key(), self.message("state"));
        decode(state).is_some_and(|tag| hmac::verify(&key, &message, &tag).is_ok())
    }

    /// Ties the token that the issuer signs to this attempt.
    pub(super) fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// Shows that who brings a code is who asked for it.
    pub(super) fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// The verifier's hash, by the method `S256`.
    pub(super) fn challenge(&self) -> String {
        encode(digest::digest(&digest::SHA256, self.verifier().as_bytes()).as_ref())
    }

    fn derive(&self, what: &str) -> String {
        encode(hmac::sign(&self.key(), &self.message(what)).as_ref())
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.seed)
    }

    fn message(&self, what: &str) -> Vec<u8> {
        format!("{what} {} {}", self.begun, self.target).into_bytes()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// In seconds since 1970.
fn now() -> i64 {
    Timestamp::now().0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_an_attempt_is_one() {
        let attempt = Attempt::begin("/p/solder?a=b").unwrap();
        let kept = Attempt::of(&attempt.cookie()).unwrap();
        assert_eq!(kept.target(), "/p/solder?a=b");
        assert!(kept.is_answered_by(&attempt.state()));
        assert_eq!(kept.nonce(), attempt.nonce());
        assert_eq!(kept.verifier(), attempt.verifier());
        let all = [attempt.state(), attempt.nonce(), attempt.verifier()];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        // 43 to 128 characters (RFC 7636, 4.1), and none that an address or a header takes for something else.
        for text in all.iter().chain([&attempt.challenge()]) {
            assert_eq!(text.len(), 43);
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            );
        }
        let other = Attempt::begin("/p/solder?a=b").unwrap();
        for wrong in [other.state(), attempt.nonce(), String::new(), "?".into()] {
            assert!(!kept.is_answered_by(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_cookie_that_was_changed_or_is_old_is_of_no_attempt() {
        let attempt = Attempt::begin("/p/solder").unwrap();
        let cookie = attempt.cookie();
        let parts: Vec<&str> = cookie.split('.').collect();
        let [seed, begun, target] = parts[..] else {
            panic!("{cookie}")
        };
        let changed = format!("{seed}.{begun}.{}", encode(b"/p/other"));
        let changed = Attempt::of(&changed).unwrap();
        assert!(!changed.is_answered_by(&attempt.state()));
        let begun: i64 = begun.parse().unwrap();
        let earlier = Attempt::of(&format!("{seed}.{}.{target}", begun - 1)).unwrap();
        assert!(!earlier.is_answered_by(&attempt.state()));
        let away = format!("{seed}.{begun}.{}", encode(b"//evil.example"));
        assert_eq!(Attempt::of(&away).unwrap().target(), "/");
        for wrong in [
            String::new(),
            "..".into(),
            format!("{seed}.{begun}"),
            format!("{cookie}.x"),
            format!("{}.{begun}.{target}", &seed[1..]),
            format!("{seed}.{}.{target}", begun - 700),
            format!("{seed}.{}.{target}", begun + 700),
            format!("{seed}.{}.{target}", i64::MIN),
            format!("{seed}.x.{target}"),
        ] {
            assert!(Attempt::of(&wrong).is_none(), "{wrong}");
        }
    }
}

//! Keys that an issuer signs with (RFC 7517), and signatures by them (RFC 7518, RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::Value as Json;

/// Most keys of an issuer that are looked at.
const MAX_KEYS: usize = 64;

/// How an issuer may sign. What needs a secret that is shared with it is none of these: whoever knows a public key could sign with
/// that as the secret. Neither is `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// By its name in a token.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A public key.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    material: Material,
}

#[derive(Debug)]
enum Material {
    /// The modulus and the exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point, or its x coordinate.
    Point(Vec<u8>),
}

/// A key as the issuer sends it.
#[derive(Deserialize)]
struct Sent {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct SentSet {
    keys: Vec<Json>,
}

impl Key {
    /// The keys of a set that can be used here; those of other kinds are passed over, as they may be for others.
    ///
    /// # Errors
    /// If it is no set.
    pub(super) fn of_set(set: Json) -> Result<Vec<Self>, serde_json::Error> {
        let set: SentSet = serde_json::from_value(set)?;
        let sent = set.keys.into_iter().take(MAX_KEYS);
        let sent = sent.filter_map(|key| serde_json::from_value(key).ok());
        Ok(sent.filter_map(Self::of).collect())
    }

    fn of(sent: Sent) -> Option<Self> {
        let number = |text: &Option<String>| {
            let mut bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
            // Some issuers send leading zeros.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes.drain(..zeros);
            Some(bytes)
        };
        let coordinate = |text: &Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
            (bytes.len() == 32).then_some(bytes)
        };
        let (algorithm, material) = match (sent.kty.as_str(), sent.crv.as_deref()) {
            ("RSA", _) => {
                let [n, e] = [number(&sent.n)?, number(&sent.e)?];
                (Algorithm::Rs256, Material::Rsa { n, e })
            }
            ("EC", Some("P-256")) => {
                // Both coordinates, uncompressed (SEC 1, 2.3.3).
                let point = [vec![4], coordinate(&sent.x)?, coordinate(&sent.y)?].concat();
                (Algorithm::Es256, Material::Point(point))
            }
            ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, Material::Point(coordinate(&sent.x)?)),
            _ => return None,
        };
        let is_for_this = sent
            .alg
            .is_none_or(|alg| Algorithm::named(&alg) == Some(algorithm));
        let signs = sent.purpose.is_none_or(|purpose| purpose == "sig");
        (is_for_this && signs).then_some(Self {
            id: sent.kid,
            algorithm,
            material,
        })
    }

    /// Whether this may be the key that a token names; a token need not name one.
    pub(super) fn may_be(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.id.as_deref() == Some(id))
    }

    /// Whether this key made the signature, by this algorithm.
    pub(super) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if algorithm != self.algorithm {
            return false;
        }
        let verified = match &self.material {
            Material::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Material::Point(point) => {
                let curve: &dyn VerificationAlgorithm = match algorithm {
                    Algorithm::EdDsa => &ED25519,
                    _ => &ECDSA_P256_SHA256_FIXED,
                };
                UnparsedPublicKey::new(curve, point).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The public key of RFC 7515, A.2.
    fn rsa() -> Json {
        let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_\
                 YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxv\
                 b3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        json!({"kty": "RSA", "n": n, "e": "AQAB"})
    }

    /// That of A.3.
    fn p256() -> Json {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    /// That of RFC 8037, A.2.
    fn ed25519() -> Json {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    /// Key, algorithm, message and signature of each example.
    fn examples() -> [(Json, Algorithm, String, Vec<u8>); 3] {
        let joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let by_rsa = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKB\
                      YNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6Bf\
                      I7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        let by_p256 = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let by_ed25519 = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        [
            (
                rsa(),
                Algorithm::Rs256,
                format!("eyJhbGciOiJSUzI1NiJ9.{joe}"),
                bytes(by_rsa),
            ),
            (
                p256(),
                Algorithm::Es256,
                format!("eyJhbGciOiJFUzI1NiJ9.{joe}"),
                bytes(by_p256),
            ),
            (
                ed25519(),
                Algorithm::EdDsa,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
                bytes(by_ed25519),
            ),
        ]
    }

    fn keys(sent: &[Json]) -> Vec<Key> {
        Key::of_set(json!({ "keys": sent })).unwrap()
    }

    #[test]
    fn the_examples_of_the_standards_hold_and_nothing_near_them_does() {
        for (sent, algorithm, message, signature) in examples() {
            let [key] = <[Key; 1]>::try_from(keys(&[sent])).unwrap();
            assert!(
                key.signed(algorithm, message.as_bytes(), &signature),
                "{algorithm:?}"
            );
            assert!(!key.signed(algorithm, format!("{message}x").as_bytes(), &signature));
            for place in [0, signature.len() / 2, signature.len() - 1] {
                let mut other = signature.clone();
                other[place] ^= 1;
                assert!(
                    !key.signed(algorithm, message.as_bytes(), &other),
                    "{algorithm:?}"
                );
            }
            for short in [&signature[..0], &signature[1..]] {
                assert!(
                    !key.signed(algorithm, message.as_bytes(), short),
                    "{algorithm:?}"
                );
            }
            for other in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
                let holds = key.signed(other, message.as_bytes(), &signature);
                assert_eq!(holds, other == algorithm);
            }
        }
    }

    #[test]
    fn keys_for_something_else_are_passed_over() {
        let with = |mut key: Json, name: &str, value: &str| {
            key[name] = value.into();
            key
        };
        let set = [
            with(rsa(), "use", "sig"),
            with(rsa(), "alg", "RS256"),
            with(rsa(), "use", "enc"),
            with(rsa(), "alg", "RS512"),
            with(rsa(), "alg", "HS256"),
            with(rsa(), "alg", "none"),
            with(p256(), "crv", "P-521"),
            with(p256(), "x", "AAAA"),
            with(ed25519(), "crv", "X25519"),
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({"kty": "RSA"}),
            json!("a text"),
        ];
        assert_eq!(keys(&set).len(), 2);
        for none in [json!(null), json!([]), json!({}), json!({"keys": 1})] {
            assert!(Key::of_set(none).is_err());
        }
        let [named] = <[Key; 1]>::try_from(keys(&[with(rsa(), "kid", "a")])).unwrap();
        assert!(named.may_be(Some("a")) && named.may_be(None) && !named.may_be(Some("b")));
        for name in ["HS256", "none", "None", "rs256", ""] {
            assert_eq!(Algorithm::named(name), None);
        }
    }

    #[test]
    fn leading_zeros_of_a_number_mean_nothing() {
        let (mut sent, algorithm, message, signature) = examples()[0].clone();
        let n = URL_SAFE_NO_PAD.decode(sent["n"].as_str().unwrap()).unwrap();
        sent["n"] = URL_SAFE_NO_PAD.encode([vec![0], n].concat()).into();
        assert!(keys(&[sent])[0].signed(algorithm, message.as_bytes(), &signature));
    }
}

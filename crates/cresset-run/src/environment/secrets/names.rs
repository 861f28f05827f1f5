//! Which names announce a secret.

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// Nothing.
    Open,
    /// Text under it is a secret; a number is a count or an index, as in `token: 7`.
    Text,
    /// Whatever is under it is a secret.
    All,
}

/// Words that announce a secret wherever they stand in a name.
const SECRET_WORDS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "apikeys",
    "apitoken",
    "authtoken",
    "credential",
    "credentials",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "pswd",
    "secret",
    "secretkey",
    "secrets",
];

/// Words that announce a secret as the last of a name.
const SECRET_LAST_WORDS: &[&str] = &[
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "jwt",
    "otp",
];

/// Words that make a following `key` or `keys` a secret one. Attention, sort and query keys are none.
const KEY_QUALIFIERS: &[&str] = &[
    "access",
    "account",
    "admin",
    "api",
    "auth",
    "client",
    "decryption",
    "deploy",
    "encryption",
    "gpg",
    "hmac",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "session",
    "signing",
    "ssh",
    "storage",
    "subscription",
];

/// Words that make a following `pass`, `pwd` or `pw` a password.
const PASS_QUALIFIERS: &[&str] = &[
    "admin", "basic", "db", "email", "ftp", "http", "https", "ldap", "login", "mail", "mysql",
    "pg", "postgres", "proxy", "redis", "root", "smtp", "ssh", "user",
];

/// Words that make the plural `tokens` secret ones; alone it is a count.
const TOKENS_QUALIFIERS: &[&str] = &[
    "access", "api", "auth", "bearer", "refresh", "session", "service",
];

/// Words before `token` with which it is a piece of text or of an image.
const MODEL_TOKEN_QUALIFIERS: &[&str] = &[
    "additional",
    "audio",
    "begin",
    "blank",
    "boi",
    "bos",
    "by",
    "class",
    "cls",
    "context",
    "cross",
    "dist",
    "distillation",
    "each",
    "end",
    "eoi",
    "eos",
    "eot",
    "every",
    "extra",
    "first",
    "image",
    "img",
    "input",
    "lang",
    "language",
    "last",
    "latent",
    "mask",
    "max",
    "memory",
    "min",
    "multi",
    "n",
    "new",
    "newline",
    "next",
    "num",
    "object",
    "output",
    "pad",
    "padding",
    "patch",
    "per",
    "prefix",
    "prev",
    "prompt",
    "query",
    "register",
    "sep",
    "single",
    "sos",
    "sot",
    "sound",
    "source",
    "space",
    "special",
    "speech",
    "start",
    "stop",
    "sub",
    "suffix",
    "target",
    "task",
    "text",
    "time",
    "to",
    "unk",
    "unknown",
    "video",
    "vision",
    "word",
];

/// Last words with which a name tells about a secret and does not hold it, as in `password_file`.
const ABOUT_WORDS: &[&str] = &[
    "count", "dir", "dim", "enabled", "env", "expires", "expiry", "field", "file", "format",
    "header", "index", "kind", "len", "length", "manager", "max", "method", "min", "mode", "name",
    "path", "policy", "prefix", "provider", "required", "size", "timeout", "ttl", "type", "uri",
    "url", "version",
];

/// Last words that change nothing, as in `token_value`.
const FILLER_WORDS: &[&str] = &[
    "b64",
    "base64",
    "hex",
    "plain",
    "plaintext",
    "raw",
    "str",
    "string",
    "value",
];

/// First words of flags that switch something and take no value.
const SWITCH_WORDS: &[&str] = &[
    "allow", "disable", "enable", "has", "is", "no", "require", "skip", "use", "with", "without",
];

/// What a key, flag or variable name says about its value.
pub(super) fn secrecy(name: &str) -> Secrecy {
    let words = words(name);
    let mut words: &[String] = &words;
    while let [rest @ .., last] = words
        && (FILLER_WORDS.contains(&last.as_str()) || last.bytes().all(|b| b.is_ascii_digit()))
    {
        words = rest;
    }
    let Some(last) = words.last().map(String::as_str) else {
        return Secrecy::Open;
    };
    if ABOUT_WORDS.contains(&last) {
        return Secrecy::Open;
    }
    let before = words.iter().rev().nth(1).map(String::as_str);
    let preceded_by = |list: &[&str]| before.is_some_and(|word| list.contains(&word));
    let all = words
        .iter()
        .any(|word| SECRET_WORDS.contains(&word.as_str()))
        || SECRET_LAST_WORDS.contains(&last)
        || words
            .windows(2)
            .any(|pair| is_secret_key(&pair[0], &pair[1]))
        || (matches!(last, "pass" | "pwd" | "pw") && preceded_by(PASS_QUALIFIERS));
    let text = last == "sig"
        || (last == "token" && !preceded_by(MODEL_TOKEN_QUALIFIERS))
        || (last == "tokens" && preceded_by(TOKENS_QUALIFIERS));
    match (all, text) {
        (true, _) => Secrecy::All,
        (false, true) => Secrecy::Text,
        (false, false) => Secrecy::Open,
    }
}

/// Whether the name is that of a flag without a value, such as `--use-auth`.
pub(super) fn is_switch(name: &str) -> bool {
    words(name)
        .first()
        .is_some_and(|first| SWITCH_WORDS.contains(&first.as_str()))
}

fn is_secret_key(first: &str, second: &str) -> bool {
    matches!(second, "key" | "keys") && KEY_QUALIFIERS.contains(&first)
        || (first, second) == ("amz", "signature")
}

/// The words of a `snake_case`, `kebab-case`, `dotted.name` or `camelCase` name, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = name.chars().peekable();
    let mut previous = ' ';
    while let Some(c) = chars.next() {
        let next_is_small = chars.peek().is_some_and(|c| c.is_lowercase());
        let starts_word = (c.is_uppercase()
            && (previous.is_lowercase() || (previous.is_uppercase() && next_is_small)))
            || (c.is_ascii_digit() != previous.is_ascii_digit() && previous.is_alphanumeric());
        if !c.is_alphanumeric() || starts_word {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (name, expected) in [
            ("api_key", "api key"),
            ("--api-key", "api key"),
            ("apiKey", "api key"),
            ("APIKey", "api key"),
            ("HF_TOKEN", "hf token"),
            ("storage.s3.secretKey", "storage s 3 secret key"),
            ("password2", "password 2"),
            ("", ""),
            ("---", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn secret_names_are_told_from_others() {
        let cases = [
            (
                Secrecy::All,
                "password passwd db_password DB_PASS smtpPass password2 password_hash secret client_secret \
                 clientSecret secretKey SECRET_ACCESS_KEY api_key apikey API-KEY openai.apiKey x-api-key \
                 access_key access_key_id AWS_ACCESS_KEY_ID private_key privateKey signing_key ssh_key \
                 AccountKey SharedAccessKey credential credentials aws_credentials passphrase auth basic_auth \
                 Authorization session_cookie X-Amz-Signature jwt encryption_key user_pwd token_secret \
                 secret_value passwords",
            ),
            (
                Secrecy::Text,
                "token sig hf_token HF_TOKEN accessToken auth-token github_token bot_token token_value token1 \
                 use_auth_token refresh_tokens api_tokens my_service_token",
            ),
            (
                Secrecy::Open,
                "num_tokens tokenizer max_tokens author authors tokens token_type token_type_ids pad_token \
                 eos_token bos_token_id mask_token image_token per_token tokens_per_second next_token key \
                 keys query_key key_dim sort_key num_key_value_heads monkey keyboard password_file \
                 secret_name credentials_path token_env auth_url auth_method passed forward_pass pass \
                 bypass passwordless secretary authority signature assign design hash commit epoch lr \
                 pwd secret_len learning_rate",
            ),
        ];
        for (expected, names) in cases {
            for name in names.split_whitespace() {
                assert_eq!(secrecy(name), expected, "{name}");
            }
        }
        assert_eq!(secrecy(""), Secrecy::Open);
        assert!(is_switch("--use-auth") && !is_switch("--user-auth"));
    }
}

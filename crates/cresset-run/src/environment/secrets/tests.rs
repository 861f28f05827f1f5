use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Token bodies are put together here, so that no scanner takes this file for a leak.
fn body(length: usize) -> String {
    "a1B2c3D4e5".chars().cycle().take(length).collect()
}

fn masked(value: Json) -> Json {
    let Json::Object(mut map) = value else {
        panic!("an object")
    };
    mask(&mut map);
    Json::Object(map)
}

#[test]
fn texts_with_a_secrets_form_are_masked() {
    let jwt = format!("eyJ{}.eyJ{}.{}", body(20), body(30), body(40));
    for (prefix, secret) in [
        ("", format!("AKIA{}", "Z7".repeat(8))),
        ("key ", format!("ghp_{}", body(36))),
        ("key=", format!("github_pat_{}", body(40))),
        ("", format!("glpat-{}", body(20))),
        ("'", format!("hf_{}", body(34))),
        ("", format!("sk-{}", body(48))),
        ("", format!("sk-proj-{}-{}", body(20), body(30))),
        ("", format!("sk-ant-api03-{}", body(90))),
        ("", format!("xoxb-1234567890-{}", body(24))),
        ("", format!("AIza{}", body(35))),
        ("", format!("npm_{}", body(36))),
        ("", format!("sk_live_{}", body(24))),
        ("(", jwt),
        ("Authorization: Bearer ", body(40)),
        ("authorization: basic ", format!("{}==", body(22))),
        ("--token=", "0123456789abcdef".repeat(3)),
        ("--api-key=", body(44)),
        ("HF_TOKEN=", "x".into()),
        ("https://h/p?x=1&api_key=", "abc".into()),
        ("https://h/p?sig=", "abc%3D".into()),
        ("postgres://", "me:hunter2".into()),
        ("https://", "me:hunter2".into()),
        ("https://", "only-a-token".into()),
        ("redis://", ":hunter2".into()),
    ] {
        let tail = if prefix.ends_with("://") {
            "@host/db"
        } else {
            " tail"
        };
        assert_eq!(
            mask_text(&format!("ä {prefix}{secret}{tail}")),
            format!("ä {prefix}***{tail}"),
        );
    }
}

#[test]
fn values_beside_a_secrets_name_are_masked_in_text() {
    for (text, expected) in [
        (r#"let password = "hunter2";"#, r#"let password = "***";"#),
        (
            r#"+const API_KEY: &str = "abc";"#,
            r#"+const API_KEY: &str = "***";"#,
        ),
        (
            r#"static TOKEN: Option<&'static str> = "abc";"#,
            r#"static TOKEN: Option<&'static str> = "***";"#,
        ),
        (r#"  "api_key": "abc\"def","#, r#"  "api_key": "***","#),
        (
            r#"{\"password\":\"abc\",\"b\":1}"#,
            r#"{\"password\":\"***\",\"b\":1}"#,
        ),
        ("password: hunter2x", "password: ***"),
        ("DB_PASS = s3cr3t!", "DB_PASS = ***"),
        (
            "AccountName=me;AccountKey=ab/c==;x=1",
            "AccountName=me;AccountKey=***;x=1",
        ),
        (r#".env("HF_TOKEN", "abc")"#, r#".env("HF_TOKEN", "***")"#),
        (r#"["--token", "abc", "x"]"#, r#"["--token", "***", "x"]"#),
        ("train --token abc --lr 1", "train --token *** --lr 1"),
        (
            "train --auth-token 'a b' --lr 1",
            "train --auth-token '***' --lr 1",
        ),
        (
            r#"os.environ["WANDB_API_KEY"] = "abc""#,
            r#"os.environ["WANDB_API_KEY"] = "***""#,
        ),
        ("secret=a=b&c=d", "secret=***&c=d"),
    ] {
        assert_eq!(mask_text(text), expected);
    }
}

#[test]
fn ordinary_texts_stay() {
    for text in [
        "",
        "train --lr 1e-3 --epochs 10 --max-tokens 512 --tokenizer bert-base --author me",
        "--no-auth config.toml --use-token x",
        "https://example.com/a@b?num_tokens=4",
        "ssh://git@example.com/team/project.git",
        "git@example.com:team/project.git",
        "file:///data/set",
        "task-runner-for-the-second-stage-2024 disk-0123456789012345678901",
        "sk-learn-baseline-run-number-2024-01",
        "hf_hub_download npm_config ghp_short AKIASHORT eyJhbGci",
        "let token = next_token(&mut stream);",
        "fn auth(token: &Token, password: String, secret: [u8; 32]) -> bool",
        "if token == other || secret != x { token => y }",
        "use auth::token::Secret; token: Token, credentials: Credentials",
        "pad_token: \"[PAD]\" eos_token = \"</s>\"",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "basic understanding-of-attention bearer of-good-news-and-more",
        "loss: 0.1234567 token: 17 auth: 1.25e-10",
    ] {
        assert_eq!(mask_text(text), text);
    }
}

#[test]
fn private_keys_are_masked_line_by_line() {
    let key =
        "+-----BEGIN RSA PRIVATE KEY-----\n+MIIEow\n+IBAAKC\n+-----END RSA PRIVATE KEY-----\n+x\n";
    assert_eq!(
        mask_text(key),
        "+-----BEGIN RSA PRIVATE KEY-----\n+***\n+***\n+-----END RSA PRIVATE KEY-----\n+x\n"
    );
    let cut = "-----BEGIN PRIVATE KEY-----\r\nMIIEow\r\nIBA";
    assert_eq!(mask_text(cut), "-----BEGIN PRIVATE KEY-----\r\n***\r\n***");
}

#[test]
fn objects_are_masked_at_any_depth() {
    let found = masked(json!({
        "lr": 0.1,
        "api_key": "abc",
        "token": "abc",
        "max_tokens": 512,
        "pad_token": "[PAD]",
        "password": 1234,
        "use_auth_token": true,
        "hf_token": null,
        "secret": "",
        "token_count": {"token": 3, "tokens": ["a", "b"]},
        "store": [{"name": "s3", "credentials": {"user": "a", "key": "b"}}],
        "access_tokens": ["a", 7],
        "url": "https://me:pw@host/x",
    }));
    let expected = json!({
        "lr": 0.1,
        "api_key": "***",
        "token": "***",
        "max_tokens": 512,
        "pad_token": "[PAD]",
        "password": "***",
        "use_auth_token": true,
        "hf_token": null,
        "secret": "",
        "token_count": {"token": 3, "tokens": ["a", "b"]},
        "store": [{"name": "s3", "credentials": "***"}],
        "access_tokens": ["***", 7],
        "url": "https://***@host/x",
    });
    assert_eq!(found, expected);
}

#[test]
fn arguments_are_masked_across_their_borders() {
    let arguments = [
        "--lr",
        "0.1",
        "--token",
        "abc",
        "--password=x",
        "--use-auth",
        "a.toml",
        "--secret",
        "--verbose",
        "API_KEY=abc",
        "data",
    ];
    assert_eq!(
        mask_arguments(arguments.map(String::from)),
        [
            "--lr",
            "0.1",
            "--token",
            "***",
            "--password=***",
            "--use-auth",
            "a.toml",
            "--secret",
            "--verbose",
            "API_KEY=***",
            "data",
        ]
    );
}

#[test]
fn long_hostile_texts_take_linear_time() {
    // A scan that looks back or ahead without bound takes minutes for some of these.
    for part in [
        "token=",
        "a:b=",
        "x://",
        "--token ",
        "password:\"",
        "-----BEGIN A",
        "eyJ",
    ] {
        let text = part.repeat((1 << 20) / part.len());
        assert!(!mask_text(&text).is_empty());
    }
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(
        text in r#"(token|password|[a-z_]{1,3}|--token|[=:, "'\\\n]|://|@|sk-|ghp_|é|[a-zA-Z0-9]{16,40}){0,12}"#
    ) {
        let once = mask_text(&text);
        prop_assert_eq!(mask_text(&once), once);
    }
}

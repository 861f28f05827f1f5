//! The OpenAPI document, and whether the server keeps to it.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::client::Serving;
use crate::recorded::Folder;

/// One operation of the document.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The role that it says it needs; none where no key is needed.
    pub(crate) role: Option<String>,
    /// The kind of its body, if it takes one.
    pub(crate) body: Option<String>,
    /// Statuses that it says it answers with.
    statuses: BTreeSet<u16>,
    /// Names of the parameters in its query.
    query: Vec<String>,
}

/// All operations.
pub(crate) fn operations() -> Vec<Operation> {
    let document: Json = serde_json::from_str(cresset_server::openapi_json()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let statuses = operation["responses"].as_object().unwrap().keys();
            let parameters = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                body: operation["requestBody"]["content"]
                    .as_object()
                    .and_then(|kinds| kinds.keys().next().cloned()),
                role: operation["x-role"].as_str().map(str::to_owned),
                statuses: statuses.map(|s| s.parse().unwrap()).collect(),
                query: parameters
                    .iter()
                    .filter(|p| p["in"] == "query")
                    .map(|p| p["name"].as_str().unwrap().to_owned())
                    .collect(),
            });
        }
    }
    operations
}

#[test]
fn a_change_of_the_api_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let document = format!("{}\n", cresset_server::openapi_json());
    if std::env::var_os("CRESSET_UPDATE").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        known == document,
        "the API changed: CRESSET_UPDATE=1 cargo test -p cresset-server writes openapi.json anew, and `npm run api` \
         in ui/ its types"
    );
}

#[test]
fn it_is_served() {
    let folder = Folder::new();
    let server = Serving::open(&folder.root());
    let served = server.json("/openapi.json");
    assert_eq!(served["openapi"].as_str().map(|v| &v[..2]), Some("3."));
    assert_eq!(
        served,
        serde_json::from_str::<Json>(cresset_server::openapi_json()).unwrap()
    );
}

/// All names that it refers to are there, and every operation has one of its own.
#[test]
fn it_is_whole() {
    let document: Json = serde_json::from_str(cresset_server::openapi_json()).unwrap();
    let mut open = vec![&document];
    while let Some(part) = open.pop() {
        match part {
            Json::Object(object) => {
                if let Some(Json::String(name)) = object.get("$ref") {
                    let pointer = name.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{name}");
                }
                open.extend(object.values());
            }
            Json::Array(list) => open.extend(list),
            _ => {}
        }
    }
    let mut named = BTreeSet::new();
    let items = document["paths"].as_object().unwrap().values();
    for operation in items.flat_map(|item| item.as_object().unwrap().values()) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(named.insert(id), "two operations are named {id}");
    }
    let methods: BTreeSet<String> = operations().into_iter().map(|o| o.method).collect();
    let all = ["DELETE", "GET", "PATCH", "POST", "PUT"].map(str::to_owned);
    assert_eq!(methods, BTreeSet::from(all));
}

/// Odd values everywhere: the answer is one that the document has, and never the server's fault.
#[test]
fn odd_questions_get_answers_of_the_document() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let odd = [
        "",
        "0",
        "-1",
        "1e400",
        "18446744073709551615",
        "18446744073709551616",
        "NaN",
        "null",
        "true",
        "%00",
        "%FF%FE",
        "%22%27%3B--",
        "..%2F..%2F",
        "*",
        ",,,",
        "%F0%9F%92%A5",
        "((((((((((",
        "%25%25",
        "first",
        "solder",
        "train/loss",
        "metric:train/loss",
        "image",
        "step",
        "a%3D%3D1",
        "%0A",
    ];
    let bodies = [
        json!(null),
        json!([]),
        json!({}),
        json!({"runs": ["first"], "action": "add_tags", "tags": ["\u{0}", ""]}),
        json!({"runs": [""], "action": "stop"}),
        json!({"name": "\u{202e}\u{0}", "tags": [""]}),
        json!({"body": null}),
        json!({"key": "\r\n"}),
        json!({"name": "\u{0}", "role": "read", "project": "", "days": 4_294_967_295_u32}),
        json!({"name": "odd", "role": "admin", "owner": "\r\n", "days": 0}),
        json!({"role": "read", "projects": [{"project": "", "role": "write"}]}),
        json!({"role": null, "projects": [{"project": "a", "role": "read"}, {"project": "a", "role": "admin"}]}),
        json!({"runs": [{"project": "", "run": ""}]}),
    ];
    for operation in operations() {
        if operation.path.ends_with("/events") {
            continue;
        }
        for value in odd {
            let paths = [
                operation
                    .path
                    .replace("{project}", "solder")
                    .replace("{run}", "first")
                    .replace("{digest}", &"0".repeat(64))
                    .replace("{name}", value),
                operation
                    .path
                    .replace("{project}", value)
                    .replace("{run}", value)
                    .replace("{digest}", value)
                    .replace("{name}", "x"),
            ];
            let [known, unknown] = paths;
            let mut addresses = vec![known.clone(), unknown];
            let queries = operation.query.iter();
            addresses.extend(queries.map(|name| format!("{known}?{name}={value}")));
            // What a question needs is given with the rest.
            let queries = operation.query.iter();
            addresses.extend(queries.map(|name| {
                format!("{known}?key=train/loss&runs=first&project=solder&{name}={value}")
            }));
            for address in addresses {
                let body = &bodies[address.len() % bodies.len()];
                let writes = operation.method != "GET";
                let mut request = server.request(&operation.method, &address);
                if writes {
                    request = request.header("x-cresset", "1").json(body);
                }
                let answer = request.send();
                let status = answer.status;
                let of_routing = matches!(status, 404 | 405);
                assert!(
                    status < 500 && (of_routing || operation.statuses.contains(&status)),
                    "{} {address}: {status} {}",
                    operation.method,
                    answer.text()
                );
                // An empty part of a path is another path, which may be one of the dashboard.
                if status >= 400 && answer.header("content-type") != "text/html; charset=utf-8" {
                    answer.error();
                }
            }
        }
    }
}

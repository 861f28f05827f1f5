//! A team: users and private projects, who did what, quotas, and what goes with time.

use cresset_record::{Project, Root, RunDir};
use cresset_run::File;
use cresset_server::{Access, Options};
use cresset_store::{Grant, KeyScope, NewKey, ProjectSettings, Role, RunKey, Store};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Serving};
use crate::recorded::{Folder, finish};

/// A server with users, and a secret of each.
struct Team {
    serving: Serving,
    store: Store,
    alice: String,
    boss: String,
}

fn project(name: &str) -> Project {
    Project::try_from(name.to_owned()).unwrap()
}

impl Team {
    /// Alice may write in `solder` and read elsewhere; the boss may everything.
    fn new(root: &Root) -> Self {
        let store = Store::open(root.clone()).unwrap();
        let grant = |scope, role| Grant { scope, role };
        let grants = [
            grant(KeyScope::All, Role::Read),
            grant(KeyScope::Project(project("solder")), Role::Write),
        ];
        store.set_user("alice", &grants).unwrap();
        let key = |name: &str, owner: Option<&str>| {
            let new = NewKey {
                owner: owner.map(str::to_owned),
                ..NewKey::new(name, Role::Admin, KeyScope::All)
            };
            store.create_key(new).unwrap().1
        };
        let (alice, boss) = (key("alice-laptop", Some("alice")), key("boss", None));
        let options = Options {
            access: Access::Keys,
            ..Options::default()
        };
        Self {
            serving: Serving::with(root, options),
            store,
            alice,
            boss,
        }
    }

    fn send(&self, key: &str, method: &str, path: &str, body: &Json) -> Answer {
        let path = format!("/api/v1{path}");
        self.serving.ask(key, method, &path, body)
    }

    fn get(&self, key: &str, path: &str) -> Answer {
        self.send(key, "GET", path, &json!(null))
    }
}

#[test]
fn a_user_has_a_role_in_each_project() {
    let folder = Folder::recorded();
    let team = Team::new(&folder.root());
    let info = team.get(&team.alice, "/server").json();
    assert_eq!(
        (&info["user"], &info["key"]),
        (&json!("alice"), &json!("alice-laptop"))
    );
    let notes = |project: &str, run: &str| {
        let path = format!("/projects/{project}/runs/{run}");
        team.send(&team.alice, "PATCH", &path, &json!({"notes": "hers"}))
    };
    assert_eq!(notes("solder", "first").status, 200);
    let other = "other%20things%2F%C3%B6";
    let runs = team.get(&team.alice, &format!("/projects/{other}/runs"));
    assert_eq!(runs.status, 200);
    let run = runs.json()["runs"][0]["id"].as_str().unwrap().to_owned();
    let refused = notes(other, &run);
    assert_eq!(refused.error(), (403, "forbidden".into()));
    assert!(
        refused.text().contains("has read here"),
        "{}",
        refused.text()
    );

    // Fewer grants count with the next request, and removing the user ends all.
    team.store.set_user("alice", &[]).unwrap();
    assert_eq!(team.get(&team.alice, "/projects").status, 403);
    team.store.remove_user("alice").unwrap();
    assert_eq!(team.get(&team.alice, "/projects").status, 401);
}

#[test]
fn a_private_project_is_for_those_it_names() {
    let folder = Folder::recorded();
    let team = Team::new(&folder.root());
    let settings =
        json!({"private": true, "quota": null, "keep_checkpoints": null, "media_days": null});
    let settings = json!({"settings": settings});
    let set = |key: &str, project: &str| {
        team.send(
            key,
            "PUT",
            &format!("/projects/{project}/settings"),
            &settings,
        )
    };
    assert_eq!(set(&team.alice, "solder").status, 403);
    let other = "other%20things%2F%C3%B6";
    assert_eq!(set(&team.boss, other).status, 200);
    assert_eq!(set(&team.boss, "solder").status, 200);
    let names = |key: &str| -> Vec<String> {
        let projects = team.get(key, "/projects").json();
        let name = |project: &Json| project["name"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = projects.as_array().unwrap().iter().map(name).collect();
        names.sort();
        names
    };
    assert_eq!(names(&team.alice), ["solder"]);
    assert_eq!(names(&team.boss), ["other things/ö", "solder"]);
    for path in ["runs", "settings", "keys", "alerts"] {
        let refused = team.get(&team.alice, &format!("/projects/{other}/{path}"));
        assert_eq!(refused.error(), (403, "forbidden".into()), "{path}");
    }
    // Figures about all projects are for those who see all.
    let metrics = |key: &str| {
        let request = team.serving.request("GET", "/metrics");
        request.key(key).send().status
    };
    assert_eq!((metrics(&team.alice), metrics(&team.boss)), (403, 200));
}

#[test]
fn what_is_done_over_the_network_has_a_name_and_an_address() {
    let folder = Folder::recorded();
    let team = Team::new(&folder.root());
    let login = team
        .serving
        .request("POST", "/api/v1/login")
        .header("x-cresset", "1");
    assert_eq!(login.json(&json!({"key": team.alice})).send().status, 204);
    let label = team.send(
        &team.alice,
        "PATCH",
        "/projects/solder/runs/first",
        &json!({"tags": ["v4"]}),
    );
    assert_eq!(label.status, 200);
    let entries = team
        .get(&team.boss, "/audit?project=solder&run=first")
        .json();
    let entry = &entries[0];
    assert_eq!(
        (
            &entry["action"],
            &entry["who"],
            &entry["via"],
            &entry["address"]
        ),
        (
            &json!("run.label"),
            &json!("alice-laptop"),
            &json!("key"),
            &json!("127.0.0.1")
        )
    );
    assert_eq!(entry["detail"], r#"{"tags":["v4"]}"#);
    assert_eq!(entry["words"], "tags v4");
    let all = team.get(&team.boss, "/audit?limit=2").json();
    let actions: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["action"].as_str())
        .collect();
    assert_eq!(actions, ["run.label", "login"]);
    let older = team
        .get(&team.boss, &format!("/audit?before={}", all[1]["number"]))
        .json();
    assert_eq!(older[0]["action"], "key.create");
    assert_eq!(team.get(&team.alice, "/audit").status, 403);
    assert_eq!(team.get(&team.alice, "/audit?project=solder").status, 403);
    assert_eq!(team.get(&team.boss, "/audit?run=../x").status, 400);
    // No secret is in it.
    let text = team.get(&team.boss, "/audit?limit=1000").text();
    assert!(!text.contains(&team.alice) && !text.contains("crs_"));
}

#[test]
fn a_full_project_takes_nothing_more_and_says_so() {
    let folder = Folder::recorded();
    let team = Team::new(&folder.root());
    let dir: RunDir = folder
        .root()
        .run(&project("solder"), &"first".to_owned().try_into().unwrap());
    let (rank, index) = dir.segments().unwrap()[0];
    let bytes = std::fs::read(dir.segment(rank, index)).unwrap();
    let piece = |to: &str| {
        team.serving
            .request(
                "POST",
                &format!("/api/v1/projects/{to}/runs/first/intake/0/0"),
            )
            .key(&team.boss)
            .header("x-cresset", "1")
            .header("content-type", "application/octet-stream")
            .body(bytes.clone())
            .send()
    };
    let settings = ProjectSettings {
        quota: Some(10),
        ..ProjectSettings::default()
    };
    team.store.set_project(&project("copy"), &settings).unwrap();
    let refused = piece("copy");
    assert_eq!(refused.error(), (507, "quota_exceeded".into()));
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    let unlimited = ProjectSettings::default();
    team.store
        .set_project(&project("copy"), &unlimited)
        .unwrap();
    assert_eq!(piece("copy").status, 200);
    let shown = team.get(&team.boss, "/projects/copy/settings").json();
    assert!(
        shown["bytes"].as_u64().unwrap() >= bytes.len() as u64,
        "{shown}"
    );
}

#[test]
fn what_would_go_is_said_before_it_goes() {
    let folder = Folder::recorded();
    let run = folder.begin("solder", "trained").start().unwrap();
    for step in 1..=3 {
        let file = File::from_bytes("model.bin", vec![step as u8; 4_000]);
        run.log_value(step, "model", file.role("checkpoint"));
    }
    finish(run);
    let team = Team::new(&folder.root());
    let preview = |body: &Json| {
        team.send(
            &team.alice,
            "POST",
            "/projects/solder/settings/preview",
            body,
        )
    };
    let keep_all =
        json!({"private": false, "quota": null, "keep_checkpoints": null, "media_days": null});
    assert_eq!(
        preview(&keep_all).json(),
        json!({"blobs": 0, "bytes": 0, "runs": 0, "losing": []})
    );
    let last = json!({"private": false, "quota": null, "keep_checkpoints": 1, "media_days": null});
    let name = team.store.run(&RunKey {
        project: project("solder"),
        run: "trained".to_owned().try_into().unwrap(),
    });
    let name = name.unwrap().name.clone();
    let losing = json!([{"run": "trained", "name": name, "blobs": 2, "bytes": 2 * 4_000}]);
    let would = json!({"blobs": 2, "bytes": 2 * 4_000, "runs": 1, "losing": losing});
    assert_eq!(preview(&last).json(), would);
    // To say it is not to do it.
    assert_eq!(preview(&last).json(), would);
    for bad in [
        json!({}),
        json!({"private": false, "quota": -1, "keep_checkpoints": 1, "media_days": 1}),
    ] {
        assert_eq!(preview(&bad).error().0, 422, "{bad}");
    }
    let none = json!({"private": false, "quota": null, "keep_checkpoints": 0, "media_days": null});
    let none = json!({"settings": none});
    let refused = team.send(&team.boss, "PUT", "/projects/solder/settings", &none);
    assert_eq!(refused.error(), (400, "bad_request".into()));
}

#[test]
fn those_that_lose_most_are_named_and_the_rest_are_counted() {
    let folder = Folder::recorded();
    for i in 0..12 {
        let run = folder.begin("solder", &format!("r{i}")).start().unwrap();
        for step in 0..2 {
            let file = File::from_bytes("model.bin", vec![i as u8 + 100 * step; 1_000 + i]);
            run.log_value(u64::from(step), "model", file.role("checkpoint"));
        }
        finish(run);
    }
    let team = Team::new(&folder.root());
    let last = json!({"private": false, "quota": null, "keep_checkpoints": 1, "media_days": null});
    let path = "/projects/solder/settings/preview";
    let would = team.send(&team.alice, "POST", path, &last).json();
    assert_eq!((&would["blobs"], &would["runs"]), (&json!(12), &json!(12)));
    let losing = would["losing"].as_array().unwrap();
    let bytes: Vec<u64> = losing
        .iter()
        .filter_map(|run| run["bytes"].as_u64())
        .collect();
    let most: Vec<u64> = (1_002..=1_011).rev().collect();
    assert_eq!(bytes, most);
    assert_eq!(losing[0]["run"], "r11");
}

#[test]
fn settings_say_who_may_change_them_and_are_not_set_over_those_of_somebody_else() {
    let folder = Folder::recorded();
    let team = Team::new(&folder.root());
    let path = "/projects/solder/settings";
    // An admin of another project is none of this one.
    let grants = [
        Grant {
            scope: KeyScope::All,
            role: Role::Read,
        },
        Grant {
            scope: KeyScope::Project(project("elsewhere")),
            role: Role::Admin,
        },
    ];
    team.store.set_user("alice", &grants).unwrap();
    assert_eq!(team.get(&team.alice, "/server").json()["role"], "admin");
    let may = |key: &str, path: &str| team.get(key, path).json()["may_change"].clone();
    assert_eq!(may(&team.alice, path), false);
    assert_eq!(may(&team.alice, "/projects/elsewhere/settings"), true);
    assert_eq!(may(&team.boss, path), true);

    let none =
        json!({"private": false, "quota": null, "keep_checkpoints": null, "media_days": null});
    let with = |name: &str, value: Json| {
        let mut settings = none.clone();
        settings[name] = value;
        settings
    };
    let put = |body: &Json| team.send(&team.boss, "PUT", path, body);
    let theirs = with("quota", json!(1_000_000));
    assert_eq!(put(&json!({"settings": theirs, "seen": none})).status, 200);
    let mine = with("media_days", json!(9));
    let late = put(&json!({"settings": mine, "seen": none}));
    assert_eq!(late.error(), (409, "conflict".into()));
    assert_eq!(team.get(&team.boss, path).json()["settings"], theirs);
    assert_eq!(put(&json!({"settings": mine, "seen": theirs})).status, 200);
    // Who does not say what they saw sets it all the same.
    assert_eq!(put(&json!({"settings": none})).status, 200);
    assert_eq!(put(&none).error().0, 422, "the form before");
    let set = team.get(&team.boss, "/audit?action=project.set").json();
    assert_eq!(set.as_array().unwrap().len(), 3);
    assert_eq!(team.get(&team.boss, "/audit?action=none").json(), json!([]));
    let long = format!("/audit?action={}", "x".repeat(129));
    assert_eq!(team.get(&team.boss, &long).error().0, 400);
}

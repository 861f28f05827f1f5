//! Users and keys over the network: who may make them, and that nobody locks everybody out.

use cresset_record::Project;
use cresset_server::{Access, Options};
use cresset_store::{Grant, KeyScope, NewKey, Role, Store};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Serving};
use crate::recorded::Folder;

/// A server with users, and a secret of each.
struct Desk {
    serving: Serving,
    store: Store,
    _folder: Folder,
    /// Admin everywhere, and nobody's.
    boss: String,
    /// Alice's, who may write in `solder` and read elsewhere.
    alice: String,
    /// Hers too, for looking at `solder`.
    narrow: String,
    /// Of an admin of `solder` only.
    lead: String,
    /// Nobody's, for writing.
    robot: String,
}

fn project(name: &str) -> Project {
    Project::try_from(name.to_owned()).unwrap()
}

fn in_project(name: &str, role: Role) -> Grant {
    Grant {
        scope: KeyScope::Project(project(name)),
        role,
    }
}

fn everywhere(role: Role) -> Grant {
    Grant {
        scope: KeyScope::All,
        role,
    }
}

impl Desk {
    fn new() -> Self {
        let folder = Folder::recorded();
        let store = Store::open(folder.root()).unwrap();
        let alice = [everywhere(Role::Read), in_project("solder", Role::Write)];
        store.set_user("alice", &alice).unwrap();
        let lead = [in_project("solder", Role::Admin)];
        store.set_user("lead", &lead).unwrap();
        let key = |name: &str, role, scope, owner: Option<&str>| {
            let new = NewKey {
                owner: owner.map(str::to_owned),
                ..NewKey::new(name, role, scope)
            };
            store.create_key(new).unwrap().1
        };
        let solder = KeyScope::Project(project("solder"));
        let options = Options {
            access: Access::Keys,
            ..Options::default()
        };
        Self {
            boss: key("boss", Role::Admin, KeyScope::All, None),
            alice: key("alice-laptop", Role::Admin, KeyScope::All, Some("alice")),
            narrow: key("alice-ci", Role::Read, solder, Some("alice")),
            lead: key("lead-laptop", Role::Admin, KeyScope::All, Some("lead")),
            robot: key("robot", Role::Write, KeyScope::All, None),
            serving: Serving::with(&folder.root(), options),
            store,
            _folder: folder,
        }
    }

    fn send(&self, key: &str, method: &str, path: &str, body: &Json) -> Answer {
        self.serving
            .ask(key, method, &format!("/api/v1{path}"), body)
    }

    fn get(&self, key: &str, path: &str) -> Answer {
        self.send(key, "GET", path, &json!(null))
    }

    fn delete(&self, key: &str, path: &str) -> Answer {
        self.send(key, "DELETE", path, &json!(null))
    }
}

fn names(list: &Json) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn an_admin_makes_users_and_keys_and_takes_them_back() {
    let desk = Desk::new();
    let boss = &desk.boss;
    let grants = json!({"role": "read", "projects": [{"project": "solder", "role": "admin"}]});
    let bob = desk.send(boss, "PUT", "/users/bob%20%2F%20%C3%B6", &grants);
    assert_eq!(bob.status, 200, "{}", bob.text());
    let bob = bob.json();
    assert_eq!((&bob["name"], &bob["keys"]), (&json!("bob / ö"), &json!(0)));
    assert_eq!(
        (&bob["role"], &bob["projects"]),
        (&grants["role"], &grants["projects"])
    );
    let users = desk.get(boss, "/users").json();
    assert_eq!(names(&users), ["alice", "bob / ö", "lead"]);
    assert_eq!(users[1], bob);

    let body = json!({"name": "bob-laptop", "role": "admin", "owner": "bob / ö", "days": 90});
    let made = desk.send(boss, "POST", "/access-keys", &body);
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.header("cache-control"), "no-store");
    let made = made.json();
    let (key, secret) = (&made["key"], made["secret"].as_str().unwrap());
    assert_eq!(
        (&key["owner"], &key["project"], &key["used"]),
        (&json!("bob / ö"), &json!(null), &json!(null))
    );
    assert!(key["ends"].as_str() > key["created"].as_str());
    assert_eq!(desk.get(secret, "/server").json()["user"], "bob / ö");
    let again = desk.send(boss, "POST", "/access-keys", &body);
    assert_eq!(again.error(), (409, "conflict".into()));

    // A list has no secret, nor what a secret could be found by.
    let list = desk.get(boss, "/access-keys");
    let text = list.text();
    assert!(!text.contains("crs_") && !text.contains("hash"), "{text}");
    let list = list.json();
    assert_eq!(
        names(&list),
        [
            "alice-ci",
            "alice-laptop",
            "bob-laptop",
            "boss",
            "lead-laptop",
            "robot"
        ]
    );
    assert_ne!(list[2]["used"], json!(null));
    assert_eq!(
        (&list[0]["project"], &list[0]["role"]),
        (&json!("solder"), &json!("read"))
    );

    let fewer = json!({"role": null, "projects": []});
    assert_eq!(
        desk.send(boss, "PUT", "/users/bob%20%2F%20%C3%B6", &fewer)
            .status,
        200
    );
    assert_eq!(desk.get(secret, "/projects").status, 403);
    let gone = desk.delete(boss, "/users/bob%20%2F%20%C3%B6");
    assert_eq!((gone.status, gone.json()), (200, json!({"keys": 1})));
    assert_eq!(desk.get(secret, "/projects").status, 401);
    assert_eq!(
        desk.delete(boss, "/users/bob%20%2F%20%C3%B6").error().0,
        404
    );
    assert_eq!(desk.delete(boss, "/access-keys/robot").status, 204);
    assert_eq!(desk.get(&desk.robot, "/projects").status, 401);
    assert_eq!(desk.delete(boss, "/access-keys/robot").error().0, 404);

    // Who did it is on record, and no secret is.
    let audit = desk.get(boss, "/audit?who=boss");
    assert!(!audit.text().contains("crs_"));
    let audit = audit.json();
    let actions: Vec<&str> = audit
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["action"].as_str())
        .collect();
    assert_eq!(
        actions,
        [
            "key.revoke",
            "user.remove",
            "user.change",
            "key.create",
            "user.create"
        ]
    );
    assert_eq!(audit[3]["detail"], "bob-laptop (what bob / ö may)");
    assert_eq!(
        audit[4]["detail"],
        "bob / ö may read everywhere, admin in solder"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let desk = Desk::new();
    let put =
        |name: &str, body: Json| desk.send(&desk.boss, "PUT", &format!("/users/{name}"), &body);
    let none = json!({"role": null, "projects": []});
    assert_eq!(put("%20", none.clone()).error().0, 400);
    assert_eq!(put(&"x".repeat(129), none.clone()).error().0, 400);
    assert_eq!(put("a%00b", none).error().0, 400);
    let twice = json!([{"project": "a", "role": "read"}, {"project": "a", "role": "write"}]);
    assert_eq!(
        put("bob", json!({"role": null, "projects": twice}))
            .error()
            .0,
        400
    );
    let many: Vec<Json> = (0..1_001)
        .map(|i| json!({"project": format!("p{i}"), "role": "read"}))
        .collect();
    assert_eq!(
        put("bob", json!({"role": null, "projects": many}))
            .error()
            .0,
        400
    );
    let bad = json!({"role": null, "projects": [{"project": "", "role": "read"}]});
    assert_eq!(put("bob", bad).error().0, 400);
    for bad in [
        json!({}),
        json!({"role": "owner", "projects": []}),
        json!({"role": null, "projects": [], "more": 1}),
    ] {
        assert_eq!(put("bob", bad.clone()).error().0, 422, "{bad}");
    }
    let post = |body: Json| {
        desk.send(&desk.boss, "POST", "/access-keys", &body)
            .error()
            .0
    };
    assert_eq!(
        post(json!({"name": "x", "role": "read", "owner": "nobody"})),
        404
    );
    assert_eq!(post(json!({"name": "", "role": "read"})), 400);
    assert_eq!(
        post(json!({"name": "x", "role": "read", "project": ""})),
        400
    );
    assert_eq!(post(json!({"name": "x", "role": "read", "days": 0})), 400);
    assert_eq!(
        post(json!({"name": "x", "role": "read", "days": 36_526})),
        400
    );
    assert_eq!(post(json!({"name": "x", "role": "read", "days": -1})), 422);
    assert_eq!(
        post(json!({"name": "x", "role": "read", "secret": "mine"})),
        422
    );
    assert_eq!(
        names(&desk.get(&desk.boss, "/users").json()),
        ["alice", "lead"]
    );
}

#[test]
fn who_is_not_admin_everywhere_learns_nothing_of_others() {
    let desk = Desk::new();
    let grants = json!({"role": "admin", "projects": []});
    let key = json!({"name": "mine", "role": "admin"});
    // An admin of one project is refused before what they send is read, as all others are.
    for (who, key_of) in [
        ("alice", &desk.alice),
        ("a narrow key", &desk.narrow),
        ("lead", &desk.lead),
        ("robot", &desk.robot),
    ] {
        for (method, path, body) in [
            ("GET", "/users", &json!(null)),
            ("PUT", "/users/alice", &grants),
            ("PUT", "/users/alice", &json!({})),
            ("DELETE", "/users/lead", &json!(null)),
            ("GET", "/access-keys", &json!(null)),
            ("POST", "/access-keys", &key),
            ("POST", "/access-keys", &json!({})),
            ("DELETE", "/access-keys/boss", &json!(null)),
        ] {
            let refused = desk.send(key_of, method, path, body);
            assert_eq!(
                refused.error(),
                (403, "forbidden".into()),
                "{method} {path} for {who}"
            );
        }
    }
    assert_eq!(desk.store.users().unwrap().len(), 2);
    assert_eq!(desk.store.keys().unwrap().len(), 5);
}

#[test]
fn everybody_has_keys_of_their_own_that_reach_no_further() {
    let desk = Desk::new();
    let own = |key: &str| desk.get(key, "/own-keys").json();
    assert_eq!(names(&own(&desk.alice)), ["alice-ci", "alice-laptop"]);
    assert_eq!(names(&own(&desk.narrow)), ["alice-ci", "alice-laptop"]);
    // What is nobody's has none, and makes none.
    for nobodys in [&desk.robot, &desk.boss] {
        assert_eq!(own(nobodys), json!([]));
        let refused = desk.send(
            nobodys,
            "POST",
            "/own-keys",
            &json!({"name": "x", "role": "read"}),
        );
        assert_eq!(refused.error(), (403, "forbidden".into()));
    }
    let make = |key: &str, body: Json| desk.send(key, "POST", "/own-keys", &body);
    let made = make(&desk.alice, json!({"name": "alice-box", "role": "admin"}));
    assert_eq!(
        (made.status, made.header("cache-control")),
        (200, "no-store")
    );
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["key"]["owner"], "alice");
    // Whatever it says, it may what she may.
    assert_eq!(desk.get(&secret, "/server").json()["role"], "write");
    assert_eq!(desk.get(&secret, "/access-keys").status, 403);

    // A key for looking at one project makes no other kind.
    for body in [
        json!({"name": "x", "role": "write"}),
        json!({"name": "x", "role": "read", "project": "other things/ö"}),
    ] {
        let refused = make(&desk.narrow, body.clone());
        assert_eq!(refused.error(), (403, "forbidden".into()), "{body}");
    }
    assert_eq!(
        make(
            &desk.alice,
            json!({"name": "x", "role": "read", "owner": "lead"})
        )
        .error()
        .0,
        422
    );
    let narrow = make(&desk.narrow, json!({"name": "alice-ci-2", "role": "read"})).json();
    assert_eq!(narrow["key"]["project"], "solder", "as the key that asks");

    // Nor does one that ends make one that goes on.
    let body = json!({"name": "alice-week", "role": "read", "days": 7});
    let week = make(&desk.alice, body).json();
    let week_secret = week["secret"].as_str().unwrap();
    let longer = make(week_secret, json!({"name": "x", "role": "read", "days": 8}));
    assert_eq!(longer.error(), (403, "forbidden".into()));
    let same = make(week_secret, json!({"name": "alice-week-2", "role": "read"})).json();
    assert_eq!(same["key"]["ends"], week["key"]["ends"]);

    // Only one's own can be taken back here, that which asks too.
    for others in ["boss", "lead-laptop", "nothing"] {
        let refused = desk.delete(&desk.alice, &format!("/own-keys/{others}"));
        assert_eq!(refused.error().0, 404, "{others}");
    }
    assert_eq!(desk.delete(&desk.robot, "/own-keys/robot").error().0, 404);
    assert_eq!(
        desk.delete(&desk.alice, "/own-keys/alice-laptop").status,
        204
    );
    assert_eq!(desk.get(&desk.alice, "/own-keys").status, 401);
    assert_eq!(desk.store.keys().unwrap().len(), 8);
}

#[test]
fn a_user_has_a_bounded_number_of_keys() {
    let desk = Desk::new();
    for i in 2..200 {
        let new = NewKey {
            owner: Some("alice".into()),
            ..NewKey::new(format!("a{i}"), Role::Read, KeyScope::All)
        };
        desk.store.create_key(new).unwrap();
    }
    let body = json!({"name": "one more", "role": "read"});
    let refused = desk.send(&desk.alice, "POST", "/own-keys", &body);
    assert_eq!(refused.error(), (400, "bad_request".into()));
    assert!(
        refused.text().contains("alice has 200 keys"),
        "{}",
        refused.text()
    );
}

#[test]
fn the_last_admin_stays_but_on_the_machine_itself() {
    let desk = Desk::new();
    let lowered = json!({"role": "write", "projects": []});
    let refused = |answer: Answer| {
        assert_eq!(answer.error(), (409, "conflict".into()));
        assert!(answer.text().contains("cresset key"), "{}", answer.text());
    };
    refused(desk.delete(&desk.boss, "/access-keys/boss"));
    // Carla is admin everywhere too, and has a key for it: now the first can go.
    let admin = json!({"role": "admin", "projects": []});
    assert_eq!(
        desk.send(&desk.boss, "PUT", "/users/carla", &admin).status,
        200
    );
    refused(desk.delete(&desk.boss, "/access-keys/boss"));
    let read_only = json!({"name": "carla-looks", "role": "read", "owner": "carla"});
    assert_eq!(
        desk.send(&desk.boss, "POST", "/access-keys", &read_only)
            .status,
        200
    );
    refused(desk.delete(&desk.boss, "/access-keys/boss"));
    let body = json!({"name": "carla", "role": "admin", "owner": "carla"});
    let made = desk.send(&desk.boss, "POST", "/access-keys", &body).json();
    let carla = made["secret"].as_str().unwrap();
    assert_eq!(desk.delete(carla, "/access-keys/boss").status, 204);
    // And she is the last.
    refused(desk.delete(carla, "/access-keys/carla"));
    refused(desk.delete(carla, "/own-keys/carla"));
    refused(desk.delete(carla, "/users/carla"));
    refused(desk.send(carla, "PUT", "/users/carla", &lowered));
    assert_eq!(desk.get(carla, "/users").status, 200);
    // What takes nothing of that is not refused.
    assert_eq!(desk.delete(carla, "/users/alice").status, 200);
    assert_eq!(desk.delete(carla, "/access-keys/carla-looks").status, 204);
    let also = json!({"role": "admin", "projects": [{"project": "solder", "role": "read"}]});
    assert_eq!(desk.send(carla, "PUT", "/users/carla", &also).status, 200);
    // Whoever owns the machine may all of it.
    desk.store
        .set_user("carla", &[everywhere(Role::Read)])
        .unwrap();
    desk.store.remove_user("carla").unwrap();
    assert_eq!(desk.get(carla, "/users").status, 401);
}

#[test]
fn the_first_key_that_a_page_makes_locks_the_server_and_opens_it() {
    let folder = Folder::recorded();
    let options = Options {
        access: Access::UntilKeys,
        ..Options::default()
    };
    let server = Serving::with(&folder.root(), options);
    // Users can be said before; a key that could not make others would lock everybody out.
    let grants = json!({"role": "read", "projects": []});
    assert_eq!(server.change("PUT", "/users/alice", &grants).status, 200);
    for body in [
        json!({"name": "first", "role": "write"}),
        json!({"name": "first", "role": "admin", "project": "solder"}),
        json!({"name": "first", "role": "admin", "owner": "alice"}),
    ] {
        let refused = server.change("POST", "/access-keys", &body);
        assert_eq!(refused.error(), (409, "conflict".into()), "{body}");
        assert_eq!(server.json("/access-keys"), json!([]));
    }
    let own = server.change(
        "POST",
        "/own-keys",
        &json!({"name": "first", "role": "read"}),
    );
    assert_eq!(own.error().0, 403);
    assert_eq!(server.json("/own-keys"), json!([]));
    let made = server.change(
        "POST",
        "/access-keys",
        &json!({"name": "first", "role": "admin"}),
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    // From here on it is needed, and what the page was told lets it in.
    assert_eq!(server.get("/api/v1/projects").status, 401);
    let login = server.change("POST", "/login", &json!({"key": secret}));
    assert_eq!(login.status, 204);
    let cookie = login
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let asked = server
        .request("GET", "/api/v1/access-keys")
        .header("cookie", &cookie);
    let keys = asked.send().json();
    assert_eq!(names(&keys), ["first"]);
    let audit = server.ask(
        &secret,
        "GET",
        "/api/v1/audit?action=key.create",
        &json!(null),
    );
    assert_eq!(
        (&audit.json()[0]["via"], &audit.json()[0]["who"]),
        (&json!("open"), &json!("somebody"))
    );
}

#[test]
fn a_server_that_never_asks_for_keys_makes_them_all_the_same() {
    let folder = Folder::recorded();
    let server = Serving::open(&folder.root());
    let made = server.change(
        "POST",
        "/access-keys",
        &json!({"name": "first", "role": "admin"}),
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let made = server.change(
        "POST",
        "/access-keys",
        &json!({"name": "second", "role": "read", "days": 1}),
    );
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(names(&server.json("/access-keys")), ["first", "second"]);
    assert_eq!(
        server
            .change("DELETE", "/access-keys/second", &json!(null))
            .status,
        204
    );
    assert_eq!(
        server
            .change("DELETE", "/access-keys/first", &json!(null))
            .error()
            .0,
        409
    );
}

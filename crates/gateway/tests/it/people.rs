//! Administration of people over HTTP, invitations, and one's own profile.

use serde_json::{Value, json};

use crate::world::{PASSWORD, World};

#[tokio::test]
async fn administrators_make_change_and_reset_accounts() {
    let world = World::new().await;
    let admin = &world.admin;
    let new = json!({ "name": "carol", "email": "carol@example.org", "quota_bytes": 1000, "language": "ru" });
    let answer = admin.call("POST", "/api/v1/admin/users", &new).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
    let carol = answer.json();
    assert_eq!(
        (&carol["quota_bytes"], &carol["email"], &carol["language"]),
        (&json!(1000), &json!("carol@example.org"), &json!("ru"))
    );
    let login = |password: &Value| json!({ "name": "carol", "password": password });
    assert_eq!(world.anonymous("POST", "/api/v1/login", &login(&carol["password"])).await.status, 200);
    let path = format!("/api/v1/admin/users/{}", carol["id"].as_str().expect("an id"));

    let page = admin.get("/api/v1/admin/users?search=CAROL").await.json();
    assert_eq!((&page["items"][0]["id"], page["items"].as_array().map(Vec::len)), (&carol["id"], Some(1)));
    let page = admin.get("/api/v1/admin/users?limit=2").await.json();
    let next = format!("/api/v1/admin/users?limit=2&cursor={}", page["next_cursor"].as_str().expect("more"));
    let rest = admin.get(&next).await.json();
    assert_eq!((&page["items"][1]["name"], &rest["items"][0]["name"]), (&json!("alice"), &json!("bob")));

    let update = json!({ "permissions": ["files.read"], "email": null, "quota_bytes": null });
    let changed = admin.call("PATCH", &path, &update).await.json();
    assert_eq!(
        (&changed["permissions"], &changed["email"], &changed["quota_bytes"]),
        (&json!(["files.read"]), &Value::Null, &Value::Null)
    );
    admin.call("PATCH", &path, &json!({ "permissions": ["root"] })).await.refused(400, "invalid-scopes");
    let answer = admin.call("POST", &format!("{path}/reset-password"), &json!({ "by": "temporary" })).await;
    let password = answer.json()["password"].clone();
    assert_eq!(world.anonymous("POST", "/api/v1/login", &login(&password)).await.status, 200);
    admin.call("POST", &format!("{path}/reset-password"), &json!({ "by": "mail" })).await.refused(403, "mail-off");
    admin
        .call("POST", &format!("{path}/reset-password"), &json!({ "by": "magic" }))
        .await
        .refused(400, "invalid-request");
    admin.call("DELETE", &format!("{path}/second-factor"), &Value::Null).await.refused(409, "second-factor-off");

    for (list, missing) in [("identities", "identity-not-found"), ("passkeys", "passkey-not-found")] {
        assert_eq!(admin.get(&format!("{path}/{list}")).await.json(), json!({ "items": [] }));
        let prefix = if list == "passkeys" { "psk" } else { "idn" };
        let one = format!("{path}/{list}/{prefix}_00000000000000000000000000000000");
        admin.call("DELETE", &one, &Value::Null).await.refused(404, missing);
        let nobodys = format!("/api/v1/admin/users/usr_00000000000000000000000000000000/{list}");
        admin.get(&nobodys).await.refused(404, "user-not-found");
    }

    let sessions = admin.get(&format!("{path}/sessions")).await.json();
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1), "{sessions}");
    let one = format!("{path}/sessions/{}", sessions["items"][0]["id"].as_str().expect("an id"));
    assert_eq!(admin.call("DELETE", &one, &Value::Null).await.status, 204);
    admin.call("DELETE", &one, &Value::Null).await.refused(404, "session-not-found");
    assert_eq!(admin.call("DELETE", &format!("{path}/sessions"), &Value::Null).await.status, 204);
    let disabled = admin.call("PATCH", &path, &json!({ "disabled": true })).await.json();
    assert!(disabled["disabled_at"].is_string());
    world.anonymous("POST", "/api/v1/login", &login(&password)).await.refused(403, "account-disabled");

    let me = format!("/api/v1/admin/users/{}", admin.tokens["user"]["id"].as_str().expect("an id"));
    admin.call("PATCH", &me, &json!({ "disabled": true })).await.refused(409, "last-administrator");
    admin.get("/api/v1/admin/users/usr_00000000000000000000000000000000").await.refused(404, "user-not-found");

    let log = admin.get("/api/v1/admin/audit?action=account-changed&limit=1").await.json();
    assert_eq!(log["items"][0]["actor_id"], admin.tokens["user"]["id"]);
    let next =
        format!("/api/v1/admin/audit?action=account-changed&cursor={}", log["next_cursor"].as_str().expect("more"));
    assert_eq!(admin.get(&next).await.json()["items"].as_array().map(Vec::len), Some(1));
    admin.get("/api/v1/admin/audit?since=yesterday").await.refused(400, "invalid-request");
}

#[tokio::test]
async fn nobody_else_administers() {
    let world = World::new().await;
    let id = world.alice.tokens["user"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/admin/users/{id}");
    let (new, invite) = (json!({ "name": "eve" }), json!({}));
    let (update, reset) = (json!({ "permissions": ["admin.users"] }), json!({ "by": "temporary" }));
    let nobodys = |kind: &str| format!("/api/v1/admin/{kind}_00000000000000000000000000000000");
    let (plan, empty, room) = (json!({ "name": "mine" }), json!({}), json!({ "quota_bytes": null }));
    let (assignment, manager) = (json!({ "plan_id": null, "to": [id] }), json!({ "user_id": id }));
    for (method, path, body) in [
        ("GET", "/api/v1/admin/users".to_owned(), &Value::Null),
        ("POST", "/api/v1/admin/users".to_owned(), &new),
        ("GET", path.clone(), &Value::Null),
        ("PATCH", path.clone(), &update),
        ("POST", format!("{path}/reset-password"), &reset),
        ("DELETE", format!("{path}/second-factor"), &Value::Null),
        ("DELETE", format!("{path}/picture"), &Value::Null),
        ("GET", format!("{path}/identities"), &Value::Null),
        ("DELETE", format!("{path}/identities/idn_00000000000000000000000000000000"), &Value::Null),
        ("GET", format!("{path}/passkeys"), &Value::Null),
        ("DELETE", format!("{path}/passkeys/psk_00000000000000000000000000000000"), &Value::Null),
        ("GET", format!("{path}/sessions"), &Value::Null),
        ("DELETE", format!("{path}/sessions"), &Value::Null),
        ("DELETE", format!("{path}/sessions/ses_00000000000000000000000000000000"), &Value::Null),
        ("GET", "/api/v1/admin/invitations".to_owned(), &Value::Null),
        ("POST", "/api/v1/admin/invitations".to_owned(), &invite),
        ("DELETE", "/api/v1/admin/invitations/tkt_00000000000000000000000000000000".to_owned(), &Value::Null),
        ("GET", "/api/v1/admin/audit".to_owned(), &Value::Null),
        ("GET", "/api/v1/admin/plans".to_owned(), &Value::Null),
        ("POST", "/api/v1/admin/plans".to_owned(), &plan),
        ("GET", nobodys("plans/pln"), &Value::Null),
        ("PATCH", nobodys("plans/pln"), &empty),
        ("DELETE", nobodys("plans/pln"), &Value::Null),
        ("POST", "/api/v1/admin/plan-assignments".to_owned(), &assignment),
        ("GET", "/api/v1/admin/spaces".to_owned(), &Value::Null),
        ("GET", nobodys("spaces/spc"), &Value::Null),
        ("PATCH", nobodys("spaces/spc"), &room),
        ("DELETE", nobodys("spaces/spc"), &Value::Null),
        ("POST", format!("{}/manager", nobodys("spaces/spc")), &manager),
        ("GET", "/api/v1/admin/uploads".to_owned(), &Value::Null),
        ("DELETE", nobodys("uploads/upl"), &Value::Null),
        ("GET", "/api/v1/admin/settings".to_owned(), &Value::Null),
        ("PATCH", "/api/v1/admin/settings".to_owned(), &empty),
        ("GET", "/api/v1/admin/queues".to_owned(), &Value::Null),
        ("DELETE", nobodys("jobs/job"), &Value::Null),
    ] {
        world.alice.call(method, &path, body).await.refused(403, "permission-missing");
    }
}

#[tokio::test]
async fn invitations_are_made_used_and_taken_back() {
    let world = World::new().await;
    let admin = &world.admin;
    let answer =
        admin.call("POST", "/api/v1/admin/invitations", &json!({ "permissions": ["files"], "language": "ru" })).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, Some("no-store")), "{answer:?}");
    let made = answer.json();
    let register = json!({ "name": "carol", "password": PASSWORD, "invitation": made["token"] });
    let carol = world.anonymous("POST", "/api/v1/register", &register).await;
    assert_eq!(carol.status, 201, "{carol:?}");
    assert_eq!((&carol.json()["permissions"], &carol.json()["language"]), (&json!(["files"]), &json!("ru")));
    let again = json!({ "name": "dave", "password": PASSWORD, "invitation": made["token"] });
    world.anonymous("POST", "/api/v1/register", &again).await.refused(400, "link-used");
    let made = admin.call("POST", "/api/v1/admin/invitations", &json!({})).await.json();
    let listed = admin.get("/api/v1/admin/invitations").await.json();
    assert_eq!((&listed["items"][0]["id"], listed["items"].as_array().map(Vec::len)), (&made["id"], Some(1)));
    let path = format!("/api/v1/admin/invitations/{}", made["id"].as_str().expect("an id"));
    assert_eq!(admin.call("DELETE", &path, &Value::Null).await.status, 204);
    admin.call("DELETE", &path, &Value::Null).await.refused(404, "invitation-not-found");
    let body = json!({ "email": "carol@example.org" });
    admin.call("POST", "/api/v1/admin/invitations", &body).await.refused(403, "mail-off");
}

#[tokio::test]
async fn people_change_their_profile() {
    let world = World::new().await;
    let body = json!({ "display_name": "Алиса", "language": "ru" });
    let me = world.alice.call("PATCH", "/api/v1/me", &body).await.json();
    assert_eq!((&me["display_name"], &me["language"], &me["email"]), (&json!("Алиса"), &json!("ru"), &Value::Null));
    assert_eq!(world.alice.get("/api/v1/me").await.json(), me);
    world.alice.call("PATCH", "/api/v1/me", &json!({ "language": "xx" })).await.refused(400, "invalid-language");
    world.alice.call("PATCH", "/api/v1/me", &json!({ "display_name": "" })).await.refused(400, "invalid-display-name");
    let email = json!({ "email": "alice@example.org", "password": PASSWORD });
    world.alice.call("POST", "/api/v1/me/email", &email).await.refused(403, "mail-off");
    let token = json!({ "token": "nonsense" });
    world.anonymous("POST", "/api/v1/email/verify", &token).await.refused(400, "link-used");
    let reset = json!({ "token": "nonsense", "new_password": "another good one" });
    world.anonymous("POST", "/api/v1/password-reset/confirm", &reset).await.refused(400, "link-used");
    let ask = json!({ "email": "alice@example.org" });
    world.anonymous("POST", "/api/v1/password-reset", &ask).await.refused(403, "mail-off");
}

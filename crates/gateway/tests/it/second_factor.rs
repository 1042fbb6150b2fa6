//! Signing in in two steps over HTTP.

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::world::{PASSWORD, World};

#[tokio::test]
async fn signing_in_takes_two_steps() {
    let world = World::new().await;
    let alice = &world.alice;
    let proof = json!({ "password": PASSWORD });
    let answer = alice.call("POST", "/api/v1/me/second-factor", &proof).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")), "{answer:?}");
    let secret = Secret::try_from_base32(answer.json()["secret"].as_str().expect("a secret")).expect("base 32");
    let app = Builder::new().with_secret(secret).with_account_name("alice").with_issuer(Some("Holdfast"));
    let app = app.build().expect("an app");
    let now = || base::Clock::now(&world.clock).as_secs().unsigned_abs();
    let wrong = json!({ "code": "abcdef" });
    alice.call("POST", "/api/v1/me/second-factor/confirm", &wrong).await.refused(403, "wrong-code");
    let code = json!({ "code": app.generate(now()).to_string() });
    let answer = alice.call("POST", "/api/v1/me/second-factor/confirm", &code).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let codes = answer.json()["recovery_codes"].clone();
    assert_eq!(codes.as_array().map(Vec::len), Some(10));
    let state = alice.get("/api/v1/me/second-factor").await.json();
    assert_eq!((&state["enabled"], &state["recovery_codes_left"]), (&json!(true), &json!(10)));

    let login = json!({ "name": "alice", "password": PASSWORD, "client": "test" });
    let answer = world.anonymous("POST", "/api/v1/login", &login).await;
    answer.refused(401, "second-factor-required");
    let problem = answer.json();
    assert_eq!(problem["expires_in"], 300);
    let path = "/api/v1/login/second-factor";
    let step = |code: &Value| json!({ "challenge": problem["challenge"], "code": code });
    world.anonymous("POST", path, &step(&json!("nonsense"))).await.refused(403, "wrong-code");
    let bad = json!({ "challenge": "nonsense", "code": codes[0] });
    world.anonymous("POST", path, &bad).await.refused(401, "challenge-expired");
    let answer = world.anonymous("POST", path, &step(&codes[0])).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")), "{answer:?}");
    assert!(answer.json()["access_token"].is_string());
    world.anonymous("POST", path, &step(&codes[0])).await.refused(403, "wrong-code");

    let answer = alice.call("POST", "/api/v1/me/second-factor/recovery-codes", &proof).await;
    assert_ne!(answer.json()["recovery_codes"], codes);
    let wrong = json!({ "password": "wrong horse" });
    alice.call("POST", "/api/v1/me/second-factor/remove", &wrong).await.refused(403, "wrong-password");
    let answer = alice.call("POST", "/api/v1/me/second-factor/remove", &proof).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    alice.call("POST", "/api/v1/me/second-factor/remove", &proof).await.refused(409, "second-factor-off");
    assert_eq!(world.anonymous("POST", "/api/v1/login", &login).await.status, 200);
}

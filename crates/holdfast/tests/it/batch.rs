//! Many small files in one request.

use serde_json::{Value, json};

use crate::harness::{Answer, Shape, User, World, bytes};

const MEDIA_TYPE: &str = "application/vnd.holdfast.batch";

/// A frame of a batch, with more in its header if `more` says so.
fn frame(path: &str, content: &[u8], more: Value) -> Vec<u8> {
    let mut header = json!({ "path": path, "size": content.len() });
    header.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let header = header.to_string();
    let mut frame = (header.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(header.as_bytes());
    frame.extend_from_slice(content);
    frame
}

async fn send(user: &User, query: &str, body: Vec<u8>) -> Answer {
    Answer::of(user.request("POST", &format!("/batch{query}")).header("content-type", MEDIA_TYPE).body(body)).await
}

async fn at(user: &User, path: &str) -> Value {
    let space = user.user["space_id"].as_str().expect("an id");
    user.get(&format!("/spaces/{space}/entry?path={path}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_taken_by_one_process() {
    batches(World::start(Shape::Single, "[accounts]\nquota = \"40 MiB\"\n").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_taken_by_a_cluster() {
    batches(World::start(Shape::Cluster, "[accounts]\nquota = \"40 MiB\"\n").await).await;
}

async fn batches(world: World) {
    let admin = world.admin().await;
    let other = User::register(&world.gateways[0].url, "other").await;
    let reader = other.at(world.gateways.last().expect("a gateway"));

    // A tree of files of every size that is kept in another way, some twice.
    let content = |number: u64| bytes(number, [0, 10, 4096, 5000, 100_000][number as usize % 5]);
    let path = |number: u64| format!("a/b{}/c{}/{number}.bin", number % 3, number % 7);
    let mut body = Vec::new();
    for number in 0..300 {
        body.extend(frame(&path(number), &content(number), json!({})));
    }
    let answer = send(&other, "", body.clone()).await.expect(200);
    assert_eq!((&answer["refused"], &answer["error"]), (&json!(0), &Value::Null));
    let items = answer["items"].as_array().expect("items");
    for (number, item) in (0..).zip(items) {
        assert_eq!((&item["path"], &item["status"]), (&json!(path(number)), &json!("created")));
        let found = at(&reader, &path(number)).await;
        assert_eq!(found, item["entry"]);
        assert!(reader.download(found["id"].as_str().expect("an id")).await == content(number), "{number}");
    }

    // The same again: as each rule says, and one file's own rule before the request's.
    for (query, status) in [("?on_conflict=skip", "skipped"), ("?on_conflict=replace", "replaced"), ("", "refused")] {
        let answer = send(&other, query, body.clone()).await.expect(200);
        assert!(answer["items"].as_array().expect("items").iter().all(|item| item["status"] == status), "{query}");
    }
    let own = frame(&path(1), b"new", json!({ "on_conflict": "rename" }));
    let answer = send(&other, "?on_conflict=replace", own).await.expect(200);
    assert_eq!(answer["items"][0]["entry"]["name"], "1 (2).bin");

    // One that cannot be stored stops no other.
    let good = |name: &str| frame(name, b"good", json!({}));
    let bad = [
        frame("a", b"a folder has the name", json!({ "on_conflict": "replace" })),
        frame("../up", b"x", json!({})),
        frame("a//b", b"x", json!({})),
        frame("", b"x", json!({})),
        frame("good 0/below a file", b"x", json!({})),
        frame("wrong hash", b"x", json!({ "blake3": "00".repeat(32) })),
        frame("wrong rule", b"x", json!({ "on_conflict": "perhaps" })),
        frame("huge", &vec![1; (8 << 20) + 1], json!({})),
        frame("two\u{0}", b"x", json!({})),
    ];
    let codes = [
        "name-taken",
        "invalid-name",
        "invalid-name",
        "invalid-name",
        "not-a-folder",
        "checksum-mismatch",
        "invalid-request",
        "file-too-large",
        "invalid-name",
    ];
    // It must be there before something is put below it.
    send(&other, "", good("good 0")).await.expect(200);
    let mut body = Vec::new();
    for (number, bad) in bad.iter().enumerate() {
        body.extend_from_slice(bad);
        body.extend(good(&format!("good {}", number + 1)));
    }
    let answer = send(&other, "", body).await.expect(200);
    assert_eq!(answer["refused"], codes.len());
    for (pair, code) in answer["items"].as_array().expect("items").chunks(2).zip(codes) {
        assert_eq!((&pair[0]["status"], &pair[0]["error"]["code"]), (&json!("refused"), &json!(code)), "{pair:?}");
        assert_eq!(pair[1]["status"], "created", "{pair:?}");
    }

    // What was whole before the body broke is there, and is said to be.
    let mut body = good("before");
    body.extend_from_slice(&good("broken")[..20]);
    let answer = send(&other, "", body).await.expect(200);
    assert_eq!(
        (answer["items"].as_array().map(Vec::len), &answer["error"]["code"]),
        (Some(1), &json!("invalid-request"))
    );
    at(&reader, "before").await;

    // There is room for forty mebibytes, and not for one byte more.
    let body: Vec<_> = (0..8).flat_map(|it| frame(&format!("fill {it}"), &bytes(it, 7 << 20), json!({}))).collect();
    let answer = send(&other, "", body).await.expect(200);
    let full: Vec<_> = answer["items"].as_array().expect("items").iter().map(|it| &it["error"]["code"]).collect();
    assert!(full.contains(&&json!("quota-exceeded")) && full.contains(&&Value::Null), "{full:?}");
    let space = other.get(&format!("/spaces/{}", other.user["space_id"].as_str().expect("an id"))).await.expect(200);
    assert!(space["used_bytes"].as_u64() <= space["quota_bytes"].as_u64(), "{space}");
    assert_eq!(space["reserved_bytes"], 0);

    // As a whole it is refused for what is wrong as a whole.
    send(&admin, &format!("?parent={}", other.root()), good("x")).await.refused(404, "not-found");
    send(&other, "?on_conflict=perhaps", good("x")).await.refused(400, "invalid-request");
    send(&other, &format!("?parent={}", at(&reader, "before").await["id"].as_str().expect("an id")), good("x"))
        .await
        .refused(400, "not-a-folder");
    let untyped = Answer::of(other.request("POST", "/batch").body(good("x"))).await;
    untyped.refused(415, "unsupported-media-type");
    let empty = send(&other, "", Vec::new()).await.expect(200);
    assert_eq!(empty["items"], json!([]));
}

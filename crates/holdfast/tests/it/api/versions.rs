//! The versions of a file over HTTP.

use serde_json::{Value, json};

use crate::harness::{Answer, User, bytes};

pub(super) async fn suite(user: &User, reader: &User, other: &User) {
    let contents: Vec<_> = (0..3).map(|n| bytes(40 + n, 50_000)).collect();
    let file = user.upload("many-versions", contents[0].clone()).await;
    let at = format!("/files/{}", file["id"].as_str().expect("an id"));
    let mut last = file.clone();
    for content in &contents[1..] {
        last = Answer::of(user.request("PUT", &at).body(content.clone())).await.expect(200);
    }
    let page = reader.get(&format!("{at}/versions?limit=2")).await.expect(200);
    let rest =
        reader.get(&format!("{at}/versions?cursor={}", page["next_cursor"].as_str().expect("more"))).await.expect(200);
    let versions: Vec<Value> =
        [&page, &rest].iter().flat_map(|page| page["items"].as_array().expect("items").clone()).collect();
    assert_eq!((versions.len(), &versions[0]["id"], &rest["next_cursor"]), (3, &last["version_id"], &Value::Null));
    assert_eq!((&versions[0]["current"], &versions[2]["current"]), (&json!(true), &json!(false)));

    // Bytes of a version, with ranges and conditions as the file itself.
    let oldest = format!("{at}/versions/{}", file["version_id"].as_str().expect("a version"));
    let whole = reader.get(&oldest).await;
    assert!(whole.body == contents[0]);
    assert_eq!(whole.header("etag"), file["etag"].as_str().expect("an etag"));
    let range = Answer::of(reader.request("GET", &oldest).header("range", "bytes=100-199")).await;
    assert!(range.status == 206 && range.body == contents[0][100..200], "{}", range.status);
    let known = Answer::of(reader.request("GET", &oldest).header("if-none-match", whole.header("etag"))).await;
    assert_eq!(known.status, 304);
    let head = Answer::of(reader.request("HEAD", &oldest)).await;
    assert_eq!((head.status, head.header("content-length")), (200, "50000"));
    let wrong = format!("{at}/versions/{}", file["id"].as_str().expect("an id"));
    reader.get(&wrong).await.refused(400, "invalid-id");
    other.get(&oldest).await.refused(404, "not-found");
    other.get(&format!("{at}/versions")).await.refused(404, "not-found");

    let patch = |body: Value| Answer::of(user.request("PATCH", &oldest).json(&body));
    let named = patch(json!({ "name": "the first", "pinned": true })).await.expect(200);
    assert_eq!((&named["name"], &named["pinned"]), (&json!("the first"), &json!(true)));
    let unnamed = patch(json!({ "name": null })).await.expect(200);
    assert_eq!((&unnamed["name"], &unnamed["pinned"]), (&Value::Null, &json!(true)));
    patch(json!({})).await.refused(400, "invalid-request");
    patch(json!({ "name": "" })).await.refused(400, "invalid-version-name");

    let back = user.post(&format!("{oldest}/restore"), &json!({})).await.expect(200);
    assert_eq!((&back["blake3"], &back["id"]), (&file["blake3"], &file["id"]));
    assert!(reader.download(file["id"].as_str().expect("an id")).await == contents[0]);
    let current = format!("{at}/versions/{}", back["version_id"].as_str().expect("a version"));
    user.delete(&current).await.refused(409, "current-version");
    assert_eq!(user.delete(&oldest).await.status, 204);
    user.delete(&oldest).await.refused(404, "not-found");
    assert!(reader.download(file["id"].as_str().expect("an id")).await == contents[0], "the bytes are shared");
    usage(user, reader, other).await;
}

/// What fills the space, with the parity that the storage servers really have.
async fn usage(user: &User, reader: &User, other: &User) {
    let space = format!("/spaces/{}", user.user["space_id"].as_str().expect("a space"));
    let usage = reader.get(&format!("{space}/usage")).await.expect(200);
    let number = |field: &str| usage[field].as_u64().expect("a number");
    assert_eq!(number("used_bytes"), user.get(&space).await.expect(200)["used_bytes"].as_u64().expect("a number"));
    let parts = ["files_bytes", "versions_bytes", "trash_bytes", "removing_bytes"];
    assert_eq!(parts.map(number).iter().sum::<u64>(), number("used_bytes"), "{usage}");
    assert!(number("versions_bytes") > 0, "{usage}");
    other.get(&format!("{space}/usage")).await.refused(404, "not-found");

    // What one file more adds is what its parity parts have.
    for length in [100_000, (6 << 20) + 7] {
        let before = reader.get(&format!("{space}/usage")).await.expect(200)["parity_bytes"].as_u64();
        let file = user.upload(&format!("parity-{length}"), bytes(length as u64, length)).await;
        let id = file["id"].as_str().expect("an id");
        let view = reader.get(&format!("/files/{id}/parts")).await.expect(200);
        let extents = view["extents"].as_array().expect("extents").iter();
        let parts = extents.flat_map(|extent| extent["parts"].as_array().expect("parts"));
        let parity: u64 =
            parts.filter(|part| part["role"] == "parity").filter_map(|part| part["length"].as_u64()).sum();
        let after = reader.get(&format!("{space}/usage")).await.expect(200)["parity_bytes"].as_u64();
        assert_eq!(after.zip(before).map(|(after, before)| after - before), Some(parity), "{length}");
        // A copy counts, and is not kept a second time.
        let shared = reader.get(&format!("{space}/usage")).await.expect(200)["shared_bytes"].as_u64();
        let name = json!({ "name": format!("shared-{length}") });
        user.post(&format!("/entries/{id}/copy"), &name).await.expect(201);
        let copied = reader.get(&format!("{space}/usage")).await.expect(200);
        assert_eq!(copied["shared_bytes"].as_u64(), shared.map(|shared| shared + length as u64), "{copied}");
        assert_eq!(copied["parity_bytes"].as_u64(), after);
    }
}

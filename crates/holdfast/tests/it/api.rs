//! The API as a client sees it: one suite, run on one process with SQLite and on a cluster with PostgreSQL.

mod activity;
mod trash;
mod undo;
mod versions;

use serde_json::{Value, json};

use crate::harness::{Answer, PASSWORD, Shape, User, World, bytes};

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_on_one_process() {
    suite(World::start(Shape::Single, "").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes_on_a_cluster() {
    suite(World::start(Shape::Cluster, "[files]\nparity = 2\n").await).await;
}

async fn suite(mut world: World) {
    let admin = world.admin().await;
    let other = User::register(&world.gateways[0].url, "Other.Person").await;
    // Where there are two gateways, what one wrote the other must see at once.
    let reader = admin.at(world.gateways.last().expect("a gateway"));
    accounts(&admin, &other).await;
    files(&admin, &reader).await;
    ranges(&admin, &reader).await;
    refusals(&admin, &other).await;
    names(&admin).await;
    tree(&admin, &reader, &other).await;
    trash::suite(&admin, &reader, &other).await;
    versions::suite(&admin, &reader, &other).await;
    undo::suite(&admin, &reader, &other).await;
    activity::suite(&admin, &reader, &other).await;
    journal(&admin, &reader).await;
    uploads(&admin, &reader, &other).await;
    watching(&admin).await;
    for gateway in &mut world.gateways {
        let took = gateway.terminate();
        assert!(took.as_secs() < 10, "the shutdown took {took:?}");
    }
}

async fn accounts(admin: &User, other: &User) {
    let login = |name: &str, password: &str| {
        Answer::of(
            admin.http.post(format!("{}/api/v1/login", admin.url)).json(&json!({"name": name, "password": password})),
        )
    };
    login("admin", "wrong").await.refused(401, "wrong-credentials");
    login("nobody", PASSWORD).await.refused(401, "wrong-credentials");
    // Names differ by more than case.
    let register = Answer::of(
        admin
            .http
            .post(format!("{}/api/v1/register", admin.url))
            .json(&json!({"name": "other.person", "password": PASSWORD})),
    );
    assert_eq!(register.await.status, 409);

    let me = other.get("/me").await.expect(200);
    assert_eq!(me["id"], other.user["id"]);
    assert!(!me["permissions"].as_array().expect("a list").contains(&json!("admin.nodes")));

    // A refresh token works once; used again it ends the session.
    let refresh = |token: String| {
        Answer::of(admin.http.post(format!("{}/api/v1/refresh", admin.url)).json(&json!({ "refresh_token": token })))
    };
    let session = User::login(&admin.url, "other.person", PASSWORD).await;
    let renewed = refresh(session.refresh_token.clone()).await.expect(200);
    let successor = renewed["refresh_token"].as_str().expect("a token").to_owned();
    assert_ne!(successor, session.refresh_token);
    // A lost answer may be asked for again, until its successor was used; from then on it is a theft.
    let repeated = refresh(session.refresh_token.clone()).await.expect(200);
    assert_eq!(repeated["refresh_token"], json!(successor));
    refresh(successor.clone()).await.expect(200);
    refresh(session.refresh_token.clone()).await.refused(401, "token-reused");

    // A revoked session is over, on every gateway.
    let session = User::login(&admin.url, "other.person", PASSWORD).await;
    let sessions = session.get("/sessions").await.expect(200);
    let current = sessions["items"].as_array().expect("items").iter().find(|it| it["current"] == true);
    let id = current.expect("the current session")["id"].as_str().expect("an id").to_owned();
    assert_eq!(other.delete(&format!("/sessions/{id}")).await.status, 204);
    assert_eq!(session.get("/me").await.status, 401);
    // Somebody else's session is not there.
    let mine = admin.get("/sessions").await.expect(200)["items"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(other.delete(&format!("/sessions/{mine}")).await.status, 404);

    for token in ["", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMCJ9."] {
        let forged = User { token: token.into(), ..admin.clone() };
        assert_eq!(forged.get("/me").await.status, 401, "{token}");
    }
}

async fn files(user: &User, reader: &User) {
    const MIB: usize = 1 << 20;
    // Around every boundary: inline, one stripe, units, several stripes.
    for length in [0, 1, 5, 6, 7, 4095, 4096, 4097, 65_537, MIB - 1, 6 * MIB - 1, 6 * MIB, 6 * MIB + 1, 20 * MIB + 3] {
        let content = bytes(length as u64, length);
        let entry = user.upload(&format!("size-{length}"), content.clone()).await;
        assert_eq!(entry["size"], length);
        assert_eq!(entry["blake3"], blake3::hash(&content).to_hex().as_str());
        let id = entry["id"].as_str().expect("an id");
        assert!(reader.download(id).await == content, "{length}");
        let parts = reader.get(&format!("/files/{id}/parts")).await.expect(200);
        let lengths: Vec<u64> = parts["extents"]
            .as_array()
            .expect("extents")
            .iter()
            .flat_map(|extent| extent["parts"].as_array().expect("parts").iter().take(6))
            .map(|part| part["length"].as_u64().expect("a length"))
            .collect();
        if !lengths.is_empty() {
            let (least, most) = (lengths.iter().min(), lengths.iter().max());
            assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "unequal parts: {lengths:?}");
            assert_eq!(lengths.iter().sum::<u64>(), length as u64);
        }
    }

    // Of unknown length, and as a form.
    let content = bytes(77, 3 * MIB);
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = content.chunks(100_000).map(|it| Ok(it.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let entry = Answer::of(user.request("POST", "/files?name=chunked").body(body)).await.expect(201);
    assert!(reader.download(entry["id"].as_str().expect("an id")).await == content);
    let part = reqwest::multipart::Part::bytes(content.clone()).file_name("форма.bin");
    let form = reqwest::multipart::Form::new().part("file", part);
    let entry = Answer::of(user.request("POST", "/files").multipart(form)).await.expect(201);
    assert_eq!(entry["name"], "форма.bin");
    assert!(reader.download(entry["id"].as_str().expect("an id")).await == content);

    // A new version, under its condition.
    let entry = user.upload("versioned", b"one".to_vec()).await;
    let (id, etag) = (entry["id"].as_str().expect("an id"), entry["etag"].as_str().expect("an etag"));
    let put = |etag: &str, body: &'static str| {
        Answer::of(user.request("PUT", &format!("/files/{id}")).header("if-match", etag).body(body))
    };
    let second = put(etag, "two").await.expect(200);
    assert_ne!(second["version_id"], entry["version_id"]);
    put(etag, "three").await.refused(412, "precondition-failed");
    assert_eq!(reader.download(id).await, b"two");
}

async fn ranges(user: &User, reader: &User) {
    let content = bytes(5, 13 << 20);
    let entry = user.upload("ranges", content.clone()).await;
    let path = format!("/files/{}", entry["id"].as_str().expect("an id"));
    let etag = entry["etag"].as_str().expect("an etag");
    let ask = |header: &'static str, value: String| Answer::of(reader.request("GET", &path).header(header, value));
    let end = content.len();
    for (range, expected) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=1048575-1048576".to_owned(), 1_048_575..1_048_577),
        ("bytes=5000000-7000000".to_owned(), 5_000_000..7_000_001),
        (format!("bytes={}-", end - 10), end - 10..end),
        ("bytes=-5".to_owned(), end - 5..end),
        (format!("bytes=12000000-{}", end + 99), 12_000_000..end),
    ] {
        let answer = ask("range", range.clone()).await;
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == content[expected], "{range}");
    }
    let several = ask("range", "bytes=0-9,1000-1009".into()).await;
    assert_eq!(several.status, 206);
    assert!(several.header("content-type").starts_with("multipart/byteranges"), "{several:?}");
    let beyond = ask("range", format!("bytes={end}-")).await;
    assert_eq!(beyond.header("content-range"), format!("bytes */{end}"));
    beyond.refused(416, "range-not-satisfiable");

    assert_eq!(ask("if-none-match", etag.into()).await.status, 304);
    assert_eq!(ask("if-match", "\"0\"".into()).await.status, 412);
    let since = ask("accept", "*/*".into()).await.header("last-modified").to_owned();
    assert_eq!(ask("if-modified-since", since).await.status, 304);
    let stale = Answer::of(reader.request("GET", &path).header("range", "bytes=0-0").header("if-range", "\"0\"")).await;
    assert_eq!((stale.status, stale.body.len()), (200, end));
    let head = Answer::of(reader.request("HEAD", &path)).await;
    assert_eq!((head.status, head.header("content-length")), (200, end.to_string().as_str()));
}

/// Every refusal is a problem document and leaves nothing behind.
async fn refusals(user: &User, other: &User) {
    let before = listing(user, user.root()).await.len();
    let file = user.upload("private", b"mine".to_vec()).await;
    let id = file["id"].as_str().expect("an id");
    for path in
        [format!("/files/{id}"), format!("/files/{id}/meta"), format!("/files/{id}/parts"), format!("/entries/{id}")]
    {
        assert_eq!(other.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(other.delete(&format!("/entries/{id}")).await.status, 404);
    assert_eq!(Answer::of(other.request("PUT", &format!("/files/{id}")).body("theirs")).await.status, 404);
    let into_mine = [("name", "x"), ("parent", user.root())];
    assert_eq!(Answer::of(other.request("POST", "/files").query(&into_mine).body("x")).await.status, 404);
    assert_eq!(other.get("/admin/nodes").await.status, 403);
    assert_eq!(user.get("/files/ent_1/meta").await.status, 400);
    assert_eq!(user.get(&format!("/files/{}/meta", id.replace("ent_", "spc_"))).await.status, 400);
    assert_eq!(user.delete(&format!("/entries/{id}?permanent=true")).await.status, 204);
    assert_eq!(user.get(&format!("/files/{id}")).await.status, 404);

    let post = |query: &'static str, body: &'static str| {
        Answer::of(user.request("POST", &format!("/files?{query}")).body(body))
    };
    post("name=a&colour=red", "x").await.refused(400, "invalid-request");
    post("name=a&parent=ent_0", "x").await.refused(400, "invalid-id");
    let wrong = "0".repeat(64);
    let mismatch = user.request("POST", &format!("/files?name=sum&blake3={wrong}")).body("x");
    Answer::of(mismatch).await.refused(422, "checksum-mismatch");

    // A length that lies: the connection ends before the bytes do.
    let pieces = futures::stream::iter([Ok("some bytes"), Err(std::io::Error::other("gone"))]);
    let cut = user.request("POST", "/files?name=cut").body(reqwest::Body::wrap_stream(pieces));
    assert!(Answer::try_of(cut).await.is_err());

    let twice = user.upload("twice", b"1".to_vec()).await;
    post("name=twice", "2").await.refused(409, "name-taken");
    assert_eq!(user.download(twice["id"].as_str().expect("an id")).await, b"1");
    let renamed = post("name=twice&on_conflict=rename", "3").await.expect(201);
    assert_eq!(renamed["name"], "twice (2)");
    let replaced = post("name=twice&on_conflict=replace", "4").await.expect(200);
    assert_eq!(replaced["id"], twice["id"]);

    // Two uploads to one name at once: one wins.
    let (one, two) = tokio::join!(post("name=race", "a"), post("name=race", "b"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(listing(user, user.root()).await.len(), before + 3, "a refusal left something behind");
}

async fn names(user: &User) {
    let make = |name: String| async move { user.post("/folders", &json!({ "name": name })).await };
    for bad in
        ["", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", " a", "a ", &"x".repeat(256), &"я".repeat(128), ".holdfast"]
    {
        let answer = make(bad.to_owned()).await;
        assert_eq!(answer.status, 400, "{bad:?}");
        assert_eq!(answer.json()["code"], "invalid-name", "{bad:?}");
    }
    // й as one character and as two.
    let folder = make("Май".to_owned()).await.expect(201);
    make("Ма\u{438}\u{306}".to_owned()).await.refused(409, "name-taken");
    assert_eq!(user.delete(&format!("/entries/{}", folder["id"].as_str().expect("an id"))).await.status, 204);
}

async fn tree(user: &User, reader: &User, other: &User) {
    let make = |name: &'static str, parent: Value| async move {
        user.post("/folders", &json!({ "name": name, "parent_id": parent })).await.expect(201)
    };
    let a = make("a", json!(user.root())).await;
    let b = make("b", a["id"].clone()).await;
    let file = Answer::of(
        user.request("POST", "/files")
            .query(&[("name", "f"), ("parent", b["id"].as_str().expect("an id"))])
            .body(bytes(9, 50_000)),
    )
    .await
    .expect(201);
    let path = |entry: &Value| format!("/entries/{}", entry["id"].as_str().expect("an id"));
    let patch = |entry: &Value, body: Value| Answer::of(user.request("PATCH", &path(entry)).json(&body));
    patch(&a, json!({ "parent_id": b["id"] })).await.refused(409, "into-itself");
    patch(&b, json!({ "parent_id": other.root() })).await.expect_status(404);
    let moved = patch(&b, json!({ "name": "c", "parent_id": user.root() })).await.expect(200);
    assert_eq!((&moved["name"], &moved["parent_id"]), (&json!("c"), &json!(user.root())));
    let space = user.user["space_id"].as_str().expect("a space");
    let found = Answer::of(reader.request("GET", &format!("/spaces/{space}/entry")).query(&[("path", "/c/f")]))
        .await
        .expect(200);
    assert_eq!(found["id"], file["id"]);

    // A copy shares the bytes and survives the original.
    let used = |space: Value| space["used_bytes"].as_u64().expect("used_bytes");
    let copy = user.post(&format!("{}/copy", path(&moved)), &json!({ "name": "d" })).await.expect(201);
    let children = listing(reader, copy["id"].as_str().expect("an id")).await;
    assert_eq!(children.len(), 1);
    let before = used(user.get(&format!("/spaces/{space}")).await.expect(200));
    assert_eq!(user.delete(&format!("{}?permanent=true", path(&moved))).await.status, 204);
    let after = used(user.get(&format!("/spaces/{space}")).await.expect(200));
    assert_eq!(before - after, 50_000);
    assert_eq!(reader.get(&path(&file)).await.status, 404);
    assert!(reader.download(children[0]["id"].as_str().expect("an id")).await == bytes(9, 50_000));
    assert_eq!(user.delete(&format!("/entries/{}", user.root())).await.status, 400);

    // Pages neither repeat nor miss.
    let many = make("many", json!(user.root())).await;
    let id = many["id"].as_str().expect("an id");
    for number in 0..25 {
        let query = [("name", format!("n{number:02}")), ("parent", id.to_owned())];
        Answer::of(user.request("POST", "/files").query(&query).body("x")).await.expect(201);
    }
    let mut names = Vec::new();
    let mut cursor = None::<String>;
    loop {
        let mut request = reader.request("GET", &format!("/folders/{id}/children")).query(&[("limit", "10")]);
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let page = Answer::of(request).await.expect(200);
        names.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|it| it["name"].as_str().unwrap_or_default().to_owned()),
        );
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..25).map(|number| format!("n{number:02}")).collect();
    assert_eq!(names, expected);
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
    }
}

async fn journal(user: &User, reader: &User) {
    let space = user.user["space_id"].as_str().expect("a space");
    let mut since = String::new();
    let mut last = 0;
    loop {
        let query = if since.is_empty() { String::new() } else { format!("&since={since}") };
        let page = reader.get(&format!("/spaces/{space}/changes?limit=20{query}")).await.expect(200);
        for change in page["items"].as_array().expect("items") {
            let sequence = change["sequence"].as_u64().expect("a number");
            assert_eq!(sequence, last + 1, "the journal has a gap");
            last = sequence;
        }
        since = page["next"].as_str().expect("a cursor").to_owned();
        if page["more"] == false {
            break;
        }
    }
    assert!(last > 50, "{last} changes");
    let made = user.post("/folders", &json!({ "name": "journal" })).await.expect(201);
    let page = reader.get(&format!("/spaces/{space}/changes?since={since}")).await.expect(200);
    let items = page["items"].as_array().expect("items");
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["kind"], &items[0]["entry_id"]), (&json!("created"), &made["id"]));
    assert_eq!(items[0]["entry"]["name"], "journal");
    reader.get(&format!("/spaces/{space}/changes?since=99.1")).await.refused(410, "cursor-gone");
}

async fn uploads(user: &User, reader: &User, other: &User) {
    let tus = |user: &User, method: &str, path: &str| {
        user.http
            .request(method.parse().expect("a method"), format!("{}{path}", user.url))
            .bearer_auth(&user.token)
            .header("tus-resumable", "1.0.0")
    };
    let content = bytes(11, 8 << 20);
    // filename of-a-resumed-upload, in base64 as the protocol wants it.
    let created = Answer::of(
        tus(user, "POST", "/api/v1/uploads")
            .header("upload-length", content.len())
            .header("upload-metadata", "filename cmVzdW1lZA=="),
    )
    .await;
    created.expect_status(201);
    let location = created.header("location");
    let path = location.strip_prefix(&user.url).unwrap_or(location).to_owned();
    let append = |user: &User, offset: usize, body: Vec<u8>| {
        Answer::of(
            tus(user, "PATCH", &path)
                .header("upload-offset", offset)
                .header("content-type", "application/offset+octet-stream")
                .body(body),
        )
    };
    let half = 3_000_001;
    append(user, 0, content[..half].to_vec()).await.expect_status(204);
    append(user, 5, content[5..].to_vec()).await.refused(409, "offset-mismatch");
    append(other, half, content[half..].to_vec()).await.expect_status(404);
    let head = Answer::of(tus(reader, "HEAD", &path)).await;
    assert_eq!(head.header("upload-offset"), half.to_string());

    // Cut off in the middle: what arrived is kept, and the rest goes on from there at the other gateway.
    let pieces = [Ok(content[half..half + 1_000_000].to_vec()), Err(std::io::Error::other("gone"))];
    let cut = tus(user, "PATCH", &path)
        .header("upload-offset", half)
        .header("content-type", "application/offset+octet-stream")
        .body(reqwest::Body::wrap_stream(futures::stream::iter(pieces)));
    assert!(Answer::try_of(cut).await.is_err());
    let offset =
        crate::harness::eventually("the broken append settled", std::time::Duration::from_secs(10), async || {
            let head = Answer::of(tus(reader, "HEAD", &path)).await;
            head.header("upload-offset").parse::<usize>().ok().filter(|offset| *offset > half)
        })
        .await;
    assert!(offset <= half + 1_000_000);
    let done = append(reader, offset, content[offset..].to_vec()).await;
    done.expect_status(204);
    let id = done.header("holdfast-entry").to_owned();
    assert!(user.download(&id).await == content);
    let meta = user.get(&format!("/files/{id}/meta")).await.expect(200);
    assert_eq!(meta["blake3"], blake3::hash(&content).to_hex().as_str());
    // The last answer may be lost: asking again finds the same.
    let again = Answer::of(tus(user, "HEAD", &path)).await;
    assert_eq!(again.header("upload-offset"), content.len().to_string());

    // Concatenation of two partial uploads.
    let mut parts = Vec::new();
    for piece in content.chunks(5 << 20) {
        let created = Answer::of(
            tus(user, "POST", "/api/v1/uploads")
                .header("upload-length", piece.len())
                .header("upload-concat", "partial")
                .header("content-type", "application/offset+octet-stream")
                .body(piece.to_vec()),
        )
        .await;
        created.expect_status(201);
        parts.push(created.header("location").to_owned());
    }
    let whole = Answer::of(
        tus(user, "POST", "/api/v1/uploads")
            .header("upload-concat", format!("final;{}", parts.join(" ")))
            .header("upload-metadata", "filename Y29uY2F0"),
    )
    .await;
    whole.expect_status(201);
    assert!(reader.download(whole.header("holdfast-entry")).await == content);

    // Terminated: gone.
    let created = Answer::of(
        tus(user, "POST", "/api/v1/uploads").header("upload-length", 10).header("upload-metadata", "filename eA=="),
    )
    .await;
    let location = created.header("location").to_owned();
    let path = location.strip_prefix(&user.url).unwrap_or(&location).to_owned();
    assert_eq!(Answer::of(tus(user, "DELETE", &path)).await.status, 204);
    assert!(matches!(Answer::of(tus(user, "HEAD", &path)).await.status, 404 | 410));
}

async fn watching(user: &User) {
    let get = |path: &str| Answer::of(user.http.get(format!("{}{path}", user.url)));
    assert_eq!(get("/healthz").await.status, 200);
    assert_eq!(get("/readyz").await.status, 200);
    let metrics = String::from_utf8(get("/metrics").await.body).expect("text");
    for name in ["holdfast_build_info", "holdfast_nodes_live 6"] {
        assert!(metrics.contains(name), "{name} is not among the metrics");
    }
    let description = get("/api/v1/openapi.json").await.expect(200);
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert_eq!(get("/api/v1/docs").await.status, 200);
    get("/api/v1/nothing").await.refused(404, "no-such-route");
    let traced = Answer::of(
        user.request("GET", "/me").header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    )
    .await;
    assert_eq!(traced.header("request-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
}

async fn listing(user: &User, folder: &str) -> Vec<Value> {
    let page = user.get(&format!("/folders/{folder}/children?limit=1000")).await.expect(200);
    page["items"].as_array().expect("items").clone()
}

//! Downloads: ranges, conditions, headers.

use crate::world::{Answer, Person, World, bytes};

async fn world_with(size: usize) -> (World, String, Vec<u8>) {
    let world = World::new().await;
    let content = bytes(size);
    let file = world.alice.upload("name=data.bin", content.clone()).await;
    (world, format!("/api/v1/files/{file}"), content)
}

async fn ask(person: &Person, path: &str, headers: &[(&str, &str)]) -> Answer {
    person.raw("GET", path, headers, "").await
}

#[tokio::test]
async fn whole_files_of_every_size() {
    let world = World::new().await;
    for size in [0, 1, 5, 6, 7, 63, 64, 65, 4096, 100_000, 700_000] {
        let content = bytes(size);
        let file = world.alice.upload(&format!("name={size}"), content.clone()).await;
        let path = format!("/api/v1/files/{file}");
        let answer = ask(&world.alice, &path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body == content), (200, true), "{size}");
        assert_eq!(answer.header("content-length"), Some(size.to_string().as_str()));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(answer.header("content-encoding"), None);
        let head = world.alice.raw("HEAD", &path, &[("range", "bytes=0-0")], "").await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        for name in ["content-length", "etag", "last-modified", "content-type", "content-disposition"] {
            assert_eq!(head.header(name), answer.header(name), "{name}");
            assert!(head.header(name).is_some(), "{name}");
        }
    }
}

#[tokio::test]
async fn single_ranges_are_slices() {
    for size in [50_usize, 200_000] {
        let (world, path, content) = world_with(size).await;
        for (range, run) in [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=1-9".to_owned(), 1..10),
            ("bytes=10-".to_owned(), 10..size),
            ("bytes=-7".to_owned(), size - 7..size),
            (format!("bytes=-{}", size * 2), 0..size),
            (format!("bytes={}-{}", size / 3, size), size / 3..size),
            ("bytes=0-4,5-9".to_owned(), 0..10),
        ] {
            let answer = ask(&world.alice, &path, &[("range", &range)]).await;
            assert_eq!(answer.status, 206, "{range}");
            assert_eq!(answer.body, content[run.clone()], "{range}");
            let shown = format!("bytes {}-{}/{size}", run.start, run.end - 1);
            assert_eq!(answer.header("content-range"), Some(shown.as_str()));
            assert_eq!(answer.header("content-length"), Some(run.len().to_string().as_str()));
        }
        let beyond = ask(&world.alice, &path, &[("range", &format!("bytes={size}-"))]).await;
        beyond.refused(416, "range-not-satisfiable");
        assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
        for ignored in ["bytes=5-4", "lines=1-2", "bytes=x"] {
            let answer = ask(&world.alice, &path, &[("range", ignored)]).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, size), "{ignored}");
        }
    }
}

#[tokio::test]
async fn several_ranges_are_parts() {
    let (world, path, content) = world_with(90_000).await;
    let answer = ask(&world.alice, &path, &[("range", "bytes=80000-, 5-9, 7-12, 300-399")]).await;
    assert_eq!(answer.status, 206);
    let content_type = answer.header("content-type").expect("a type");
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").expect("several parts");
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    let mut rest = &answer.body[..];
    for run in [80_000..90_000, 5..13, 300..400] {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {}-{}/90000\r\n\r\n",
            run.start,
            run.end - 1
        );
        rest = rest.strip_prefix(head.as_bytes()).unwrap_or_else(|| panic!("no {head:?}"));
        rest = rest.strip_prefix(&content[run]).expect("the slice");
    }
    assert_eq!(rest, format!("\r\n--{boundary}--\r\n").as_bytes());
}

#[tokio::test]
async fn conditions() {
    let (world, path, content) = world_with(1000).await;
    let first = ask(&world.alice, &path, &[]).await;
    let etag = first.header("etag").expect("an entity tag").to_owned();
    let modified = first.header("last-modified").expect("a date").to_owned();
    let weak = format!("W/{etag}");
    let check = async |headers: &[(&str, &str)], status: u16, length: usize| {
        let answer = ask(&world.alice, &path, headers).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (status, length), "{headers:?}");
        answer
    };
    let kept = check(&[("if-none-match", &etag)], 304, 0).await;
    assert_eq!(kept.header("etag"), Some(etag.as_str()));
    assert_eq!(kept.header("content-type"), None);
    check(&[("if-none-match", &weak)], 304, 0).await;
    check(&[("if-none-match", "*")], 304, 0).await;
    check(&[("if-none-match", "\"other\"")], 200, 1000).await;
    check(&[("if-modified-since", &modified)], 304, 0).await;
    check(&[("if-modified-since", &modified), ("if-none-match", "\"other\"")], 200, 1000).await;
    check(&[("if-match", &etag)], 200, 1000).await;
    ask(&world.alice, &path, &[("if-match", &weak)]).await.refused(412, "precondition-failed");
    ask(&world.alice, &path, &[("if-match", "\"other\"")]).await.refused(412, "precondition-failed");
    let part = check(&[("range", "bytes=0-9"), ("if-range", &etag)], 206, 10).await;
    assert_eq!(part.body, content[..10]);
    check(&[("range", "bytes=0-9"), ("if-range", "\"other\"")], 200, 1000).await;
    check(&[("range", "bytes=0-9"), ("if-range", &weak)], 200, 1000).await;
    check(&[("range", "bytes=0-9"), ("if-range", &modified)], 200, 1000).await;
    check(&[("range", "bytes=0-9"), ("if-none-match", &etag)], 304, 0).await;
    check(&[("range", "bytes=5000-"), ("if-range", "\"other\"")], 200, 1000).await;

    let put = world.alice.raw("PUT", &path, &[("if-match", &etag)], "new").await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_ne!(put.header("etag"), Some(etag.as_str()));
    check(&[("range", "bytes=0-1"), ("if-range", &etag)], 200, 3).await;
    world.alice.raw("PUT", &path, &[("if-match", &etag)], "newer").await.refused(412, "precondition-failed");
}

#[tokio::test]
async fn names_and_types_in_headers() {
    let world = World::new().await;
    let upload = async |query: &str, content_type: &str| {
        let answer =
            world.alice.raw("POST", &format!("/api/v1/files?{query}"), &[("content-type", content_type)], "x").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        format!("/api/v1/files/{}", answer.json()["id"].as_str().expect("an id"))
    };
    let path = upload("name=%E2%82%AC%22.txt", "text/plain; charset=utf-8").await;
    let answer = ask(&world.alice, &path, &[]).await;
    assert_eq!(
        answer.header("content-disposition"),
        Some("inline; filename=\"__.txt\"; filename*=UTF-8''%E2%82%AC%22.txt")
    );
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let answer = ask(&world.alice, &format!("{path}?download=1"), &[]).await;
    assert!(answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment;")));
    ask(&world.alice, &format!("{path}?download=yes"), &[]).await.refused(400, "invalid-request");
    ask(&world.alice, &format!("{path}?dl=1"), &[]).await.refused(400, "invalid-request");

    let path = upload("name=page.html", "text/html").await;
    let answer = ask(&world.alice, &path, &[]).await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"page.html\""));
    assert!(answer.header("content-security-policy").is_some_and(|value| value.contains("sandbox")));
    world
        .alice
        .raw("POST", "/api/v1/files?name=bad", &[("content-type", "nonsense")], "x")
        .await
        .refused(400, "invalid-request");
    // What says nothing is guessed from the name.
    let path = upload("name=guess.png", "application/x-www-form-urlencoded").await;
    assert_eq!(ask(&world.alice, &path, &[]).await.header("content-type"), Some("image/png"));
}

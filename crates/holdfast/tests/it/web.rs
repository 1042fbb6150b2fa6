//! The web client as a browser gets it from the binary. What it does in a browser is tested in `web/tests`.

use crate::harness::{Answer, Shape, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_in_the_binary() {
    let world = World::start(Shape::Single, "").await;
    let http = reqwest::Client::new();
    let url = &world.gateways[0].url;
    let get = |path: &str| http.get(format!("{url}{path}"));

    let page = Answer::of(get("/").header("accept", "text/html")).await;
    page.expect_status(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = String::from_utf8(page.body.clone()).expect("text");

    // A place within the client is the same page; what is asked for again has not changed.
    let place = Answer::of(get("/folders/ent_0").header("accept", "text/html")).await;
    assert_eq!(place.body, page.body);
    let again = Answer::of(get("/").header("accept", "*/*").header("if-none-match", page.header("etag"))).await;
    again.expect_status(304);

    // Its scripts have names of their own for each content, and are sent compressed to whoever can take that.
    let script = html.split('"').find(|word| word.starts_with("/assets/") && word.ends_with(".js")).expect("a script");
    let plain = Answer::of(get(script)).await;
    plain.expect_status(200);
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    let packed = Answer::of(get(script).header("accept-encoding", "gzip, br")).await;
    assert_eq!(packed.header("content-encoding"), "br");
    assert!(packed.body.len() < plain.body.len());
    assert_ne!(packed.header("etag"), plain.header("etag"));
    let head = Answer::of(http.head(format!("{url}{script}"))).await;
    assert_eq!(head.header("content-length"), plain.body.len().to_string());

    // What is not there is not the page.
    Answer::of(get("/assets/gone-00000000.js")).await.refused(404, "no-such-route");
    Answer::of(get("/api/v1/gone").header("accept", "text/html")).await.refused(404, "no-such-route");
    Answer::of(http.post(format!("{url}/"))).await.refused(404, "no-such-route");
}

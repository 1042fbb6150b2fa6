//! Bytes that processes keep for each other.

use std::time::Duration;

use bytes::Bytes;
use commons::Pages;

use crate::commons;

#[tokio::test]
async fn what_one_keeps_another_finds() {
    let Some(url) = testkit::redis::shared() else { return };
    let [one, two] = [(); 2].map(|()| Pages::new(commons(&url)));
    let name = format!("holdfast:test:{}", std::process::id());
    let page = Bytes::from(vec![0xff; 100_000]);
    // The first command makes the connection, which may take longer than anybody waits for a page.
    for _ in 0..20 {
        one.put(&name, &page).await;
        if two.get(&name).await.as_ref() == Some(&page) {
            assert_eq!(one.get(&format!("{name} of nobody")).await, None);
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("Redis keeps nothing");
}

#[tokio::test]
async fn nobody_waits_for_one_that_is_away() {
    let away = base::Secret::new("redis://127.0.0.1:9");
    let pages = Pages::new(commons(&away));
    let began = std::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(pages.get("x").await, None);
        pages.put("x", &Bytes::from_static(b"x")).await;
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

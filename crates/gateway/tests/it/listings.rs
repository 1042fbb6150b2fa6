//! Pages of listings that are kept: never wrong, never for strangers, and shared where there is something to share them through.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use gateway::{Options, SharedListings};
use parking_lot::Mutex;
use serde_json::json;

use crate::world::World;

/// What all gateways of a test share.
#[derive(Debug, Default)]
struct Shared {
    pages: Mutex<HashMap<String, Bytes>>,
    asked: Mutex<u32>,
}

#[async_trait]
impl SharedListings for Shared {
    async fn get(&self, key: &str) -> Option<Bytes> {
        *self.asked.lock() += 1;
        self.pages.lock().get(key).cloned()
    }

    async fn put(&self, key: &str, page: Bytes) {
        self.pages.lock().insert(key.to_owned(), page);
    }
}

#[tokio::test]
async fn pages_are_kept_until_something_changes() {
    let shared = Arc::new(Shared::default());
    let world = World::with(Options { shared_listings: Some(shared.clone()), ..Options::default() }).await;
    let alice = &world.alice;
    let folder = alice.folder("many").await;
    for n in 0..60 {
        alice.upload(&format!("parent={folder}&name=f{n:02}"), "x").await;
    }
    let path = format!("/api/v1/folders/{folder}/children?limit=1000");
    let list = async || {
        let answer = alice.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
        answer.json()
    };
    let first = list().await;
    assert_eq!(first["items"].as_array().expect("items").len(), 60);
    let asked = || *shared.asked.lock();
    let (before, kept) = (asked(), shared.pages.lock().len());
    assert_eq!(kept, 1);
    // Again from memory, whole as it was.
    assert_eq!(list().await, first);
    assert_eq!(asked(), before);
    // What others kept is taken as it is; here it is made to differ, to see that it was.
    let key = shared.pages.lock().keys().next().expect("a page").clone();
    for (change, name) in [("f00", "renamed"), ("renamed", "f00")] {
        let id = list().await["items"].as_array().expect("items").iter().find(|it| it["name"] == change).cloned();
        let id = id.expect("the file")["id"].as_str().expect("an id").to_owned();
        let renamed = alice.call("PATCH", &format!("/api/v1/entries/{id}"), &json!({ "name": name })).await;
        assert_eq!(renamed.status, 200);
        // Every change is seen at once: nothing that was kept before it is found.
        shared.pages.lock().insert(key.clone(), Bytes::from_static(b"{}"));
        let now = list().await;
        assert!(now["items"].as_array().expect("items").iter().any(|it| it["name"] == name), "{now}");
        assert_eq!(list().await, now);
    }
    // Another limit and another place in the list are other pages.
    let page = alice.get(&format!("/api/v1/folders/{folder}/children?limit=55")).await.json();
    assert_eq!(page["items"].as_array().expect("items").len(), 55);
    let cursor = page["next_cursor"].as_str().expect("more");
    let rest = alice.get(&format!("{path}&cursor={cursor}")).await.json();
    assert_eq!(rest["items"].as_array().expect("items").len(), 5);
    // Whether one may see it is asked each time.
    world.bob.get(&path).await.refused(404, "not-found");
    // In the trash it is another listing of the same entries, and gone it is none.
    alice.call("DELETE", &format!("/api/v1/folders/{folder}"), &json!(null)).await;
    assert_eq!(list().await["items"][0]["trashed"], json!(true));
    alice.call("DELETE", &format!("/api/v1/folders/{folder}?permanent=true"), &json!(null)).await;
    alice.get(&path).await.refused(404, "not-found");
}

#[tokio::test]
async fn a_page_of_another_gateway_is_taken() {
    let shared = Arc::new(Shared::default());
    let world = World::with(Options { shared_listings: Some(shared.clone()), ..Options::default() }).await;
    let alice = &world.alice;
    for n in 0..50 {
        alice.upload(&format!("name=f{n:02}"), "x").await;
    }
    let path = format!("/api/v1/folders/{}/children?limit=50", alice.root());
    alice.get(&path).await;
    // As if the other one, with an empty memory, had been asked: its page is what the store has.
    let other = world.another(Options { shared_listings: Some(shared.clone()), ..Options::default() });
    *shared.pages.lock().values_mut().next().expect("a page") =
        Bytes::from_static(br#"{"items":[],"next_cursor":null}"#);
    let answer = crate::world::raw(
        &other,
        "GET",
        &path,
        &[("authorization", &format!("Bearer {}", alice.token()))],
        axum::body::Body::empty(),
    )
    .await;
    assert_eq!(answer.json()["items"], json!([]));
}

//! Sessions of the client with a server that fails on demand. What the real server does is tested with the real server.

use std::sync::Arc;

use base::Secret;

use super::{
    api::{Api, Server},
    credentials::{Credentials, tests::profile},
    failure::Failure,
    path::RemotePath,
    session::sign_in,
    stub::Stub,
};

/// Somebody who is signed in to the stub.
pub(super) async fn signed_in(stub: &Stub, dir: &std::path::Path) -> Credentials {
    let credentials = Credentials::in_folder(dir.join("config"));
    let server = Server::parse(&stub.url()).unwrap();
    sign_in(&server, &credentials, "ada", &Secret::new("secret"), "test").await.unwrap();
    credentials
}

pub(super) fn connect(credentials: &Credentials) -> Api {
    Api::with_credentials(None, credentials.clone(), crate::clock::SystemClock::start()).unwrap()
}

/// As if a quarter of an hour had passed.
fn expire(stub: &Stub) {
    stub.state.lock().access = "nobody has this".into();
}

#[tokio::test]
async fn signing_in_is_remembered_and_wrong_passwords_are_not() {
    let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
    let credentials = Credentials::in_folder(dir.path().to_owned());
    let server = Server::parse(&stub.url()).unwrap();
    let failure = sign_in(&server, &credentials, "ada", &Secret::new("wrong"), "test").await.unwrap_err();
    assert_eq!((failure.code(), failure.status()), ("wrong-credentials", 4));
    assert!(credentials.load().unwrap().current.is_none());
    assert_eq!(Api::with_credentials(None, credentials, crate::clock::SystemClock::start()).err().unwrap().status(), 4);

    let credentials = signed_in(&stub, dir.path()).await;
    assert_eq!(credentials.load().unwrap().current, Some(stub.url()));
    assert!(connect(&credentials).resolve(&RemotePath::root()).await.unwrap().is_folder());
}

#[tokio::test]
async fn tokens_are_renewed_once_however_many_ask() {
    let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
    let credentials = signed_in(&stub, dir.path()).await;
    // Two commands, each with several requests at once.
    let (one, two) = (connect(&credentials), connect(&credentials));
    expire(&stub);
    let root = RemotePath::root();
    let results = tokio::join!(one.resolve(&root), one.resolve(&root), two.resolve(&root), two.resolve(&root));
    for result in [results.0, results.1, results.2, results.3] {
        assert!(result.unwrap().is_folder());
    }
    assert_eq!(stub.state.lock().refreshes, 1);
    let book = credentials.load().unwrap();
    assert_eq!(book.servers[&stub.url()].refresh_token.expose(), "refresh-r1");
}

#[tokio::test]
async fn an_ended_session_says_how_to_sign_in() {
    let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
    let credentials = signed_in(&stub, dir.path()).await;
    let api = connect(&credentials);
    expire(&stub);
    stub.state.lock().refresh = "another".into();
    let failure = api.resolve(&RemotePath::root()).await.unwrap_err();
    assert_eq!(failure.status(), 4);
    assert_eq!(failure.hint(), Some(format!("sign in with `holdfast login {}`", stub.url())));
    assert!(!failure.to_string().contains("refresh-1") && !failure.to_string().contains("access-1"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_out_of_reach() {
    let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
    let credentials = signed_in(&stub, dir.path()).await;
    drop(stub);
    let failure = connect(&credentials).resolve(&RemotePath::root()).await.unwrap_err();
    assert_eq!(failure.status(), 5, "{failure}");
}

#[tokio::test]
async fn several_servers_are_kept_apart() {
    let (stub, dir) = (Stub::start().await, tempfile::tempdir().unwrap());
    let credentials = signed_in(&stub, dir.path()).await;
    let turn = credentials.turn().await.unwrap();
    let mut book = credentials.load().unwrap();
    book.servers.insert("https://other.example".into(), profile("t"));
    credentials.save(&turn, &book).unwrap();
    let api =
        |server| Api::with_credentials(server, credentials.clone(), Arc::clone(&crate::clock::SystemClock::start()));
    assert_eq!(api(Some("other.example")).unwrap().server().as_str(), "https://other.example");
    assert_eq!(api(None).unwrap().server().as_str(), stub.url());
    assert!(matches!(api(Some("third.example")), Err(Failure::SignedOut { .. })));
}

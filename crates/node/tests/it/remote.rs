//! The conformance suite of `Parts` on a node behind gRPC: what a gateway sees of a storage server in another process.

use std::{sync::Arc, time::Duration};

use base::Secret;
use proto::{ClusterSecret, Error, RemoteOptions, RemoteParts, ServeOptions, serve};
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet, time::timeout};

use crate::{node_id, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_behind_grpc_does_what_parts_promise() {
    let secret = ClusterSecret::new(&Secret::new("a secret of this test".to_owned())).expect("a good secret");
    for (name, case) in testkit::parts_suite::cases() {
        let dir = tempfile::tempdir().expect("dir");
        let node = open(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server: JoinSet<Result<(), Error>> = JoinSet::new();
        let shutdown = async {
            // Either way the test is over.
            let _ = stopped.await;
        };
        server.spawn(serve(listener, Arc::new(node.clone()), secret.clone(), ServeOptions::default(), shutdown));
        let client = RemoteParts::connect_lazy(&address, Some(node_id(1)), &secret, RemoteOptions::default());
        case(Arc::new(client)).await;
        stop.send(()).expect("the server runs");
        let ended = timeout(Duration::from_secs(10), server.join_next()).await.expect("the server stops");
        ended.expect("it ran").expect("it did not panic").expect("it served");
        node.close().await;
        let left = crate::files(&dir.path().join("tmp"));
        assert!(left.is_empty(), "{name} left {left:?}");
    }
}

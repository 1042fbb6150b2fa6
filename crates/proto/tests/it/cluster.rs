//! Reports of nodes to gateways and workers, mounted beside the routes of others.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, routing::get};
use base::Time;
use parking_lot::Mutex;
use proto::{CLUSTER_ROUTE, Cluster, ClusterClient, Error, NodeAdvice, NodeReport, NodeState, Parts, cluster_routes};
use tokio::{net::TcpListener, task::JoinSet};

use crate::map::{Map, quick, secret};

#[derive(Default)]
struct Reports {
    taken: Mutex<Vec<NodeReport>>,
    refusal: Mutex<Option<Error>>,
}

const ADVICE: NodeAdvice = NodeAdvice { state: NodeState::Draining, heartbeat: Duration::from_millis(1500) };

#[async_trait]
impl Cluster for Reports {
    async fn report(&self, report: NodeReport) -> Result<NodeAdvice, Error> {
        if let Some(error) = self.refusal.lock().clone() {
            return Err(error);
        }
        self.taken.lock().push(report);
        Ok(ADVICE)
    }
}

async fn gateway(secret_text: &str, servers: &mut JoinSet<()>) -> (Arc<Reports>, SocketAddr) {
    let reports = Arc::new(Reports::default());
    let routes = cluster_routes(reports.clone(), secret(secret_text));
    let router = Router::new().route("/healthz", get(async || "ok")).route_service(CLUSTER_ROUTE, routes);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (reports, address)
}

async fn report(sequence: u64) -> NodeReport {
    NodeReport {
        address: "node1:7000".into(),
        version: "0.1.0".into(),
        health: Map::new().0.health().await.unwrap(),
        started_at: Time::from_micros(1_795_224_415_123_456),
        sequence,
    }
}

#[tokio::test]
async fn a_report_arrives_and_is_answered() {
    let mut servers = JoinSet::new();
    let (reports, address) = gateway("one", &mut servers).await;
    let client = ClusterClient::connect_lazy(&[format!("http://{address}")], &secret("one"), &quick()).unwrap();
    for sequence in 0..3 {
        assert_eq!(client.report(report(sequence).await).await.unwrap(), ADVICE);
    }
    let sequences: Vec<_> = reports.taken.lock().iter().map(|report| report.sequence).collect();
    assert_eq!(sequences, [0, 1, 2]);
    let last = report(2).await;
    assert_eq!(reports.taken.lock()[2], last);
}

#[tokio::test]
async fn the_next_door_is_tried_and_remembered() {
    let mut servers = JoinSet::new();
    let (broken, first) = gateway("one", &mut servers).await;
    let (working, second) = gateway("one", &mut servers).await;
    *broken.refusal.lock() = Some(Error::Unavailable("the database is away".into()));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let doors = [closed, first, second].map(|address| format!("http://{address}"));
    let client = ClusterClient::connect_lazy(&doors, &secret("one"), &quick()).unwrap();
    client.report(report(1).await).await.unwrap();
    *broken.refusal.lock() = None;
    client.report(report(2).await).await.unwrap();
    assert_eq!((broken.taken.lock().len(), working.taken.lock().len()), (0, 2));
    *working.refusal.lock() = Some(Error::Unavailable("stopping".into()));
    *broken.refusal.lock() = Some(Error::Unavailable("still away".into()));
    assert!(matches!(client.report(report(3).await).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn neither_side_accepts_the_other_without_the_secret() {
    let mut servers = JoinSet::new();
    let (reports, address) = gateway("one", &mut servers).await;
    let client = ClusterClient::connect_lazy(&[format!("http://{address}")], &secret("two"), &quick()).unwrap();
    assert!(matches!(client.report(report(1).await).await, Err(Error::Unauthenticated)));
    assert!(reports.taken.lock().is_empty());
}

#[tokio::test]
async fn addresses_are_checked_at_once() {
    for bad in [&[][..], &["gateway:8080"], &["https://gateway"], &["http://a b"]] {
        let addresses: Vec<_> = bad.iter().map(|address| (*address).to_owned()).collect();
        let client = ClusterClient::connect_lazy(&addresses, &secret("one"), &quick());
        assert!(matches!(client, Err(Error::Invalid(_))), "{bad:?}");
    }
}

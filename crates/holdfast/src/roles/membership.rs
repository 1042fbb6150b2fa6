//! How nodes come to the cluster and stay known: heartbeats taken from outside, made for nodes inside, and the loop in
//! which every process takes in what the database says.

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use base::PartId;
use proto::{Body, Health, NodeAdvice, NodeReport, PartInfo, Parts, Receipt};
use tokio_util::sync::CancellationToken;

/// How often a node is to report.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How often nodes inside the process are reported: only their free space is news.
const LOCAL_HEARTBEAT: Duration = Duration::from_secs(10);

/// The program's version, as nodes tell it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Takes the reports of nodes that are processes of their own.
#[derive(Clone)]
pub(crate) struct ClusterDoor {
    desk: Arc<Desk>,
    secret: proto::ClusterSecret,
}

struct Desk {
    cluster: files::Cluster,
}

impl ClusterDoor {
    pub(crate) fn new(cluster: files::Cluster, secret: proto::ClusterSecret) -> Self {
        Self { desk: Arc::new(Desk { cluster }), secret }
    }

    /// The door in a router.
    pub(crate) fn mount(&self, router: axum::Router) -> axum::Router {
        let routes = proto::cluster_routes(self.desk.clone(), self.secret.clone());
        router.route_service(proto::CLUSTER_ROUTE, routes)
    }
}

#[async_trait]
impl proto::Cluster for Desk {
    async fn report(&self, report: NodeReport) -> Result<NodeAdvice, proto::Error> {
        let node = report.health.node;
        let membership = files::Membership {
            address: report.address,
            version: report.version,
            health: report.health,
            number: Some((report.started_at, report.sequence)),
        };
        let state = self
            .cluster
            .report(membership)
            .await
            .map_err(|error| proto::Error::Unavailable(format!("the report could not be kept: {error}")))?
            .ok_or_else(|| {
                proto::Error::Invalid(format!("an old report, or {node} lives and this is another server with its id"))
            })?;
        let state = match state {
            files::NodeState::Active => proto::NodeState::Active,
            files::NodeState::Draining => proto::NodeState::Draining,
            files::NodeState::Removed => proto::NodeState::Removed,
        };
        Ok(NodeAdvice { state, heartbeat: HEARTBEAT })
    }
}

/// Reports a node of this process.
pub(crate) async fn report_local(cluster: &files::Cluster, parts: &dyn Parts) -> anyhow::Result<()> {
    let health = parts.health().await?;
    cluster.report(files::Membership { address: String::new(), version: VERSION.into(), health, number: None }).await?;
    Ok(())
}

/// Reports the nodes of this process again and again.
pub(crate) async fn local_heartbeats(cluster: files::Cluster, nodes: Vec<Arc<dyn Parts>>, stop: CancellationToken) {
    while tick(LOCAL_HEARTBEAT, &stop).await {
        for node in &nodes {
            if let Err(error) = report_local(&cluster, node.as_ref()).await {
                tracing::warn!(%error, "a node of this process could not be reported");
            }
        }
    }
}

/// Takes in what the database says, and decides the placement where this process is a worker.
pub(crate) async fn refresh_loop(cluster: files::Cluster, decides: bool, every: Duration, stop: CancellationToken) {
    while tick(every, &stop).await {
        let round = async {
            cluster.refresh().await?;
            if decides {
                cluster.settle().await?;
            }
            Ok::<_, files::Error>(())
        };
        if let Err(error) = round.await {
            tracing::warn!(%error, "the list of nodes could not be read");
        }
    }
}

async fn tick(every: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(every) => true,
    }
}

/// What stands for nodes of other processes where no cluster secret is set: known, and out of reach.
pub(crate) struct Unreachable;

fn no_secret<T>() -> Result<T, proto::Error> {
    Err(proto::Error::Unavailable("this process has no cluster_secret, so it cannot reach other nodes".into()))
}

#[async_trait]
impl Parts for Unreachable {
    async fn put(&self, _: PartId, _: Body) -> Result<Receipt, proto::Error> {
        no_secret()
    }

    async fn get(&self, _: PartId, _: Range<u64>) -> Result<Body, proto::Error> {
        no_secret()
    }

    async fn delete(&self, _: &[PartId]) -> Result<(), proto::Error> {
        no_secret()
    }

    async fn list(&self, _: Option<PartId>, _: u32) -> Result<Vec<PartInfo>, proto::Error> {
        no_secret()
    }

    async fn verify(&self, _: PartId) -> Result<Receipt, proto::Error> {
        no_secret()
    }

    async fn health(&self) -> Result<Health, proto::Error> {
        no_secret()
    }
}

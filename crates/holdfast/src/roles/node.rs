//! The role of a storage server of its own: parts on disk, gRPC in front, no database.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use base::Clock;
use proto::{Cluster as _, ClusterClient, ClusterSecret, NodeReport, Parts, RemoteOptions, ServeOptions};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{self, SystemClock},
    config::Config,
    roles::{membership::VERSION, system::open_node, worker},
    telemetry::{self, Telemetry},
};

/// How long a node waits after a report that nobody took.
const RETRY: Duration = Duration::from_secs(1);

/// Runs the node until it is told to stop.
pub(crate) async fn run(config: &Config, telemetry: &Telemetry, stop: CancellationToken) -> anyhow::Result<()> {
    let clock = SystemClock::start();
    let ids = clock::ids(&clock);
    let listen = config.node.listen.context("the key node.listen")?;
    let secret = ClusterSecret::new(config.cluster_secret.as_ref().context("the key cluster_secret")?)?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the address {listen} cannot be listened on (key node.listen)"))?;
    let address = match &config.node.advertise {
        Some(advertise) => host_and_port(advertise).to_owned(),
        None => listener.local_addr()?.to_string(),
    };
    let node = open_node(config, &config.data_dir, &clock, &ids).await?;
    let parts: Arc<dyn Parts> = Arc::new(node.clone());
    let mut tasks = JoinSet::new();
    let join: Vec<String> = config.node.join.iter().map(|it| format!("http://{}", host_and_port(it))).collect();
    let registrar = ClusterClient::connect_lazy(&join, &secret, &RemoteOptions::default())?;
    tasks.spawn(telemetry::upkeep(telemetry.metrics.clone(), stop.clone()));
    tasks.spawn(register(registrar, parts.clone(), address, clock.clone(), stop.clone()));
    let compactions = worker::start_compactions(vec![node.clone()], clock, stop.clone());
    tracing::info!(node = %node.id(), address = %listener.local_addr()?, "the storage server is ready");
    let options = ServeOptions { trace: Some(Arc::new(telemetry::link)), ..ServeOptions::default() };
    let served = proto::serve(listener, parts, secret, options, stop.cancelled_owned()).await;
    tasks.shutdown().await;
    compactions.finish().await;
    node.close().await;
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Reports the node, first of all to register it, until it is told to stop. A cluster that is down does not disturb
/// the node: it serves whoever reaches it.
async fn register(
    registrar: ClusterClient,
    parts: Arc<dyn Parts>,
    address: String,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let started_at = clock.now();
    let mut sequence = 0;
    let mut known = None;
    loop {
        sequence += 1;
        let report = async {
            let health = parts.health().await?;
            let address = address.clone();
            registrar.report(NodeReport { address, version: VERSION.into(), health, started_at, sequence }).await
        };
        let wait = match report.await {
            Ok(advice) => {
                if known != Some(advice.state) {
                    tracing::info!(state = ?advice.state, "the cluster knows this storage server");
                    known = Some(advice.state);
                }
                advice.heartbeat
            }
            Err(error) => {
                if known.is_some() || sequence % 30 == 1 {
                    tracing::warn!(%error, "no gateway or worker takes this storage server's report");
                }
                known = None;
                RETRY
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// An address may be written as a URL; what is connected to is host and port.
fn host_and_port(address: &str) -> &str {
    address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/')
}

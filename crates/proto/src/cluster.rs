//! How nodes make themselves known: a report to any gateway or worker, and its advice in return.
//!
//! Reports go to the port that also speaks HTTP to everyone, so the proofs are in the messages here and not in the
//! connection (`docs/adr/2026-11-21-cluster-secret.md`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base::Time;
use bytes::Bytes;
use prost::Message;
use tokio::time::timeout;
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Channel, Endpoint},
};

use crate::{
    ClusterSecret, Error, Health, RemoteOptions,
    handshake::nonce,
    pb::cluster::{self as pb, cluster_client::ClusterClient as Client, cluster_server, node_advice::State},
    wire::{from_status, required, to_status},
};

const REPORT_PROOF: &str = "report of a node";
const ADVICE_PROOF: &str = "advice to a node";

/// Bytes of a report or an advice at most.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Whoever keeps the list of nodes: gateways and workers.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// Takes a node's report; the first of a node registers it. A report whose `sequence` is not above the last one of
    /// the same `started_at` is old (delayed, or a recording) and must change nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it could not be kept; the node then reports again later.
    async fn report(&self, report: NodeReport) -> Result<NodeAdvice, Error>;
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// Where clients reach the node: host and port.
    pub address: String,
    /// The version of its program.
    pub version: String,
    /// Who and how well it is.
    pub health: Health,
    /// When its process began.
    pub started_at: Time,
    /// Grows with each report of this process.
    pub sequence: u64,
}

/// What the cluster wants of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeAdvice {
    /// What the cluster takes the node for.
    pub state: NodeState,
    /// When to report again.
    pub heartbeat: Duration,
}

/// What the cluster takes a node for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It takes parts.
    Active,
    /// Its parts are being moved away.
    Draining,
    /// It is no longer of the cluster.
    Removed,
}

/// Where [`cluster_routes`] belongs in a router of others, in axum's notation.
pub const CLUSTER_ROUTE: &str = "/holdfast.cluster.v1.Cluster/{*rest}";

/// The gRPC service over a [`Cluster`], as a tower service for HTTP requests: mount it with
/// `router.route_service(CLUSTER_ROUTE, cluster_routes(…))` in a server that speaks HTTP/2.
pub fn cluster_routes(cluster: Arc<dyn Cluster>, secret: ClusterSecret) -> Routes {
    let service = ClusterService { cluster, secret };
    Routes::new(
        cluster_server::ClusterServer::new(service)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX),
    )
}

struct ClusterService {
    cluster: Arc<dyn Cluster>,
    secret: ClusterSecret,
}

impl ClusterService {
    async fn answer(&self, sealed: pb::SealedReport) -> Result<pb::SealedAdvice, Error> {
        if sealed.nonce.len() != 16 || self.secret.proof(REPORT_PROOF, &[&sealed.nonce, &sealed.report]) != *sealed.mac
        {
            tracing::warn!("refused a node's report that does not know the cluster secret");
            return Err(Error::Unauthenticated);
        }
        let report = pb::NodeReport::decode(sealed.report).map_err(|error| Error::Invalid(error.to_string()))?;
        let advice = self.cluster.report(report.try_into()?).await?;
        let advice = Bytes::from(pb::NodeAdvice::from(advice).encode_to_vec());
        let mac = self.secret.proof(ADVICE_PROOF, &[&sealed.nonce, &advice]);
        Ok(pb::SealedAdvice { advice, mac: Bytes::copy_from_slice(mac.as_bytes()) })
    }
}

#[tonic::async_trait]
impl cluster_server::Cluster for ClusterService {
    async fn report(&self, request: Request<pb::SealedReport>) -> Result<Response<pb::SealedAdvice>, Status> {
        self.answer(request.into_inner()).await.map(Response::new).map_err(|error| to_status(&error))
    }
}

/// Reports to whichever of several gateways and workers answers.
pub struct ClusterClient {
    doors: Vec<(String, Client<Channel>)>,
    /// The door that answered last.
    good: AtomicUsize,
    secret: ClusterSecret,
    progress: Duration,
}

impl ClusterClient {
    /// A client of the gateways and workers at these URLs (`http://host:port`). Makes no connection yet; must be called
    /// within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no address, or one is not such a URL.
    pub fn connect_lazy(addresses: &[String], secret: &ClusterSecret, options: &RemoteOptions) -> Result<Self, Error> {
        let door = |address: &String| {
            let invalid = || Error::Invalid(format!("`{address}` is not an address such as http://gateway:8080"));
            if !address.starts_with("http://") {
                return Err(invalid());
            }
            let channel = Endpoint::from_shared(address.clone())
                .map_err(|_| invalid())?
                .connect_timeout(options.connect)
                .http2_keep_alive_interval(options.keep_alive)
                .keep_alive_timeout(options.keep_alive)
                .connect_lazy();
            let client = Client::new(channel)
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX);
            Ok((address.clone(), client))
        };
        let doors = addresses.iter().map(door).collect::<Result<Vec<_>, _>>()?;
        if doors.is_empty() {
            return Err(Error::Invalid("a node needs the address of a gateway or worker".into()));
        }
        Ok(Self { doors, good: AtomicUsize::new(0), secret: secret.clone(), progress: options.progress })
    }

    async fn ask(&self, mut door: Client<Channel>, report: Bytes) -> Result<NodeAdvice, Error> {
        let nonce = nonce();
        let mac = self.secret.proof(REPORT_PROOF, &[&nonce, &report]);
        let sealed = pb::SealedReport {
            nonce: Bytes::copy_from_slice(&nonce),
            report,
            mac: Bytes::copy_from_slice(mac.as_bytes()),
        };
        let sealed = match timeout(self.progress, door.report(sealed)).await {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) => return Err(from_status(&status)),
            Err(_) => return Err(Error::Unavailable(format!("no answer in {} ms", self.progress.as_millis()))),
        };
        if self.secret.proof(ADVICE_PROOF, &[&nonce, &sealed.advice]) != *sealed.mac {
            return Err(Error::Unauthenticated);
        }
        pb::NodeAdvice::decode(sealed.advice).map_err(|error| Error::Invalid(error.to_string()))?.try_into()
    }
}

#[async_trait]
impl Cluster for ClusterClient {
    /// Asks the door that answered last, then each of the others once; the error is the last one's.
    async fn report(&self, report: NodeReport) -> Result<NodeAdvice, Error> {
        let report = Bytes::from(pb::NodeReport::from(report).encode_to_vec());
        let first = self.good.load(Ordering::Relaxed);
        let mut last = Error::Unavailable("no gateway or worker is known".into());
        for turn in 0..self.doors.len() {
            let index = (first + turn) % self.doors.len();
            let (address, door) = &self.doors[index];
            match self.ask(door.clone(), report.clone()).await {
                Ok(advice) => {
                    self.good.store(index, Ordering::Relaxed);
                    return Ok(advice);
                }
                Err(error) => {
                    tracing::debug!(address, %error, "a report was not taken");
                    last = error;
                }
            }
        }
        Err(last)
    }
}

impl fmt::Debug for ClusterClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.doors.iter().map(|(address, _)| address)).finish()
    }
}

impl From<NodeReport> for pb::NodeReport {
    fn from(report: NodeReport) -> Self {
        Self {
            address: report.address,
            version: report.version,
            health: Some(report.health.into()),
            started_at: report.started_at.as_micros(),
            sequence: report.sequence,
        }
    }
}

impl TryFrom<pb::NodeReport> for NodeReport {
    type Error = Error;

    fn try_from(report: pb::NodeReport) -> Result<Self, Error> {
        Ok(Self {
            address: report.address,
            version: report.version,
            health: required(report.health)?.try_into()?,
            started_at: Time::from_micros(report.started_at),
            sequence: report.sequence,
        })
    }
}

impl From<NodeAdvice> for pb::NodeAdvice {
    fn from(advice: NodeAdvice) -> Self {
        let state = match advice.state {
            NodeState::Active => State::Active,
            NodeState::Draining => State::Draining,
            NodeState::Removed => State::Removed,
        };
        let heartbeat_ms = u32::try_from(advice.heartbeat.as_millis()).unwrap_or(u32::MAX);
        Self { state: state.into(), heartbeat_ms }
    }
}

impl TryFrom<pb::NodeAdvice> for NodeAdvice {
    type Error = Error;

    fn try_from(advice: pb::NodeAdvice) -> Result<Self, Error> {
        let state = match advice.state() {
            State::Active => NodeState::Active,
            State::Draining => NodeState::Draining,
            State::Removed => NodeState::Removed,
            State::Unspecified => return Err(Error::Invalid("an advice of a state that is not known here".into())),
        };
        Ok(Self { state, heartbeat: Duration::from_millis(advice.heartbeat_ms.into()) })
    }
}

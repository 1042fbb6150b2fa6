//! The contract between gateways, workers and storage servers, and the gRPC that carries it.
//!
//! Reason to exist (b): it contains the gRPC stack and the generated code.
//!
//! - [`Parts`]: what a storage server does; served in the process by `node::Node`, over the wire by [`RemoteParts`]
//! - [`serve`]: puts any [`Parts`] behind gRPC
//! - [`Cluster`]: registration and heartbeat of nodes, answered by gateways and workers ([`cluster_routes`]), asked by
//!   nodes ([`ClusterClient`])
//! - [`ClusterSecret`]: what both sides of every connection prove to know
//!
//! Invariants: bytes that changed on the way are never handed on; a body that ends early never becomes a part; every
//! wait for the other side ends after a stated time without progress; every queue has a bound.

mod bulk;
mod client;
mod cluster;
mod handshake;
mod meter;
mod parts;
mod pb;
mod secret;
mod server;
mod trace;
mod wire;

pub use client::{RemoteOptions, RemoteParts};
pub use cluster::{CLUSTER_ROUTE, Cluster, ClusterClient, NodeAdvice, NodeReport, NodeState, cluster_routes};
pub use parts::{Body, Error, Health, PartInfo, Parts, Receipt, checksum};
pub use secret::ClusterSecret;
pub use server::{ServeOptions, serve};
pub use trace::{TraceLink, TraceParent};

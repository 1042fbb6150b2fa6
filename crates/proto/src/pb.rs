//! The generated messages, clients and servers.
#![allow(unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated code")]

pub(crate) use self::holdfast::{cluster::v1 as cluster, node::v1 as node};

// The nesting is that of the packages: generated code refers from one to the other by it.
mod holdfast {
    pub(crate) mod node {
        pub(crate) mod v1 {
            tonic::include_proto!("holdfast.node.v1");
        }
    }

    pub(crate) mod cluster {
        pub(crate) mod v1 {
            tonic::include_proto!("holdfast.cluster.v1");
        }
    }
}

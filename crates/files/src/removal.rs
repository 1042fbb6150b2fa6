//! The end of a node's membership, and what it costs.

use base::NodeId;
use stripe::{Manifest, PartState};

use crate::{Cluster, Error, NodeState};

/// Extents that are looked at in one go.
const PAGE: u32 = 1000;

/// Whether parts that nobody else has may be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// A node that holds anything needed stays.
    Refused,
    /// What the node holds is given up. Only for a node that is dead: one that lives can be drained, which costs nothing.
    Accepted,
}

/// What a node held when it was removed, by the manifests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Parts on the node.
    pub parts: u64,
    /// Of these, parts that will be rebuilt on other nodes.
    pub rebuilt: u64,
    /// Extents that have too few intact parts left without the node.
    pub lost_extents: u64,
    /// The bytes of those extents.
    pub lost_bytes: u64,
}

impl Cluster {
    /// Ends a node's membership. Parts that can be rebuilt from the others then are, in the background; the answer says
    /// how many those are, and what is lost.
    ///
    /// # Errors
    /// [`Error::NoNode`]; [`Error::NodeNotEmpty`] while extents name the node and loss is refused; [`Error::NodeLive`]
    /// if loss is accepted and the node still gives signs of life.
    pub async fn remove(&self, node: NodeId, loss: Loss) -> Result<Removal, Error> {
        let nodes = &self.store.inner.nodes;
        if loss == Loss::Accepted && nodes.peer(node).is_some_and(|peer| nodes.is_live(&peer)) {
            return Err(Error::NodeLive);
        }
        let removal = self.cost_of(node).await?;
        if loss == Loss::Refused && removal.parts > 0 {
            return Err(Error::NodeNotEmpty { parts: removal.parts });
        }
        self.set_state(node, NodeState::Removed).await?;
        if removal.parts > 0 {
            let Removal { parts, rebuilt, lost_extents, lost_bytes } = removal;
            tracing::warn!(%node, parts, rebuilt, lost_extents, lost_bytes, "a dead node was removed with its parts");
        }
        Ok(removal)
    }

    /// What the cluster would lose with the node: walks over all extents.
    async fn cost_of(&self, node: NodeId) -> Result<Removal, Error> {
        let mut removal = Removal::default();
        let mut after = None;
        loop {
            let rows = db::content::extents_after(&self.store.inner.db, after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(removal) };
            after = Some(last.id);
            for row in &rows {
                let manifest = Manifest::decode(&row.manifest)?;
                let held = manifest.parts().iter().filter(|part| part.node == node).count() as u64;
                if held == 0 {
                    continue;
                }
                removal.parts += held;
                let left = manifest
                    .parts()
                    .iter()
                    .filter(|part| part.node != node && part.state == PartState::Ok && !self.is_removed(part.node));
                if left.count() >= manifest.layout().data() {
                    removal.rebuilt += held;
                } else {
                    removal.lost_extents += 1;
                    removal.lost_bytes += row.length;
                }
            }
        }
    }

    fn is_removed(&self, node: NodeId) -> bool {
        self.store.inner.nodes.peer(node).is_none_or(|peer| peer.state() == NodeState::Removed)
    }
}

//! What must hold when everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use base::{ExtentId, NodeId, PartId};
use db::content as rows;
use files::NodeState;
use proto::Receipt;
use stripe::{Manifest, PartState};
use testkit::sim::Rng;

use crate::{
    ledger::{Fate, Ledger},
    world::{Process, World, state},
};

/// Every extent, ready or not, with its manifest.
pub(crate) async fn manifests(world: &World) -> Vec<(ExtentId, bool, Manifest)> {
    let (low, high) = (ExtentId::from_bytes([0; 16]), ExtentId::from_bytes([0xff; 16]));
    let rows = rows::extents_between(world.db(), low, high).await.unwrap();
    rows.into_iter().map(|row| (row.id, row.ready, Manifest::decode(&row.manifest).unwrap())).collect()
}

/// Full redundancy, on nodes that should have it, and nothing else anywhere.
pub(crate) async fn cluster_is_right(world: &World) {
    let mut named: BTreeMap<NodeId, BTreeSet<PartId>> = BTreeMap::new();
    for (extent, ready, manifest) in manifests(world).await {
        assert!(ready, "an intent of {extent} is left");
        let parity = manifest.layout().parity();
        let mut on_node: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (index, place) in manifest.parts().iter().enumerate() {
            let part = extent.part(index as u8);
            assert_eq!(place.state, PartState::Ok, "part {part} was not repaired");
            let expected = Receipt { length: manifest.part_length(index), checksum: place.checksum };
            let node = world.node(place.node);
            assert_eq!(node.intact(part), Some(expected), "part {part} on node {}", place.node);
            assert_eq!(state(world, place.node).await, NodeState::Active, "part {part} on node {}", place.node);
            *on_node.entry(place.node).or_default() += 1;
            named.entry(place.node).or_default().insert(part);
        }
        let most = on_node.values().max().copied().unwrap_or(0);
        assert!(most <= parity.max(1), "losing one node would lose {most} parts of {extent}, and parity is {parity}");
    }
    for node in world.nodes().iter().filter(|node| node.is_up()) {
        let named = named.remove(&node.id()).unwrap_or_default();
        let held: BTreeSet<_> = node.parts().into_iter().map(|(part, _)| part).collect();
        let unnamed: Vec<_> = held.difference(&named).collect();
        assert!(unnamed.is_empty(), "node {} holds {unnamed:?}, which no manifest names", node.id());
    }
}

/// What was acknowledged reads back, whole and in ranges; what was not is there whole or not at all.
pub(crate) async fn contents_are_right(world: &World, reader: &Process, ledger: &Ledger) -> usize {
    let mut rng = Rng::new(&[world.seed, 77]);
    let mut kept = 0;
    for (content, fate, bytes) in ledger.all() {
        let row = rows::content(world.db(), content).await.unwrap();
        match fate {
            Fate::Kept => assert!(row.is_some(), "content {content} was acknowledged and is gone"),
            Fate::Gone | Fate::Open => assert!(row.is_none(), "content {content} is there, and nobody was told so"),
            Fate::Unknown => {}
        }
        if row.is_none() {
            let left = rows::extents(world.db(), content).await.unwrap();
            assert!(left.is_empty(), "content {content} is gone and has extents");
            continue;
        }
        kept += 1;
        let length = bytes.len();
        let some = (0..3).map(|_| {
            let start = rng.below(length as u64 + 1) as usize;
            start..start + rng.below((length - start) as u64 + 1) as usize
        });
        let ranges: Vec<_> = std::iter::once(0..length).chain(some).collect();
        for range in ranges {
            let read = reader.read(content, &bytes, range.clone()).await;
            read.unwrap_or_else(|error| panic!("{range:?} of {length} bytes of content {content}: {error:?}"));
        }
    }
    kept
}

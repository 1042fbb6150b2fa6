//! Placement is a contract, balanced, and moves little.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A node id that looks like those of a cluster: a time, then random bits.
fn node(seed: u64) -> NodeId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&(1_700_000_000_000 + seed * 977).to_be_bytes()[2..]);
    bytes[8..].copy_from_slice(&XxHash3_64::oneshot(&seed.to_le_bytes()).to_le_bytes());
    NodeId::from_bytes(bytes)
}

fn equal(seeds: impl IntoIterator<Item = u64>) -> Vec<Candidate> {
    weighted(seeds.into_iter().map(|seed| (seed, 1 << 40)))
}

fn weighted(nodes: impl IntoIterator<Item = (u64, u64)>) -> Vec<Candidate> {
    nodes.into_iter().map(|(seed, weight)| Candidate { node: node(seed), weight, domain: None }).collect()
}

fn table(candidates: &[Candidate], parity: usize) -> Vec<Vec<NodeId>> {
    let placement = Placement::new(candidates, parity).unwrap();
    (0..GROUPS).map(|group| placement.place(group)).collect()
}

/// How many parts each node holds.
fn load(table: &[Vec<NodeId>]) -> BTreeMap<NodeId, usize> {
    let mut load = BTreeMap::new();
    table.iter().flatten().for_each(|node| *load.entry(*node).or_default() += 1);
    load
}

/// The largest deviation of a node's load from its expected one, as a fraction of that.
fn deviation(table: &[Vec<NodeId>], expected: impl Fn(NodeId) -> f64) -> f64 {
    load(table).iter().map(|(node, parts)| (*parts as f64 / expected(*node) - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn the_logarithm_is_right() {
    for x in [1, 2, 3, 1 << 63, (1 << 63) - 1, u64::MAX / 3, u64::MAX - 1, u64::MAX, 0x0123_4567_89ab_cdef] {
        let expected = 64.0 - (x as f64).log2();
        let found = neg_log2(x) as f64 / (1u64 << LOG_BITS) as f64;
        assert!((found - expected).abs() < 1e-12, "{x}: {found} {expected}");
        assert!(neg_log2(x) > 0);
    }
    assert_eq!(neg_log2(1 << 63), 1 << LOG_BITS);
    // 64 - log2(x) to 50 digits, times 2^48, is ….408; the fraction is truncated before it is subtracted.
    assert_eq!(neg_log2(0x0123_4567_89ab_cdef), 2_199_383_878_819_978);
}

#[test]
fn the_mapping_is_a_contract() {
    let seeds = |nodes: Vec<NodeId>| -> Vec<u64> {
        nodes.iter().map(|found| (0..12).find(|seed| node(*seed) == *found).unwrap()).collect()
    };
    let check = |candidates: &[Candidate], parity, expected: [(u16, &[u64]); 3]| {
        let placement = Placement::new(candidates, parity).unwrap();
        for (group, nodes) in expected {
            assert_eq!(seeds(placement.place(group)), nodes, "group {group}");
        }
    };
    check(&equal(0..6), 0, [(0, &[4, 2, 3, 0, 1, 5]), (1, &[3, 5, 1, 0, 2, 4]), (4095, &[4, 1, 3, 0, 5, 2])]);
    check(
        &equal(0..6),
        2,
        [(0, &[4, 2, 3, 0, 1, 5, 4, 2]), (1, &[3, 5, 1, 0, 2, 4, 3, 5]), (4095, &[4, 1, 3, 0, 5, 2, 4, 1])],
    );
    check(
        &equal(0..12),
        3,
        [
            (0, &[4, 2, 11, 3, 9, 0, 1, 8, 6]),
            (1, &[3, 5, 7, 6, 1, 10, 0, 11, 8]),
            (4095, &[9, 4, 8, 10, 11, 1, 3, 7, 0]),
        ],
    );
    let uneven = weighted((0..9).map(|seed| (seed, (seed + 1) << 38)));
    check(
        &uneven,
        2,
        [(0, &[4, 2, 3, 8, 6, 5, 7, 1]), (1, &[3, 5, 7, 6, 8, 2, 4, 1]), (4095, &[4, 8, 3, 7, 5, 2, 6, 1])],
    );
    let checksum = |table: Vec<Vec<NodeId>>| {
        let bytes: Vec<u8> = table.iter().flatten().flat_map(|node| node.to_bytes()).collect();
        XxHash3_64::oneshot(&bytes)
    };
    assert_eq!(checksum(table(&equal(0..7), 2)), 0xd9ff_6448_805f_aa16);
    assert_eq!(checksum(table(&uneven, 3)), 0xb065_3184_5098_9033);
    assert_eq!(group(ExtentId::from_bytes([0x5a; 16])), 45);
}

#[test]
fn equal_nodes_hold_equal_shares() {
    for (nodes, parity) in [(6, 2), (7, 0), (7, 2), (8, 0), (8, 2), (8, 3), (12, 0), (12, 2), (12, 3)] {
        // Three clusters of each size, so that no lucky set of ids hides a skew.
        for cluster in 0..3 {
            let table = table(&equal((0..nodes).map(|i| i + 100 * cluster)), parity);
            let mean = 4096.0 * (6 + parity) as f64 / nodes as f64;
            let found = deviation(&table, |_| mean);
            assert!(found < 0.05, "{nodes} nodes, parity {parity}: {found}");
        }
    }
}

#[test]
fn weights_are_respected() {
    let check = |weights: &[u64], parity: usize, bound: f64| {
        let candidates = weighted(weights.iter().enumerate().map(|(seed, weight)| (seed as u64, *weight)));
        let sum = weights.iter().sum::<u64>() as f64;
        let table = table(&candidates, parity);
        let expected = |node| {
            let weight = candidates.iter().find(|c| c.node == node).unwrap().weight;
            4096.0 * (6 + parity) as f64 * weight as f64 / sum
        };
        let found = deviation(&table, expected);
        assert!(found < bound, "{weights:?}, parity {parity}: {found}");
    };
    check(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], 0, 0.05);
    check(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], 2, 0.05);
    check(&[10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21], 0, 0.05);
    check(&[4, 4, 4, 4, 4, 4, 3, 3], 0, 0.05);
    check(&[1 << 40; 9], 2, 0.05);
    check(&[5, 5, 5, 5, 5, 6, 6], 2, 0.05);
}

#[test]
fn a_node_that_is_too_large_takes_one_part_of_each_group() {
    let table = table(&weighted([(0, 100), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1)]), 0);
    assert!(table.iter().all(|nodes| nodes.contains(&node(0))));
    let found = deviation(&table, |n| if n == node(0) { 4096.0 } else { 4096.0 * 5.0 / 7.0 });
    assert!(found < 0.05, "{found}");
}

#[test]
fn a_joining_node_takes_its_share_and_nothing_else_moves() {
    for (nodes, parity) in [(6, 0), (7, 0), (8, 2), (9, 3), (12, 2)] {
        let (old, new) = (table(&equal(0..nodes), parity), table(&equal(0..nodes + 1), parity));
        let mut moved = 0;
        for (old, wanted) in old.iter().zip(&new) {
            let after = reassign(old, wanted);
            for (before, after) in old.iter().zip(&after) {
                if before != after {
                    assert_eq!(*after, node(nodes), "only the newcomer takes parts");
                    moved += 1;
                }
            }
        }
        let share = moved as f64 / (4096 * (6 + parity)) as f64;
        let ideal = 1.0 / (nodes + 1) as f64;
        assert!((share / ideal - 1.0).abs() < 0.05, "{nodes} nodes: {share} of the parts moved, {ideal} is ideal");
    }
}

#[test]
fn a_leaving_node_moves_only_its_own_parts() {
    let (old, new) = (table(&equal(0..9), 2), table(&equal((0..9).filter(|seed| *seed != 4)), 2));
    for (old, wanted) in old.iter().zip(&new) {
        let after = reassign(old, wanted);
        let mut sorted = (after.clone(), wanted.clone());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "the same nodes, in another order");
        assert!(old.iter().zip(&after).all(|(before, after)| before == after || *before == node(4)));
    }
}

#[test]
fn uneven_nodes_move_little_too() {
    let weights = |seed: u64| (seed, (seed % 3 + 1) << 40);
    let (old, new) = (table(&weighted((0..9).map(weights)), 2), table(&weighted((0..10).map(weights)), 2));
    let pairs = old.iter().zip(&new);
    let moved: usize = pairs.map(|(old, new)| reassign(old, new).iter().zip(old).filter(|(a, b)| a != b).count()).sum();
    let share = moved as f64 / (4096.0 * 8.0);
    // The newcomer's weight is 1 of 19.
    assert!(share < 1.6 / 19.0, "{share}");
}

#[test]
fn reassigning_keeps_indices_and_fills_places() {
    let ids = |seeds: &[u64]| seeds.iter().map(|seed| node(*seed)).collect::<Vec<_>>();
    let check = |current: &[u64], wanted: &[u64], expected: &[u64]| {
        assert_eq!(reassign(&ids(current), &ids(wanted)), ids(expected), "{current:?} to {wanted:?}");
    };
    check(&[0, 1, 2, 3, 4, 5], &[5, 4, 3, 2, 1, 0], &[0, 1, 2, 3, 4, 5]);
    check(&[0, 1, 2, 3, 4, 5], &[6, 0, 1, 2, 3, 5], &[0, 1, 2, 3, 6, 5]);
    check(&[0, 1, 2, 3, 4, 5, 0, 1], &[6, 0, 1, 2, 3, 4, 6, 0], &[0, 1, 2, 3, 4, 6, 0, 6]);
    // Two data places are open and a node is wanted twice: the second of it goes to the open parity place.
    check(&[0, 1, 2, 3, 4, 5, 0, 5], &[6, 7, 0, 1, 2, 3, 6, 0], &[0, 1, 2, 3, 6, 7, 0, 6]);
    check(&[], &[1, 2], &[1, 2]);
    check(&[1, 2, 3], &[2, 1], &[1, 2]);
}

#[test]
fn failure_domains_hold_equal_numbers_of_parts() {
    let candidates = |zones: u64, nodes: u64| -> Vec<Candidate> {
        (0..nodes).map(|seed| Candidate { node: node(seed), weight: 1, domain: Some(seed % zones) }).collect()
    };
    let zone = |found: &NodeId, zones| (0..12).find(|seed| node(*seed) == *found).unwrap() % zones;
    // (zones, nodes, parity, most parts in a zone)
    for (zones, nodes, parity, most) in
        [(3, 12, 3, 3), (4, 12, 2, 2), (3, 9, 0, 2), (2, 7, 0, 3), (1, 6, 2, 8), (5, 6, 2, 3)]
    {
        for nodes in table(&candidates(zones, nodes), parity) {
            for checked in 0..zones {
                let held = nodes.iter().filter(|node| zone(node, zones) == checked).count();
                assert!(held <= most, "{held} parts in one of {zones} zones");
            }
        }
    }
}

#[test]
fn too_few_nodes_are_refused() {
    let check = |nodes, parity, needed: Option<usize>| {
        let expected = needed.map(|needed| Error::TooFewNodes { present: nodes as usize, needed });
        assert_eq!(Placement::new(&equal(0..nodes), parity).err(), expected, "{nodes} nodes, parity {parity}");
    };
    check(0, 0, Some(6));
    check(5, 0, Some(6));
    check(6, 0, None);
    check(6, 1, Some(7));
    check(7, 1, None);
    check(3, 2, Some(4));
    check(4, 2, None);
    check(2, 3, Some(3));
    check(3, 3, None);
    assert!(matches!(Placement::new(&equal(0..20), 4), Err(Error::Layout(_))));
    // Nodes without weight and nodes that are named twice do not count.
    let mut six = equal(0..6);
    six[0].weight = 0;
    six.push(six[3]);
    assert_eq!(Placement::new(&six, 0).err(), Some(Error::TooFewNodes { present: 5, needed: 6 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_placement_keeps_its_promises(
        weights in proptest::collection::vec(prop_oneof![Just(1u64), any::<u64>(), 1u64..1000], 3..16),
        domains in 1u64..6,
        parity in 0usize..=3,
        group in 0..GROUPS,
    ) {
        let mut candidates = weighted(weights.into_iter().enumerate().map(|(seed, weight)| (seed as u64, weight)));
        for (index, candidate) in candidates.iter_mut().enumerate() {
            candidate.domain = (index % 4 > 0).then_some(index as u64 % domains);
        }
        let Ok(placement) = Placement::new(&candidates, parity) else { return Ok(()) };
        let nodes = placement.place(group);
        prop_assert_eq!(nodes.len(), 6 + parity);
        let usable = candidates.iter().filter(|c| c.weight > 0).count();
        let most = load(std::slice::from_ref(&nodes)).into_values().max().unwrap();
        prop_assert!(most <= nodes.len().div_ceil(usable));
        prop_assert!(most <= parity.max(1));
        if usable >= 6 {
            prop_assert_eq!(load(&[nodes[..6].to_vec()]).len(), 6);
        }
        prop_assert!(candidates.iter().filter(|c| c.weight == 0).all(|c| !nodes.contains(&c.node)));
        // The order of the candidates does not matter.
        candidates.reverse();
        prop_assert_eq!(Placement::new(&candidates, parity).unwrap().place(group), nodes);
    }
}

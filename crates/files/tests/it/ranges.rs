//! Any length, any range, any loss that parity allows for: the same bytes, from the parts that are needed.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use base::{
    ContentId,
    limits::{DATA_PARTS, UNIT_BYTES},
};
use bytes::Bytes;
use db::content as rows;
use files::Options;
use stripe::Manifest;
use testkit::sim::{Rng, node::Op};
use tokio::time::sleep;

use crate::world::{Process, World, quick, run_virtual, sample};

const LIMIT: Duration = Duration::from_secs(3600);
const STRIPE: usize = DATA_PARTS * UNIT_BYTES;

/// Around every edge: nothing, less than a byte for each part, units, stripes, several stripes.
const LENGTHS: [usize; 14] = [
    0,
    1,
    5,
    6,
    7,
    UNIT_BYTES - 1,
    UNIT_BYTES,
    UNIT_BYTES + 1,
    STRIPE - 1,
    STRIPE,
    STRIPE + 1,
    2 * STRIPE,
    2 * STRIPE + 4 * UNIT_BYTES + 12_345,
    3 * STRIPE + 1,
];

fn ranges(rng: &mut Rng, length: usize) -> Vec<Range<usize>> {
    let mut edges = vec![0, 1, UNIT_BYTES - 1, UNIT_BYTES, STRIPE - 1, STRIPE, STRIPE + 1, length / 2, length];
    edges.extend((0..4).map(|_| rng.below(length as u64 + 1) as usize));
    edges.retain(|edge| *edge <= length);
    let mut ranges = vec![0..length, 0..0, length..length];
    for _ in 0..6 {
        let (a, b) = (rng.below(edges.len() as u64) as usize, rng.below(edges.len() as u64) as usize);
        ranges.push(edges[a].min(edges[b])..edges[a].max(edges[b]));
    }
    ranges
}

async fn manifest(world: &World, content: ContentId) -> (base::ExtentId, Manifest) {
    let row = rows::extents(world.db(), content).await.unwrap().remove(0);
    (row.id, Manifest::decode(&row.manifest).unwrap())
}

/// Writes a content of each length, to a cluster where each part has a node of its own.
async fn written(parity: usize, options: Options) -> (Arc<World>, Process, Vec<(ContentId, Bytes)>) {
    let world = World::new(parity as u64, 6 + parity as u8, options).await;
    let gateway = world.gateway(1).await;
    let mut contents = Vec::new();
    let writes = async {
        for length in LENGTHS {
            let bytes = sample(length as u64, length);
            contents.push((gateway.write(&bytes).await.unwrap(), bytes));
        }
    };
    world.time.run(LIMIT, writes).await;
    (world, gateway, contents)
}

async fn any_loss_gives_the_same_bytes(parity: usize) {
    let (world, gateway, contents) = written(parity, quick(parity)).await;
    let mut rng = Rng::new(&[parity as u64, 5]);
    let reads = async {
        for (content, bytes) in &contents {
            let (extent, manifest) = manifest(&world, *content).await;
            for lost in 0..=parity {
                // Nodes that are away come back; parts that are damaged or gone stay so, and count from then on.
                let mut away = Vec::new();
                for _ in 0..lost {
                    let index = rng.below((6 + parity) as u64) as usize;
                    away.push(world.node(manifest.parts()[index].node));
                }
                away.iter().for_each(|node| node.crash());
                for range in ranges(&mut rng, bytes.len()) {
                    gateway.read(*content, bytes, range.clone()).await.unwrap_or_else(|error| {
                        panic!("{range:?} of {} with {lost} of {parity} nodes away: {error:?}", bytes.len())
                    });
                }
                away.iter().for_each(|node| node.restart());
                sleep(Duration::from_secs(5)).await;
            }
            for _ in 0..parity {
                let index = rng.below((6 + parity) as u64) as usize;
                let (node, part) = (world.node(manifest.parts()[index].node), extent.part(index as u8));
                let rotten = rng.chance(500) && node.rot(part, rng.below(1 << 20) as usize);
                if !rotten {
                    node.lose(part);
                }
                for range in ranges(&mut rng, bytes.len()) {
                    let read = gateway.read(*content, bytes, range.clone()).await;
                    read.unwrap_or_else(|error| panic!("{range:?} of {}: {error:?}", bytes.len()));
                }
            }
        }
    };
    world.time.run(LIMIT, reads).await;
}

#[test]
fn any_length_any_range_without_parity() {
    run_virtual(any_loss_gives_the_same_bytes(0));
}

#[test]
fn any_length_any_range_any_loss_of_two() {
    run_virtual(any_loss_gives_the_same_bytes(2));
}

#[test]
fn any_length_any_range_any_loss_of_three() {
    run_virtual(any_loss_gives_the_same_bytes(3));
}

#[test]
fn a_range_touches_the_parts_that_it_needs_and_no_others() {
    run_virtual(async {
        let (world, gateway, contents) = written(2, quick(2)).await;
        let mut rng = Rng::new(&[9]);
        let reads = async {
            for (content, bytes) in &contents {
                let (extent, manifest) = manifest(&world, *content).await;
                for range in ranges(&mut rng, bytes.len()) {
                    world.nodes().iter().for_each(|node| drop(node.note_asked()));
                    gateway.read(*content, bytes, range.clone()).await.unwrap();
                    let mut asked: BTreeMap<u8, Vec<Range<u64>>> = BTreeMap::new();
                    for node in world.nodes() {
                        for call in node.note_asked().into_iter().filter(|call| call.op == Op::Get) {
                            assert_eq!(call.part.extent(), extent);
                            asked.entry(call.part.index()).or_default().push(call.range);
                        }
                    }
                    let wanted = range.start as u64..range.end as u64;
                    let plan = manifest.layout().plan(bytes.len() as u64, wanted.clone()).unwrap();
                    let moved: u64 = asked.values().flatten().map(|range| range.end - range.start).sum();
                    assert_eq!(moved, wanted.end - wanted.start, "{range:?} of {}: {asked:?}", bytes.len());
                    for (index, ranges) in &asked {
                        let needed = plan.part_range(usize::from(*index)).expect("a part that was not needed");
                        assert!(ranges.iter().all(|it| it.start >= needed.start && it.end <= needed.end));
                    }
                }
            }
        };
        world.time.run(LIMIT, reads).await;
    });
}

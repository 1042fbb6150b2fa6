//! Random histories: clients, failures, and then the question whether every promise was kept.
//!
//! A few seeds are tried always. `HOLDFAST_SIM_SEEDS=300` tries so many more; a seed that failed is printed, and
//! `HOLDFAST_SIM_SEED=…` with the name of the test runs that one alone.

use std::{sync::Arc, time::Duration};

use db::{Lane, content as rows};
use testkit::sim::{Rng, SeedNote, seeds};
use tokio::time::sleep;

use crate::{
    check::{cluster_is_right, contents_are_right},
    ledger::{Fate, Ledger},
    nemesis::Nemesis,
    world::{World, quick, run_virtual},
};

/// How long things break.
const RAGE: Duration = Duration::from_secs(45);

/// How long coming to rest may take.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

#[test]
fn promises_are_kept_with_two_parity_parts() {
    try_seeds("promises_are_kept_with_two_parity_parts", 2, &[1, 2, 3, 4, 5, 6]);
}

#[test]
fn promises_are_kept_with_three_parity_parts() {
    try_seeds("promises_are_kept_with_three_parity_parts", 3, &[11, 12, 13]);
}

#[test]
fn promises_are_kept_without_parity() {
    try_seeds("promises_are_kept_without_parity", 0, &[21, 22, 23]);
}

fn try_seeds(test: &str, parity: usize, fixed: &[u64]) {
    let mut kept = 0;
    for seed in seeds(fixed) {
        let _note = SeedNote { test, seed };
        kept += run_virtual(history(seed, parity));
    }
    assert!(kept > 0, "nothing was written, so nothing was tested");
}

/// One history; returns how many contents were there at its end.
async fn history(seed: u64, parity: usize) -> usize {
    let nodes = Rng::new(&[seed]).between(8, 10) as u8;
    let world = World::new(seed, nodes, quick(parity)).await;
    let ledger = Ledger::default();
    let mut nemesis = Nemesis::begin(world.clone(), parity, ledger.clone()).await;
    let note = Deeds(&mut nemesis);
    world.time.run(LIMIT, note.0.rage(RAGE)).await;
    world.time.set_tick(Duration::from_millis(100));
    world.time.run(LIMIT, come_to_rest(&world, note.0, &ledger)).await;
    cluster_is_right(&world).await;
    world.time.run(LIMIT, contents_are_right(&world, &note.0.gateway, &ledger)).await
}

async fn come_to_rest(world: &Arc<World>, nemesis: &mut Nemesis, ledger: &Ledger) {
    nemesis.relent().await;
    // Intents of writers that died run out by themselves.
    sleep(3 * world.options.intent_lease).await;
    // What an upload sealed before it was given up, the upload's own expiry gives to the garbage.
    for (content, fate, _) in ledger.all() {
        let kept = fate == Fate::Kept || rows::content(world.db(), content).await.unwrap().is_some();
        if !kept {
            let (store, now) = (nemesis.worker.store.clone(), world.time.clock().now());
            let unit = async move |tx| store.discard_unfinished(&tx, content, now).await;
            world.db().write(Lane::Free, unit).await.unwrap();
        }
    }
    world.clean_sweep(&nemesis.worker).await;
}

/// Tells what was done if the history ends in a panic.
struct Deeds<'a>(&'a mut Nemesis);

impl Drop for Deeds<'_> {
    #[expect(clippy::print_stderr, reason = "it is what whoever reads the test's output looks for")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.deeds.join("\n"));
        }
    }
}

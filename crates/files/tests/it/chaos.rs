//! Clients that write, read and release, and keep a ledger of what they were told.

use std::time::Duration;

use base::limits::UNIT_BYTES;
use bytes::Bytes;
use db::Lane;
use files::{Error, NewExtent};
use testkit::sim::Rng;
use tokio::time::{Instant, sleep};

use crate::{
    ledger::{Fate, Ledger},
    world::{Door, Process, World, sample},
};

const WRITERS: u64 = 5;
const READERS: u64 = 4;

/// Lets clients loose on a gateway; they die with it.
pub(crate) fn let_loose(world: &World, gateway: &mut Process, ledger: &Ledger, life: u64) {
    for number in 0..WRITERS + READERS + 1 {
        let mut rng = Rng::new(&[world.seed, 100 + number, life]);
        let (door, ledger, clock) = (gateway.door.clone(), ledger.clone(), world.time.clock());
        let grace = world.options.garbage_grace;
        gateway.tasks.spawn(async move {
            loop {
                sleep(Duration::from_millis(rng.between(50, 4000))).await;
                if number < WRITERS {
                    write(&door, &ledger, &mut rng).await;
                } else if number < WRITERS + READERS {
                    read(&door, &ledger, &mut rng, grace).await;
                } else if let Some((content, _)) = ledger.any_kept(&mut rng) {
                    ledger.set(content, Fate::Unknown);
                    door.release(content, clock.now()).await.unwrap();
                    ledger.set(content, Fate::Gone);
                }
            }
        });
    }
}

/// Lengths around every edge, small ones mostly.
fn length(rng: &mut Rng) -> usize {
    let unit = UNIT_BYTES as u64;
    let length = match rng.below(20) {
        0 => rng.below(8),
        1..=9 => rng.below(64 << 10),
        10..=14 => rng.below(unit),
        15 => unit - 1 + rng.below(3),
        16 => 6 * unit - 1 + rng.below(3),
        17 | 18 => rng.below(6 * unit),
        _ => rng.below(14 * unit),
    };
    length as usize
}

async fn write(door: &Door, ledger: &Ledger, rng: &mut Rng) {
    let content = door.ids.content();
    let bytes = sample(rng.next(), length(rng));
    ledger.open(content, bytes.clone());
    // Some come in several extents, as resumed uploads do; those before the last are sealed on their own.
    let mut cuts = vec![0, bytes.len()];
    if rng.chance(200) {
        cuts.push(rng.below(bytes.len() as u64 + 1) as usize);
        cuts.sort_unstable();
    }
    let mut last = None;
    for (position, cut) in cuts.windows(2).enumerate() {
        if let Some(extent) = last.take() {
            let store = door.store.clone();
            let sealed = door.db.write(Lane::Free, async move |tx| store.seal(&tx, &extent).await).await;
            if sealed.is_err() {
                return;
            }
        }
        let piece = bytes.slice(cut[0]..cut[1]);
        let new = NewExtent {
            content,
            position: position as u32,
            start: cut[0] as u64,
            expected: rng.chance(700).then_some(piece.len() as u64),
            lane: Lane::Free,
        };
        match extent(door, new, &piece, rng).await {
            Ok(Some(extent)) => last = Some(extent),
            Ok(None) => return,
            Err(error) => return refusal_is_fair(&error),
        }
    }
    // A client that is slow to ask for the commit, now and then slower than its lease.
    if rng.chance(100) {
        sleep(Duration::from_millis(rng.below(25_000))).await;
    }
    ledger.set(content, Fate::Unknown);
    let extents = cuts.len() as u32 - 1;
    let sealed = seal(door, content, last.expect("there is a cut at least"), &bytes, extents).await;
    if let Err(error) = &sealed {
        refusal_is_fair(error);
    }
    ledger.set(content, if sealed.is_ok() { Fate::Kept } else { Fate::Gone });
}

async fn seal(
    door: &Door,
    content: base::ContentId,
    last: files::Extent,
    bytes: &Bytes,
    extents: u32,
) -> Result<(), Error> {
    let store = door.store.clone();
    let size = bytes.len() as u64;
    let created = base::Time::from_micros(0);
    let new = files::NewContent { id: content, size, blake3: None, extents, inline: None, created };
    let unit = async move |tx| {
        store.seal(&tx, &last).await?;
        store.insert_content(&tx, &new).await
    };
    door.db.write(Lane::Free, unit).await
}

/// Writes one extent as a client of some temper does; `None` if it gave up.
async fn extent(door: &Door, new: NewExtent, piece: &Bytes, rng: &mut Rng) -> Result<Option<files::Extent>, Error> {
    let mut writer = door.store.begin(new).await?;
    let stalls = rng.chance(100);
    let gives_up = rng.chance(80);
    let step = rng.between(1, 3 << 20) as usize;
    for at in (0..piece.len()).step_by(step) {
        writer.push(piece.slice(at..piece.len().min(at + step))).await?;
        if stalls && rng.chance(300) {
            sleep(Duration::from_millis(rng.below(12_000))).await;
        }
    }
    if gives_up {
        if rng.chance(500) {
            writer.abort().await;
        }
        return Ok(None);
    }
    writer.finish().await.map(Some)
}

/// A write may be refused for want of nodes, room or time, and for nothing else.
fn refusal_is_fair(error: &Error) {
    let fair = matches!(
        error,
        Error::TooFewNodes { .. }
            | Error::WriteFailed(_)
            | Error::Unreachable(_)
            | Error::Lost(_)
            | Error::Busy
            | Error::IntentGone
    );
    assert!(fair, "a write was refused with {error:?}");
}

async fn read(door: &Door, ledger: &Ledger, rng: &mut Rng, grace: Duration) {
    let Some((content, bytes)) = ledger.any_kept(rng) else { return };
    let length = bytes.len() as u64;
    let start = if rng.chance(500) { 0 } else { rng.below(length + 1) };
    let end = if rng.chance(500) { length } else { start + rng.below(length - start + 1) };
    let began = Instant::now();
    let Err(error) = door.read(content, &bytes, start as usize..end as usize).await else { return };
    // It may have been released meanwhile, or moved longer ago than old readers are spared.
    if ledger.fate(content) != Fate::Kept || began.elapsed() >= grace {
        return;
    }
    let fair = matches!(error, Error::Unreachable(_) | Error::Busy);
    assert!(fair, "{start}..{end} of {length} bytes of {content}: {error:?}");
}

//! The scrub: every part is read back by its node within a period, in small bites, from a persisted place.

use std::time::Duration;

use base::{ExtentId, Time};
use db::{Lane, content as rows, content::ExtentRow};
use futures::future::join_all;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stripe::{Manifest, PartState};

use crate::{Error, Store, heal};

/// Extents of one bite.
const BITE: u32 = 16;

/// The persisted state.
pub(crate) const SCRUB: &str = "scrub";

/// How far the pass is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) after: Option<ExtentId>,
    pub(crate) began_us: i64,
    pub(crate) extents: u64,
    pub(crate) parts: u64,
    /// Parts found bad in this pass.
    pub(crate) damaged: u64,
}

/// Reads parts back, marks those that are bad, and queues their repair.
pub struct Scrubber {
    store: Store,
    /// When the next bite is due, by this process's clock.
    next: Mutex<Duration>,
}

impl Scrubber {
    /// A scrubber of this store.
    pub fn new(store: Store) -> Self {
        Self { store, next: Mutex::new(Duration::ZERO) }
    }

    /// Checks one bite if one is due; says whether it was.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn round(&self) -> Result<bool, Error> {
        let inner = &self.store.inner;
        let now = inner.clock.elapsed();
        if now < *self.next.lock() {
            return Ok(false);
        }
        let checked = self.bite().await?;
        let (extents, _) = rows::extent_totals(&inner.db).await?;
        // At this pace a pass ends within its period; a bite that found the end waits like any other.
        let pause = inner.options.scrub_period.mul_f64(checked.max(1) as f64 / extents.max(1) as f64);
        *self.next.lock() = now + pause.min(Duration::from_secs(3600));
        Ok(checked > 0)
    }

    /// Checks the next extents whatever the time; returns how many.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn bite(&self) -> Result<u64, Error> {
        let inner = &self.store.inner;
        let now = inner.clock.now();
        let mut pass = load(&self.store).await?;
        if pass.after.is_none() {
            pass = Pass { began_us: now.as_micros(), ..Pass::default() };
        }
        let page = rows::extents_after(&inner.db, pass.after, BITE).await?;
        for row in &page {
            let (parts, damaged) = self.check(row, now).await?;
            pass.extents += 1;
            pass.parts += parts;
            pass.damaged += damaged;
        }
        pass.after = page.last().map(|row| row.id);
        let text = serde_json::to_string(&pass).expect("ids and numbers always serialise");
        inner.db.write(Lane::Free, async move |tx| rows::set_position(&tx, SCRUB, &text, now).await).await?;
        Ok(page.len() as u64)
    }

    /// Verifies all parts of an extent; returns how many were looked at and how many are newly found bad.
    async fn check(&self, row: &ExtentRow, now: Time) -> Result<(u64, u64), Error> {
        let inner = &self.store.inner;
        let manifest = Manifest::decode(&row.manifest)?;
        let verdicts = join_all(manifest.parts().iter().enumerate().map(|(index, place)| {
            let expected = proto::Receipt { length: manifest.part_length(index), checksum: place.checksum };
            let id = row.id.part(index as u8);
            async move {
                let peer = inner.nodes.peer(place.node).filter(|peer| inner.nodes.is_live(peer))?;
                Some(match peer.parts.verify(id).await {
                    Ok(held) if held == expected => Ok(()),
                    Ok(_) => Err(PartState::Damaged),
                    Err(error) if heal::is_bad(&error) => Err(heal::state_of(&error)),
                    Err(error) => {
                        inner.nodes.note_failure(&peer, &error);
                        return None;
                    }
                })
            }
        }))
        .await;
        let looked_at = verdicts.iter().flatten().count() as u64;
        let found: Vec<(usize, PartState)> = verdicts
            .iter()
            .enumerate()
            .filter_map(|(index, verdict)| match verdict {
                Some(Err(state)) if manifest.parts()[index].state == PartState::Ok => Some((index, *state)),
                _ => None,
            })
            .collect();
        metrics::counter!("holdfast_scrub_parts_total").increment(looked_at);
        if !found.is_empty() {
            metrics::counter!("holdfast_scrub_damaged_total").increment(found.len() as u64);
            // An extent that was moved or removed while its parts were read is not damaged: `mark` compares manifests.
            heal::mark(&self.store, row, &found).await?;
        } else if verdicts.iter().all(|verdict| matches!(verdict, Some(Ok(())))) {
            let row = row.clone();
            inner.db.write(Lane::Free, async move |tx| rows::set_verified(&tx, &row, now).await).await?;
        }
        // What the walk did not see because it came later: parts of a write for which a node was away.
        if found.is_empty() && heal::judge(&self.store, row)? == heal::Verdict::Mendable {
            let lost = manifest.parts().iter().filter(|part| part.state != PartState::Ok).count();
            let (ids, job) = (inner.ids.clone(), self.store.repair_job(row.id, lost as u32));
            inner.db.write(Lane::Free, async move |tx| bus::enqueue(&tx, &ids, now, job).await).await?;
        }
        Ok((looked_at, found.len() as u64))
    }
}

pub(crate) async fn load(store: &Store) -> Result<Pass, Error> {
    let stored = rows::position(&store.inner.db, SCRUB).await?;
    // A pass that cannot be read begins anew.
    Ok(stored.and_then(|(text, _)| serde_json::from_str(&text).ok()).unwrap_or_default())
}

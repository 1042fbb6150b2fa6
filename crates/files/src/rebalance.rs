//! Bringing parts to where the current epoch wants them, and mending those that are bad: a walk that finds the
//! extents, and queued jobs that heal them.
//!
//! The walk only reads; the jobs are rows, so any number of workers share them and none is forgotten when one dies.

use std::time::Duration;

use base::ExtentId;
use db::{Lane, content as rows};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stripe::Manifest;

use crate::{
    Error, REPAIR, Store,
    heal::{self, Healed, Verdict},
};

/// Rows that the walk reads at once.
const PAGE: u32 = 500;

/// Jobs that wait at most: the walk pauses when there are more.
const WAITING_MAX: u64 = 1000;

/// The persisted state of the walk.
pub(crate) const WALK: &str = "rebalance";

/// The persisted count of bytes that heal jobs wrote.
pub(crate) const MOVED: &str = "rebalance.moved";

/// How far the walk of an epoch is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Walk {
    pub(crate) epoch: u64,
    pub(crate) after: Option<ExtentId>,
    /// Extents that were queued in this pass.
    pub(crate) queued: u64,
    /// Extents that were found wrong in this pass and cannot be mended while nodes are away.
    #[serde(default)]
    pub(crate) stuck: u64,
    /// A whole pass found nothing wrong.
    pub(crate) settled: bool,
    /// Bytes that the survey at the beginning of the epoch found in the wrong place.
    pub(crate) planned_bytes: u64,
    /// [`MOVED`] when the epoch began.
    pub(crate) moved_before: u64,
    /// When the epoch's walk began, microseconds since 1970.
    pub(crate) began_us: i64,
}

/// Walks over all extents after each change of the placement and queues those that are not as they should be.
pub struct Rebalancer {
    store: Store,
    /// When the next pass may begin.
    next_pass: Mutex<Duration>,
}

/// How long after a new epoch the first pass begins: by then every gateway has heard of it, and what they sealed before
/// is seen. Also how long after a pass that found work the next one looks whether all of it is done.
const PASS_PAUSE: Duration = Duration::from_secs(5);

/// The same after a pass that found only what cannot be mended while nodes are away.
const STUCK_PAUSE: Duration = Duration::from_secs(60);

impl Rebalancer {
    /// A walker over this store.
    pub fn new(store: Store) -> Self {
        Self { store, next_pass: Mutex::new(Duration::ZERO) }
    }

    /// Looks at one page; says whether there is more to look at now.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Manifest`].
    pub async fn round(&self) -> Result<bool, Error> {
        let inner = &self.store.inner;
        let epoch = inner.nodes.epoch();
        if epoch == 0 {
            return Ok(false);
        }
        let mut walk = load(&self.store).await?;
        if walk.epoch != epoch {
            walk = self.survey(epoch).await?;
            self.save(&walk).await?;
            *self.next_pass.lock() = inner.clock.elapsed() + PASS_PAUSE;
        }
        if walk.settled || queue(&self.store).await?.0 >= WAITING_MAX {
            return Ok(false);
        }
        if walk.after.is_none() && inner.clock.elapsed() < *self.next_pass.lock() {
            return Ok(false);
        }
        let page = rows::extents_after(&inner.db, walk.after, PAGE).await?;
        if page.is_empty() {
            let pause = if walk.queued > 0 { PASS_PAUSE } else { STUCK_PAUSE };
            *self.next_pass.lock() = inner.clock.elapsed() + pause;
            walk.settled = walk.queued + walk.stuck == 0;
            (walk.after, walk.queued, walk.stuck) = (None, 0, 0);
            self.save(&walk).await?;
            return Ok(false);
        }
        let mut jobs = Vec::new();
        for row in &page {
            match heal::judge(&self.store, row)? {
                Verdict::Right => {}
                Verdict::Stuck => walk.stuck += 1,
                Verdict::Mendable => {
                    let manifest = Manifest::decode(&row.manifest)?;
                    let lost = manifest.parts().iter().filter(|part| part.state != stripe::PartState::Ok).count();
                    jobs.push(self.store.repair_job(row.id, lost as u32));
                }
            }
        }
        walk.queued += jobs.len() as u64;
        walk.after = page.last().map(|row| row.id);
        if !jobs.is_empty() {
            let (ids, now) = (inner.ids.clone(), inner.clock.now());
            inner
                .db
                .write(Lane::Free, async move |tx| {
                    for job in jobs {
                        bus::enqueue(&tx, &ids, now, job).await?;
                    }
                    Ok::<_, Error>(())
                })
                .await?;
        }
        self.save(&walk).await?;
        Ok(true)
    }

    /// Adds up what the new epoch wants moved, so that people can be told how long it will take.
    async fn survey(&self, epoch: u64) -> Result<Walk, Error> {
        let inner = &self.store.inner;
        let mut planned_bytes = 0;
        let mut after = None;
        loop {
            let page = rows::extents_after(&inner.db, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for row in &page {
                let manifest = Manifest::decode(&row.manifest)?;
                let Ok(placement) = inner.nodes.placement(manifest.layout().parity()) else { continue };
                let current: Vec<_> = manifest.parts().iter().map(|part| part.node).collect();
                let wanted = stripe::reassign(&current, placement.nodes(row.group));
                planned_bytes += (0..manifest.layout().parts())
                    .filter(|index| wanted[*index] != current[*index])
                    .map(|index| manifest.part_length(index))
                    .sum::<u64>();
            }
        }
        tracing::info!(epoch, bytes = planned_bytes, "a rebalance begins");
        Ok(Walk {
            epoch,
            planned_bytes,
            moved_before: moved(&self.store).await?,
            began_us: inner.clock.now().as_micros(),
            ..Walk::default()
        })
    }

    async fn save(&self, walk: &Walk) -> Result<(), Error> {
        let text = serde_json::to_string(walk).expect("ids and numbers always serialise");
        let now = self.store.inner.clock.now();
        self.store.inner.db.write(Lane::Free, async move |tx| rows::set_position(&tx, WALK, &text, now).await).await?;
        Ok(())
    }
}

pub(crate) async fn load(store: &Store) -> Result<Walk, Error> {
    let stored = rows::position(&store.inner.db, WALK).await?;
    // A walk that cannot be read begins anew: it is only a place in a pass.
    Ok(stored.and_then(|(text, _)| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// How many heal jobs wait or run, and how many were given up.
pub(crate) async fn queue(store: &Store) -> Result<(u64, u64), Error> {
    let queues = db::jobs::queues(&store.inner.db).await?;
    Ok(queues.iter().find(|queue| queue.kind == REPAIR).map_or((0, 0), |queue| (queue.waiting, queue.dead)))
}

pub(crate) async fn moved(store: &Store) -> Result<u64, Error> {
    let stored = rows::position(&store.inner.db, MOVED).await?;
    Ok(stored.and_then(|(text, _)| text.parse().ok()).unwrap_or(0))
}

/// How long an extent waits whose nodes are not there, or whose old parts are still to be removed.
const LATER: Duration = Duration::from_secs(10);

/// Heals one extent for each job of its kind.
pub struct RepairHandler {
    store: Store,
}

#[derive(Deserialize)]
struct Payload {
    extent: ExtentId,
}

impl RepairHandler {
    /// A handler over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait::async_trait]
impl bus::Handler for RepairHandler {
    fn kind(&self) -> &'static str {
        REPAIR
    }

    async fn handle(&self, job: &bus::Leased) -> Result<(), bus::HandlerError> {
        let payload: Payload = job.payload()?;
        match heal::heal(&self.store, payload.extent).await {
            Ok(Healed::Nothing | Healed::Gone) => Ok(()),
            Ok(Healed::Moved { bytes, leaves_wrong }) => {
                metrics::counter!("holdfast_parts_moved_bytes_total").increment(bytes);
                let now = self.store.inner.clock.now();
                let counted = self
                    .store
                    .inner
                    .db
                    .write(Lane::Free, async move |tx| rows::add_count(&tx, MOVED, bytes, now).await)
                    .await;
                counted?;
                if leaves_wrong { Err(bus::HandlerError::NotYet(LATER)) } else { Ok(()) }
            }
            Ok(Healed::Later) => Err(bus::HandlerError::NotYet(LATER)),
            Err(error @ Error::Lost(_)) => Err(bus::HandlerError::Hopeless(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

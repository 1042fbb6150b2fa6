//! Units of work that wait for a commit on PostgreSQL: one queue for each space, and turns among the queues.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base::{SpaceId, limits::GROUP_COMMIT_MAX};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Lane, unit::Unit};

/// Units that may wait or run; a caller beyond them waits for room, which is the back pressure on the edge.
const QUEUE_MAX: u32 = 16 * GROUP_COMMIT_MAX as u32;

/// The queues. A space has at most one committer at a time, which keeps its units in order.
pub(super) struct Lanes {
    state: Mutex<State>,
    /// One permit for each turn in `State::turns`.
    turns: Semaphore,
    /// Room for units. Each holds a permit until it was answered.
    room: Arc<Semaphore>,
    commits: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The spaces that wait for a turn or have one, with the units that are yet to be taken.
    spaces: HashMap<SpaceId, VecDeque<Queued>>,
    turns: VecDeque<Turn>,
}

enum Turn {
    Space(SpaceId),
    Alone(Queued),
}

/// A unit that waits, with its share of the room.
pub(super) struct Queued {
    pub(super) unit: Box<dyn Unit>,
    _room: OwnedSemaphorePermit,
}

impl Queued {
    pub(super) fn settle(self, fate: Result<(), Error>) {
        self.unit.settle(fate);
    }
}

/// What a committer carries in one transaction. To be given back to [`Lanes::done`].
pub(super) struct Batch {
    space: Option<SpaceId>,
    pub(super) units: Vec<Queued>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            turns: Semaphore::new(0),
            room: Arc::new(Semaphore::new(QUEUE_MAX as usize)),
            commits: AtomicU64::new(0),
        }
    }

    pub(super) async fn push(&self, lane: Lane, unit: Box<dyn Unit>) -> Result<(), Error> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| Error::closed())?;
        let queued = Queued { unit, _room: room };
        let mut state = self.state.lock();
        let turn = match lane {
            Lane::Free => Turn::Alone(queued),
            Lane::Space(space) => {
                if let Some(waiting) = state.spaces.get_mut(&space) {
                    waiting.push_back(queued);
                    return Ok(());
                }
                state.spaces.insert(space, VecDeque::from([queued]));
                Turn::Space(space)
            }
        };
        state.turns.push_back(turn);
        self.turns.add_permits(1);
        Ok(())
    }

    /// Waits for a turn, and takes what waits in its lane.
    pub(super) async fn next(&self) -> Batch {
        self.turns.acquire().await.expect("the turns are never closed").forget();
        let mut state = self.state.lock();
        match state.turns.pop_front().expect("a permit stands for a turn") {
            Turn::Alone(queued) => Batch { space: None, units: vec![queued] },
            Turn::Space(space) => {
                let waiting = state.spaces.get_mut(&space).expect("a space with a turn has a queue");
                let take = waiting.len().min(GROUP_COMMIT_MAX);
                Batch { space: Some(space), units: waiting.drain(..take).collect() }
            }
        }
    }

    /// Ends a batch's turn; what gathered in its lane meanwhile gets another one, behind those that wait.
    pub(super) fn done(&self, batch: Batch) {
        let waiting = QUEUE_MAX as usize - self.room.available_permits();
        metrics::gauge!("holdfast_db_queue_units", "engine" => "postgres").set(waiting as f64);
        let Some(space) = batch.space else { return };
        let mut state = self.state.lock();
        if state.spaces.get(&space).is_some_and(|waiting| !waiting.is_empty()) {
            state.turns.push_back(Turn::Space(space));
            self.turns.add_permits(1);
        } else {
            state.spaces.remove(&space);
        }
    }

    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Waits until every unit was answered, and takes no more.
    pub(super) async fn close(&self) {
        // All the room there is: those who came before have it until they are answered.
        let all = self.room.acquire_many(QUEUE_MAX).await;
        self.room.close();
        drop(all);
    }
}

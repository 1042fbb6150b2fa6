//! Reading a content: only the parts that a range needs, ahead of the reader, around what is slow, gone or damaged.

use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use base::ContentId;
use bytes::{Bytes, BytesMut};
use db::content::ExtentRow;
use futures::{
    StreamExt,
    future::join_all,
    stream::{self, BoxStream},
};
use stripe::{Layout, Manifest, PartState, Plan};

use crate::{
    Error, Store,
    budget::Window,
    feed::{Check, Failed, Feed},
    heal,
    nodes::Peer,
};

/// A content's bytes on their way. An error ends it; what came before was right.
pub type ByteStream = BoxStream<'static, Result<Bytes, Error>>;

/// Ranges of at most this many bytes are fetched in one go and handed out as one piece.
const ONE_PIECE_MAX: u64 = 1 << 20;

impl Store {
    /// Bytes `range` of a content of `size` bytes.
    ///
    /// The first bytes are fetched before this returns, so that a caller can still answer with an error.
    ///
    /// # Errors
    /// [`Error::NoContent`], [`Error::Range`], [`Error::Unreachable`], [`Error::Lost`], [`Error::Busy`], [`Error::Db`].
    pub async fn read(&self, content: ContentId, size: u64, range: Range<u64>) -> Result<ByteStream, Error> {
        if range.start > range.end || range.end > size {
            return Err(Error::Range);
        }
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let rows = db::content::extents(&self.inner.db, content).await?;
        if rows.is_empty() {
            return self.read_inline(content, range).await;
        }
        let mut extents: VecDeque<(ExtentRow, Range<u64>)> = rows
            .into_iter()
            .filter_map(|row| {
                let start = range.start.max(row.start);
                let end = range.end.min(row.start + row.length);
                (start < end).then(|| (start - row.start..end - row.start, row)).map(|(within, row)| (row, within))
            })
            .collect();
        let covered: u64 = extents.iter().map(|(_, within)| within.end - within.start).sum();
        // A content whose extents do not make up its bytes must never be served as if it were whole.
        if covered != range.end - range.start {
            return Err(Error::NoContent);
        }
        if extents.len() == 1 && covered <= ONE_PIECE_MAX {
            let Some((row, within)) = extents.pop_front() else { return Err(Error::NoContent) };
            let bytes = self.read_piece(row, within).await?;
            return Ok(stream::iter([Ok(bytes)]).boxed());
        }
        let mut reader = ContentReader { store: self.clone(), extents, current: None };
        let first = reader.next().await?;
        let rest = stream::unfold(Some(reader), |state| async move {
            let mut reader = state?;
            match reader.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reader))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(stream::iter(first.map(Ok)).chain(rest).boxed())
    }

    async fn read_inline(&self, content: ContentId, range: Range<u64>) -> Result<ByteStream, Error> {
        let row = db::content::content(&self.inner.db, content).await?.ok_or(Error::NoContent)?;
        let bytes = Bytes::from(row.inline.ok_or(Error::NoContent)?);
        if range.end > bytes.len() as u64 {
            return Err(Error::NoContent);
        }
        let bytes = bytes.slice(range.start as usize..range.end as usize);
        Ok(stream::iter([Ok(bytes)]).boxed())
    }

    /// A short range of one extent, all its pieces asked for at once.
    async fn read_piece(&self, row: ExtentRow, range: Range<u64>) -> Result<Bytes, Error> {
        let length = (range.end - range.start) as usize;
        let window = self.inner.budget.take(length, length).await?;
        let manifest = Manifest::decode(&row.manifest)?;
        let plan = manifest.layout().plan(manifest.length(), range.clone())?;
        let pieces: Vec<_> = plan.clone().collect();
        let fetch = join_all(pieces.iter().map(|piece| {
            let range = piece.part_offset..piece.part_offset + piece.length as u64;
            self.fetch(&row, &manifest, piece.part, range)
        }));
        let limit = if manifest.layout().parity() > 0 { self.inner.options.hedge_after } else { Duration::MAX };
        if let Ok(fetched) = tokio::time::timeout(limit, fetch).await {
            if fetched.iter().all(Result::is_ok) {
                let mut all = BytesMut::with_capacity(length);
                for bytes in fetched.into_iter().flatten() {
                    all.extend_from_slice(&bytes);
                }
                return Ok(all.freeze());
            }
        } else {
            metrics::counter!("holdfast_reads_hedged_total").increment(1);
        }
        // The reader takes a share of its own. Holding this one while it waits, two readers could wait for each other.
        drop(window);
        let mut reader = ExtentReader::new(self.clone(), row, manifest, plan).await?;
        let mut all = BytesMut::with_capacity(length);
        while let Some(bytes) = reader.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }

    /// A range of a part, whole in memory. A whole part is checked against the manifest too.
    async fn fetch(
        &self,
        row: &ExtentRow,
        manifest: &Manifest,
        part: usize,
        range: Range<u64>,
    ) -> Result<Bytes, proto::Error> {
        let place = &manifest.parts()[part];
        let id = row.id.part(part as u8);
        match place.state {
            PartState::Ok => {}
            PartState::Missing => return Err(proto::Error::NotFound(id)),
            PartState::Damaged => return Err(proto::Error::Damaged(id, "known to be damaged".into())),
        }
        let peer = self
            .inner
            .nodes
            .peer(place.node)
            .filter(|peer| manifest.layout().parity() == 0 || self.inner.nodes.is_answering(peer))
            .ok_or_else(|| proto::Error::Unavailable("its node does not answer".into()))?;
        let length = (range.end - range.start) as usize;
        let whole = length as u64 == manifest.part_length(part);
        let result = match peer.parts.get(id, range).await {
            Ok(body) => body.collect(length).await,
            Err(error) => Err(error),
        };
        let result = result.and_then(|bytes| {
            if bytes.len() != length {
                return Err(proto::Error::Body("the part ended early".into()));
            }
            if whole && proto::checksum(&bytes) != place.checksum {
                return Err(proto::Error::Damaged(id, "its checksum is not the one of the manifest".into()));
            }
            Ok(bytes)
        });
        if let Err(error) = &result {
            self.inner.nodes.note_failure(&peer, error);
        }
        result
    }
}

/// Reads the extents of a content one after another.
struct ContentReader {
    store: Store,
    extents: VecDeque<(ExtentRow, Range<u64>)>,
    current: Option<ExtentReader>,
}

impl ContentReader {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(reader) = &mut self.current {
                if let Some(bytes) = reader.next().await? {
                    return Ok(Some(bytes));
                }
                self.current = None;
            }
            let Some((row, within)) = self.extents.pop_front() else { return Ok(None) };
            let manifest = Manifest::decode(&row.manifest)?;
            let plan = manifest.layout().plan(manifest.length(), within)?;
            self.current = Some(ExtentReader::new(self.store.clone(), row, manifest, plan).await?);
        }
    }
}

/// Reads a range of one extent.
///
/// It begins with just the data parts that the range touches. When one of them fails, or stays silent for longer than
/// the hedge delay, it turns to reconstruction from the stripe where it stands: six parts that answer, parity among
/// them, give every byte of the stripes that are left.
struct ExtentReader {
    store: Store,
    row: ExtentRow,
    manifest: Manifest,
    plan: Plan,
    /// Parts that are not asked again, and why.
    failed: Vec<(usize, proto::Error)>,
    mode: Mode,
    /// No node is passed over any more for being slow or having failed a moment ago: without them there are too few.
    patient: bool,
    /// Bytes were handed out.
    has_begun: bool,
    /// The share of the process's budget; `None` only while it is exchanged.
    window: Option<Window>,
    /// What the share was asked for.
    window_bytes: usize,
}

enum Mode {
    /// Nothing is open yet.
    Closed,
    /// A feed for each data part that is needed.
    Direct(Vec<Option<Feed>>),
    /// Feeds of six parts, whole stripes at a time; pieces of the current stripe that are still to be handed out.
    Rebuild { feeds: Vec<(usize, Feed)>, ready: VecDeque<Bytes> },
}

impl ExtentReader {
    async fn new(store: Store, row: ExtentRow, manifest: Manifest, plan: Plan) -> Result<Self, Error> {
        let layout = manifest.layout();
        let range = plan.range();
        let window_bytes = 3 * layout.stripe_bytes().min((range.end - range.start) as usize);
        let window = Some(store.inner.budget.take(window_bytes, 2 * layout.unit()).await?);
        let failed = manifest
            .parts()
            .iter()
            .enumerate()
            .filter_map(|(index, part)| {
                let id = row.id.part(index as u8);
                match part.state {
                    PartState::Ok => None,
                    PartState::Missing => Some((index, proto::Error::NotFound(id))),
                    PartState::Damaged => Some((index, proto::Error::Damaged(id, "known to be damaged".into()))),
                }
            })
            .collect();
        let mode = Mode::Closed;
        Ok(Self { store, row, manifest, plan, failed, mode, patient: false, has_begun: false, window, window_bytes })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = self.find_next().await?;
        self.has_begun |= piece.is_some();
        Ok(piece)
    }

    fn is_wide(&self) -> bool {
        self.window.as_ref().is_some_and(Window::is_wide)
    }

    async fn find_next(&mut self) -> Result<Option<Bytes>, Error> {
        let is_wide = self.is_wide();
        loop {
            if let Mode::Rebuild { ready, .. } = &mut self.mode
                && let Some(bytes) = ready.pop_front()
            {
                return Ok(Some(bytes));
            }
            if self.plan.range().is_empty() {
                return Ok(None);
            }
            let failure = match &mut self.mode {
                Mode::Closed => {
                    self.open().await?;
                    continue;
                }
                Mode::Direct(feeds) => {
                    let Some(piece) = self.plan.clone().next() else { return Ok(None) };
                    let hedge = (self.manifest.layout().parity() > 0 && !self.patient)
                        .then_some(self.store.inner.options.hedge_after);
                    let taken = match &mut feeds[piece.part] {
                        Some(feed) => hedged(hedge, feed.some(piece.length)).await,
                        None if is_wide => Err(proto::Error::Unavailable("its node does not answer".into()).into()),
                        None => {
                            // A narrow window holds one piece at a time, so each is asked for on its own.
                            let range = piece.part_offset..piece.part_offset + piece.length as u64;
                            self.store.fetch(&self.row, &self.manifest, piece.part, range).await.map_err(Failed::from)
                        }
                    };
                    match taken {
                        Ok(bytes) => {
                            self.plan.pass(bytes.len() as u64);
                            return Ok(Some(bytes));
                        }
                        Err(failed) => (piece.part, failed),
                    }
                }
                Mode::Rebuild { feeds, ready } => {
                    match rebuild_stripe(&self.store, &self.manifest, &self.plan, feeds, &self.failed, self.patient)
                        .await?
                    {
                        Ok((pieces, after)) => {
                            *ready = pieces;
                            self.plan = after;
                            continue;
                        }
                        Err(failure) => failure,
                    }
                }
            };
            self.give_up_on(failure).await?;
        }
    }

    /// Opens feeds: directly if every part that is needed can be had, else for reconstruction.
    async fn open(&mut self) -> Result<(), Error> {
        let layout = self.manifest.layout();
        let needed: Vec<Option<Range<u64>>> = (0..layout.data()).map(|part| self.plan.part_range(part)).collect();
        let blocked = needed.iter().enumerate().any(|(part, range)| range.is_some() && self.peer(part).is_none());
        if !blocked {
            let feeds = needed
                .into_iter()
                .enumerate()
                .map(|(part, range)| {
                    let range = range.filter(|_| self.is_wide())?;
                    let peer = self.peer(part)?;
                    Some(self.feed(part, peer, range))
                })
                .collect();
            self.mode = Mode::Direct(feeds);
            return Ok(());
        }
        self.open_rebuild().await
    }

    async fn open_rebuild(&mut self) -> Result<(), Error> {
        self.mode = Mode::Closed;
        self.widen().await?;
        let layout = self.manifest.layout();
        let mut sources = self.sources();
        if sources.len() < layout.data() && !self.patient {
            // Parts that are bad stay ruled out; nodes that were slow or did not answer are asked once more, and then
            // waited for as long as it takes.
            self.patient = true;
            self.failed.retain(|(_, error)| heal::is_bad(error));
            sources = self.sources();
        }
        if sources.len() < layout.data() {
            return Err(self.hopeless());
        }
        let feeds = sources
            .into_iter()
            .map(|(index, peer)| (index, self.feed(index, peer, self.plan.stripe_range(index))))
            .collect();
        metrics::counter!("holdfast_reads_degraded_total").increment(1);
        self.mode = Mode::Rebuild { feeds, ready: VecDeque::new() };
        Ok(())
    }

    /// The first parts whose nodes are worth asking, as many as it takes to rebuild the others.
    fn sources(&self) -> Vec<(usize, Arc<Peer>)> {
        let layout = self.manifest.layout();
        (0..layout.parts()).filter_map(|index| Some((index, self.peer(index)?))).take(layout.data()).collect()
    }

    /// Rebuilding holds stripes of six parts, however little of them is wanted.
    async fn widen(&mut self) -> Result<(), Error> {
        let stripe = self.manifest.layout().stripe_bytes().min(self.manifest.length() as usize);
        if self.is_wide() && self.window_bytes >= 3 * stripe {
            return Ok(());
        }
        // The old share goes back first: two readers that wait for each other's would both fail.
        self.window = None;
        self.window = Some(self.store.inner.budget.take(3 * stripe, 2 * stripe).await?);
        self.window_bytes = 3 * stripe;
        Ok(())
    }

    /// The node of a part that is worth asking. Without parity there is no choice, so every known node is.
    fn peer(&self, part: usize) -> Option<Arc<Peer>> {
        if self.failed.iter().any(|(index, _)| *index == part) {
            return None;
        }
        let peer = self.store.inner.nodes.peer(self.manifest.parts()[part].node)?;
        let asked_anyway = self.manifest.layout().parity() == 0 || self.patient;
        (asked_anyway || self.store.inner.nodes.is_answering(&peer)).then_some(peer)
    }

    fn feed(&self, part: usize, peer: Arc<Peer>, range: Range<u64>) -> Feed {
        let whole = range == (0..self.manifest.part_length(part));
        let check = if whole { Check::Whole(self.manifest.parts()[part].checksum) } else { Check::Piece };
        Feed::open(&self.store.inner.nodes, peer, self.row.id.part(part as u8), range, check)
    }

    /// Rules a part out and opens the others from where the reader stands.
    async fn give_up_on(&mut self, (part, failed): (usize, Failed)) -> Result<(), Error> {
        let Failed { error, taints } = failed;
        tracing::warn!(part = %self.row.id.part(part as u8), %error, "reading around a part");
        if heal::is_bad(&error) {
            let found = [(part, heal::state_of(&error))];
            if let Err(error) = heal::mark(&self.store, &self.row, &found).await {
                tracing::warn!(%error, "a damaged part could not be noted; the scrub will find it");
            }
        }
        self.failed.push((part, error));
        if self.manifest.layout().parity() == 0 {
            return Err(self.hopeless());
        }
        if taints && self.has_begun {
            // The reader has wrong bytes already, and must not take them for right. The next one reads around the part.
            return Err(match self.failed.pop() {
                Some((_, error)) => Error::Unreachable(error),
                None => self.hopeless(),
            });
        }
        self.open_rebuild().await
    }

    /// Too few parts are left: says whether they are bad or only out of reach.
    fn hopeless(&self) -> Error {
        let reachable = self.failed.iter().find(|(_, error)| !heal::is_bad(error));
        match (reachable, self.failed.first()) {
            (None, Some((_, error))) if self.failed.len() > self.manifest.layout().parity() => {
                Error::Lost(error.clone())
            }
            (Some((_, error)), _) => Error::Unreachable(error.clone()),
            (None, _) => Error::Unreachable(proto::Error::Unavailable("too few of its nodes answer".into())),
        }
    }
}

async fn hedged(limit: Option<Duration>, take: impl Future<Output = Result<Bytes, Failed>>) -> Result<Bytes, Failed> {
    let Some(limit) = limit else { return take.await };
    tokio::time::timeout(limit, take).await.unwrap_or_else(|_| {
        metrics::counter!("holdfast_reads_hedged_total").increment(1);
        Err(proto::Error::Unavailable("its node is slow".into()).into())
    })
}

type Stripe = (VecDeque<Bytes>, Plan);

/// The pieces of the stripe that comes next, and the plan after it. The inner error names the part that failed.
async fn rebuild_stripe(
    store: &Store,
    manifest: &Manifest,
    plan: &Plan,
    feeds: &mut [(usize, Feed)],
    failed: &[(usize, proto::Error)],
    patient: bool,
) -> Result<Result<Stripe, (usize, Failed)>, Error> {
    let layout: Layout = manifest.layout();
    let stripe = plan.stripes().start;
    let lengths = layout.unit_lengths(layout.stripe_length(manifest.length(), stripe));
    let length_of = |index: usize| lengths.get(index).copied().unwrap_or(lengths[0]);
    let mut units: Vec<Option<Bytes>> = vec![None; layout.parts()];
    let mut slow = None;
    // With spare parts left a silent node is not waited for; without, there is no other choice.
    let spare = !patient && layout.parts() > feeds.len() + failed.len();
    let hedge = spare.then_some(store.inner.options.hedge_after);
    for (index, feed) in feeds.iter_mut() {
        match hedged(hedge, feed.take(length_of(*index))).await {
            Ok(unit) => units[*index] = Some(unit),
            Err(failed) => {
                slow = Some((*index, failed));
                break;
            }
        }
    }
    if let Some(failure) = slow {
        return Ok(Err(failure));
    }
    let mut rebuilt: Vec<(usize, Vec<u8>)> = (0..layout.data())
        .filter(|index| units[*index].is_none())
        .map(|index| (index, vec![0; lengths[index]]))
        .collect();
    if !rebuilt.is_empty() {
        let present: Vec<Option<&[u8]>> = units.iter().map(|unit| unit.as_deref()).collect();
        let mut wanted: Vec<(usize, &mut [u8])> =
            rebuilt.iter_mut().map(|(index, unit)| (*index, unit.as_mut_slice())).collect();
        store.codec(layout)?.reconstruct(&lengths, &present, &mut wanted)?;
    }
    for (index, unit) in rebuilt {
        units[index] = Some(Bytes::from(unit));
    }
    let unit_start = stripe * layout.unit() as u64;
    let mut pieces = VecDeque::new();
    let mut after = plan.clone();
    loop {
        let mut ahead = after.clone();
        let Some(piece) = ahead.next().filter(|piece| piece.stripe == stripe) else { break };
        let unit = units[piece.part].as_ref().expect("every data unit was read or rebuilt above");
        let from = (piece.part_offset - unit_start) as usize;
        pieces.push_back(unit.slice(from..from + piece.length));
        after = ahead;
    }
    Ok(Ok((pieces, after)))
}

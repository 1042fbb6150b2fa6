//! What a plain upload holds until it is committed, and gives back if it is not.

use std::time::Duration;

use base::{ContentId, SpaceId, Time, UploadId};
use db::uploads::{self, UploadRow};
use files::Writers;

use crate::{
    Actor, Drive, Error,
    upload::{CANCELLED, KIND_PUT, Seat},
    work::{Work, signed},
};

/// How long a reservation lives without a sign of life: nothing goes on with the upload of a process that died, so its room is
/// not held as long as that of an upload that can be resumed.
const RESERVATION_LIFE: Duration = Duration::from_secs(3600);

/// Holds an intent to write and perhaps a reservation. Unless it is disarmed, both are given back: by [`Guard::give_up`],
/// or in a task of the drive when the guard is dropped because the client went away.
pub(crate) struct Guard {
    drive: Drive,
    space: SpaceId,
    content: ContentId,
    reservation: Option<UploadId>,
    /// Where an administrator who ends the upload finds it.
    seat: Option<Seat>,
    /// When the reservation last gave a sign of life, by the monotonic clock.
    renewed: Duration,
    /// Whether bytes may have gone to nodes.
    pub(crate) writing: bool,
    armed: bool,
}

impl Guard {
    /// Nothing is held yet.
    pub(crate) fn new(drive: &Drive, space: SpaceId, content: ContentId) -> Self {
        let (drive, renewed) = (drive.clone(), drive.inner.clock.elapsed());
        Self { drive, space, content, reservation: None, seat: None, renewed, writing: false, armed: true }
    }

    /// Reserves room for a long body, so that others cannot take it while the bytes flow. A row states it, and has to be
    /// renewed: if this process dies, the reservation ends with the row's expiry.
    ///
    /// # Errors
    /// [`Error::Quota`].
    pub(crate) async fn reserve(&mut self, actor: &Actor, bytes: u64) -> Result<(), Error> {
        let (drive, space, content) = (self.drive.clone(), self.space, self.content);
        let (id, account, theirs) = (drive.inner.ids.upload(), actor.principal.account, actor.clone());
        self.drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, Some(&theirs)).await?;
                work.fits(bytes)?;
                work.count(0, signed(bytes)?).await?;
                let row = UploadRow {
                    id,
                    account,
                    space,
                    parent: work.space.root,
                    name: String::new(),
                    content_type: String::new(),
                    on_conflict: String::new(),
                    kind: KIND_PUT.to_owned(),
                    state: "open".to_owned(),
                    length: Some(bytes),
                    received: 0,
                    extents: 0,
                    hash_state: None,
                    generation: 0,
                    content,
                    reserved: bytes,
                    entry: None,
                    metadata: String::new(),
                    created: work.now,
                    expires: reservation_expiry(&drive, work.now),
                };
                Ok(uploads::insert_upload(&tx, &row).await?)
            })
            .await?;
        self.reservation = Some(id);
        self.seat = Some(self.drive.inner.running.enter(id, 0)?);
        Ok(())
    }

    /// To be called while bytes flow: keeps the reservation, where it would be taken for a dead process's soon.
    ///
    /// # Errors
    /// [`Error::UploadCancelled`].
    pub(crate) async fn keep_alive(&mut self) -> Result<(), Error> {
        let Some(id) = self.reservation else { return Ok(()) };
        if self.seat.as_ref().is_some_and(|seat| seat.cut.is_cancelled()) {
            return Err(Error::UploadCancelled);
        }
        let elapsed = self.drive.inner.clock.elapsed();
        if elapsed.saturating_sub(self.renewed) < RESERVATION_LIFE / 4 {
            return Ok(());
        }
        self.renewed = elapsed;
        let (drive, space) = (self.drive.clone(), self.space);
        self.drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
                // One that is gone, because a clock was wrong, takes its room anew at the end.
                uploads::renew(&tx, id, reservation_expiry(&drive, work.now)).await?;
                Ok(())
            })
            .await
    }

    /// The reservation, to be ended in the unit of work that commits the bytes.
    pub(crate) fn reservation(&self) -> Option<UploadId> {
        self.reservation
    }

    /// The bytes are committed.
    pub(crate) fn disarm(mut self) {
        self.armed = false;
    }

    /// Gives back what is held, now.
    pub(crate) async fn give_up(mut self) {
        self.armed = false;
        give_back(self.drive.clone(), self.space, self.content, self.reservation, self.writing).await;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.armed || (self.reservation.is_none() && !self.writing) {
            return;
        }
        let task = give_back(self.drive.clone(), self.space, self.content, self.reservation, self.writing);
        // Without a runtime the process is ending; intent and reservation rows then do the same later.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.drive.inner.tasks.spawn_on(task, &runtime);
        }
    }
}

async fn give_back(drive: Drive, space: SpaceId, content: ContentId, reservation: Option<UploadId>, writing: bool) {
    let inner = drive.clone();
    let result = drive
        .write(space, async move |tx| {
            let work = Work::hold(&inner, &tx, space, None).await?;
            if let Some(id) = reservation {
                end_reservation(&work, id).await?;
            }
            if writing {
                inner.inner.store.discard_unsealed(&tx, content, 0, work.now, Writers::Ended).await?;
            }
            Ok(())
        })
        .await;
    if let Err(error) = result {
        tracing::warn!(%error, "what is left of an upload that was given up waits for its expiry");
    }
}

/// Ends a reservation, if it has not expired; the room is free again.
async fn end_reservation(work: &Work<'_>, id: UploadId) -> Result<(), Error> {
    if let Some(row) = uploads::upload(work.tx, id).await? {
        uploads::delete_upload(work.tx, id).await?;
        work.count(0, -signed(row.reserved)?).await?;
    }
    Ok(())
}

/// Turns a reservation into so many bytes in use: what was promised is kept, even if the space may hold less since.
///
/// # Errors
/// [`Error::UploadCancelled`]; [`Error::Quota`] for what was not reserved.
pub(crate) async fn settle_reservation(work: &Work<'_>, id: UploadId, bytes: u64) -> Result<(), Error> {
    let reserved = match uploads::upload(work.tx, id).await? {
        Some(row) if row.state == CANCELLED => return Err(Error::UploadCancelled),
        Some(row) => {
            uploads::delete_upload(work.tx, id).await?;
            row.reserved
        }
        None => 0,
    };
    work.count(signed(bytes)?, -signed(reserved)?).await
}

/// When a reservation that has a sign of life now may be taken for that of a dead process.
fn reservation_expiry(drive: &Drive, now: Time) -> Time {
    now.plus(RESERVATION_LIFE.min(drive.inner.options.upload_lifetime))
}

/// When an upload that has a sign of life now may be removed.
pub(crate) fn expiry(drive: &Drive, now: Time) -> Time {
    now.plus(drive.inner.options.upload_lifetime)
}

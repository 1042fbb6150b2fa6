//! What a plain upload holds until it is committed, and gives back if it is not.

use base::{ContentId, SpaceId, Time, UploadId};
use db::uploads::{self, UploadRow};
use files::Writers;

use crate::{Actor, Drive, Error, upload::KIND_PUT, work::Work, work::signed};

/// Holds an intent to write and perhaps a reservation. Unless it is disarmed, both are given back: by [`Guard::give_up`],
/// or in a task of the drive when the guard is dropped because the client went away.
pub(crate) struct Guard {
    drive: Drive,
    space: SpaceId,
    content: ContentId,
    reservation: Option<UploadId>,
    /// Whether bytes may have gone to nodes.
    pub(crate) writing: bool,
    armed: bool,
}

impl Guard {
    /// Nothing is held yet.
    pub(crate) fn new(drive: &Drive, space: SpaceId, content: ContentId) -> Self {
        Self { drive: drive.clone(), space, content, reservation: None, writing: false, armed: true }
    }

    /// Reserves room for a long body, so that others cannot take it while the bytes flow. A row states it: if this
    /// process dies, the reservation ends with the row's expiry.
    ///
    /// # Errors
    /// [`Error::Quota`].
    pub(crate) async fn reserve(&mut self, actor: &Actor, bytes: u64) -> Result<(), Error> {
        let (drive, space, content) = (self.drive.clone(), self.space, self.content);
        let (id, account) = (drive.inner.ids.upload(), actor.principal.account);
        self.drive
            .write(space, async move |tx| {
                let work = Work::hold(&drive, &tx, space, None).await?;
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
                    expires: expiry(&drive, work.now),
                };
                Ok(uploads::insert_upload(&tx, &row).await?)
            })
            .await?;
        self.reservation = Some(id);
        Ok(())
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
pub(crate) async fn end_reservation(work: &Work<'_>, id: UploadId) -> Result<(), Error> {
    if let Some(row) = uploads::upload(work.tx, id).await? {
        uploads::delete_upload(work.tx, id).await?;
        work.count(0, -signed(row.reserved)?).await?;
    }
    Ok(())
}

/// When an upload that has a sign of life now may be removed.
pub(crate) fn expiry(drive: &Drive, now: Time) -> Time {
    now.plus(drive.inner.options.upload_lifetime)
}

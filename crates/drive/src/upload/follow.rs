//! Uploads whose folder went to another space meanwhile: they go there too, with the room they hold.

use accounts::Action;
use base::{EntryId, SpaceId, UploadId};
use db::{
    links,
    uploads::{self, UploadRow},
};

use super::{FINISHED, KIND_WHOLE};
use crate::{
    Actor, Drive, Error,
    work::{Work, signed},
};

impl Drive {
    /// An upload that is to become a file, in the space in which the folder is now that it will be in: `folder` if given, else
    /// the one it was begun in. It takes its reservation and its links along.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InTrash`], [`Error::NotAFolder`] of the folder; [`Error::Quota`], [`Error::PlanFileSize`],
    /// [`Error::PlanLinks`] if the other space has no room for it.
    pub(crate) async fn follow(
        &self,
        actor: &Actor,
        row: UploadRow,
        folder: Option<EntryId>,
    ) -> Result<UploadRow, Error> {
        if row.kind != KIND_WHOLE || row.state == FINISHED {
            return Ok(row);
        }
        let folder = self.folder(actor, Action::Change, Some(folder.unwrap_or(row.parent))).await?;
        let (from, to) = (row.space, folder.space.id);
        if from == to {
            return Ok(row);
        }
        let (drive, theirs) = (self.clone(), actor.clone());
        self.write_both(async move |tx| {
            let (source, target) = Work::hold_two(&drive, &tx, from, to, &theirs).await?;
            target.take_over(&source, row.id, to).await
        })
        .await
    }
}

impl Work<'_> {
    async fn take_over(&self, source: &Work<'_>, id: UploadId, to: SpaceId) -> Result<UploadRow, Error> {
        let row = source.upload(id).await?;
        self.fits(row.length.unwrap_or(row.received))?;
        let reserved = signed(row.reserved)?;
        source.count(0, -reserved).await?;
        self.count(0, reserved).await?;
        uploads::set_space(self.tx, id, to).await?;
        if let Some(promised) = uploads::promised(self.tx, id).await? {
            self.room_for_links(links::count_of_entry(self.tx, row.space, promised).await?).await?;
            links::take_along(self.tx, promised, row.space, to).await?;
        }
        Ok(UploadRow { space: to, ..row })
    }
}

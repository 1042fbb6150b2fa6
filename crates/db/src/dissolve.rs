//! What is left of a space that ends, in bites.

use base::{AccountId, EntryId, SpaceId, UploadId};

use crate::{Error, Tx, params, spaces::TEAM};

/// Kind of a space that ends: it has neither an owner nor members, so nobody sees it.
pub const ENDING: &str = "ending";

/// Makes a space one that ends, and takes all roles in it.
pub async fn hide(tx: &Tx, space: SpaceId) -> Result<(), Error> {
    tx.exec("UPDATE space SET kind = $1, rights = rights + 1 WHERE id = $2", &params![ENDING, space]).await?;
    tx.exec("DELETE FROM entry_grant WHERE space_id = $1", &params![space]).await?;
    tx.exec("DELETE FROM trash WHERE space_id = $1", &params![space]).await?;
    // Links of an ended space lead nowhere; their events age out by themselves.
    tx.exec("DELETE FROM link WHERE space_id = $1", &params![space]).await?;
    tx.exec("UPDATE space SET trashed = 0 WHERE id = $1", &params![space]).await?;
    Ok(())
}

/// Makes a personal space a team's, of this name.
pub async fn make_team(tx: &Tx, space: SpaceId, name: &str) -> Result<(), Error> {
    tx.exec("UPDATE space SET kind = $1, name = $2, rights = rights + 1 WHERE id = $3", &params![TEAM, name, space])
        .await?;
    Ok(())
}

/// The personal space of an account, if it has one.
pub async fn personal(tx: &Tx, owner: AccountId) -> Result<Option<SpaceId>, Error> {
    let row: Option<(SpaceId,)> =
        tx.query_opt("SELECT id FROM space WHERE owner_id = $1 AND kind = 'personal'", &params![owner]).await?;
    Ok(row.map(|(id,)| id))
}

/// The kind of a space, if there is one of this id.
pub async fn kind(tx: &Tx, space: SpaceId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx.query_opt("SELECT kind FROM space WHERE id = $1", &params![space]).await?;
    Ok(row.map(|(kind,)| kind))
}

/// Some entry of a space that has no folder and is not its root.
pub async fn loose(tx: &Tx, space: SpaceId, root: EntryId) -> Result<Option<EntryId>, Error> {
    let row: Option<(EntryId,)> = tx
        .query_opt(
            "SELECT id FROM entry WHERE space_id = $1 AND parent_id IS NULL AND id <> $2 LIMIT 1",
            &params![space, root],
        )
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Some uploads of a space.
pub async fn uploads(tx: &Tx, space: SpaceId, limit: u32) -> Result<Vec<UploadId>, Error> {
    let rows: Vec<(UploadId,)> =
        tx.query("SELECT id FROM upload WHERE space_id = $1 LIMIT $2", &params![space, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Removes up to `limit` rows of what a space without entries still has, and at last its own; true when that is gone.
pub async fn delete(tx: &Tx, space: SpaceId, limit: u32) -> Result<bool, Error> {
    let gone = tx
        .exec(
            "DELETE FROM journal WHERE space_id = $1 AND sequence IN
                (SELECT sequence FROM journal WHERE space_id = $1 LIMIT $2)",
            &params![space, limit],
        )
        .await?;
    if gone > 0 {
        return Ok(false);
    }
    tx.exec("DELETE FROM entry_tag WHERE space_id = $1", &params![space]).await?;
    tx.exec("DELETE FROM tag WHERE space_id = $1", &params![space]).await?;
    tx.exec("DELETE FROM folder_total WHERE space_id = $1", &params![space]).await?;
    tx.exec("DELETE FROM space WHERE id = $1", &params![space]).await?;
    Ok(true)
}

//! Pictures of people: small squares, kept and shown as they were sent.
//!
//! Nothing here decodes a picture. What decides is its head: it must be of the kind that its sender says, and tell a square of
//! a size that lists and pages can show. Browsers are told the same kind, and to guess no other.

mod head;

use std::net::IpAddr;

use base::{AccountId, Time, limits};
use db::{Lane, pictures::PictureRow};
use serde_json::json;

use crate::{
    Accounts, Error, Permission, Principal, UserView,
    audit::{Deed, Line},
};

/// Pixels of a side.
const SIDE: std::ops::RangeInclusive<u32> = 64..=1024;

/// Hexadecimal digits of a version: 64 bits, of which two pictures of one person never have the same.
const VERSION_DIGITS: usize = 16;

/// What kind of picture it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl PictureKind {
    /// All of them.
    const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The kind of a media type, without parameters and in any case; `None` for kinds that no picture here has.
    pub fn parse(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type().eq_ignore_ascii_case(media_type.trim()))
    }
}

/// A picture of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What differs where the bytes differ, in letters and digits.
    pub version: String,
    /// Of what kind it is.
    pub kind: PictureKind,
    /// Since when it is theirs.
    pub changed: Time,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Accounts {
    /// Gives the caller a picture in the place of the one that there is; gives the account as it is now.
    ///
    /// # Errors
    /// [`Error::PictureInvalid`] for bytes that are no such picture, too many of them, or no square of 64 to 1,024 pixels;
    /// [`Error::PermissionMissing`] without a session, [`Error::UserUnknown`], [`Error::Database`].
    pub async fn set_picture(
        &self,
        principal: &Principal,
        kind: PictureKind,
        bytes: Vec<u8>,
    ) -> Result<UserView, Error> {
        principal.needs(Permission::Account)?;
        check(kind, &bytes)?;
        let version = blake3::hash(&bytes).to_hex()[..VERSION_DIGITS].to_owned();
        let media_type = kind.media_type().to_owned();
        let row = PictureRow { version, media_type, changed: self.0.clock.now(), bytes };
        let account = principal.account;
        let put = async move |tx| db::pictures::put(&tx, account, &row).await;
        if !self.0.db.write(Lane::Free, put).await? {
            return Err(Error::UserUnknown);
        }
        self.user(principal, account).await
    }

    /// Takes the caller's picture away. That there is none is no error.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without a session, [`Error::Database`].
    pub async fn remove_picture(&self, principal: &Principal) -> Result<(), Error> {
        principal.needs(Permission::Account)?;
        let account = principal.account;
        self.0.db.write(Lane::Free, async move |tx| db::pictures::remove(&tx, account).await).await?;
        Ok(())
    }

    /// Somebody's picture, for everybody who is signed in: all of them may see the account too.
    ///
    /// # Errors
    /// [`Error::UserUnknown`], [`Error::PictureUnknown`] if the account has none, [`Error::Database`].
    pub async fn picture(&self, id: AccountId) -> Result<Picture, Error> {
        let Some(row) = db::pictures::of_account(&self.0.db, id).await? else {
            let account = db::accounts::account(&self.0.db, id).await?;
            return Err(account.map_or(Error::UserUnknown, |_| Error::PictureUnknown));
        };
        let kind = PictureKind::parse(&row.media_type).ok_or(Error::Damaged("the kind of a picture"))?;
        Ok(Picture { version: row.version, kind, changed: row.changed, bytes: row.bytes })
    }

    /// Takes somebody's picture away. That there is none is no error, and is not logged.
    ///
    /// # Errors
    /// As [`Accounts::update_person`].
    pub async fn remove_picture_of(&self, principal: &Principal, id: AccountId, from: IpAddr) -> Result<(), Error> {
        let row = self.subject(principal, id).await?;
        let line = Line::of(Deed::PictureRemoved, principal, id, from).with(json!({ "picture": row.picture }));
        let accounts = self.clone();
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                if db::pictures::remove(&tx, id).await? {
                    accounts.log(&tx, &line).await?;
                }
                Ok(())
            })
            .await
    }
}

/// Looks whether bytes are a picture that may be kept.
fn check(kind: PictureKind, bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > limits::PICTURE_BYTES_MAX {
        return Err(Error::PictureInvalid("it has more than 256 KiB"));
    }
    let (width, height) = head::size(kind, bytes).ok_or(Error::PictureInvalid(match kind {
        PictureKind::Jpeg => "the bytes are no JPEG",
        PictureKind::Png => "the bytes are no PNG",
        PictureKind::Webp => "the bytes are no WebP",
    }))?;
    match (width == height, SIDE.contains(&width)) {
        (true, true) => Ok(()),
        (false, _) => Err(Error::PictureInvalid("it is not square")),
        (true, false) => Err(Error::PictureInvalid("a side has fewer than 64 or more than 1024 pixels")),
    }
}

#[cfg(test)]
mod tests {
    use super::{head::tests::png, *};

    #[test]
    fn kinds_have_one_word_each() {
        for kind in PictureKind::ALL {
            assert_eq!(PictureKind::parse(kind.media_type()), Some(kind));
        }
        assert_eq!(PictureKind::parse(" IMAGE/PNG "), Some(PictureKind::Png));
        assert_eq!(PictureKind::parse("image/svg+xml"), None);
        assert_eq!(PictureKind::parse(""), None);
    }

    #[test]
    fn pictures_are_small_squares() {
        let check = |width, height| check(PictureKind::Png, &png(width, height)).map_err(|error| error.to_string());
        assert_eq!(check(64, 64), Ok(()));
        assert_eq!(check(1024, 1024), Ok(()));
        for (width, height, why) in [(64, 65, "not square"), (63, 63, "fewer than 64"), (1025, 1025, "more than 1024")]
        {
            assert!(check(width, height).is_err_and(|told| told.contains(why)), "{width} × {height}");
        }
        let long = [png(64, 64), vec![0; limits::PICTURE_BYTES_MAX]].concat();
        assert!(super::check(PictureKind::Png, &long).is_err());
        assert!(super::check(PictureKind::Webp, &png(64, 64)).is_err());
    }
}

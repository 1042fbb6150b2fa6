//! What is left to sign in with when something of it is removed, and administrators who remove it for somebody.

use std::net::IpAddr;

use base::{AccountId, IdentityId, PasskeyId};
use db::{Lane, Tx, identities::WaysIn};
use serde_json::json;

use crate::{
    Accounts, Error, IdentityView, PasskeyView, Permission, Principal,
    audit::{Deed, Line},
};

impl Accounts {
    /// Unlinks an identity of an account, in the caller's unit of work; the provider of which it was.
    ///
    /// # Errors
    /// [`Error::IdentityMissing`], [`Error::LastWayIn`], [`Error::Database`].
    pub(crate) async fn drop_identity(&self, tx: &Tx, account: AccountId, id: IdentityId) -> Result<String, Error> {
        let ways = db::identities::ways_in(tx, account).await?;
        let provider = db::identities::remove(tx, account, id).await?.ok_or(Error::IdentityMissing)?;
        self.leaves_a_way_in(&ways, self.remote(&provider).is_ok())?;
        Ok(provider)
    }

    /// Removes a passkey of an account, in the caller's unit of work; what it was called.
    ///
    /// # Errors
    /// [`Error::PasskeyUnknown`], [`Error::LastWayIn`], [`Error::Database`].
    pub(crate) async fn drop_passkey(&self, tx: &Tx, account: AccountId, id: PasskeyId) -> Result<String, Error> {
        let ways = db::identities::ways_in(tx, account).await?;
        let name = db::passkeys::remove(tx, account, id).await?.ok_or(Error::PasskeyUnknown)?;
        self.leaves_a_way_in(&ways, self.0.passkeys.is_some())?;
        Ok(name)
    }

    /// Whether something is left of what there was when one way in is gone. Only what works here counts: not an identity of a
    /// provider that is not configured any more, nor a passkey where there are none. What does not work takes nothing away.
    fn leaves_a_way_in(&self, ways: &WaysIn, works: bool) -> Result<(), Error> {
        let configured = ways.providers.iter().filter(|provider| self.remote(provider).is_ok()).count() as u64;
        let passkeys = if self.0.passkeys.is_some() { ways.passkeys } else { 0 };
        if works && !ways.password && configured + passkeys < 2 {
            return Err(Error::LastWayIn);
        }
        Ok(())
    }

    /// Somebody's accounts at providers, oldest first.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::UserUnknown`], [`Error::Database`].
    pub async fn identities_of(&self, principal: &Principal, id: AccountId) -> Result<Vec<IdentityView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        db::accounts::account(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        let rows = db::identities::of_account(&self.0.db, id).await?;
        Ok(rows.into_iter().map(|row| self.identity_view(row)).collect())
    }

    /// Somebody's passkeys, oldest first.
    ///
    /// # Errors
    /// [`Error::PermissionMissing`] without `admin.users`, [`Error::UserUnknown`], [`Error::Database`].
    pub async fn passkeys_of_person(&self, principal: &Principal, id: AccountId) -> Result<Vec<PasskeyView>, Error> {
        principal.needs(Permission::AdminUsers)?;
        db::accounts::account(&self.0.db, id).await?.ok_or(Error::UserUnknown)?;
        let rows = db::passkeys::of_account(&self.0.db, id).await?;
        Ok(rows.into_iter().map(PasskeyView::from).collect())
    }

    /// Unlinks one of somebody's accounts at providers. Sessions that began by it go on.
    ///
    /// # Errors
    /// As [`Accounts::update_person`]; [`Error::IdentityMissing`], [`Error::LastWayIn`] if nothing would be left for them to
    /// sign in with.
    pub async fn unlink_of(
        &self,
        principal: &Principal,
        id: AccountId,
        identity: IdentityId,
        from: IpAddr,
    ) -> Result<(), Error> {
        self.subject(principal, id).await?;
        let (line, accounts) = (Line::of(Deed::IdentityUnlinked, principal, id, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let provider = accounts.drop_identity(&tx, id, identity).await?;
                Ok(accounts.log(&tx, &line.with(json!({ "provider": provider, "identity": identity }))).await?)
            })
            .await
    }

    /// Removes one of somebody's passkeys. Sessions that began with it go on.
    ///
    /// # Errors
    /// As [`Accounts::update_person`]; [`Error::PasskeyUnknown`], [`Error::LastWayIn`] if nothing would be left for them to
    /// sign in with.
    pub async fn remove_passkey_of(
        &self,
        principal: &Principal,
        id: AccountId,
        passkey: PasskeyId,
        from: IpAddr,
    ) -> Result<(), Error> {
        self.subject(principal, id).await?;
        let (line, accounts) = (Line::of(Deed::PasskeyRemoved, principal, id, from), self.clone());
        self.0
            .db
            .write(Lane::Free, async move |tx| {
                let name = accounts.drop_passkey(&tx, id, passkey).await?;
                Ok(accounts.log(&tx, &line.with(json!({ "passkey": passkey, "name": name }))).await?)
            })
            .await
    }
}

//! What people sign in with beside a password, in the hands of administrators.

use std::sync::Arc;

use axum::extract::State;
use base::{AccountId, IdentityId, PasskeyId};
use http::StatusCode;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Ids, Json, NoQuery},
    rest::{passkeys::Passkeys, providers::Identities},
    state::{App, ClientAddress},
};

/// List somebody's accounts at providers
#[utoipa::path(get, path = "/api/v1/admin/users/{id}/identities", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 200, description = "Those that are linked.", body = Identities)))]
pub(crate) async fn list_identities_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<Json<Identities>, Problem> {
    Ok(Json(app.state.accounts.identities_of(&caller.principal, id).await?.into()))
}

/// Unlink one of somebody's accounts at providers
///
/// Sessions that began by it go on. Something must be left for them to sign in with.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/identities/{identity}", tag = "People", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("identity" = String, Path, description = "The id of a linked account, `idn_…`."),
    ),
    responses((status = 204, description = "Nobody signs in here by it any more.")))]
pub(crate) async fn remove_identity_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Ids(id, identity): Ids<AccountId, IdentityId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.unlink_of(&caller.principal, id, identity, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List somebody's passkeys
#[utoipa::path(get, path = "/api/v1/admin/users/{id}/passkeys", tag = "People", security(("token" = [])),
    params(("id" = String, Path, description = "An account's id, `usr_…`.")),
    responses((status = 200, description = "The passkeys.", body = Passkeys)))]
pub(crate) async fn list_passkeys_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<AccountId>,
    _: NoQuery,
) -> Result<Json<Passkeys>, Problem> {
    Ok(Json(app.state.accounts.passkeys_of_person(&caller.principal, id).await?.into()))
}

/// Remove one of somebody's passkeys
///
/// Sessions that began with it go on. Something must be left for them to sign in with.
#[utoipa::path(delete, path = "/api/v1/admin/users/{id}/passkeys/{passkey}", tag = "People", security(("token" = [])),
    params(
        ("id" = String, Path, description = "An account's id, `usr_…`."),
        ("passkey" = String, Path, description = "A passkey's id, `psk_…`."),
    ),
    responses((status = 204, description = "It opens nothing any more.")))]
pub(crate) async fn remove_passkey_of(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Ids(id, passkey): Ids<AccountId, PasskeyId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_passkey_of(&caller.principal, id, passkey, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

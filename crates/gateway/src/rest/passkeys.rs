//! Passkeys: adding, naming and removing them, and signing in with one alone.

use std::sync::Arc;

use accounts::Ceremony;
use axum::{extract::State, response::IntoResponse};
use base::{PasskeyId, Secret, Time};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery},
    rest::{
        second_factor::{NEVER_KEPT, ProofBody},
        sessions::{TokensView, never_kept},
    },
    state::{App, ClientAddress},
};

/// What the browser's authenticator is to be asked.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyCeremony)]
pub(crate) struct CeremonyView {
    /// Comes back with the answer.
    ceremony: String,
    /// For `navigator.credentials.create` or `.get`, with bytes in base64url: `publicKey` goes through
    /// `PublicKeyCredential.parseCreationOptionsFromJSON` or `.parseRequestOptionsFromJSON`.
    #[schema(value_type = Object, example = json!({ "publicKey": { "challenge": "…" } }))]
    options: Value,
    /// Seconds that this may take.
    #[schema(example = 300)]
    expires_in: u64,
}

/// What the authenticator answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyLoginBody {
    #[schema(value_type = String)]
    ceremony: Secret,
    /// `credential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Value,
    /// What the client calls itself, for the list of sessions.
    #[schema(example = "holdfast on laptop")]
    client: Option<String>,
}

/// A passkey to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPasskeyBody {
    #[schema(value_type = String)]
    ceremony: Secret,
    /// `credential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Value,
    /// What it is called: 1 to 100 characters.
    #[schema(example = "Laptop")]
    name: String,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyNameBody {
    /// 1 to 100 characters.
    #[schema(example = "Laptop")]
    name: String,
}

/// A passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(crate) struct PasskeyView {
    #[schema(value_type = String, example = "psk_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: PasskeyId,
    #[schema(example = "Laptop")]
    name: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_used_at: Option<Time>,
}

/// One's passkeys.
#[derive(Serialize, ToSchema)]
pub(crate) struct Passkeys {
    /// Oldest first.
    items: Vec<PasskeyView>,
}

/// Begin to sign in with a passkey
///
/// Without a name: the authenticator knows whose passkeys it has.
#[utoipa::path(post, path = "/api/v1/login/passkey", tag = "Sessions",
    responses((status = 200, description = "What the authenticator is to be asked.", body = CeremonyView)))]
pub(crate) async fn begin_passkey_login(State(app): State<Arc<App>>, _: NoQuery) -> Result<impl IntoResponse, Problem> {
    Ok(shown(app.state.accounts.begin_passkey_login()?))
}

/// Finish to sign in with a passkey
///
/// No second factor is asked for: the authenticator has verified its user.
#[utoipa::path(post, path = "/api/v1/login/passkey/finish", tag = "Sessions", request_body = PasskeyLoginBody,
    responses((status = 200, description = "The tokens of a new session.", body = TokensView)))]
pub(crate) async fn finish_passkey_login(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<PasskeyLoginBody>,
) -> Result<impl IntoResponse, Problem> {
    let accounts = &app.state.accounts;
    let tokens = accounts.finish_passkey_login(&body.ceremony, body.credential, body.client.as_deref(), from).await?;
    Ok(never_kept(tokens))
}

/// List one's passkeys
#[utoipa::path(get, path = "/api/v1/me/passkeys", tag = "Sessions", security(("token" = [])),
    responses((status = 200, description = "All of them.", body = Passkeys)))]
pub(crate) async fn list_passkeys(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
) -> Result<Json<Passkeys>, Problem> {
    Ok(Json(app.state.accounts.passkeys_of(&caller.principal).await?.into()))
}

/// Begin to add a passkey
#[utoipa::path(post, path = "/api/v1/me/passkeys", tag = "Sessions", security(("token" = [])), request_body = ProofBody,
    responses((status = 200, description = "What the authenticator is to be asked.", body = CeremonyView)))]
pub(crate) async fn begin_passkey(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<impl IntoResponse, Problem> {
    Ok(shown(app.state.accounts.begin_passkey(&caller.principal, &body.proof()).await?))
}

/// Finish to add a passkey
#[utoipa::path(post, path = "/api/v1/me/passkeys/finish", tag = "Sessions", security(("token" = [])),
    request_body = NewPasskeyBody,
    responses((status = 201, description = "The passkey.", body = PasskeyView)))]
pub(crate) async fn finish_passkey(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<NewPasskeyBody>,
) -> Result<(StatusCode, Json<PasskeyView>), Problem> {
    let accounts = &app.state.accounts;
    let passkey = accounts.finish_passkey(&caller.principal, &body.ceremony, body.credential, &body.name, from).await?;
    Ok((StatusCode::CREATED, Json(passkey.into())))
}

/// Rename a passkey
#[utoipa::path(patch, path = "/api/v1/me/passkeys/{id}", tag = "Sessions", security(("token" = [])),
    request_body = PasskeyNameBody,
    params(("id" = String, Path, description = "A passkey's id, `psk_…`.")),
    responses((status = 200, description = "The passkey.", body = PasskeyView)))]
pub(crate) async fn rename_passkey(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PasskeyId>,
    _: NoQuery,
    Json(body): Json<PasskeyNameBody>,
) -> Result<Json<PasskeyView>, Problem> {
    Ok(Json(app.state.accounts.rename_passkey(&caller.principal, id, &body.name).await?.into()))
}

/// Remove a passkey
///
/// Sessions that began with it go on.
#[utoipa::path(post, path = "/api/v1/me/passkeys/{id}/remove", tag = "Sessions", security(("token" = [])),
    request_body = ProofBody,
    params(("id" = String, Path, description = "A passkey's id, `psk_…`.")),
    responses((status = 204, description = "Nobody signs in with it any more.")))]
pub(crate) async fn remove_passkey(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<PasskeyId>,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<ProofBody>,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_passkey(&caller.principal, id, &body.proof(), from).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(ceremony: Ceremony) -> impl IntoResponse {
    let view = CeremonyView {
        ceremony: ceremony.ceremony.expose().to_owned(),
        options: ceremony.options,
        expires_in: ceremony.expires_in.as_secs(),
    };
    (NEVER_KEPT, Json(view))
}

impl From<Vec<accounts::PasskeyView>> for Passkeys {
    fn from(items: Vec<accounts::PasskeyView>) -> Self {
        Self { items: items.into_iter().map(PasskeyView::from).collect() }
    }
}

impl From<accounts::PasskeyView> for PasskeyView {
    fn from(view: accounts::PasskeyView) -> Self {
        Self { id: view.id, name: view.name, created_at: view.created, last_used_at: view.used }
    }
}

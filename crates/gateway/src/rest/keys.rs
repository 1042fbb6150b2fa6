//! API tokens, which are app passwords as well, and S3 keys.

use std::sync::Arc;

use accounts::{KeyView, NewKey};
use axum::{extract::State, response::IntoResponse};
use base::{KeyId, Time};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, page_limit, parse_id, parse_time},
    rest::page::{self, Page},
    state::{App, ClientAddress},
};

/// A token or key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    /// What its owner calls it: 1 to 100 characters.
    #[schema(example = "backup of the laptop")]
    name: String,
    /// What it may do: some of `files.read`, `files`, `share`, `admin.users`, `admin.nodes`, and at most what the account
    /// may.
    #[schema(example = json!(["files.read"]))]
    scopes: Vec<String>,
    /// When it ends by itself; never, where absent.
    #[schema(format = DateTime, example = "2027-11-21T01:26:55.000000Z")]
    expires_at: Option<String>,
}

/// An API token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    #[schema(value_type = String, example = "key_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: KeyId,
    #[schema(example = "backup of the laptop")]
    name: String,
    /// What the token begins with.
    #[schema(example = "hf_4Jx9")]
    prefix: String,
    #[serde(flatten)]
    common: Common,
}

/// An S3 key.
#[derive(Serialize, ToSchema)]
pub(crate) struct S3Key {
    #[schema(value_type = String, example = "key_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: KeyId,
    #[schema(example = "backup of the laptop")]
    name: String,
    #[schema(example = "HFQ2ZK5J7WXN4VTA3M6B")]
    access_key_id: String,
    #[serde(flatten)]
    common: Common,
}

/// What both kinds show.
#[derive(Serialize, ToSchema)]
struct Common {
    /// What it may do, as far as its account may.
    #[schema(example = json!(["files.read"]))]
    scopes: Vec<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-21T01:26:55.000000Z")]
    expires_at: Option<Time>,
    /// To the hour.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_used_at: Option<Time>,
}

/// A new API token, with its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    /// Goes into `Authorization: Bearer …`, or in the place of a password. It is shown this once.
    #[schema(example = "hf_4Jx9b0QmYt3kPzW8sVd2LrNc6HfGa1Ee7uKiCkq2")]
    token: String,
    #[serde(flatten)]
    common: Token,
}

/// A new S3 key, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedS3Key {
    /// It is shown this once.
    #[schema(example = "b0QmYt3kPzW8sVd2LrNc6HfGa1Ee7uKi5Rw4Tx9J")]
    secret_access_key: String,
    #[serde(flatten)]
    common: S3Key,
}

/// List one's API tokens
#[utoipa::path(get, path = "/api/v1/me/tokens", tag = "Tokens and keys", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of tokens, oldest first.", body = Page<Token>)))]
pub(crate) async fn list_tokens(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Token>>, Problem> {
    let (after, limit) = part(query)?;
    let keys = app.state.accounts.tokens_of(&caller.principal, after, limit).await?;
    Ok(Json(paged(keys, Token::from)))
}

/// Create an API token
///
/// For programs and, as their password, for apps. A token can make no tokens, and has no say over password and sessions.
#[utoipa::path(post, path = "/api/v1/me/tokens", tag = "Tokens and keys", security(("token" = [])), request_body = NewKeyBody,
    responses((status = 201, description = "The token, shown this once.", body = CreatedToken)))]
pub(crate) async fn create_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<NewKeyBody>,
) -> Result<impl IntoResponse, Problem> {
    let made = app.state.accounts.make_token(&caller.principal, body.try_into()?, from).await?;
    let created = CreatedToken { token: made.token.expose().to_owned(), common: made.view.into() };
    Ok((StatusCode::CREATED, [NEVER_KEPT], Json(created)))
}

/// Delete an API token
///
/// Within a second no gateway accepts it any more.
#[utoipa::path(delete, path = "/api/v1/me/tokens/{id}", tag = "Tokens and keys", security(("token" = [])),
    params(("id" = String, Path, description = "A token's id, `key_…`.")),
    responses((status = 204, description = "The token is good for nothing now.")))]
pub(crate) async fn delete_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<KeyId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_token(&caller.principal, id, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's S3 keys
#[utoipa::path(get, path = "/api/v1/me/s3-keys", tag = "Tokens and keys", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of keys, oldest first.", body = Page<S3Key>)))]
pub(crate) async fn list_s3_keys(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<S3Key>>, Problem> {
    let (after, limit) = part(query)?;
    let keys = app.state.accounts.s3_keys_of(&caller.principal, after, limit).await?;
    Ok(Json(paged(keys, S3Key::from)))
}

/// Create an S3 key
#[utoipa::path(post, path = "/api/v1/me/s3-keys", tag = "Tokens and keys", security(("token" = [])), request_body = NewKeyBody,
    responses((status = 201, description = "The key; its secret is shown this once.", body = CreatedS3Key)))]
pub(crate) async fn create_s3_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    _: NoQuery,
    Json(body): Json<NewKeyBody>,
) -> Result<impl IntoResponse, Problem> {
    let made = app.state.accounts.make_s3_key(&caller.principal, body.try_into()?, from).await?;
    let created = CreatedS3Key { secret_access_key: made.secret.expose().to_owned(), common: made.view.into() };
    Ok((StatusCode::CREATED, [NEVER_KEPT], Json(created)))
}

/// Delete an S3 key
///
/// Within a second no gateway accepts it any more.
#[utoipa::path(delete, path = "/api/v1/me/s3-keys/{id}", tag = "Tokens and keys", security(("token" = [])),
    params(("id" = String, Path, description = "A key's id, `key_…`.")),
    responses((status = 204, description = "The key is good for nothing now.")))]
pub(crate) async fn delete_s3_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    ClientAddress(from): ClientAddress,
    Id(id): Id<KeyId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.remove_s3_key(&caller.principal, id, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Secrets stay out of every cache.
const NEVER_KEPT: (header::HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Which part of a list is wanted.
fn part(query: PageQuery) -> Result<(Option<KeyId>, u32), Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    Ok((after, limit))
}

fn paged<T>(keys: accounts::Page<KeyView>, view: impl Fn(KeyView) -> T) -> Page<T> {
    let last = keys.items.last().filter(|_| keys.more).map(|last| page::cursor(&last.id.to_string()));
    Page { items: keys.items.into_iter().map(view).collect(), next_cursor: last }
}

impl TryFrom<NewKeyBody> for NewKey {
    type Error = Problem;

    fn try_from(body: NewKeyBody) -> Result<Self, Problem> {
        let expires = body.expires_at.as_deref().map(parse_time).transpose()?;
        Ok(Self { name: body.name, scopes: body.scopes, expires })
    }
}

impl From<&KeyView> for Common {
    fn from(view: &KeyView) -> Self {
        Self {
            scopes: view.scopes.words(),
            created_at: view.created,
            expires_at: view.expires,
            last_used_at: view.used,
        }
    }
}

impl From<KeyView> for Token {
    fn from(view: KeyView) -> Self {
        let common = Common::from(&view);
        Self { id: view.id, name: view.name, prefix: view.shown, common }
    }
}

impl From<KeyView> for S3Key {
    fn from(view: KeyView) -> Self {
        let common = Common::from(&view);
        Self { id: view.id, name: view.name, access_key_id: view.shown, common }
    }
}

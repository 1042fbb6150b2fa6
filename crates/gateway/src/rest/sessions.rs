//! Signing in and out, and the list of who is signed in.

use std::sync::Arc;

use accounts::{Login, Tokens};
use axum::{extract::State, response::IntoResponse};
use base::{Secret, SessionId, Time};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::Problem,
    extract::{Id, Json, NoQuery, PageQuery, Query, page_limit, parse_id},
    rest::{
        accounts::User,
        page::{self, Page},
    },
    state::{App, ClientAddress},
};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginBody {
    #[schema(example = "ada")]
    name: String,
    #[schema(value_type = String, example = "correct horse battery staple")]
    password: Secret,
    /// What the client calls itself, for the list of sessions.
    #[schema(example = "holdfast on laptop")]
    client: Option<String>,
}

/// A refresh token to be spent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshBody {
    #[schema(value_type = String)]
    refresh_token: Secret,
}

/// What a client needs to act for a person.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct TokensView {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    #[schema(example = 900)]
    expires_in: u64,
    /// Buys the next pair of tokens, once.
    refresh_token: String,
    user: User,
}

/// A signed-in client.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    #[schema(value_type = String, example = "ses_0197f3c6b1d07c3a9d2e5f60718293a4")]
    id: SessionId,
    /// What the client calls itself.
    #[schema(example = "holdfast on laptop")]
    client: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    created_at: Time,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T01:26:55.000000Z")]
    last_used_at: Time,
    #[schema(value_type = String, format = DateTime, example = "2026-12-21T01:26:55.000000Z")]
    expires_at: Time,
    /// Whether it is the session that asks.
    current: bool,
}

/// Sign in
///
/// For an account with a second factor the answer is the problem `second-factor-required`, with a `challenge` that goes with
/// the code to `POST /api/v1/login/second-factor` within `expires_in` seconds.
#[utoipa::path(post, path = "/api/v1/login", tag = "Sessions", request_body = LoginBody,
    responses((status = 200, description = "The tokens of a new session.", body = TokensView)))]
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    _: NoQuery,
    Json(body): Json<LoginBody>,
) -> Result<impl IntoResponse, Problem> {
    let login = Login { name: body.name, password: body.password, client: body.client, address };
    let tokens = app.state.accounts.login(login).await?;
    Ok(never_kept(tokens))
}

/// Get new tokens
///
/// The old refresh token is spent. A token that is spent twice was stolen, or its answer got lost: the session ends.
#[utoipa::path(post, path = "/api/v1/refresh", tag = "Sessions", request_body = RefreshBody,
    responses((status = 200, description = "New tokens of the same session.", body = TokensView)))]
pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    _: NoQuery,
    Json(body): Json<RefreshBody>,
) -> Result<impl IntoResponse, Problem> {
    let tokens = app.state.accounts.refresh(body.refresh_token.expose()).await?;
    Ok(never_kept(tokens))
}

/// Sign out
///
/// Ends the session that asks.
#[utoipa::path(post, path = "/api/v1/logout", tag = "Sessions", security(("token" = [])),
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn logout(State(app): State<Arc<App>>, caller: Caller, _: NoQuery) -> Result<StatusCode, Problem> {
    app.state.accounts.logout(&caller.principal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's sessions
#[utoipa::path(get, path = "/api/v1/sessions", tag = "Sessions", security(("token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Items on the page: 1 to 1000, 100 if absent."),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
    ),
    responses((status = 200, description = "A page of sessions.", body = Page<SessionView>)))]
pub(crate) async fn list_sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = query.cursor.map(|cursor| parse_id(&page::position(&cursor)?)).transpose()?;
    let sessions = app.state.accounts.sessions(&caller.principal, after, limit).await?;
    Ok(Json(paged(sessions)))
}

/// End a session
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "Sessions", security(("token" = [])),
    params(("id" = String, Path, description = "A session's id, `ses_…`.")),
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn end_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id<SessionId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    app.state.accounts.end_session(&caller.principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of sessions, of the caller or of somebody else.
pub(crate) fn paged(sessions: accounts::Page<accounts::SessionView>) -> Page<SessionView> {
    let items: Vec<_> = sessions
        .items
        .into_iter()
        .map(|session| SessionView {
            id: session.id,
            client: session.client,
            created_at: session.created,
            last_used_at: session.used,
            expires_at: session.expires,
            current: session.current,
        })
        .collect();
    let next_cursor = items.last().filter(|_| sessions.more).map(|last| page::cursor(&last.id.to_string()));
    Page { items, next_cursor }
}

/// Tokens stay out of every cache.
pub(crate) fn never_kept(tokens: Tokens) -> impl IntoResponse {
    let view = TokensView {
        access_token: tokens.access.expose().to_owned(),
        token_type: "Bearer",
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: tokens.refresh.expose().to_owned(),
        user: tokens.user.into(),
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(view))
}
